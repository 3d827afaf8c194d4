"""An independent look at a database before and after: which tables, columns, rows and values are gone or other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests_selftest.corpus.stage import Production

# table → key → column → value as text
Content = Mapping[str, Mapping[str, Mapping[str, str | None]]]

_KEYS = """
    SELECT t.relname, a.attname FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary JOIN pg_attribute a ON a.attrelid = t.oid
    AND a.attnum = i.indkey[0] WHERE n.nspname = 'public' AND t.relname NOT LIKE 'directus\\_%' AND t.relkind = 'r'
"""


@dataclass(frozen=True)
class Loss:
    """What was there and is not, or not the same; names are "table" or "table.column"."""

    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: int = 0
    values: int = 0

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns or self.rows or self.values)

    def __str__(self) -> str:
        parts = [*(f"table {name} gone" for name in self.tables), *(f"column {name} gone" for name in self.columns)]
        parts += [f"{self.rows} rows gone"] if self.rows else []
        parts += [f"{self.values} values changed"] if self.values else []
        return ", ".join(parts) or "nothing lost"


def content(production: Production) -> Content:
    """Every row of every table that is not Directus' own, each value as the text Postgres writes for it."""
    found: dict[str, dict[str, dict[str, str | None]]] = {}
    for table, key in sorted(production.sql(_KEYS)):
        query = (
            f'SELECT t."{key}"::text, (SELECT json_object_agg(e.key, e.value) FROM json_each_text(row_to_json(t)) e)'
            f' FROM "{table}" t'
        )
        found[table] = {row[0]: row[1] for row in production.sql(query)}
    return found


def structure(production: Production) -> list[tuple[object, ...]]:
    """Every column and constraint of the schema: equal before and after means that nothing was applied at all."""
    return production.sql(
        "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale,"
        " is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public'"
        " UNION ALL SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid), 0, 0, 0, '', ''"
        " FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = 'public'"
        " UNION ALL SELECT tablename, indexname, indexdef, 0, 0, 0, '', '' FROM pg_indexes WHERE schemaname = 'public'"
        " ORDER BY 1, 2, 3"
    )


def files(production: Production) -> dict[str, int]:
    """The file of each table on disk; another one afterwards means that Postgres wrote the table anew."""
    rows = production.sql(
        "SELECT c.relname, pg_relation_filenode(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname NOT LIKE 'directus\\_%'"
    )
    return dict(rows)


def loss(before: Content, after: Content) -> Loss:
    """
    What *after* lacks of *before*.

    A value that is only written otherwise (1 and 1.0, a date and its midnight in UTC) is the same value.
    """
    tables, columns, rows, values = [], set(), 0, 0
    for table, lines in before.items():
        if table not in after:
            tables.append(table)
            continue
        for key, line in lines.items():
            now = after[table].get(key)
            if now is None:
                rows += 1
                continue
            for column, value in line.items():
                if column not in now:
                    columns.add(f"{table}.{column}")
                elif not _same(value, now[column]):
                    values += 1
    return Loss(tuple(tables), tuple(sorted(columns)), rows, values)


def _same(before: str | None, after: str | None) -> bool:
    if before == after or before is None or after is None:
        return before == after
    return _plain(before) == _plain(after)


_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00:00)?)?")


def _plain(text: str) -> str:
    """Zeros after the last decimal say nothing; true and 1 are the same to a boolean that became a number."""
    if text in {"true", "false"}:
        return str(int(text == "true"))
    moment = _TIME.fullmatch(text)
    if moment:
        return f"{moment[1]}T{moment[2] or '00:00:00'}"
    whole, point, decimals = text.partition(".")
    if point and (whole + decimals).lstrip("-").isdigit():
        return f"{whole}.{decimals}".rstrip("0").rstrip(".")
    return text
