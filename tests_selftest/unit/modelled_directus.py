"""
A small Directus of values: its diff, and what its apply does to rows; as measured by `make corpus`, and no better.

Its apply acts on the first item of an entry: a deletion of any detail of a collection drops the table, of any detail of
a field but one of its `meta` drops the column. A narrower column cuts, a smaller scale rounds, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

Value = str | Decimal | None
Rows = dict[str, dict[str, list[Value]]]
Schema = Mapping[str, Mapping[str, Any]]
_MISSING = object()


def snapshot_of(schema: Schema) -> dict[str, Any]:
    """collection → {"meta": …, "fields": {name: field}} as a snapshot."""
    return {
        "collections": [
            {"collection": name, "meta": each["meta"], "schema": {"name": name}} for name, each in schema.items()
        ],
        "fields": [
            {"collection": name, "field": field, **content}
            for name, each in schema.items()
            for field, content in each["fields"].items()
        ],
    }


def diff(production: dict[str, Any], wanted: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What would make *production* like *wanted*, as deep-diff writes it; parts of a lost collection are not listed."""
    collections = list(_part(production["collections"], wanted["collections"], ("collection",)))
    gone = {entry["collection"] for entry in collections if entry["diff"][0] == {"kind": "D", "lhs": _lhs(entry)}}
    fields = [
        entry
        for entry in _part(production["fields"], wanted["fields"], ("collection", "field"))
        if entry["collection"] not in gone
    ]
    return {"collections": collections, "fields": fields, "relations": [], "systemFields": []}


def applied(rows: Rows, payload: Mapping[str, Any]) -> Rows:
    """The rows after an apply of this payload."""
    after = {table: dict(columns) for table, columns in rows.items()}
    for entry in payload.get("collections", []):
        if entry["diff"][0]["kind"] == "D":
            after.pop(entry["collection"], None)
        elif entry["diff"][0]["kind"] == "N":
            after.setdefault(entry["collection"], {})
    for entry in payload.get("fields", []):
        table, name, items = after.get(entry["collection"]), entry["field"], entry["diff"]
        if table is None:
            continue
        first = items[0]
        if first["kind"] == "D" and (first.get("path", []) == ["meta"] or first.get("path", [""])[0] != "meta"):
            table.pop(name, None)
        elif first["kind"] == "E":
            table[name] = [converted(value, items) for value in table.get(name, [])]
    return after


def converted(value: Value, items: list[dict[str, Any]]) -> Value:
    """One value after these edits of its column."""
    edits = {tuple(item["path"]): item.get("rhs") for item in items if item["kind"] == "E"}
    length, scale = edits.get(("schema", "max_length")), edits.get(("schema", "numeric_scale"))
    if edits.get(("type",)) == "string":
        length = length or 255
    if isinstance(value, str) and length is not None:
        return value[: int(length)]
    if isinstance(value, Decimal) and scale is not None:
        return value.quantize(Decimal(1).scaleb(-int(scale)))
    return value


def _part(
    before: list[dict[str, Any]], after: list[dict[str, Any]], names: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    old = {tuple(each[n] for n in names): each for each in before}
    new = {tuple(each[n] for n in names): each for each in after}
    for key in sorted({*old, *new}):
        place = dict(zip(names, key, strict=True))
        if key not in new:
            yield {**place, "diff": [{"kind": "D", "lhs": old[key]}]}
        elif key not in old:
            yield {**place, "diff": [{"kind": "N", "rhs": new[key]}]}
        elif (old[key].get("type") == "alias") != (new[key].get("type") == "alias"):
            yield {**place, "diff": [{"kind": "D", "lhs": old[key]}]}
            yield {**place, "diff": [{"kind": "N", "rhs": new[key]}]}
        else:
            items = list(_items(old[key], new[key], []))
            if items:
                yield {**place, "diff": items}


def _items(old: Mapping[str, Any], new: Mapping[str, Any], path: list[str]) -> Iterator[dict[str, Any]]:
    for word in sorted({*old, *new}):
        was, now = old.get(word, _MISSING), new.get(word, _MISSING)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _items(was, now, [*path, word])
        elif now is _MISSING:
            yield {"kind": "D", "path": [*path, word], "lhs": was}
        elif was is _MISSING:
            yield {"kind": "N", "path": [*path, word], "rhs": now}
        elif was != now:
            yield {"kind": "E", "path": [*path, word], "lhs": was, "rhs": now}


def _lhs(entry: dict[str, Any]) -> Any:
    return entry["diff"][0].get("lhs")
