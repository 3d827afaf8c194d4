"""The comparison of `make projects` for roles, flows and the like sees each way in which CARRY could be wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests_selftest.projects.configuration import MADE, Configuration, differences

PASSWORD = "Bearer of-local-alone-1"


def side(**objects: list[tuple[str, str]]) -> Configuration:
    """Objects by kind and name; the id is the name."""
    everything = {kind: objects.get(kind, []) for kind in MADE}
    rows = {kind: {name: f"{name} {values}" for name, values in found} for kind, found in everything.items()}
    creations = Counter({f"directus_{kind}": len(found) for kind, found in everything.items()})
    return Configuration(everything, rows, creations, frozenset())


LOCAL = side(**{kind: [(f"{kind} {n}", "x") for n in range(number)] for kind, number in MADE.items()})
BEFORE = side(flows=[("Flow 20", "production's")], presets=[("own", "production's")])
LOCAL.objects["flows"].append(("Flow 20", "local's"))
AFTER = side(**{kind: [*LOCAL.objects[kind][: MADE[kind]], *BEFORE.objects[kind]] for kind in MADE})


def test_production_s_own_and_local_s_once_is_as_it_must_be() -> None:
    assert differences(BEFORE, LOCAL, AFTER) == []


def test_a_credential_that_was_emptied_is_no_difference_and_one_that_arrived_is() -> None:
    local = replace(LOCAL, objects={**LOCAL.objects, "operations": [("operations 0", f'"{PASSWORD}"')]})
    emptied = replace(AFTER, objects={**AFTER.objects, "operations": [("operations 0", '""')]})
    assert differences(BEFORE, local, emptied) == []
    rows = {**AFTER.rows, "operations": {**AFTER.rows["operations"], "operations 0": PASSWORD}}
    assert differences(BEFORE, LOCAL, replace(AFTER, rows=rows)) == ["a password of local is in production"]


@pytest.mark.parametrize("kind", MADE)
def test_an_object_that_is_missing_twice_or_otherwise_is_named(kind: str) -> None:
    mine = AFTER.rows[kind]
    without = {**AFTER.rows, kind: {key: row for key, row in mine.items() if key != f"{kind} 0"}}
    assert len(differences(BEFORE, LOCAL, replace(AFTER, rows=without))) == 1
    twice = {**AFTER.rows, kind: {**mine, "again": "again"}}
    assert len(differences(BEFORE, LOCAL, replace(AFTER, rows=twice))) == 1
    other = [(name, "y" if name == f"{kind} 0" else values) for name, values in AFTER.objects[kind]]
    found = differences(BEFORE, LOCAL, replace(AFTER, objects={**AFTER.objects, kind: other}))
    assert found == [f"directus_{kind} {kind} 0: local has x"]
    written = AFTER.creations + Counter({f"directus_{kind}": 1})
    assert len(differences(BEFORE, LOCAL, replace(AFTER, creations=written))) == (kind != "presets")


def test_what_production_had_and_a_flow_that_runs_are_seen() -> None:
    changed = {**AFTER.rows, "presets": {**AFTER.rows["presets"], "own": "other"}}
    assert differences(BEFORE, LOCAL, replace(AFTER, rows=changed)) == ["directus_presets own: not as it was"]
    running = replace(AFTER, active=frozenset({"flows 1"}))
    assert differences(BEFORE, LOCAL, running) == ["the flow flows 1 is active"]
