"""Rows are recognised by their values in the types of their columns: equal is equal, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks.rows.classification import (
    ClassifiedRows,
    ComparisonRules,
    classify,
    index_by_key,
    match_natural_keys,
)
from fixtures.checks.rows.identity import (
    canonical,
    compared_columns,
    differing_columns,
    fingerprint,
    key_text,
)
from fixtures.model.dataset import CollectionProfile
from fixtures.model.imports import ConflictKind

EQUAL = [
    ("decimal", "1.10", "1.1000"),
    ("decimal", "-0.00", "0"),
    ("decimal", "1E+3", "1000.0"),
    ("bigInteger", "9007199254740993", 9007199254740993),
    ("uuid", "9C1F4E30-0000-4000-8000-000000000001", "9c1f4e30-0000-4000-8000-000000000001"),
    ("timestamp", "2026-03-29T02:30:00+02:00", "2026-03-29T00:30:00.000Z"),
    ("json", {"a": 1, "b": [2]}, {"b": [2], "a": 1}),
    ("string", None, None),
]
OTHER = [
    ("decimal", "1.10", "1.11"),
    ("bigInteger", "9007199254740993", "9007199254740992"),
    ("string", "", None),
    ("string", "a", "A"),
    ("timestamp", "2026-03-29T00:30:00Z", "2026-03-29T00:30:00.001Z"),
    ("dateTime", "2026-03-29T02:30:00", "2026-03-29T03:30:00"),
    ("json", {"a": 1}, {"a": True}),
    ("json", [1, 2], [2, 1]),
    ("csv", ["a", "b"], ["a,b"]),
    ("boolean", False, None),
    ("string", "1.10", "1.1"),
]


@pytest.mark.parametrize(("kind", "one", "other"), EQUAL)
def test_equal_values_are_equal(kind: str, one: Any, other: Any) -> None:
    assert differing_columns({"c": one}, {"c": other}, {"c": kind}) == ()
    assert fingerprint({"c": one}, {"c": kind}) == fingerprint({"c": other}, {"c": kind})


@pytest.mark.parametrize(("kind", "one", "other"), OTHER)
def test_other_values_differ(kind: str, one: Any, other: Any) -> None:
    assert differing_columns({"c": one}, {"c": other}, {"c": kind}) == ("c",)
    assert fingerprint({"c": one}, {"c": kind}) != fingerprint({"c": other}, {"c": kind})


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4), st.integers(min_value=0, max_value=4))
def test_a_decimal_keeps_its_value_whatever_its_scale(number: Any, zeros: int) -> None:
    assert canonical(f"{number:f}" + "0" * zeros, "decimal") == canonical(f"{number:f}", "decimal")


@given(st.one_of(st.none(), st.text(), st.integers(), st.booleans(), st.lists(st.text())))
def test_a_value_that_does_not_fit_its_type_equals_itself(value: Any) -> None:
    for kind in ("decimal", "uuid", "timestamp", "bigInteger"):
        assert canonical(value, kind) == canonical(value, kind)


def test_keys_are_texts() -> None:
    assert key_text(7, "integer") == "7"
    assert key_text("ABCDEF00-0000-4000-8000-000000000001", "uuid") == "abcdef00-0000-4000-8000-000000000001"


PROFILE = CollectionProfile(
    name="t", key="id", key_type="integer", singleton=False, columns=("id", "slug", "made", "text", "new", "peer"),
    unique=("slug",), stamps=("made",),
)  # fmt: skip
TYPES = {"id": "integer", "slug": "string", "text": "text", "new": "boolean", "peer": "integer"}


def row(key: int, slug: str | None = None, text: str = "x", **more: Any) -> dict[str, Any]:
    return {"id": key, "slug": slug or f"s{key}", "text": text, "new": None, "peer": None, **more}


def sorted_(wanted: list[Any], observed: list[Any], **rules: Any) -> ClassifiedRows:
    return classify(index_by_key(wanted, PROFILE), observed, PROFILE, ComparisonRules(TYPES, **rules))


def test_stamps_are_not_compared() -> None:
    assert "made" not in compared_columns(PROFILE)


def test_rows_are_created_recognised_or_in_conflict() -> None:
    found = sorted_(
        [row(1), row(2), row(3), row(4, slug="taken"), row(5, slug="mine")],
        [row(2), row(3, text="edited there"), row(90, slug="taken"), row(5, slug="other"), row(91)],
    )
    assert found.create == ["1"]
    assert list(found.new()) == [row(1)]
    assert found.identical == ["2"]
    assert [(c.key, c.kind, c.production_key) for c in found.conflicts] == [
        ("3", ConflictKind.EDITED, "3"),
        ("5", ConflictKind.KEY_COLLISION, "5"),
    ]
    assert [(c.key, c.kind, c.production_key) for c in found.natural_key_matches] == [
        ("4", ConflictKind.NATURAL_KEY_MATCH, "90")
    ]
    assert found.edits["3"].before == {"text": "edited there"}
    assert found.edits["3"].after == {"text": "x"}
    assert "5" not in found.edits
    assert found.before == 5


def test_a_twin_that_was_edited_is_a_conflict_and_one_in_two_parts_is_nobodys() -> None:
    found = sorted_([row(4, slug="taken", text="mine")], [row(90, slug="taken", text="theirs")])
    assert [(c.key, c.kind, c.production_key) for c in found.conflicts] == [
        ("4", ConflictKind.UNIQUE_VALUE_TAKEN, "90")
    ]
    assert found.edits["90"].after == {"text": "mine"}
    both = replace(PROFILE, unique=("slug", "peer"))
    mine = index_by_key([row(4, "s", peer=7)], both)
    split = classify(mine, [row(90, "s"), row(91, "t", peer=7)], both, ComparisonRules(TYPES))
    assert [(c.key, c.kind, c.columns) for c in split.conflicts] == [
        ("4", ConflictKind.KEY_COLLISION, ("peer", "slug"))
    ]
    assert match_natural_keys(mine, [row(90, "s"), row(91, "t", peer=7)], both, TYPES) == {}


def test_a_value_held_by_an_edited_row_is_a_conflict_not_a_refusal() -> None:
    found = sorted_([row(1, slug="a"), row(2, slug="b")], [row(1, slug="b")])
    assert {(c.key, c.kind) for c in found.conflicts} == {
        ("1", ConflictKind.KEY_COLLISION),
    }
    assert [(c.key, c.production_key) for c in found.natural_key_matches] == [("2", "1")]
    assert found.create == []


def test_a_new_column_nobody_has_touched_is_completed_and_one_somebody_has_is_a_conflict() -> None:
    wanted = [row(1, new=False), row(2, new=False), row(3, new=False), row(4, new=False, text="other")]
    observed = [row(1), row(2, new=True), row(3, new=True), row(4)]
    found = sorted_(wanted, observed, new_columns={"new": None})
    assert found.new_column_backfill == {"1": {"new": False}}
    assert [c.key for c in found.conflicts] == ["2", "3", "4"]
    assert found.conflict_backfill == {"4": {"new": False}}
    assert found.conflicts[-1].columns == ("text",)
    with_default = sorted_(wanted, observed, new_columns={"new": True})
    assert sorted(with_default.new_column_backfill) == ["1", "2", "3"]


def test_a_circle_left_open_by_a_killed_run_is_closed_only_in_our_own_rows() -> None:
    found = sorted_([row(1, peer=9), row(2, peer=9)], [row(1), row(2)], deferred=["peer"], sent_keys={"1"})
    assert found.deferred_backfill == {"1": {"peer": 9}}
    assert [c.key for c in found.conflicts] == ["2"]


def test_a_value_that_was_set_and_is_gone_was_changed_by_somebody() -> None:
    """Deferred in a row that was created, new in a row production had: once set, neither is set again."""
    wanted = [row(1, peer=9, new=True), row(2, peer=9, new=True), row(3, peer=9, new=True)]
    observed = [row(1, new=True), row(2, new=True), row(3, peer=9)]
    written = {"1": {"peer"}, "3": {"new"}}
    found = sorted_(
        wanted, observed, deferred=["peer"], new_columns={"new": None}, sent_keys={"1", "2"}, written=written
    )
    assert found.deferred_backfill == {"2": {"peer": 9}}
    assert [(c.key, c.columns) for c in found.conflicts] == [("1", ("peer",)), ("3", ("new",))]


_ROWS = st.lists(
    st.builds(row, st.integers(1, 9), st.sampled_from(["a", "b", "c", "d", None]), st.sampled_from("xy")),
    unique_by=(lambda r: r["id"], lambda r: r["slug"]),
)


@given(_ROWS, _ROWS)
def test_every_row_of_the_export_has_exactly_one_place(wanted: list[Any], observed: list[Any]) -> None:
    found = sorted_(wanted, observed)
    places = found.create + found.identical
    places += [c.key for c in (*found.conflicts, *found.natural_key_matches)]
    assert sorted(places) == sorted(str(each["id"]) for each in wanted)
    assert found.before == len(observed)


@given(_ROWS, _ROWS)
def test_creating_what_is_missing_breaks_no_unique_column_and_a_second_sorting_creates_nothing(
    wanted: list[Any], observed: list[Any]
) -> None:
    after = [*observed, *sorted_(wanted, observed).new()]
    assert len({str(each["id"]) for each in after}) == len(after)
    assert len({each["slug"] for each in after}) == len(after)
    assert sorted_(wanted, after).create == []
