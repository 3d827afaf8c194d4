"""One design, migrated and judged: what became of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests_selftest.untidy import lines
from tests_selftest.untidy.design import Design
from tests_selftest.untidy.judge import Difference, judge
from tests_selftest.untidy.stage import PASSWORD, PRISTINE, ROLE, Stage


class Fate(StrEnum):
    """What became of a database."""

    CARRIED = "carried"  # GO and no difference
    NAMED = "named"  # GO; what no Directus schema holds is named in a note
    REFUSED = "refused"  # not GO, before the first write, the object named
    SILENT = "SILENT"  # GO over a difference
    CRASH = "CRASH"  # an exception that is no finding
    LATE = "LATE"  # stopped after the first write
    NAMELESS = "NAMELESS"  # stopped without naming what is untidy
    FALSE = "FALSE STOP"  # stopped where there is nothing that Directus does not carry


GOOD = frozenset({Fate.CARRIED, Fate.NAMED, Fate.REFUSED})


@dataclass(frozen=True)
class Verdict:
    """A fate, the line of the runbook it was met at, and why."""

    fate: Fate
    line: str
    why: str
    seconds: float
    outcome: lines.Outcome | None = None


def trial(stage: Stage, design: Design) -> Verdict:
    """Build both sides of *design*, migrate, and judge."""
    began = time.monotonic()
    for side in (stage.local, stage.production):
        for name in design.files(side.name):
            (side.files / name).write_bytes(b"text\n")
    stage.begin(design.sql("local"), design.sql("production"))
    outcome = lines.migrate(stage, lane=design.lane)
    fate, why = _fate(stage, design, outcome)
    return Verdict(fate, outcome.line, why, time.monotonic() - began, outcome)


def _fate(stage: Stage, design: Design, outcome: lines.Outcome) -> tuple[Fate, str]:
    named = [each for each in design.untidy if any(says(outcome.said, name) for name in each.names)]
    if outcome.crashed:
        return Fate.CRASH, outcome.said
    if not outcome.go and outcome.wrote:
        return Fate.LATE, outcome.said
    if not outcome.go and not design.untidy:
        return Fate.FALSE, outcome.said
    if not outcome.go:
        return (Fate.REFUSED if named else Fate.NAMELESS), outcome.said
    found = judge(
        stage.local.database_url, stage.before_url, stage.production.database_url,
        stage.cluster.url(PRISTINE, ROLE, PASSWORD),
    )  # fmt: skip
    notes = "\n".join(outcome.notes)
    unsaid = [each for each in found if not (each.outside and says(notes, _object(each)))]
    if unsaid:
        return Fate.SILENT, "\n".join(map(str, unsaid))
    return (Fate.NAMED if found else Fate.CARRIED), "\n".join(map(str, found))


def _object(difference: Difference) -> str:
    return difference.place.rpartition(".")[2]


def says(text: str, name: str) -> bool:
    """Whether *text* names an object, as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def minimise(design: Design, fails: Callable[[Design], bool]) -> Design:
    """The smallest design that still fails: tables, then features, left out one by one."""
    for table in reversed(design.tables):
        smaller = design.without_table(table.name)
        if len(design.tables) > 1 and fails(smaller):
            design = smaller
    for number in reversed(range(len(design.features))):
        smaller = design.without_feature(number)
        if fails(smaller):
            design = smaller
    return design
