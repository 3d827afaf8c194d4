"""Every kind of thing that this suite must carry, or name before its first write."""

from __future__ import annotations

from tests_selftest.untidy import column_types, constraints, defaults, tables
from tests_selftest.untidy.kind import Kind

PARTS = (
    column_types.types, column_types.edges, column_types.specials, defaults.defaults, constraints.constraints,
    constraints.references, tables.tables, tables.keys,
)  # fmt: skip
KINDS: dict[str, Kind] = {each.name: each for part in PARTS for each in part()}
OWN: tuple[str, ...] = (
    "string", "unique", "unique by hand", "composite unique", "unique index on lower()", "index", "index by hand",
    "index partial", "CHECK", "default lower('ABC')", "generated stored", "enum", "interval", "untracked table", "view",
    "m2o", "foreign key without relation", "jsonb", "materialized view",
)  # fmt: skip
"""Kinds that are also tried where only production has them."""
