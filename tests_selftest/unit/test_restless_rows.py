"""A collection others write into is read until it holds still; only when it never does, the reading fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from fixtures.model.export import DataExport
from fixtures.model.finding import finding
from fixtures.model.snapshot import Snapshot
from fixtures.operations.verification import audit
from fixtures.systems.directus import DirectusObserver
from fixtures.systems.failure import IncompleteRead
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.unit.test_scratch import field

SCHEMA = Snapshot(
    {
        "collections": [{"collection": "parts", "schema": {"name": "parts"}}],
        "fields": [field("id", "integer", is_primary_key=True, is_nullable=False), field("title", "string")],
        "relations": [],
    }
)


class Restless:
    """A production whose one collection changes in so many readings, each time behind its second row."""

    def __init__(self, times: int) -> None:
        self.times = times

    def items(self, _collection: str, **_: Any) -> Iterator[dict[str, Any]]:
        for key in (1, 2, 3):
            if key == 3 and self.times:
                self.times -= 1
                raise IncompleteRead(finding("DIR-101", path="", system="", rows=3, read=3, distinct=3, again=4))
            yield {"id": key, "title": "fine"}


class ThreeRows:
    """The database of such a production."""

    def count(self, _table: str) -> int:
        return 3


def anomalies(times: int) -> audit.AnomaliesFound:
    nothing = DataExport(datetime(2026, 1, 1, tzinfo=UTC), ())
    production, database = cast(DirectusObserver, Restless(times)), cast(PostgresObserver, ThreeRows())
    return audit.anomalies(production, database, SCHEMA, nothing, Path(), lambda *_: None)


@pytest.mark.parametrize("times", [0, 1, audit.READINGS - 1])
def test_rows_are_judged_once_however_often_they_were_read(times: int) -> None:
    assert (anomalies(times).rows, anomalies(times).findings) == (3, [])


def test_a_collection_that_never_holds_still_is_said() -> None:
    with pytest.raises(IncompleteRead):
        anomalies(audit.READINGS)
