"""Every kind of anomaly is seen once fed, and good rows are left alone."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks.rows.anomalies import ASKED_BY_THE_APP, AnomalyDetector
from fixtures.evidence.ledger import Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.dataset import CollectionProfile
from fixtures.model.snapshot import Snapshot
from tests_selftest.kills import suite

TYPES = {
    "id": "integer",
    "name": "string",
    "status": "string",
    "on": "date",
    "at": "timestamp",
    "hour": "time",
    "fee": "decimal",
    "active": "boolean",
    "subtitle": "string",
    "grouped": "string",
}
OPTIONS: dict[str, Any] = {
    "status": {"choices": [{"value": "a"}, {"value": "b"}]},
    "grouped": {"choices": [{"text": "Group", "children": [{"value": "deep"}]}, {"value": "flat"}]},
}
PROFILE = CollectionProfile(
    "things",
    "id",
    "integer",
    singleton=False,
    columns=tuple(sorted(TYPES)),
    required=("name",),
    required_in_app=("subtitle",),
)
SNAPSHOT = Snapshot(
    {
        "fields": [
            {
                "collection": "things",
                "field": name,
                "type": kind,
                "meta": {"options": OPTIONS.get(name)},
            }
            for name, kind in TYPES.items()
        ]
    }
)
GOOD: dict[str, Any] = {
    "id": 1,
    "name": "Überdachung – 6 × 10 ft, “porch”, naïve, 東京, São Tomé",
    "status": "a",
    "on": "2024-02-29",
    "at": "2024-02-29T10:00:00.000Z",
    "hour": "18:30:00",
    "fee": "10.00",
    "active": True,
    "subtitle": "asked for by the app",
    "grouped": "deep",
}


def found(**changed: Any) -> list[str]:
    watcher = AnomalyDetector(PROFILE, SNAPSHOT)
    watcher.observe({**GOOD, **changed})
    return [finding.code for finding in watcher.findings()]


def test_a_good_row_is_left_alone() -> None:
    assert found() == []


def test_what_only_the_app_asks_for_is_listed_and_stops_nothing() -> None:
    for changed in ({"subtitle": None}, {"status": "former"}, {"grouped": "Group"}):
        assert set(found(**changed)) <= ASKED_BY_THE_APP
        assert len(found(**changed)) == 1
    assert not set(found(fee="ten")) & ASKED_BY_THE_APP


@pytest.mark.parametrize(
    ("changed", "stops"), [({"subtitle": None}, False), ({"status": "former"}, False), ({"on": "0001-01-01"}, True)]
)
def test_5_3_stops_at_none_of_them_and_at_every_other(tmp_path: Path, changed: dict[str, Any], stops: bool) -> None:
    watcher = AnomalyDetector(PROFILE, SNAPSHOT)
    watcher.observe({**GOOD, **changed})
    evidence = Evidence(tmp_path / "run-1", Ledger(tmp_path / "ledger.jsonl", run="run-1", inputs="i", suite="s"))
    evidence.begin("5.3.5")
    evidence.write(watcher.findings(), "Anomalies")
    evidence.begin("5.3.A4")
    with pytest.raises(AssertionError, match="MIG-533") if stops else nullcontext():
        suite.test_of("5.3.A4")(evidence)
    assert any("Only the app asks for it" in each and "1 row(s)" in each for each in evidence.notes) != stops


def test_null_is_fine_where_nothing_is_required() -> None:
    assert found(status=None, on=None, at=None, hour=None, fee=None, active=None) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"name": None}, "MIG-531"),
        ({"status": "c"}, "MIG-532"),
        ({"on": "2024-02-30"}, "MIG-533"),
        ({"on": "0001-01-01"}, "MIG-533"),
        ({"at": "not a time"}, "MIG-533"),
        ({"hour": "25:00:00"}, "MIG-533"),
        ({"fee": "NaN"}, "MIG-534"),
        ({"fee": "ten"}, "MIG-534"),
        ({"name": "Ã¼berdachung"}, "MIG-535"),
        ({"name": "the cityâ€™s plan"}, "MIG-535"),
        ({"name": "6 \ufffd 10"}, "MIG-535"),
        ({"name": "bell\x07"}, "MIG-536"),
    ],
)
def test_each_anomaly_is_seen(changed: dict[str, Any], code: str) -> None:
    assert found(**changed) == [code]


def test_rows_with_the_same_oddity_are_one_finding_with_their_number() -> None:
    watcher = AnomalyDetector(PROFILE, SNAPSHOT)
    for number in range(5):
        watcher.observe({**GOOD, "id": number, "name": None})
    (finding,) = watcher.findings()
    assert finding.sentence.startswith("5 row(s) of things")
    assert watcher.rows == 5


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffdÂÃâ")))
def test_ordinary_text_of_any_language_is_no_anomaly(text: str) -> None:
    assert found(name=text) == []
