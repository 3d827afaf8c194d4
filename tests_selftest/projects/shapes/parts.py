"""What a data model is made of, as REST takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Field = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """
    A data model as REST takes it.

    Attributes:
        collections: Bodies of POST /collections, folders first.
        relations: Bodies of POST /relations.
        fields: Bodies of POST /fields/<collection>: fields of Directus' own collections.
    """

    collections: tuple[dict[str, Any], ...]
    relations: tuple[dict[str, Any], ...]
    fields: tuple[tuple[str, Field], ...] = ()

    @property
    def singletons(self) -> tuple[str, ...]:
        return tuple(one["collection"] for one in self.collections if one["meta"].get("singleton"))


def key(kind: str = "integer") -> Field:
    schema: dict[str, Any] = {"is_primary_key": True, "is_nullable": False}
    if kind == "integer":
        schema["has_auto_increment"] = True
    return {"field": "id", "type": kind, "schema": schema, "meta": {"special": ["uuid"] if kind == "uuid" else None}}


def column(name: str, kind: str = "string", *, meta: dict[str, Any] | None = None, **schema: Any) -> Field:
    special = {"boolean": ["cast-boolean"], "json": ["cast-json"], "csv": ["cast-csv"]}.get(kind)
    return {
        "field": name,
        "type": kind,
        "schema": {"is_nullable": True, **schema},
        "meta": {"interface": "input", "special": special, **(meta or {})},
    }


def stamps(*, related: bool = True) -> list[Field]:
    """Who made an item and when; without *related* the people's columns have no relation, as in older projects."""
    made = column("date_created", "timestamp", meta={"special": ["date-created"]})
    changed = column("date_updated", "timestamp", meta={"special": ["date-updated"]})
    names = {"user_created": ["user-created"], "user_updated": ["user-updated"]}
    people = [column(name, "uuid", meta={"special": special}) for name, special in names.items()]
    return [made, changed, *(people if related else people[:1])]


def alias(name: str, interface: str, *special: str) -> Field:
    return {"field": name, "type": "alias", "schema": None, "meta": {"special": [*special], "interface": interface}}


def choices(*values: str) -> dict[str, Any]:
    offered = [{"text": value.title(), "value": value} for value in values]
    return {"interface": "select-dropdown", "options": {"choices": offered}}


def collection(name: str, *fields: Field, folder: str | None = None, **meta: Any) -> dict[str, Any]:
    return {"collection": name, "schema": {}, "meta": {"group": folder, **meta}, "fields": list(fields)}


def folder(name: str) -> dict[str, Any]:
    return {"collection": name, "schema": None, "meta": {"icon": "folder"}}


def relation(child: str, field: str, parent: str | None, *, on_delete: str = "SET NULL", **meta: Any) -> dict[str, Any]:
    schema = {"on_delete": on_delete} if parent else None
    return {"collection": child, "field": field, "related_collection": parent, "meta": meta, "schema": schema}
