"""An alarm counts as heard only when its lines are red, no others are, the code is right and the gate stays closed."""

from __future__ import annotations

import pytest

from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.hands import Hands
from tests_selftest.alarms.ring import Heard


def a_fault(_: Hands) -> None:
    """Something is broken."""


ALARM = Alarm("4.3.1", a_fault, "MIG-433")
RED = {"4.3.1": "Failure: MIG-433 Rows are missing.\n  where production"}


@pytest.mark.parametrize(
    ("red", "opened", "trouble", "well"),
    [
        (RED, {"4.2"}, "", True),
        ({}, {"4.3"}, "", False),
        ({**RED, "4.3.4": "MIG-552 An orphan."}, set(), "", False),
        ({"4.3.1": "MIG-434 Values differ."}, set(), "", False),
        ({"4.3.1": "assert 2 == 3\nMIG-433 stands further down"}, set(), "", False),
        (RED, {"4.3"}, "", False),
        (RED, set(), "the fault could not be done", False),
    ],
    ids=["heard", "not red", "collateral", "another finding", "a bare assert", "its gate open", "not done"],
)
def test_heard(red: dict[str, str], opened: set[str], trouble: str, *, well: bool) -> None:
    heard = Heard(ALARM, red, frozenset(opened), trouble, 1.0)
    assert heard.well is well
    assert str(heard).startswith("ok" if well else "WRONG")
