"""Equal digests mean equal rows: what the index says of a row must hold when the row itself is compared."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.checks.rows.classification import ComparisonRules, classify, match_natural_keys
from fixtures.checks.rows.identity import comparer
from fixtures.checks.rows.refusals import are_right
from fixtures.checks.rows.row_index import IndexedRows, RowIndex, digest_forms
from fixtures.model.dataset import CollectionProfile, Reference
from fixtures.model.field_types import field_type

TYPES = {"id": "integer", "n": "decimal", "flag": "boolean", "doc": "json", "text": "string", "late": "string"}
PARENT = Reference("parent", "t", nullable=True)
ITEM = Reference("item", "u", nullable=True, discriminator="kind")
PROFILE = CollectionProfile("t", "id", "integer", False, tuple(TYPES), unique=("text",))


def index(*rows: dict[str, Any], new: tuple[str, ...] = (), **more: Any) -> RowIndex:
    made = RowIndex(lambda row: str(row["id"]), columns=digest_forms(TYPES), new_columns=new, **more)
    for line, row in enumerate(rows, start=2):
        made.add(line, row)
    return made


class Rows(IndexedRows):
    """Rows in memory that count how often they are read."""

    def __init__(self, *rows: dict[str, Any], new: tuple[str, ...] = ()) -> None:
        self._rows = {str(row["id"]): row for row in rows}
        self.index = index(*rows, new=new, unique={"text": field_type("string").canonical})
        self.read: list[str] = []

    def __getitem__(self, key: str) -> dict[str, Any]:
        self.read.append(key)
        return self._rows[key]

    def several(self, keys: Any) -> Any:
        return map(self.__getitem__, keys)


ONE: dict[str, Any] = {"id": 1, "n": "1.50", "flag": True, "doc": {"a": [1, 1.5]}, "text": "x"}


@pytest.mark.parametrize(
    ("change", "equal"),
    [
        ({}, True),
        ({"n": "1.5"}, True),
        ({"n": 1.5}, True),
        ({"n": "1.51"}, False),
        ({"flag": 1}, False),
        ({"flag": "True"}, False),
        ({"doc": {"a": [True, 1.5]}}, False),
        ({"doc": {"a": [1, 1.6]}}, False),
        ({"text": None}, False),
        ({"text": ["x"]}, False),
        ({"late": "y"}, False),
        ({"late": None}, True),
    ],
)
def test_digests_are_equal_as_rows_are(change: dict[str, Any], equal: bool) -> None:
    other = {**ONE, **change}
    assert index(ONE).surely_equal("1", other) is equal
    assert (comparer(TYPES)(ONE, other) == ()) is equal


def test_of_two_rows_with_one_key_the_later_is_known() -> None:
    made = index(ONE, {**ONE, "text": "second"})
    assert (list(made), made.line("1")) == (["1"], 3)
    assert not made.surely_equal("1", ONE)
    assert made.surely_equal("1", {**ONE, "text": "second"})


def test_a_row_is_read_only_where_its_digest_is_another_one() -> None:
    exported = Rows(ONE, {**ONE, "id": 2, "text": "two"}, {**ONE, "id": 3, "text": "three"})
    theirs = [dict(ONE), {**ONE, "id": 2, "text": "two", "n": "7"}]
    found = classify(exported, theirs, PROFILE, ComparisonRules(TYPES))
    assert (found.identical, found.create) == (["1"], ["3"])
    assert [(each.key, each.columns) for each in found.conflicts] == [("2", ("n",))]
    assert exported.read == ["2"]


def test_values_of_a_new_column_are_read_when_they_are_sent() -> None:
    exported = Rows({**ONE, "late": "now"}, new=("late",))
    rules = ComparisonRules(TYPES, new_columns={"late": None})
    found = classify(exported, [{**ONE, "late": None}], PROFILE, rules)
    assert (len(found.to_backfill), found.conflicts, exported.read) == (1, [], [])
    assert {key: dict(values) for key, values in found.to_backfill.items()} == {"1": {"late": "now"}}
    assert exported.read == ["1"]


def test_a_new_column_with_another_value_is_a_conflict() -> None:
    exported = Rows({**ONE, "late": "now"}, new=("late",))
    rules = ComparisonRules(TYPES, new_columns={"late": None})
    found = classify(exported, [{**ONE, "late": "an editor's"}], PROFILE, rules)
    assert [each.columns for each in found.conflicts] == [("late",)]
    assert not found.to_backfill


def test_a_row_under_another_key_is_found_without_reading() -> None:
    exported = Rows(ONE)
    assert match_natural_keys(exported, [{"id": 9, "text": "x"}], PROFILE, TYPES) == {"1": "9"}
    assert exported.read == []


def test_references_are_known_by_where_they_lead() -> None:
    made = index(
        {**ONE, "parent": 7, "kind": "u", "item": "5"},
        {**ONE, "id": 2, "parent": None, "kind": "v", "item": "6"},
        references=(PARENT, ITEM),
        own=("parent",),
    )
    assert made.referred == {PARENT: {"7"}, ITEM: {"5"}}
    assert made.parents == {"1": ["7"]}
    assert are_right(made.referred, {"t": {"7"}, "u": {"5"}}, {})
    assert are_right(made.referred, {"t": {"7"}}, {}), "rows of users that were not read are not judged"
    assert not are_right(made.referred, {"t": {"1"}, "u": {"5"}}, {})
    assert not are_right(made.referred, {"t": {"7"}, "u": {"5"}}, {"u": {"5"}})
