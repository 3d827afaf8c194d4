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

_FILES = "directus_files"
# Where and when an instance took a file in, and by whom.
_OF_THE_STORE = frozenset(
    {"storage", "filename_disk", "created_on", "uploaded_on", "uploaded_by", "modified_on", "modified_by"}
)


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
    """
    The tables of *url*: those of the project and the files, with *own_tables* all of Directus' but for its records.

    Without *own_tables* a person is the e-mail address, as the key is another one on each side.
    """
    columns: dict[str, tuple[str, ...]] = {}
    rows: dict[str, dict[str, dict[str, str | None]]] = {}
    with psycopg.connect(url) as connection:
        connection.execute("SET timezone = 'UTC'")
        people: dict[str, str] = dict(connection.execute("SELECT id::text, email FROM directus_users").fetchall())
        for name, key, names, kinds in connection.execute(_TABLES).fetchall():
            if name in _OWN_RECORDS or (name.startswith("directus_") and not own_tables and name != _FILES):
                continue
            if name == _FILES and not own_tables:
                kept = [place for place, column in enumerate(names) if column not in _OF_THE_STORE]
                names, kinds = [names[place] for place in kept], [kinds[place] for place in kept]
            columns[name] = tuple(names)
            texts = sql.SQL(", ").join(_text(each, kind) for each, kind in zip(names, kinds, strict=True))
            found = connection.execute(sql.SQL("SELECT {} FROM {}").format(texts, sql.Identifier(name))).fetchall()
            by_name = [dict(zip(names, row, strict=True)) for row in found]
            if not own_tables:
                by_name = [{one: people.get(value or "", value) for one, value in row.items()} for row in by_name]
            rows[name] = {str(row[key]) if key else str(number): row for number, row in enumerate(by_name)}
    return Database(columns, rows)


def _text(column: str, kind: str) -> sql.Composed:
    """A column as text; JSON without the blanks it was written with."""
    cast = "{}::jsonb::text" if kind == "json" else "{}::text"
    return sql.SQL(cast).format(sql.Identifier(column))


def missing(local: Database, production: Database, before: Database | None = None) -> list[str]:
    """
    What of local is not in production: tables, columns, rows, values.

    Args:
        before: Production as it was. A value it had then must still be there, whatever local has: people edited it.
    """
    differences: list[str] = []
    for name, rows in local.rows.items():
        there = production.rows.get(name)
        if there is None:
            differences.append(f"{name}: no such table")
            continue
        absent = set(local.columns[name]) - set(production.columns[name])
        differences += [f"{name}.{column}: no such column" for column in sorted(absent)]
        old = before.rows.get(name, {}) if before else {}
        for key, row in rows.items():
            if key not in there:
                differences.append(f"{name} {key}: no such row")
                continue
            kept = old.get(key, {})
            edited = any(row.get(column, value) != value for column, value in kept.items())
            differences += [
                f"{name} {key} {column}: {value!r} expected, {there[key].get(column)!r} in production"
                for column, value in row.items()
                if column not in absent and not edited and value != there[key].get(column)
            ]
    return differences


def lost(before: Database, after: Database) -> list[str]:
    """What production had and has no more, or has otherwise: tables, columns, rows, values."""
    return missing(before, after)


def changed(before: Database, after: Database) -> list[str]:
    """What of a database is not as it was, also what is new."""
    differences = [f"{name}: new table" for name in sorted(after.rows.keys() - before.rows.keys())]
    differences += lost(before, after)
    for name in before.rows.keys() & after.rows.keys():
        differences += [f"{name} {key}: new row" for key in sorted(after.rows[name].keys() - before.rows[name].keys())]
        new = set(after.columns[name]) - set(before.columns[name])
        differences += [f"{name}.{column}: new column" for column in sorted(new)]
    return differences
