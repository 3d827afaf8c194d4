"""`docs/reference/alarms.md`: by line of the runbook, the faults it was heard to ring for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

from fixtures import runbook
from fixtures.model.ids import LineKind
from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.ring import Heard

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "alarms.md"

_WIDTH = 100

_HEAD = """# Alarms

Each row is a fault that `make alarms` did to a real rehearsal, and what was heard of it. "Red" are
all lines that did not pass; whatever waits for them was blocked. The table of faults is
`tests_selftest/alarms/faults/`; this page is written by `make alarms ARGS=--write`.

| line | fault | red | code |
|---|---|---|---|
"""


def write(heard: Iterable[Heard]) -> None:
    """The page, of a run in which every alarm was heard."""
    rows = [
        f"| {each.alarm.line} | {each.alarm.title} | {', '.join(sorted(each.red))} | {each.code} |" for each in heard
    ]
    PAGE.write_text(_HEAD + "\n".join(rows) + "\n\n" + unproven([each.alarm for each in heard]), encoding="utf-8")


def unproven(alarms: Iterable[Alarm]) -> str:
    """Which criteria and steps no fault of the table rings, said as such."""
    rung = {alarm.line for alarm in alarms}
    parts = []
    for kind, words in ((LineKind.CRITERION, "criteria"), (LineKind.STEP, "steps")):
        lines = [str(line.id) for line in runbook.lines() if line.kind is kind]
        left = [each for each in lines if each not in rung]
        parts.append(f"{len(lines) - len(left)} of {len(lines)} {words} have a fault of their own.")
        if left:
            parts.append("\n".join(textwrap.wrap(f"Not yet: {', '.join(left)}.", _WIDTH)))
    return "\n\n".join(parts) + "\n"
