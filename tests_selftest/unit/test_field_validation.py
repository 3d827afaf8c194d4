"""A row is judged by its fields' own validation as Directus' server judges it; what is not known is not refused."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.checks.rows import validation
from fixtures.model.snapshot import Snapshot
from fixtures.operations.lane_api.batches import row_converter

SLUG = {"_regex": "^[a-z]+$"}


@pytest.mark.parametrize(
    ("rule", "row", "verdict"),
    [
        ({"a": SLUG}, {}, True),
        ({"a": SLUG}, {"a": None}, False),
        ({"a": SLUG}, {"a": "b\n"}, False),
        ({"a": {"_regex": "/^B$/"}}, {"a": "B"}, True),
        ({"a": {"_nempty": True}}, {"a": None}, True),
        ({"a": {"_gt": 5}}, {"a": "5.5"}, True),
        ({"a": {"_gt": 5}}, {"a": None}, False),
        ({"a": {"_eq": 1}}, {"a": True}, False),
        ({"_or": [{"a": SLUG}, {"b": {"_null": True}}]}, {"a": "A", "b": None}, True),
        ({"_and": [{"a": SLUG}, {"b": {"_null": True}}]}, {"a": "a", "b": "x"}, False),
        ({"a": {"_gt": "$NOW"}}, {"a": "2025-01-01"}, None),
        ({"_or": [{"a": {"_gt": "$NOW"}}, {"a": {"_nnull": True}}]}, {"a": "2025-01-01"}, True),
        ({"_and": [{"a": {"_gt": "$NOW"}}, {"a": {"_null": True}}]}, {"a": "2025-01-01"}, False),
        ({"year(a)": {"_eq": 2025}}, {"a": "2025-01-01"}, None),
        ({"a": {"name": {"_eq": "x"}}}, {"a": 1}, None),
        ({"a": {"_regex": r"^\p{L}+$"}}, {"a": "x"}, None),
        ({"a": {"_regex": "^(?<=a+)b"}}, {"a": "x"}, None),
        ({"a": {"_gt": 5}}, {"a": "12345678901234567890"}, None),
        ({"a": {"_intersects": {}}}, {"a": "x"}, True),
    ],
)
def test_verdicts(rule: Any, row: dict[str, Any], verdict: bool | None) -> None:
    assert validation.judge(rule, row) is verdict


def field(name: str, rule: Any = None, *, special: str = "", default: Any = None) -> dict[str, Any]:
    meta = {"validation": rule, "special": [special] if special else None}
    return {"collection": "t", "field": name, "type": "string", "meta": meta, "schema": {"default_value": default}}


def rules_of(*fields: dict[str, Any]) -> validation.Validations:
    snapshot = Snapshot({"version": 1, "directus": "11", "collections": [], "fields": list(fields), "relations": []})
    return validation.validations(snapshot, "t")


def test_a_null_is_left_out_only_where_the_column_is_null_without_it_and_a_rule_names_it() -> None:
    rules = rules_of(
        field("a", {"a": SLUG}),
        field("with_default", {"with_default": SLUG}, default="x"),
        field("filled", {"filled": SLUG}, special="uuid"),
        field("asked_for", {"asked_for": {"_submitted": True}}),
        field("of_another", {"_and": [{"named": SLUG}]}),
        field("named"),
        field("plain"),
    )
    assert rules.left_out == {"a", "named"}
    row = dict.fromkeys(["a", "with_default", "filled", "asked_for", "of_another", "named", "plain"])
    left = {"with_default": None, "filled": None, "asked_for": None, "of_another": None, "plain": None}
    assert rules.sent(row) == left
    assert rules.sent({"a": "", "named": "n"}) == {"a": "", "named": "n"}
    convert = row_converter(dict.fromkeys(row, "string"), without=["named"], left_out=rules.left_out)
    assert convert({**row, "named": "set later"}) == left


def test_a_refused_row_is_named_with_its_rule_and_value() -> None:
    rules = rules_of(field("a", {"a": SLUG}), field("b"))
    assert rules.refused_by({"a": "ok"}) is None
    assert rules.refused_by({"a": "Nö"}) == "a"
    assert rules.message("a", {"a": "Nö"}) == '"a": its validation {"a": {"_regex": "^[a-z]+$"}} refuses "Nö"'
