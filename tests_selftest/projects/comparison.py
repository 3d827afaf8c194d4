"""
Local and production compared by SQL alone, with no code of the suite: rows by key, column by column, and whole tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

_TABLES = """
SELECT c.relname AS name,
       (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
       array_agg(a.attname::text ORDER BY a.attname) AS columns,
       array_agg(format_type(a.atttypid, NULL) ORDER BY a.attname) AS kinds
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = 'public' AND c.relkind = 'r' GROUP BY c.oid, c.relname ORDER BY c.relname
"""
# What Directus writes down about its own work.
_OWN_RECORDS = frozenset({"directus_activity", "directus_revisions", "directus_sessions", "directus_notifications"})


@dataclass(frozen=True)
class Database:
    """
    Everything in one database.

    Attributes:
        rows: By table and key, each column as Postgres' own text.
    """

    columns: dict[str, tuple[str, ...]]
    rows: dict[str, dict[str, dict[str, str | None]]]


def read(url: str, *, own_tables: bool) -> Database:
    """The tables of *url*: those of the project, with *own_tables* also Directus' but for its records."""
    columns: dict[str, tuple[str, ...]] = {}
    rows: dict[str, dict[str, dict[str, str | None]]] = {}
    with psycopg.connect(url) as connection:
        connection.execute("SET timezone = 'UTC'")
        for name, key, names, kinds in connection.execute(_TABLES).fetchall():
            if name in _OWN_RECORDS or (name.startswith("directus_") and not own_tables):
                continue
            columns[name] = tuple(names)
            texts = sql.SQL(", ").join(_text(each, kind) for each, kind in zip(names, kinds, strict=True))
            found = connection.execute(sql.SQL("SELECT {} FROM {}").format(texts, sql.Identifier(name))).fetchall()
            by_name = [dict(zip(names, row, strict=True)) for row in found]
            rows[name] = {str(row[key]) if key else str(number): row for number, row in enumerate(by_name)}
    return Database(columns, rows)


def _text(column: str, kind: str) -> sql.Composed:
    """A column as text; JSON without the blanks it was written with."""
    cast = "{}::jsonb::text" if kind == "json" else "{}::text"
    return sql.SQL(cast).format(sql.Identifier(column))


def missing(local: Database, production: Database, *, users: frozenset[str]) -> list[str]:
    """
    What of local is not in production: tables, columns, rows, values.

    Args:
        users: Keys of local's people. The columns that name one hold another key in production.
    """
    differences: list[str] = []
    for name, rows in local.rows.items():
        there = production.rows.get(name)
        if there is None:
            differences.append(f"{name}: no such table")
            continue
        absent = set(local.columns[name]) - set(production.columns[name])
        differences += [f"{name}.{column}: no such column" for column in sorted(absent)]
        for key, row in rows.items():
            if key not in there:
                differences.append(f"{name} {key}: no such row")
                continue
            differences += [
                f"{name} {key} {column}: {value!r} in local, {there[key].get(column)!r} in production"
                for column, value in row.items()
                if column not in absent and value != there[key].get(column) and value not in users
            ]
    return differences


def changed(before: Database, after: Database) -> list[str]:
    """What of a database is not as it was: tables, columns, rows, values."""
    differences = [f"{name}: new table" for name in sorted(after.rows.keys() - before.rows.keys())]
    differences += missing(before, after, users=frozenset())
    for name in before.rows.keys() & after.rows.keys():
        differences += [f"{name} {key}: new row" for key in sorted(after.rows[name].keys() - before.rows[name].keys())]
        new = set(after.columns[name]) - set(before.columns[name])
        differences += [f"{name}.{column}: new column" for column in sorted(new)]
    return differences
