"""The rollback is collected only by name, and alone; half way nothing goes forward; after it all begins anew."""

from __future__ import annotations

import pytest

from fixtures import runbook
from fixtures.evidence.ledger import ROLLED_BACK, Kind, Ledger
from fixtures.settings import Target, load
from tests_selftest.gating.conftest import Pages, environment

PAGE = """
import pytest
from fixtures.marks import action, gate, task_group
pytestmark = task_group("R")
"""


@pytest.fixture
def both(pages: Pages) -> pytest.Pytester:
    """Group 1.1 and a rollback of empty lines."""
    pytester = pages(only=("1.1",))
    lines = [PAGE]
    for line in runbook.lines_of("R"):
        lines.append(f'@action("{line.id}")\ndef test_{line.id.replace(".", "_").lower()}():\n    assert True')
    lines.append('@gate("R")\ndef test_gate():\n    assert True')
    (pytester.path / "phases" / "test_rollback.py").write_text("\n".join(lines))
    conftest = pytester.path / "conftest.py"
    conftest.write_text(conftest.read_text().replace('gating",', 'gating", "fixtures.plugins.rollback",'))
    return pytester


def ledger(pytester: pytest.Pytester) -> Ledger:
    """That of the target, as a run of another time would open it."""
    names = dict(line.split("=", 1) for line in environment(pytester.path).splitlines())
    settings = load(Target.STAGING, names, source="test")
    path = pytester.path / "reports" / "ledger" / f"{settings.fingerprint}.jsonl"
    return Ledger(path, run="run-earlier", inputs=settings.inputs, suite="s")


@pytest.mark.parametrize("arguments", [("phases/",), ("phases/test_rollback.py",), ("phases/", "-k", "gate")])
def test_without_its_name_it_is_not_run(both: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    run = both.runpytest_inprocess(*arguments, "--target", "staging", "-v")
    assert not [line for line in run.outlines if "test_rollback" in line and "::" in line]


def test_by_its_name_it_runs_alone(both: pytest.Pytester) -> None:
    run = both.runpytest_inprocess("phases/", "-m", "rollback", "--target", "staging")
    run.assert_outcomes(passed=len(runbook.lines_of("R")) + 1, deselected=len(runbook.lines_of("1.1")) + 1)


def test_together_with_a_phase_it_is_refused(both: pytest.Pytester) -> None:
    run = both.runpytest_inprocess("phases/", "-m", "rollback or phase1", "--target", "staging")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*MIG-712*"])


def test_while_something_was_taken_away_nothing_goes_forward(both: pytest.Pytester) -> None:
    before = ledger(both)
    before.add(Kind.OPENED, "migration", target="staging")
    before.add(Kind.INTENT, "2.1.4")
    before.add(Kind.INTENT, "R.2.1")
    assert both.runpytest_inprocess("phases/", "--target", "staging").ret == pytest.ExitCode.OK
    ledger(both).add(Kind.INTENT, "R.4.1", file="1")
    run = both.runpytest_inprocess("phases/", "--target", "staging")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*MIG-713*R.4.1*", "*pytest phases/ -m rollback --target staging*"])


def test_after_it_nothing_of_the_old_migration_counts_even_for_one_phase(both: pytest.Pytester) -> None:
    before = ledger(both)
    before.add(Kind.OPENED, "migration", target="staging")
    before.add(Kind.INTENT, "R.5.1")
    before.add(Kind.CLOSED, "migration", outcome=ROLLED_BACK)
    assert both.runpytest_inprocess("phases/", "-k", "1_1_1", "--target", "staging").ret == pytest.ExitCode.OK
    after = ledger(both)
    assert [entry.kind for entry in after.entries if entry.subject == "migration"][-1] is Kind.OPENED
    assert after.rolled_back is None
    assert after.rolling_back is None


def test_a_target_nobody_ever_migrated_from_here_is_no_success(pages: Pages) -> None:
    """Another machine, or a folder of reports that is gone: exit 0 would say that production is as it was."""
    from tests_selftest.gating.conftest import ROOT

    pytester = pages(only=())
    page = (ROOT / "phases" / "test_rollback.py").read_text()
    (pytester.path / "phases" / "test_rollback.py").write_text(page)
    conftest = pytester.path / "conftest.py"
    plugins = '"fixtures.plugins.rollback", "fixtures.plugins.handles", "fixtures.plugins.backup_guard",'
    conftest.write_text(conftest.read_text().replace('gating",', f'gating", {plugins}'))
    run = pytester.runpytest_inprocess("phases/test_rollback.py", "-m", "rollback", "--target", "staging")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["*MIG-701*"])
    assert ledger(pytester).rolled_back is None
