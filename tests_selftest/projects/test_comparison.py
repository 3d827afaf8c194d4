"""The comparison of `make projects` names what is lost, and accepts what people edited."""

from __future__ import annotations

from typing import Any

import pytest

from tests_selftest.projects.comparison import Database, changed, lost, missing


def database(**rows: dict[str, str | None]) -> Database:
    """A database with one table, `items`; each keyword is a row by its key."""
    columns = next(iter(rows.values()), {})
    return Database({"items": tuple(columns)}, {"items": {key: dict(row) for key, row in rows.items()}})


LOCAL = database(a={"name": "one", "new": "x"}, b={"name": "two", "new": "y"})
BEFORE = database(a={"name": "edited", "own": "o"}, c={"name": "three", "own": "o"})
AFTER = database(
    a={"name": "edited", "own": "o", "new": None},
    b={"name": "two", "own": None, "new": "y"},
    c={"name": "three", "own": "o", "new": None},
)


def test_an_edited_row_may_stay_as_it_was() -> None:
    assert missing(LOCAL, AFTER, BEFORE) == []
    assert lost(BEFORE, AFTER) == []


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        ("b", None, ["items b: no such row"]),
        ("b", {"name": "tw", "own": None, "new": "y"}, ["items b name: 'two' expected, 'tw' in production"]),
        ("b", {"name": "two", "own": None, "new": None}, ["items b new: 'y' expected, None in production"]),
    ],
    ids=["row", "value", "new column"],
)
def test_what_did_not_arrive_is_named(key: str, values: Any, said: list[str]) -> None:
    rows = {name: row for name, row in AFTER.rows["items"].items() if name != key}
    after = Database(AFTER.columns, {"items": {**rows, **({key: values} if values else {})}})
    assert missing(LOCAL, after, BEFORE) == said


def test_a_row_nobody_edited_has_locals_new_columns() -> None:
    before = database(a={"name": "one", "own": "o"})
    assert missing(LOCAL, AFTER, before) == [
        "items a name: 'one' expected, 'edited' in production",
        "items a new: 'x' expected, None in production",
    ]


def test_what_production_had_is_named_when_it_is_gone_or_otherwise() -> None:
    after = database(a={"name": "one", "own": "o"})
    assert lost(BEFORE, after) == [
        "items a name: 'edited' expected, 'one' in production",
        "items c: no such row",
    ]
    assert lost(BEFORE, Database({}, {})) == ["items: no such table"]


def test_after_a_rollback_nothing_new_may_be_left() -> None:
    assert changed(BEFORE, BEFORE) == []
    assert changed(BEFORE, AFTER) == ["items b: new row", "items.new: new column"]
