"""Rings one alarm: puts the rehearsal back, does the fault, runs the lines, and compares what turned red."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures import runbook
from tests_selftest.alarms import plugin
from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.templates import Templates

_CODE = re.compile(r"\b(?:[A-Z]{3,4}-|SC)\d+")


@dataclass(frozen=True)
class Heard:
    """
    What became of one fault.

    Attributes:
        red: Lines that did not pass, each with the beginning of its message; blocked ones aside.
        opened: Gates that opened in this run.
        trouble: Why nothing can be said; empty if the fault was done and the lines ran.
    """

    alarm: Alarm
    red: dict[str, str]
    opened: frozenset[str]
    trouble: str
    seconds: float

    @property
    def missed(self) -> frozenset[str]:
        return self.alarm.expected - self.red.keys()

    @property
    def collateral(self) -> frozenset[str]:
        return frozenset(self.red) - self.alarm.expected

    @property
    def open(self) -> frozenset[str]:
        """Gates of groups with a red line that opened all the same."""
        return frozenset(runbook.line(each).group for each in self.red) & self.opened

    @property
    def code(self) -> str:
        """Of the finding the line was red for; empty where its message has none."""
        found = _CODE.search(self.red.get(self.alarm.line, "").split("\n", 1)[0])
        return found[0] if found else ""

    @property
    def well(self) -> bool:
        heard = not (self.trouble or self.missed or self.collateral or self.open)
        return heard and self.code == self.alarm.code

    def __str__(self) -> str:
        word = "ok    " if self.well else "WRONG "
        red = ", ".join(sorted(self.red)) or "nothing"
        text = f"{word} {self.alarm.name:<64} {self.seconds:5.1f} s  red: {red}  {self.code}"
        if self.well:
            return text
        said = "".join(f"\n         {line}: {message[:300]}" for line, message in sorted(self.red.items()))
        missed = f"\n         not red: {', '.join(sorted(self.missed))}" if self.missed else ""
        opened = f"\n         gate open: {', '.join(sorted(self.open))}" if self.open else ""
        return f"{text}{missed}{opened}{said}{f'{chr(10)}         {self.trouble[-1500:]}' if self.trouble else ''}"


def ring(templates: Templates, alarm: Alarm) -> Heard:
    """What turns red when the fault is done to the rehearsal."""
    began = time.monotonic()
    templates.put_back(alarm.groups[0])
    said = templates.reports / "alarm-said.txt"
    said.parent.mkdir(parents=True, exist_ok=True)
    said.unlink(missing_ok=True)
    before = _entries(templates.reports)
    ended = templates.run(alarm.groups, "-p", plugin.__name__, **{plugin.NAME: alarm.name, plugin.SAID: str(said)})
    done = said.read_text(encoding="utf-8") if said.exists() else "the line before which it is done was never reached"
    verdicts = [entry for entry in _entries(templates.reports)[len(before) :] if entry["kind"] == "verdict"]
    red, opened = {}, set()
    for entry in verdicts:
        subject, facts = str(entry["subject"]), entry["facts"]
        if facts["verdict"] in {"failed", "in doubt"} and not subject.startswith("gate"):
            red[subject.split("[")[0]] = str(facts.get("message", ""))
        if facts["verdict"] == "passed" and subject.startswith("gate"):
            opened.add(subject.removeprefix("gate "))
    trouble = "" if done == "done" and ended.code in {0, 1} else f"{done}\n{ended.text[-1200:]}"
    return Heard(alarm, red, frozenset(opened), trouble, time.monotonic() - began)


def _entries(reports: Path) -> list[dict[str, Any]]:
    paths = [path for path in (reports / "ledger").glob("*.jsonl") if ".import" not in path.name]
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
