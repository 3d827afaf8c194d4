"""One fault done to a real migration, and the lines of the runbook that must turn red for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fixtures import runbook
from tests_selftest.alarms.hands import Hands

Fault = Callable[[Hands], None]


@dataclass(frozen=True)
class Alarm:
    """
    A fault, and what must be heard of it.

    Attributes:
        line: The line of the runbook that is proven to ring, "4.3.2" or "4.3.A2".
        fault: What is done to the world, at the moment before `before` runs.
        before: The line before which it is done; the line itself unless given.
        red: Every line that does not pass, blocked ones aside; `line` alone unless given.
        code: In the first line of the message of `line`, "MIG-431".
    """

    line: str
    fault: Fault
    code: str
    before: str = ""
    red: tuple[str, ...] = ()

    @property
    def moment(self) -> str:
        return self.before or self.line

    @property
    def expected(self) -> frozenset[str]:
        return frozenset(self.red or (self.line,))

    @property
    def name(self) -> str:
        """ "4.3.2 a_character_changes": the line and the fault, unique in the table."""
        return f"{self.line} {self.fault.__name__}"

    @property
    def title(self) -> str:
        """The fault in one sentence."""
        return " ".join((self.fault.__doc__ or "").split())

    @property
    def groups(self) -> tuple[str, ...]:
        """The task groups that are run: from that of the fault to the last one with a red line."""
        names = [group.id for group in runbook.GROUPS]
        first = names.index(runbook.line(self.moment).group)
        last = max(names.index(runbook.line(each).group) for each in self.expected)
        return tuple(names[first : last + 1])
