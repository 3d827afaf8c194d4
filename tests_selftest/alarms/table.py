"""All alarms, by the line of the runbook they ring."""

from __future__ import annotations

from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.faults import phase1, phase3, phase4, phase5

ALARMS: tuple[Alarm, ...] = (*phase1.ALARMS, *phase3.ALARMS, *phase4.ALARMS, *phase5.ALARMS)


def named(name: str) -> Alarm:
    """Raises KeyError."""
    return {alarm.name: alarm for alarm in ALARMS}[name]
