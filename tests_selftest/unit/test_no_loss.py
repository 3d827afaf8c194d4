"""Whatever two schemas differ in: no table, no column and no value is lost that no waiver names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.checks.schema import plan_safety, planning, probing, risk, waivers
from fixtures.checks.schema.risk_codes import CODES
from fixtures.model.plan import SchemaPlan
from fixtures.model.probe import Probe, ProbeKind, ProbeResult
from fixtures.model.snapshot import Snapshot
from fixtures.model.waiver import Waiver
from tests_selftest.unit import modelled_directus as directus
from tests_selftest.unit.modelled_directus import Rows

TODAY = date(2026, 11, 22)

_SIZES = st.sampled_from([1, 3, 10, 255])
_META = st.fixed_dictionaries({}, optional={"note": st.sampled_from(["a", "b"]), "required": st.booleans()})
_TEXT = st.builds(
    lambda size, **other: {"type": "string", "schema": {"max_length": size, **other}},
    _SIZES,
    is_nullable=st.booleans(),
    is_unique=st.booleans(),
)
_LONG = st.just({"type": "text", "schema": {"max_length": None, "is_nullable": True, "is_unique": False}})
_NUMBER = st.builds(
    lambda scale: {"type": "decimal", "schema": {"numeric_precision": 20, "numeric_scale": scale, "is_nullable": True}},
    st.sampled_from([0, 1, 4]),
)
_ALIAS = st.just({"type": "alias", "schema": None})


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    """A field, sometimes one a hand has taken something out of."""
    field = dict(draw(st.one_of(_TEXT, _LONG, _NUMBER, _ALIAS)))
    field["meta"] = draw(_META)
    if field["schema"] is not None and draw(st.integers(0, 4)) == 0:
        lacking = draw(st.sampled_from(sorted(field["schema"])))
        field["schema"] = {word: value for word, value in field["schema"].items() if word != lacking}
    if draw(st.integers(0, 9)) == 0:
        del field["meta"]
    return field


_COLLECTIONS = st.fixed_dictionaries(
    {
        "meta": st.fixed_dictionaries({}, optional={"icon": st.sampled_from("xy"), "preview_url": st.none()}),
        "fields": st.dictionaries(st.sampled_from("abc"), fields(), max_size=3),
    }
)
_SCHEMAS = st.dictionaries(st.sampled_from(["t", "u", "v"]), _COLLECTIONS, max_size=3)
_WAIVED = st.lists(
    st.tuples(
        st.sampled_from(sorted(code for code, known in CODES.items() if known.waivable)),
        st.sampled_from([*"tuv", *(f"{t}.{c}" for t in "tuv" for c in "abc")]),
    ),
    max_size=3,
    unique=True,
)


def _number(field: dict[str, Any]) -> st.SearchStrategy[Decimal]:
    scale = int(field["schema"].get("numeric_scale") or 0)
    return st.builds(lambda digits: Decimal(digits).scaleb(-scale), st.integers(-(10**6), 10**6))


def _word(field: dict[str, Any]) -> st.SearchStrategy[str]:
    longest = int(field["schema"].get("max_length") or 300)
    return st.builds(lambda length: "x" * length, st.integers(0, longest))


def filled(schema: dict[str, Any], data: st.DataObject) -> Rows:
    """Rows a production of this schema can hold."""
    rows: Rows = {}
    for table, content in schema.items():
        rows[table] = {}
        for name, field in content["fields"].items():
            if field["type"] != "alias":
                value = _number(field) if field["type"] == "decimal" else _word(field)
                rows[table][name] = data.draw(st.lists(st.one_of(st.none(), value), max_size=3))
    return rows


def answered(probe: Probe, rows: Rows, diff: dict[str, Any]) -> ProbeResult:
    """What the database would say."""
    values = rows.get(probe.table, {}).get(probe.column, [])
    items: list[dict[str, Any]] = next(
        (e["diff"] for e in diff["fields"] if f"{e['collection']}.{e['field']}" == probe.name), []
    )
    there = [value for value in values if value is not None]
    count = {
        ProbeKind.ROWS: len(values),
        ProbeKind.VALUES: len(there),
        ProbeKind.NULLS: len(values) - len(there),
        ProbeKind.DUPLICATES: len(there) - len(set(there)),
        ProbeKind.CHANGED: sum(directus.converted(value, items) != value for value in there),
    }.get(probe.kind, 0)
    return ProbeResult(probe, count)


def planned(before: dict[str, Any], after: dict[str, Any], rows: Rows, signed: list[Waiver]) -> SchemaPlan:
    current, desired = directus.snapshot_of(before), directus.snapshot_of(after)
    diff = directus.diff(current, desired)
    changes, became = waivers.admit(risk.classify(diff, Snapshot(desired)), signed, today=TODAY)
    asked = probing.probes_of(changes, Snapshot(desired), Snapshot(current))
    return planning.plan(
        guard="g", diff=diff, desired=Snapshot(desired), current=Snapshot(current),
        made_at=datetime(2026, 11, 22, tzinfo=UTC), changes=changes,
        answers=[answered(probe, rows, diff) for probe in asked], waivers=became.used,
    )  # fmt: skip


def lost(before: Rows, after: Rows) -> set[str]:
    """Names of the tables, and of the columns of which a value or the whole is gone or other."""
    gone = {table for table in before if table not in after}
    for table in before.keys() - gone:
        gone |= {f"{table}.{name}" for name, values in before[table].items() if after[table].get(name) != values}
    return gone


@settings(max_examples=150, deadline=None)
@given(_SCHEMAS, _SCHEMAS, _WAIVED, st.data())
def test_nothing_is_lost_without_a_waiver(
    before: dict[str, Any], after: dict[str, Any], chosen: list[tuple[str, str]], data: st.DataObject
) -> None:
    rows = filled(before, data)
    signed = [Waiver(code, place, "a reason for it", "Ada", TODAY + timedelta(days=1)) for code, place in chosen]
    plan = planned(before, after, rows, signed)
    if plan_safety.blockers(plan):
        return
    assert plan_safety.deletions(plan.payload, plan.admitted) == []
    named = {waiver.object for waiver in plan.waivers}
    assert lost(rows, directus.applied(rows, plan.payload)) <= named <= {waiver.object for waiver in signed}


@settings(max_examples=100, deadline=None)
@given(_SCHEMAS, _SCHEMAS, st.data())
def test_every_object_that_a_bare_apply_would_lose_is_a_change_of_the_plan(
    before: dict[str, Any], after: dict[str, Any], data: st.DataObject
) -> None:
    rows = filled(before, data)
    bare = directus.diff(directus.snapshot_of(before), directus.snapshot_of(after))
    plan = planned(before, after, rows, [])
    assert lost(rows, directus.applied(rows, bare)) <= {change.name for change in plan.changes}


def field(kind: str, **schema: Any) -> dict[str, Any]:
    return {"type": kind, "schema": schema or None, "meta": {}}


def test_the_modelled_directus_loses_what_the_real_one_does() -> None:
    """Else the property above would hold for want of danger."""
    columns = {"a": field("string", max_length=10), "b": field("decimal", numeric_precision=20, numeric_scale=2)}
    before = {"t": {"meta": {"icon": "x"}, "fields": columns}, "u": {"meta": {"icon": "x"}, "fields": columns}}
    rows: Rows = {name: {"a": ["abcdef"], "b": [Decimal("1.25")]} for name in "tu"}

    def bare(after: dict[str, Any]) -> set[str]:
        return lost(
            rows, directus.applied(rows, directus.diff(directus.snapshot_of(before), directus.snapshot_of(after)))
        )

    def with_columns(**other: Any) -> dict[str, Any]:
        return {**before, "t": {"meta": {"icon": "x"}, "fields": {**columns, **other}}}

    assert bare(before) == set()
    assert bare({"u": before["u"]}) == {"t"}
    assert bare({**before, "t": {"meta": {}, "fields": columns}}) == {"t"}
    assert bare(with_columns(a=field("string", max_length=3))) == {"t.a"}
    assert bare(with_columns(b=field("decimal", numeric_precision=20, numeric_scale=1))) == {"t.b"}
    assert bare(with_columns(a={"type": "alias", "schema": None, "meta": {}})) == {"t.a"}
    assert bare(with_columns(b=field("decimal", numeric_precision=20))) == {"t.b"}
    assert bare(with_columns(a={"type": "string", "schema": {"max_length": 10}})) == {"t.a"}
