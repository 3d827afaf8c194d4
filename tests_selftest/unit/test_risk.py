"""Every kind of schema change has its code; nothing unknown is harmless; nothing that deletes is ever sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks.schema import plan_safety, planning, probing, risk
from fixtures.checks.schema.risk_codes import CODES
from fixtures.model.plan import Change, Part, Risk, SchemaPlan, Stage
from fixtures.model.probe import Lock, Probe, ProbeKind, ProbeResult
from fixtures.model.snapshot import Snapshot

EMPTY = Snapshot({})


def edit(path: list[str], before: Any, after: Any) -> dict[str, Any]:
    return {"kind": "E", "path": path, "lhs": before, "rhs": after}


def field_diff(*items: dict[str, Any]) -> dict[str, Any]:
    return {"fields": [{"collection": "t", "field": "c", "diff": list(items)}]}


def codes(diff: dict[str, Any], desired: Snapshot = EMPTY) -> list[str]:
    return sorted(change.code for change in risk.classify(diff, desired))


def plan_of(diff: dict[str, Any], desired: Snapshot = EMPTY) -> SchemaPlan:
    return planning.plan(guard="g", diff=diff, desired=desired, current=EMPTY, made_at=datetime(2026, 1, 1, tzinfo=UTC))


EDITS = {
    "longer": (edit(["schema", "max_length"], 120, 255), "SC120"),
    "no limit": (edit(["schema", "max_length"], 120, None), "SC120"),
    "shorter": (edit(["schema", "max_length"], 255, 120), "SC130"),
    "a limit where there was none": (edit(["schema", "max_length"], None, 255), "SC130"),
    "no limit, as Directus tells it": (edit(["schema", "max_length"], 255, -5), "SC120"),
    "a limit where Directus told of none": (edit(["schema", "max_length"], -5, 255), "SC130"),
    "more digits": (edit(["schema", "numeric_precision"], 10, 12), "SC120"),
    "fewer digits": (edit(["schema", "numeric_precision"], 12, 10), "SC128"),
    "fewer decimals": (edit(["schema", "numeric_scale"], 4, 1), "SC131"),
    "more decimals in the same precision": (edit(["schema", "numeric_scale"], 2, 4), "SC128"),
    "null allowed": (edit(["schema", "is_nullable"], False, True), "SC121"),
    "null refused": (edit(["schema", "is_nullable"], True, False), "SC134"),
    "unique": (edit(["schema", "is_unique"], False, True), "SC135"),
    "no longer unique": (edit(["schema", "is_unique"], True, False), "SC152"),
    "default": (edit(["schema", "default_value"], None, "draft"), "SC123"),
    "index": (edit(["schema", "is_indexed"], False, True), "SC124"),
    "no longer indexed": (edit(["schema", "is_indexed"], True, False), "SC153"),
    "primary key": (edit(["schema", "is_primary_key"], False, True), "SC136"),
    "note": (edit(["meta", "note"], None, "as in chapter 3"), "SC110"),
    "required": (edit(["meta", "required"], False, True), "SC111"),
    "no longer required": (edit(["meta", "required"], True, False), "SC110"),
    "special": (edit(["meta", "special"], None, ["cast-csv"]), "SC113"),
    "whole meta, required inside": (edit(["meta"], {"required": False}, {"required": True}), "SC111"),
    "whole meta, a note inside": (edit(["meta"], {"note": None}, {"note": "x"}), "SC110"),
    "column becomes alias": (edit(["schema"], {"name": "c"}, None), "SC139"),
    "something nobody has seen": (edit(["schema", "collation"], "C", "de"), "SC199"),
    "a path of the future": (edit(["storage"], 1, 2), "SC199"),
    "a detail that local lacks": ({"kind": "D", "path": ["schema", "is_indexed"], "lhs": False}, "SC143"),
    "the whole field": ({"kind": "D", "lhs": {"field": "c"}}, "SC141"),
}


@pytest.mark.parametrize("case", EDITS)
def test_an_edit_of_a_field_has_its_code(case: str) -> None:
    item, code = EDITS[case]
    assert codes(field_diff(item)) == [code]


TYPES = {
    ("string", "text"): "SC125",
    ("integer", "bigInteger"): "SC126",
    ("text", "string"): "SC132",
    ("float", "integer"): "SC132",
    ("decimal", "float"): "SC132",
    ("timestamp", "date"): "SC132",
    ("uuid", "string"): "SC132",
    ("text", "integer"): "SC133",
    ("bigInteger", "integer"): "SC133",
    ("json", "text"): "SC125",
}
_SEEN_BY_CLIENTS = {
    ("decimal", "float"),
    ("timestamp", "date"),
    ("text", "integer"),
    ("bigInteger", "integer"),
    ("json", "text"),
}


@pytest.mark.parametrize(("before", "after"), TYPES)
def test_a_type_change_is_one_change_judged_by_both_types(before: str, after: str) -> None:
    items = (
        edit(["type"], before, after),
        edit(["schema", "data_type"], f"pg {before}", f"pg {after}"),
        edit(["schema", "max_length"], 255, None),
    )
    form = ["SC113"] if (before, after) in _SEEN_BY_CLIENTS else []
    assert codes(field_diff(*items)) == [*form, TYPES[before, after]]


def test_a_data_type_change_alone_is_lossy() -> None:
    assert codes(field_diff(edit(["schema", "data_type"], "timestamptz", "timestamp"))) == ["SC132"]


def test_more_decimals_with_room_for_them_lose_nothing() -> None:
    items = (edit(["schema", "numeric_precision"], 10, 12), edit(["schema", "numeric_scale"], 2, 4))
    assert codes(field_diff(*items)) == ["SC120"]


_WIDER_SCALE = edit(["schema", "numeric_scale"], 2, 4)
_WIDER_PRECISION = edit(["schema", "numeric_precision"], 10, 12)


@pytest.mark.parametrize(
    ("items", "code", "lock"),
    [
        ([edit(["schema", "max_length"], 10, 20)], "SC120", Lock.BRIEF),
        ([_WIDER_PRECISION], "SC120", Lock.BRIEF),
        ([_WIDER_PRECISION, _WIDER_SCALE], "SC120", Lock.REWRITE),
        ([_WIDER_SCALE, _WIDER_PRECISION], "SC120", Lock.REWRITE),
        ([edit(["schema", "is_nullable"], True, False)], "SC134", Lock.SCAN),
        ([edit(["type"], "string", "text")], "SC125", Lock.BRIEF),
        ([edit(["type"], "text", "integer")], "SC133", Lock.REWRITE),
        ([edit(["schema", "data_type"], "timestamptz", "timestamp")], "SC132", Lock.REWRITE),
    ],
)
def test_a_change_carries_the_lock_it_takes(items: list[dict[str, Any]], code: str, lock: Lock) -> None:
    """The property or the types decide, never the words of the change."""
    (found,) = (change for change in risk.classify(field_diff(*items), EMPTY) if change.code == code)
    assert found.lock is lock
    current = Snapshot({"fields": [{"collection": "t", "field": "c", "type": "string", "schema": {"name": "c"}}]})
    desired = Snapshot({"fields": [{"collection": "t", "field": "c", "type": "integer"}]})
    asked = probing.probes_of([replace(found, detail="")], desired, current)
    assert [probe.lock for probe in asked if probe.code == code] == [lock]


def new_field(*, in_new_table: bool = False, **schema: Any) -> list[str]:
    value = {"collection": "t", "field": "c", "type": "string", "schema": {"is_nullable": True, **schema}, "meta": {}}
    diff: dict[str, Any] = {"fields": [{"collection": "t", "field": "c", "diff": [{"kind": "N", "rhs": value}]}]}
    if in_new_table:
        table = {"collection": "t", "schema": {"name": "t"}}
        diff["collections"] = [{"collection": "t", "diff": [{"kind": "N", "rhs": table}]}]
    return [code for code in codes(diff) if code != "SC101"]


def test_new_fields() -> None:
    assert new_field() == ["SC103"]
    assert new_field(is_nullable=False, default_value=True) == ["SC103"]
    assert new_field(is_nullable=False) == ["SC105"]
    assert new_field(is_nullable=False, in_new_table=True) == ["SC103"]
    assert new_field(is_unique=True, default_value="x") == ["SC108"]


def test_a_field_that_is_deleted_and_made_anew_is_destructive_and_is_not_sent_in_silence() -> None:
    made = {"collection": "t", "field": "c", "type": "alias", "schema": None}
    diff = {
        "fields": [
            {"collection": "t", "field": "c", "diff": [{"kind": "D", "lhs": {}}]},
            {"collection": "t", "field": "c", "diff": [{"kind": "N", "rhs": made}]},
        ]
    }
    plan = plan_of(diff)
    assert [change.code for change in plan.changes] == ["SC139"]
    assert [finding.code for finding in plan_safety.blockers(plan)] == ["SC139"]


def relation(*items: dict[str, Any]) -> dict[str, Any]:
    return {"relations": [{"collection": "t", "field": "c", "related_collection": "p", "diff": list(items)}]}


RELATIONS = {
    "action": (edit(["schema", "on_delete"], "SET NULL", "CASCADE"), "SC137"),
    "name of the constraint": (edit(["schema", "constraint_name"], "a", "b"), "SC138"),
    "another target": (edit(["related_collection"], "p", "q"), "SC145"),
    "a foreign key where there was none": (edit(["schema"], None, {"on_delete": "CASCADE"}), "SC107"),
    "the foreign key goes": (edit(["schema"], {"on_delete": "CASCADE"}, None), "SC143"),
    "the relation goes": ({"kind": "D", "lhs": {}}, "SC142"),
    "any-relation loses a collection": (
        {"kind": "A", "path": ["meta", "one_allowed_collections"], "index": 0, "item": {"kind": "D", "lhs": "x"}},
        "SC114",
    ),
    "any-relation gains and loses one": (
        edit(["meta", "one_allowed_collections"], ["a", "b"], ["a", "c"]),
        "SC114",
    ),
    "any-relation gains one": (edit(["meta", "one_allowed_collections"], ["a"], ["a", "b"]), "SC110"),
}


@pytest.mark.parametrize("case", RELATIONS)
def test_an_edit_of_a_relation_has_its_code(case: str) -> None:
    item, code = RELATIONS[case]
    assert codes(relation(item)) == [code]


def listed(word: str, *pairs: tuple[str | None, str | None]) -> list[dict[str, Any]]:
    """What deep-diff says of a list: edits by position, and what is longer on one side."""
    items: list[dict[str, Any]] = []
    for index, (before, after) in enumerate(pairs):
        if before is not None and after is not None:
            items.append(edit(["meta", word, str(index)], before, after))
        else:
            longer = {"kind": "N", "rhs": after} if before is None else {"kind": "D", "lhs": before}
            items.append({"kind": "A", "path": ["meta", word], "index": index, "item": longer})
    return items


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([("b", "new"), ("c", "b"), (None, "c")], "SC110"),
        ([("b", "c"), ("c", "b")], "SC110"),
        ([("b", "new"), ("c", "b")], "SC114"),
        ([("b", "c"), ("c", None)], "SC114"),
    ],
)
def test_a_list_of_allowed_collections_is_compared_as_a_set(pairs: list[Any], code: str) -> None:
    assert codes(relation(*listed("one_allowed_collections", *pairs))) == [code]


@pytest.mark.parametrize(
    ("pairs", "code"),
    [([("uuid", "m2o"), ("m2o", "uuid")], "SC110"), ([("uuid", "m2o"), (None, "uuid")], "SC113"),
     ([("cast-json", "cast-csv")], "SC113")],
)  # fmt: skip
def test_the_special_of_a_field_is_compared_as_a_set(pairs: list[Any], code: str) -> None:
    field = {"collection": "t", "field": "c", "diff": listed("special", *pairs)}
    assert codes({"fields": [field]}) == [code]


def test_a_new_foreign_key_on_an_old_column_depends_on_its_values() -> None:
    desired = Snapshot({"relations": [{"collection": "t", "field": "c", "schema": {"foreign_key_table": "p"}}]})
    assert codes(relation({"kind": "N", "rhs": {}}), desired) == ["SC107"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [(None, ["SC106", "SC164"]), ({"constraint_name": "by_hand"}, ["SC107", "SC138"]),
     ({"constraint_name": "t_c_foreign"}, ["SC107"])],
)  # fmt: skip
def test_a_new_relation_is_made_with_a_foreign_key_under_directus_own_name(schema: Any, expected: list[str]) -> None:
    desired = Snapshot({"relations": [{"collection": "t", "field": "c", "schema": schema}]})
    assert codes(relation({"kind": "N", "rhs": {}}), desired) == expected


def test_collections() -> None:
    def one(*items: dict[str, Any]) -> list[str]:
        return codes({"collections": [{"collection": "t", "diff": list(items)}]})

    assert one({"kind": "N", "rhs": {"schema": {"name": "t"}}}) == ["SC101"]
    assert one({"kind": "N", "rhs": {"schema": None}}) == ["SC102"]
    assert one({"kind": "D", "lhs": {}}) == ["SC140"]
    assert one({"kind": "D", "path": ["meta", "preview_url"], "lhs": None}) == ["SC143"]
    assert one(edit(["meta", "singleton"], False, True)) == ["SC112"]
    assert one(edit(["meta", "icon"], "a", "b"), edit(["meta", "note"], "a", "b")) == ["SC110"]
    assert one(edit(["schema", "name"], "t", "u")) == ["SC199"]


def test_indexes_of_system_tables_are_added_and_never_dropped() -> None:
    def one(item: dict[str, Any]) -> dict[str, Any]:
        return {"systemFields": [{"collection": "directus_users", "field": "email", "diff": [item]}]}

    adds, drops = one(edit(["schema", "is_indexed"], False, True)), one(edit(["schema", "is_indexed"], True, False))
    assert codes(adds) == ["SC150"]
    assert codes(drops) == ["SC151"]
    assert planning.additive_part(adds)["systemFields"]
    assert planning.additive_part(drops) == {}


# --- what is sent ---------------------------------------------------------------------------------------------------

_PATHS = st.sampled_from([["meta", "note"], ["schema", "is_indexed"], ["schema"], ["meta"], ["schema", "max_length"]])
_ITEMS = st.one_of(
    st.builds(lambda path: {"kind": "D", "path": path, "lhs": 1}, _PATHS),
    st.just({"kind": "D", "lhs": {}}),
    st.just({"kind": "N", "rhs": {"schema": {}}}),
    st.builds(edit, _PATHS, st.integers(), st.one_of(st.none(), st.integers())),
)
_ENTRIES = st.builds(
    lambda name, items: {"collection": "t", "field": name, "diff": items},
    st.sampled_from("abcdef"),
    st.lists(_ITEMS, min_size=1, max_size=4),
)
_DIFFS = st.fixed_dictionaries({part: st.lists(_ENTRIES, max_size=5) for part in Part})


@given(_DIFFS)
def test_nothing_that_deletes_is_ever_sent(diff: dict[str, Any]) -> None:
    payload = planning.additive_part(diff)
    assert plan_safety.deletions(payload) == []
    assert all(entry["diff"] for entries in payload.values() for entry in entries)


@given(_DIFFS)
def test_every_item_of_a_diff_is_sent_or_withheld_and_the_payload_holds_nothing_else(diff: dict[str, Any]) -> None:
    payload = planning.additive_part(diff)
    for part in Part:
        sent = [item for entry in payload.get(part, []) for item in entry["diff"]]
        kept = [item for e in diff[part] for item in e["diff"] if not risk.is_withheld(part, e, item)]
        assert sent == kept


_PLACES = [
    [], ["meta"], ["meta", "note"], ["meta", "singleton"], ["meta", "required"], ["meta", "one_allowed_collections"],
    ["schema"], ["schema", "comment"], ["schema", "max_length"], ["schema", "numeric_scale"], ["schema", "is_unique"],
    ["schema", "is_indexed"], ["schema", "foreign_key_table"], ["schema", "constraint_name"], ["schema", "on_delete"],
    ["type"], ["related_collection"], ["storage"],
]  # fmt: skip


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("path", _PLACES, ids=".".join)
@pytest.mark.parametrize(
    "item",
    [
        {"kind": "D", "lhs": 1},
        {"kind": "N", "rhs": {"type": "string", "schema": {"is_nullable": True}}},
        {"kind": "E", "lhs": 1, "rhs": None},
        {"kind": "E", "lhs": None, "rhs": 1},
        {"kind": "E", "lhs": 1, "rhs": 2},
    ],
    ids=["gone", "new", "to null", "from null", "other"],
)
def test_the_plan_calls_kept_what_is_not_sent_and_nothing_else(
    part: Part, path: list[str], item: dict[str, Any]
) -> None:
    """Two readings of one item, its code and whether it is sent, must agree at every place of a diff."""
    one = {**item, **({"path": path} if path else {})}
    entry = {"collection": "t", **({} if part is Part.COLLECTIONS else {"field": "c"}), "diff": [one]}
    named = {change.withheld for change in risk.classify({part: [entry]}, EMPTY)}
    if risk.is_withheld(part, entry, one):
        assert True in named
    else:
        assert named == {False}


def test_the_lock_before_production_sees_a_deletion() -> None:
    diff = field_diff({"kind": "D", "path": ["meta"], "lhs": {}})
    assert [finding.code for finding in plan_safety.deletions(diff)] == ["MIG-325"]


# --- what stops the line --------------------------------------------------------------------------------------------


def one_change(code: str, **more: Any) -> SchemaPlan:
    change = Change(Stage.CONSTRAINT, "alter", "t.c", CODES[code].risk, code, "", **more)
    return SchemaPlan(datetime(2026, 1, 1, tzinfo=UTC), "", "", "", (change,), {}, "")


_STOPPING = {Risk.LOSSY, Risk.DESTRUCTIVE, Risk.DATA_DEPENDENT, Risk.API_BREAKING}


@pytest.mark.parametrize("code", [code for code, known in CODES.items() if known.risk in _STOPPING])
def test_what_is_neither_harmless_nor_examined_nor_accepted_stops_the_line(code: str) -> None:
    (finding,) = plan_safety.blockers(one_change(code))
    assert finding.code == ("MIG-323" if CODES[code].zero_admits else code)
    assert finding.do
    assert plan_safety.blockers(one_change(code, waived="Ada, until tomorrow")) == []
    assert plan_safety.blockers(one_change(code, withheld=True)) == []


def test_a_change_that_depends_on_data_is_never_harmless_unexamined() -> None:
    plan = plan_of(field_diff(edit(["schema", "is_unique"], False, True)))
    name, asked = probing.probes_of(plan.changes, EMPTY, EMPTY)
    assert (name.code, name.kind, name.target) == ("SC161", ProbeKind.NAME, "t_c_unique")
    assert (asked.code, asked.kind, asked.name, asked.decides) == ("SC135", ProbeKind.DUPLICATES, "t.c", True)
    assert [f.code for f in plan_safety.blockers(plan)] == ["MIG-323"]
    assert plan_safety.blockers(replace(plan, answers=(ProbeResult(asked, 0),))) == []
    (finding,) = plan_safety.blockers(replace(plan, answers=(ProbeResult(asked, 2, ("a in 1, 2", "b in 3, 4")),)))
    assert finding.code == "SC135"
    assert "a in 1, 2; b in 3, 4" in finding.observed


def test_what_is_at_stake_is_told_with_its_numbers() -> None:
    asked = Probe("SC130", ProbeKind.CHANGED, "t.c", type="character varying(5)", lock=Lock.REWRITE)
    answer = ProbeResult(asked, 2, ("7", "9"), rows=1000, values=900, size_bytes=2_500_000)
    (change,) = probing.assess_changes(one_change("SC130").changes, [answer])
    assert change.data_impact == (
        "2 values that would be cut, rounded or refused (values: 900): 7; 9"
        " · Postgres writes the whole table anew under a lock (1,000 rows, 2.5 MB)"
    )


def test_an_untracked_table_of_the_same_name_stops_the_line() -> None:
    diff = {"collections": [{"collection": "t", "diff": [{"kind": "N", "rhs": {"schema": {"name": "t"}}}]}]}
    plan = plan_of(diff)
    (asked,) = probing.probes_of(plan.changes, EMPTY, EMPTY)
    assert [f.code for f in plan_safety.blockers(replace(plan, answers=(ProbeResult(asked, 1),)))] == ["SC109"]


def test_a_view_on_a_column_stops_any_change_of_its_type() -> None:
    current = Snapshot({"fields": [{"collection": "t", "field": "c", "type": "string", "schema": {"name": "c"}}]})
    plan = plan_of(field_diff(edit(["schema", "max_length"], 10, 20)))
    asked = next(
        probe for probe in probing.probes_of(plan.changes, EMPTY, current) if probe.kind is ProbeKind.DEPENDENTS
    )
    assert [f.code for f in plan_safety.blockers(replace(plan, answers=(ProbeResult(asked, 1, ("view v",)),)))] == [
        "SC160"
    ]


_ANSWERED = ProbeResult(Probe("SC130", ProbeKind.CHANGED, "t.c", type="character varying(5)"), 0, (), rows=10, values=9)


@pytest.mark.parametrize(
    ("now", "codes"),
    [
        ([_ANSWERED], []),
        ([replace(_ANSWERED, rows=11, values=10)], []),
        ([replace(_ANSWERED, count=1, examples=("3",))], ["MIG-335"]),
        ([], ["MIG-335"]),
        ([_ANSWERED, ProbeResult(Probe("SC134", ProbeKind.NULLS, "t.c"), 0)], ["MIG-335"]),
    ],
    ids=["the same", "rows that are in nobody's way", "a longer value", "no answer", "another question"],
)
def test_data_that_answers_otherwise_than_reviewed_is_drift(now: list[ProbeResult], codes: list[str]) -> None:
    assert [finding.code for finding in probing.changed_answers([_ANSWERED], now)] == codes


def test_withheld_changes_never_stop_the_line() -> None:
    plan = plan_of({"collections": [{"collection": "t", "diff": [{"kind": "D", "lhs": {}}]}]})
    assert plan.changes[0].withheld
    assert plan.payload == {}
    assert plan_safety.blockers(plan) == []


def test_what_only_one_of_the_two_readings_sees_is_named() -> None:
    plan = plan_of(field_diff(edit(["meta", "note"], None, "x")))
    assert plan_safety.undocumented_differences(plan.changes, ["t.c"]) == []
    assert [f.code for f in plan_safety.undocumented_differences(plan.changes, ["t.c", "t.d"])] == ["MIG-322"]


def test_every_code_that_can_stop_the_line_has_advice() -> None:
    assert [c.code for c in CODES.values() if c.risk in _STOPPING and not c.advice] == []


def test_nothing_can_be_waived_that_would_be_refused_or_do_something_else() -> None:
    waivable = {c.risk for c in CODES.values() if c.waivable}
    assert waivable == {Risk.LOSSY, Risk.DESTRUCTIVE, Risk.API_BREAKING}
    assert not CODES["SC143"].waivable
    assert not CODES["SC199"].waivable


# --- order and name of a plan ---------------------------------------------------------------------------------------

_SCHEMA = Snapshot(
    {
        "collections": [{"collection": name, "meta": {"group": "ordinance"}} for name in ("child", "parent")]
        + [{"collection": "ordinance", "meta": {"group": None}}],
        "relations": [{"collection": "child", "field": "parent", "related_collection": "parent"}],
    }
)


def test_collections_come_first_parents_before_children_then_fields_constraints_relations() -> None:
    def change(stage: Stage, name: str) -> Change:
        return Change(stage, "create", name, Risk.ADDITIVE, "SC101", "")

    desired = [
        change(Stage.COLLECTION, "ordinance"),
        change(Stage.COLLECTION, "parent"),
        change(Stage.COLLECTION, "child"),
        change(Stage.FIELD, "parent.a"),
        change(Stage.FIELD, "child.a"),
        change(Stage.CONSTRAINT, "child.b"),
        change(Stage.RELATION, "child.parent"),
    ]
    assert planning.order_changes(list(reversed(desired)), _SCHEMA) == tuple(desired)
    assert planning.misordered_changes(desired) == []
    assert planning.misordered_changes(list(reversed(desired))) != []


def test_the_order_survives_a_circle() -> None:
    cycle = Snapshot(
        {
            "collections": [{"collection": "a"}, {"collection": "b"}],
            "relations": [
                {"collection": "a", "field": "b", "related_collection": "b"},
                {"collection": "b", "field": "a", "related_collection": "a"},
            ],
        }
    )
    changes = [Change(Stage.COLLECTION, "create", name, Risk.ADDITIVE, "SC101", "") for name in "ab"]
    assert sorted(change.name for change in planning.order_changes(changes, cycle)) == ["a", "b"]


def test_the_digest_names_what_was_reviewed_and_what_is_sent() -> None:
    plan = plan_of(field_diff(edit(["meta", "note"], None, "x")))
    same = plan_of(field_diff(edit(["meta", "note"], None, "x")))
    other = plan_of(field_diff(edit(["meta", "note"], None, "y")))
    assert plan.digest == same.digest != other.digest
