"""The table of alarms names lines of the runbook, says each fault in words, and no name twice."""

from __future__ import annotations

import pytest

from fixtures import runbook
from tests_selftest.alarms import page
from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.table import ALARMS, named


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_an_alarm_names_lines_of_the_runbook_and_a_code(alarm: Alarm) -> None:
    order = [str(line.id) for line in runbook.lines()]
    assert alarm.line in alarm.expected
    assert order.index(alarm.moment) <= min(order.index(line) for line in alarm.expected)
    assert alarm.title.endswith(".")
    assert alarm.code.partition("-")[0] in {"MIG", "DIR", "HTTP"} or alarm.code.startswith("SC")
    assert alarm.groups


def test_the_page_lists_the_table() -> None:
    listed = [line.split(" | ")[:2] for line in page.PAGE.read_text(encoding="utf-8").splitlines()]
    rows = [(row[0].removeprefix("| "), row[1]) for row in listed if len(row) == 2]
    assert rows[1:] == [(alarm.line, alarm.title) for alarm in ALARMS]


def test_no_name_is_there_twice() -> None:
    assert ALARMS
    assert len({alarm.name for alarm in ALARMS}) == len(ALARMS)
    assert all(named(alarm.name) is alarm for alarm in ALARMS)
