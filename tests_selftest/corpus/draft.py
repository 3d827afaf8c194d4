"""Local's schema as somebody edited it: production's snapshot, with words for what people do to a data model."""

from __future__ import annotations

import copy
from typing import Any

from fixtures.model.snapshot import Snapshot
from tests_selftest.corpus.production import SPECIAL

_DATA_TYPES = {
    "string": "character varying", "text": "text", "csv": "text", "json": "json", "integer": "integer",
    "bigInteger": "bigint", "float": "real", "boolean": "boolean", "uuid": "uuid", "date": "date",
    "time": "time without time zone", "dateTime": "timestamp without time zone",
    "timestamp": "timestamp with time zone",
}  # fmt: skip
_SIZES = {
    "string": {"max_length": 255},
    "integer": {"numeric_precision": 32, "numeric_scale": 0},
    "bigInteger": {"numeric_precision": 64, "numeric_scale": 0},
    "float": {"numeric_precision": 24},
}


class Draft:
    """A snapshot under edit. Names are "collection" or "collection.field"."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = copy.deepcopy(raw)

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.raw)

    def collection(self, name: str) -> dict[str, Any]:
        return next(one for one in self.raw["collections"] if one["collection"] == name)

    def field(self, name: str) -> dict[str, Any]:
        return next(one for one in self.raw["fields"] if f"{one['collection']}.{one['field']}" == name)

    def relation(self, name: str) -> dict[str, Any]:
        return next(one for one in self.raw["relations"] if f"{one['collection']}.{one['field']}" == name)

    def schema(self, name: str, **values: Any) -> None:
        self.field(name)["schema"].update(values)

    def meta(self, name: str, **values: Any) -> None:
        self.field(name)["meta"].update(values)

    def retype(self, name: str, kind: str, **schema: Any) -> None:
        """Another type, with the sizes and the special such a column has when nothing is said."""
        field = self.field(name)
        field["type"] = kind
        sizes = {"max_length": None, "numeric_precision": None, "numeric_scale": None, **_SIZES.get(kind, {})}
        field["schema"].update({"data_type": _DATA_TYPES[kind], **sizes, **schema})
        field["meta"]["special"] = SPECIAL.get(kind)

    def add(self, name: str, like: str, *, kind: str = "", **schema: Any) -> dict[str, Any]:
        """A new field made like an existing one."""
        collection, column = name.split(".")
        field = copy.deepcopy(self.field(like))
        field |= {"collection": collection, "field": column, "type": kind or field["type"]}
        field["meta"] |= {"collection": collection, "field": column, "sort": 99}
        if field.get("schema"):
            field["schema"] |= {"name": column, "table": collection, **schema}
        self.raw["fields"].append(field)
        return field

    def add_collection(self, name: str, like: str) -> None:
        """A new table with the key of an existing one."""
        entry = copy.deepcopy(self.collection(like))
        entry["collection"] = entry["meta"]["collection"] = entry["schema"]["name"] = name
        self.raw["collections"].append(entry)
        self.add(f"{name}.id", f"{like}.id")

    def add_relation(self, name: str, parent: str, like: str = "articles.author", **schema: Any) -> None:
        collection, column = name.split(".")
        entry = copy.deepcopy(self.relation(like))
        entry |= {"collection": collection, "field": column, "related_collection": parent}
        entry["meta"] |= {"many_collection": collection, "many_field": column, "one_collection": parent}
        entry["schema"] |= {
            "table": collection, "column": column, "foreign_key_table": parent,
            "constraint_name": f"{collection}_{column}_foreign", **schema,
        }  # fmt: skip
        self.raw["relations"].append(entry)
        self.schema(name, foreign_key_table=parent, foreign_key_column="id")

    def drop_field(self, name: str) -> None:
        self.raw["fields"].remove(self.field(name))
        for relation in [r for r in self.raw["relations"] if f"{r['collection']}.{r['field']}" == name]:
            self.raw["relations"].remove(relation)

    def drop_collection(self, name: str) -> None:
        for part in ("collections", "fields", "relations"):
            self.raw[part] = [one for one in self.raw[part] if one["collection"] != name]
        for relation in [r for r in self.raw["relations"] if r.get("related_collection") == name]:
            self.raw["relations"].remove(relation)

    def drop_relation(self, name: str) -> None:
        self.raw["relations"].remove(self.relation(name))
        self.schema(name, foreign_key_table=None, foreign_key_column=None)

    def rename(self, name: str, column: str) -> None:
        """What a rename is to a snapshot: one field gone, another one there."""
        field = self.field(name)
        field["field"] = field["meta"]["field"] = field["schema"]["name"] = column

    def make_alias(self, name: str) -> None:
        field = self.field(name)
        field |= {"type": "alias", "schema": None}
        field["meta"] |= {"interface": "presentation-divider", "special": ["alias", "no-data"]}
