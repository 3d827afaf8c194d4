"""Every way in which a gate was seen to stay open, closed: each test here ran green with pytest-dependency alone."""

from __future__ import annotations

import pytest

from fixtures import runbook
from tests_selftest.gating.conftest import Pages, site_map

# Needs no world, so it comes while the first one is made.
pytestmark = pytest.mark.order("third")

LINES, GATES = len(runbook.lines()), len(runbook.GROUPS)
CHECKPOINTS = {group.id: group for group in runbook.GROUPS if group.checkpoint}


def run(pytester: pytest.Pytester, *arguments: str) -> tuple[pytest.RunResult, dict[str, int]]:
    result = pytester.runpytest_subprocess("phases", "--target", "staging", *arguments)
    started = result.ret is not pytest.ExitCode.USAGE_ERROR
    return result, result.parseoutcomes() if started else {}


def test_every_line_and_gate_passes_and_the_exit_code_is_0(pages: Pages) -> None:
    result, outcomes = run(pages())
    assert (result.ret, outcomes) == (0, {"passed": LINES + GATES})


@pytest.mark.parametrize("group", CHECKPOINTS)
def test_a_failing_checkpoint_blocks_everything_downstream(pages: Pages, group: str) -> None:
    """The last criterion of each of the five checkpoints fails; its gate and every line behind it are blocked."""
    last = runbook.lines_of(group)[-1].id
    behind = runbook.downstream(group)
    expected_blocked = sum(len(runbook.lines_of(g)) + 1 for g in behind) + 1
    result, outcomes = run(pages({last: "assert False, 'sabotaged'"}))
    assert result.ret == 1
    assert outcomes == {"failed": 1, "blocked": expected_blocked, "passed": LINES + GATES - 1 - expected_blocked}
    result.stdout.fnmatch_lines([f"*BLOCKED by gate {group} ({last})*"])


def test_one_phase_alone_on_a_new_target_is_blocked_with_exit_code_6_and_says_why(pages: Pages) -> None:
    result, outcomes = run(pages(), "-m", "phase3")
    assert result.ret == 6
    assert "passed" not in outcomes
    result.stdout.fnmatch_lines(["*BLOCKED by gate 1.4: gate 1.4 has not passed on this target*"])


def test_one_phase_runs_after_an_earlier_run_of_the_phases_before_it(pages: Pages) -> None:
    pytester = pages()
    assert run(pytester, "-m", "phase1 or phase2")[0].ret == 0
    result, outcomes = run(pytester, "-m", "phase3")
    assert (result.ret, outcomes["passed"]) == (0, sum(len(runbook.lines_of(f"3.{n}")) + 1 for n in range(1, 5)))


def test_a_gate_stays_closed_when_k_leaves_its_steps_out(pages: Pages) -> None:
    pytester = pages()
    assert run(pytester, "-m", "phase1 or phase2")[0].ret == 0
    result, _ = run(pytester, "phases/test_3_1_page.py", "-k", "test_gate", "-m", "phase3")
    assert result.ret == 6


def test_one_failed_parameter_closes_the_gate_although_the_last_one_passes(pages: Pages) -> None:
    pytester = pages()
    file = pytester.path / "phases" / "test_1_4_page.py"
    text = file.read_text().replace(
        '@action("1.4.2")\ndef test_1_4_2():\n    assert True',
        '@action("1.4.2")\n@pytest.mark.parametrize("kind", ["dump", "export"])\n'
        'def test_1_4_2(kind):\n    assert kind == "export"',
    )
    file.write_text(text)
    result, outcomes = run(pytester)
    assert result.ret == 1
    assert outcomes["failed"] == 1
    assert outcomes["blocked"] > 100


def test_a_line_that_skips_itself_fails(pages: Pages) -> None:
    result, outcomes = run(pages({"2.3.A1": "pytest.skip('not today')"}))
    assert result.ret == 1
    assert outcomes["failed"] == 1
    result.stdout.fnmatch_lines(["*MIG-020*"])


def test_only_a_skip_of_pytest_dependency_blocks_whatever_its_words(pages: Pages) -> None:
    """The second check is known by where it was raised, not by what it says."""
    item = "type('Item', (), {'name': 'test_2_3_a1'})()"
    check = f"import pytest_dependency as d; d.DependencyManager('session').checkDepend(['gate 9.9'], {item})"
    result, outcomes = run(pages({"2.3.A1": check}))
    assert "failed" not in outcomes
    assert result.ret == 6
    result.stdout.fnmatch_lines(["*BLOCKED by gate 2.3: test_2_3_a1 depends on gate 9.9*"])
    result, outcomes = run(pages({"2.3.A1": "pytest.skip('test_2_3_a1 depends on gate 9.9')"}))
    assert (result.ret, outcomes["failed"]) == (1, 1)


def test_a_failing_set_up_closes_the_gate(pages: Pages) -> None:
    pytester = pages()
    file = pytester.path / "phases" / "test_1_4_page.py"
    broken = "\n@pytest.fixture(autouse=True)\ndef broken():\n    raise RuntimeError('no database')\n"
    file.write_text(file.read_text() + broken)
    result, outcomes = run(pytester)
    assert result.ret == 1
    assert outcomes["blocked"] > 100


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--ignore-unknown-dependency",), "MIG-003"),
        (("-n", "2"), "MIG-003"),
        (("-p", "no:dependency"), "MIG-004"),
        (("-p", "no:order"), "MIG-004"),
    ],
)
def test_what_would_open_every_gate_is_refused(pages: Pages, arguments: tuple[str, ...], code: str) -> None:
    result, _ = run(pages(), *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{code}*"])


def test_lf_runs_the_failed_line_and_what_it_blocked_and_nothing_else(pages: Pages) -> None:
    pytester = pages({"3.2.A2": "assert False"})
    _, first = run(pytester)
    pages()
    again, outcomes = run(pytester, "--lf")
    assert again.ret == 0
    assert outcomes["passed"] == first["failed"] + first["blocked"]
    assert outcomes["deselected"] == first["passed"]


def test_lf_remembers_a_failure_that_is_still_there(pages: Pages) -> None:
    pytester = pages({"3.2.A2": "assert False"})
    run(pytester)
    for _ in range(2):
        again, outcomes = run(pytester, "--lf")
        assert again.ret == 1
        assert outcomes["failed"] == 1


def test_lf_on_a_finished_target_runs_nothing_and_says_so(pages: Pages) -> None:
    pytester = pages()
    run(pytester)
    again, outcomes = run(pytester, "--lf")
    assert again.ret == 0
    assert "passed" not in outcomes
    again.stdout.fnmatch_lines(["*nothing to do*"])


def test_a_verdict_for_other_inputs_does_not_open_a_gate(pages: Pages) -> None:
    pytester = pages()
    assert run(pytester, "-m", "phase1 or phase2")[0].ret == 0
    with (pytester.path / ".env.staging").open("a") as file:
        file.write("\nBACKEND_BRANCH=another\n")
    assert run(pytester, "-m", "phase3")[0].ret == 6


def write_setting(pytester: pytest.Pytester, text: str) -> None:
    with (pytester.path / ".env.staging").open("a") as file:
        file.write(f"\n{text}\n")


def test_another_person_in_the_user_map_closes_the_import_and_nothing_before_it(pages: Pages) -> None:
    pytester = pages()
    assert run(pytester, "-m", "phase1 or phase2 or phase3")[0].ret == 0
    write_setting(pytester, "USER_MAP=a@local.example=b@production.example")
    assert run(pytester, "-m", "phase4")[0].ret == 0
    write_setting(pytester, "USER_MAP=a@local.example=c@production.example")
    result, _ = run(pytester, "-m", "phase5")
    assert result.ret == 6
    result.stdout.fnmatch_lines(["*BLOCKED by gate 4.3*"])


def test_one_more_expected_log_line_closes_no_gate_and_one_less_closes_the_first_that_used_it(pages: Pages) -> None:
    pytester = pages()
    write_setting(pytester, "EXPECTED_LOG_LINES=^Mail is off")
    assert run(pytester, "-m", "phase1 or phase2")[0].ret == 0
    write_setting(pytester, "EXPECTED_LOG_LINES=^Mail is off;;^Cache is off")
    assert run(pytester, "-m", "phase3")[0].ret == 0
    write_setting(pytester, "EXPECTED_LOG_LINES=^Cache is off")
    result, _ = run(pytester, "-m", "phase4")
    assert result.ret == 6
    assert run(pytester, "-k", "test_1_4")[0].ret == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (site_map(workflows=0), "MIG-504 The site map describes 0 workflows."),
        (site_map(workflows=6), "MIG-504 The site map describes 6 workflows."),
        (site_map(workflows=3, steps='{ sign_in = "editor" }'), "MIG-503 The site map signs in as 'editor'"),
        ("[[pages]]", "MIG-501 The site map is not valid"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("-m", "phase1")], ids=["whole", "dry", "phase1"])
def test_a_site_map_that_5_1_could_not_use_is_refused_before_the_first_line(
    pages: Pages, content: str, said: str, arguments: tuple[str, ...]
) -> None:
    pytester = pages()
    (pytester.path / "site.toml").write_text(content)
    result = pytester.runpytest_subprocess("phases", "--target", "staging", *arguments)
    assert result.ret == 4
    assert said in result.stderr.str()
    assert not (pytester.path / "reports" / "ledger").exists()


def test_a_dry_run_executes_no_line_that_is_not_declared_for_it(pages: Pages) -> None:
    result, _ = run(pages({"3.3.2": "raise SystemExit('the body ran')"}), "--dry-run")
    assert result.ret == 0


def test_a_dry_run_plans_its_steps_reaches_no_effect_and_never_counts_for_a_real_run(pages: Pages) -> None:
    pytester = pages()
    result, outcomes = run(pytester, "--dry-run")
    steps = sum(line.kind == "step" for line in runbook.lines())
    assert result.ret == 0
    assert outcomes == {"planned": steps, "not": LINES - steps, "passed": GATES}  # "not reached", as pytester reads it
    assert run(pytester, "-m", "phase3")[0].ret == 6


def test_the_order_of_the_runbook_holds_whatever_order_the_files_are_named_in(pages: Pages) -> None:
    result = pages().runpytest_subprocess(
        "phases/test_6_2_page.py", "phases/test_1_1_page.py", "--target", "staging", "--collect-only", "-q"
    )
    first = next(line for line in result.outlines if "::" in line)
    assert "test_1_1_page.py::test_1_1_1" in first


def test_missing_settings_are_all_named_at_once(pages: Pages) -> None:
    pytester = pages()
    (pytester.path / ".env.staging").write_text("DIRECTUS_URL=nonsense\n")
    result, _ = run(pytester)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str()
    assert "MIG-001" in text
    assert "DIRECTUS_URL is malformed" in text
    assert "RENDER_API_KEY is not set" in text
    assert "ADMIN_TOKEN is not set" in text


def test_production_needs_its_host_typed(pages: Pages) -> None:
    pytester = pages()
    (pytester.path / ".env.production").write_text((pytester.path / ".env.staging").read_text())
    result = pytester.runpytest_subprocess("phases", "--target", "production")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*MIG-005*"])


def test_a_gate_that_stood_open_closes_when_a_line_of_its_group_fails_later(pages: Pages) -> None:
    """Found by chaos: a criterion turned red in a second look, and the phase behind it still ran on the old verdict."""
    pytester = pages()
    assert run(pytester)[0].ret == 0
    pages({"2.3.A1": "assert False, 'no longer'"}, only=("2.3",))
    assert run(pytester, "-k", "test_2_3")[0].ret == 1
    for phase in ("phase3", "phase5"):
        result, outcomes = run(pytester, "-m", phase)
        assert (result.ret, "passed" in outcomes) == (6, False)
    pages(only=("2.3",))
    assert run(pytester, "-k", "test_2_3")[0].ret == 0
    assert run(pytester, "-m", "phase3")[0].ret == 0
