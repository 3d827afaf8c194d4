"""What a database holds, asked of Postgres itself and of nobody else: one MD5 a table over its rows in their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

import psycopg
from psycopg import sql

LEFT_OUT = frozenset({"directus_activity", "directus_revisions", "directus_sessions", "directus_notifications"})
"""`directus_activity` and its like: every request makes rows there, repeated ones too."""

OF_THE_MOMENT = {
    "directus_users": {"last_access", "last_page"},
    "directus_flows": set[str](),
}
"""Columns that say when something was done here, so no two runs agree in them."""

_SCHEMA = """
SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
    SELECT concat_ws(' ', 'column', table_name, column_name, data_type, character_maximum_length, numeric_precision,
                     numeric_scale, is_nullable, column_default) AS line
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'index', indexdef) FROM pg_indexes WHERE schemaname = 'public'
) AS schema
"""


def digests(url: str, *, ignoring: Iterable[str] = ()) -> dict[str, str]:
    """
    Table to MD5 of its rows, all tables of the schema `public`; sequence to its next value; "schema" to an MD5 of all
    columns, constraints and indexes.

    Args:
        ignoring: "table.column" to leave out besides those of the moment.
    """
    left_out = {name: set(columns) for name, columns in OF_THE_MOMENT.items()}
    for name in ignoring:
        table, column = name.split(".")
        left_out.setdefault(table, set()).add(column)
    found: dict[str, str] = {}
    with psycopg.connect(url) as connection:
        found["schema"] = str(_one(connection, _SCHEMA))
        for table, columns in _tables(connection).items():
            if table not in LEFT_OUT:
                found[table] = _digest(connection, table, [c for c in columns if c not in left_out.get(table, ())])
        for (name,) in connection.execute(
            "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall():
            if str(name).removesuffix("_id_seq") not in LEFT_OUT:
                query = sql.SQL("SELECT last_value + is_called::int FROM {}").format(sql.Identifier(name))
                found[f"sequence {name}"] = str(_one(connection, query))
    return found


def differing(wanted: dict[str, str], observed: dict[str, str]) -> list[str]:
    """Names of tables and sequences that are not the same on both sides."""
    return sorted(name for name in wanted.keys() | observed.keys() if wanted.get(name) != observed.get(name))


def _tables(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY 1, 2"
    ):
        found.setdefault(table, []).append(column)
    return found


def _digest(connection: psycopg.Connection[Any], table: str, columns: list[str]) -> str:
    row = sql.SQL("ROW({})::text").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    query = sql.SQL("SELECT count(*) || ' ' || md5(coalesce(string_agg({row}, E'\\n' ORDER BY {row}), '')) FROM {t}")
    return str(_one(connection, query.format(row=row, t=sql.Identifier(table))))


def _one(connection: psycopg.Connection[Any], query: LiteralString | sql.Composed) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
