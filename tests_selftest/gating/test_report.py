"""The report is there however a run ends, tells the truth about it, and is never more important than the migration."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from fixtures import runbook
from tests_selftest.gating.conftest import CONFTEST, Pages

LINES, GATES = len(runbook.lines()), len(runbook.GROUPS)

# Needs no world, so it comes while the first one is made.
pytestmark = pytest.mark.order("third")

TARGET = ("phases", "--target", "staging")

KILL = f"import os; os.kill(os.getpid(), {signal.SIGKILL.value})"
PHASE_1 = ("1.1", "1.2", "1.3", "1.4")

WITH_REPORT = CONFTEST.replace(
    "]\n",
    '    "fixtures.plugins.redaction", "fixtures.plugins.reporting", "fixtures.plugins.terminal_summary",\n]\n',
)


@pytest.fixture
def pages_with_report(pages: Pages) -> Pages:
    def write(*arguments: object, **named: object) -> pytest.Pytester:
        pytester = pages(*arguments, **named)
        pytester.makeconftest(WITH_REPORT)
        return pytester

    return write


def reports(pytester: pytest.Pytester) -> list[Path]:
    return sorted((pytester.path / "reports").glob("run-*/report.html"))


def headline(html: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", html, re.DOTALL)
    assert found, "no headline"
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).removeprefix(" Migration report: ").split())


def test_a_full_run_leaves_one_file_with_the_story_first_and_the_table_last(pages_with_report: Pages) -> None:
    pytester = pages_with_report()
    result = pytester.runpytest_subprocess(*TARGET)
    (report,) = reports(pytester)
    html = report.read_text()
    assert headline(html) == "GO"
    assert html.index('id="part-1"') < html.index('id="part-9"') < html.index('class="engineers"')
    assert html.index('class="engineers"') < html.index("data-jsonblob")
    assert (pytester.path / "reports" / "latest.html").read_text() == html
    assert str(pytester.path) not in html.split("data-jsonblob")[0]
    last = [line for line in result.stdout.lines if line.strip()][-3:]
    assert last[0].startswith("GO ")
    assert f"{LINES} of {LINES} lines of the runbook passed, {GATES} of {GATES} gates open" in last[0]
    assert last[1].startswith("migrated")
    assert f"{report.relative_to(pytester.path)}   file://" in last[2]


def test_a_stopped_run_says_where_and_what_to_do_in_its_last_lines(pages_with_report: Pages) -> None:
    pytester = pages_with_report({"1.4.2": "assert False, 'MIG-141 The backup is empty.'"}, only=PHASE_1)
    result = pytester.runpytest_subprocess(*TARGET)
    assert headline(reports(pytester)[0].read_text()) == "STOPPED at 1.4"
    last = [line for line in result.stdout.lines if line.strip()][-5:]
    assert last[0].startswith("STOPPED at 1.4 ")
    assert "MIG-141 The backup is empty." in last[0]
    changed = "nothing in production changed; fix the backup and run the same command again"
    assert re.fullmatch(rf"to do +{changed}", last[2])


def test_a_killed_run_leaves_a_page_that_says_unfinished(pages_with_report: Pages) -> None:
    pytester = pages_with_report({"1.3.1": KILL}, only=PHASE_1)
    pytester.runpytest_subprocess(*TARGET)
    html = (pytester.path / "reports" / "latest.html").read_text()
    assert headline(html) == "UNFINISHED at 1.3"
    assert "if no run is active now, it was interrupted" in html


def test_the_next_run_after_a_kill_tells_both(pages_with_report: Pages) -> None:
    pytester = pages_with_report({"1.3.1": KILL}, only=PHASE_1)
    pytester.runpytest_subprocess(*TARGET)
    pages_with_report(only=PHASE_1)
    pytester.runpytest_subprocess("phases/test_1_3_page.py", "phases/test_1_4_page.py", *TARGET[1:])
    html = (pytester.path / "reports" / "latest.html").read_text()
    assert headline(html) == "UNDER WAY at 2.1"
    assert "in 2 runs" in html


def test_ctrl_c_and_a_broken_set_up_leave_a_report(pages_with_report: Pages) -> None:
    pytester = pages_with_report({"1.2.1": "raise KeyboardInterrupt"}, only=PHASE_1)
    pytester.runpytest_subprocess(*TARGET)
    assert headline(reports(pytester)[-1].read_text()) == "INTERRUPTED at 1.2"
    pages_with_report(only=PHASE_1)
    file = pytester.path / "phases" / "test_1_2_page.py"
    broken = "\n@pytest.fixture(autouse=True)\ndef broken():\n    raise RuntimeError('no route to host')\n"
    file.write_text(file.read_text() + broken)
    pytester.runpytest_subprocess(*TARGET)
    html = (pytester.path / "reports" / "latest.html").read_text()
    assert headline(html) == "STOPPED at 1.2"
    assert "no route to host" in html


def test_one_phase_alone_on_a_new_target_is_told_as_blocked(pages_with_report: Pages) -> None:
    pytester = pages_with_report(only=("3.1",))
    result = pytester.runpytest_subprocess(*TARGET, "-m", "phase3")
    assert result.ret == 6
    html = reports(pytester)[0].read_text()
    assert headline(html) == "STOPPED at 3.1"
    assert "gate 1.4 has not passed on this target" in html


def test_a_later_run_of_one_phase_shows_the_phases_before_it(pages_with_report: Pages) -> None:
    pytester = pages_with_report(only=(*PHASE_1, "2.1", "2.2", "2.3"))
    pytester.runpytest_subprocess(*TARGET, "-m", "phase1")
    pytester.runpytest_subprocess(*TARGET, "-m", "phase2")
    html = (pytester.path / "reports" / "latest.html").read_text()
    assert headline(html) == "UNDER WAY at 3.1"
    assert "<b>7</b> of 19 gates open" in html


def test_a_dry_run_is_rehearsed(pages_with_report: Pages) -> None:
    pytester = pages_with_report()
    pytester.runpytest_subprocess(*TARGET, "--dry-run")
    html = (pytester.path / "reports" / "latest.html").read_text()
    assert headline(html) == "REHEARSED (dry run)"


def test_blocked_planned_and_in_doubt_are_readable_in_the_table(pages_with_report: Pages) -> None:
    lost = "raise InDoubt('Directus', method='POST', path='/x', reason='no answer')"
    pytester = pages_with_report({"1.4.2": f"from fixtures.systems.failure import InDoubt; {lost}"}, only=PHASE_1)
    pytester.runpytest_subprocess(*TARGET)
    table = reports(pytester)[0].read_text().split("data-jsonblob")[1]
    for verdict in ("in doubt", "blocked", "passed"):
        assert f"&lt;td class=\\&#34;col-verdict\\&#34;&gt;{verdict}&lt;/td&gt;" in table
    # pytest-html hides every row whose result is not one of its own words.
    results = set(re.findall(r"&#34;result&#34;: &#34;(\w+)&#34;", table))
    assert results == {"Passed", "Failed", "Skipped"}


def test_no_secret_is_in_terminal_ledger_or_report(pages_with_report: Pages) -> None:
    body = "print('Bearer abcdefgh12345678'); assert False, 'token=abcdefgh12345678'"
    pytester = pages_with_report({"1.4.2": body}, only=PHASE_1)
    file = pytester.path / "phases" / "test_1_4_page.py"
    file.write_text(file.read_text().replace("'token=abc", "'token=' 'abc"))
    result = pytester.runpytest_subprocess(*TARGET, "-rA")
    kept = "".join(path.read_text() for path in (pytester.path / "reports").rglob("*.*") if path.is_file())
    assert "token=[redacted]" in kept
    assert "token=abcdefgh12345678" not in kept + result.stdout.str()
    assert "Bearer abcdefgh12345678" not in kept + result.stdout.str()


def test_a_report_that_cannot_be_written_stops_nothing(pages_with_report: Pages) -> None:
    body = "import fixtures.report.page as p; p.fragment = lambda *a, **k: 1 / 0"
    pytester = pages_with_report({"1.1.1": body}, only=PHASE_1)
    result = pytester.runpytest_subprocess(*TARGET)
    assert result.ret == 0
    result.stderr.fnmatch_lines(["MIG-030 The report is incomplete: *"])


def test_tests_that_are_no_lines_of_the_runbook_get_no_report(pages_with_report: Pages) -> None:
    pytester = pages_with_report(only=("1.1",))
    pytester.makepyfile("def test_something(): pass")
    result = pytester.runpytest_subprocess("test_tests_that_are_no_lines_of_the_runbook_get_no_report.py")
    assert result.ret == 0
    assert not (pytester.path / "reports").exists()


def test_a_path_of_ones_own_is_kept(pages_with_report: Pages) -> None:
    pytester = pages_with_report(only=PHASE_1)
    pytester.runpytest_subprocess(*TARGET, "--html", "mine/all.html", "--self-contained-html")
    html = (pytester.path / "mine" / "all.html").read_text()
    assert headline(html) == "UNDER WAY at 2.1"
    assert (pytester.path / "reports" / "latest.html").read_text() == html


FIVE = """
    from fixtures.model.finding import finding, format_findings
    findings = [finding("MIG-501", problem=f"number {n}") for n in range(5)]
    assert not findings, format_findings(findings)
"""
RAISED = """
    from fixtures.model.finding import StoppedByFindings, finding
    StoppedByFindings.raise_for([finding("MIG-501", problem=f"number {n}") for n in range(5)])
"""


@pytest.mark.parametrize("body", [FIVE, RAISED], ids=["asserted", "raised"])
def test_findings_a_message_does_not_show_are_in_the_evidence_it_names(pages_with_report: Pages, body: str) -> None:
    pytester = pages_with_report({"1.1.2": body.strip()}, only=PHASE_1)
    result = pytester.runpytest_subprocess(*TARGET)
    (named,) = {line.strip().removeprefix("All 5 findings: ") for line in result.outlines if "All 5 findings: " in line}
    kept = json.loads((pytester.path / "reports" / named).read_text())
    assert [each["sentence"].split(": ")[1] for each in kept] == [f"number {n}" for n in range(5)]
    (ledger,) = (pytester.path / "reports" / "ledger").glob("*.jsonl")
    assert f"All 5 findings: {named}" in ledger.read_text()


def test_findings_a_message_shows_are_kept_nowhere_else(pages_with_report: Pages) -> None:
    pytester = pages_with_report({"1.1.2": FIVE.strip().replace("range(5)", "range(3)")}, only=PHASE_1)
    result = pytester.runpytest_subprocess(*TARGET)
    assert not any("All 3 findings" in line or "only in the evidence" in line for line in result.outlines)
    assert list((pytester.path / "reports").rglob("findings-*.json")) == []
