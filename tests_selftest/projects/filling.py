"""
Rows for any Directus database on Postgres, drawn from a seed and from the database's own catalog.

A value depends on the seed, its table, its column and its row alone, so an older state of the same model has the same
rows. Foreign keys point to rows that exist, unique columns get values of their own, choices and lengths are kept. What
Directus keeps outside of foreign keys (the two columns of an any-relation) is taken from `directus_relations`.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Json

_WORDS = ("harbour", "window", "paper", "river", "garden", "letter", "bridge", "market", "winter", "stone", "lamp")
_EDITED = "corrected by an editor"
_DAY = datetime(2025, 1, 15, 9, 30, tzinfo=UTC)

_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS kind, a.attnotnull AS required,
       information_schema._pg_char_max_length(a.atttypid, a.atttypmod) AS length,
       information_schema._pg_numeric_precision(a.atttypid, a.atttypmod) AS precision,
       information_schema._pg_numeric_scale(a.atttypid, a.atttypmod) AS scale,
       pg_get_expr(d.adbin, d.adrelid) AS written, a.attgenerated <> '' AS generated
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEYS = """
SELECT c.contype AS kind, c.confrelid::regclass::text AS target,
       (SELECT array_agg(a.attname::text) FROM pg_attribute a
         WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)) AS columns
FROM pg_constraint c WHERE c.conrelid = %s::regclass AND c.contype IN ('p', 'u', 'f')
"""


@dataclass(frozen=True)
class Table:
    """What the catalog says of one table."""

    name: str
    columns: tuple[Mapping[str, Any], ...]
    key: str
    unique: frozenset[str]
    foreign: Mapping[str, str]

    @property
    def counts_up(self) -> bool:
        return any(one["name"] == self.key and "nextval" in (one["written"] or "") for one in self.columns)


def fill(
    url: str, *, rows: int, seed: int, files: Sequence[str], singletons: Iterable[str] = (), first: int = 1
) -> dict[str, int]:
    """
    Put *rows* rows into each table that is no table of Directus; the number in each.

    Args:
        url: A superuser's: foreign keys are not checked meanwhile, as circles have no order.
        files: Keys of the files a row may refer to.
        singletons: Tables that get one row, and none when *first* is not 1.
        first: The number of the first row; whole numbers as keys begin with it, and unique texts end in it.
    """
    with psycopg.connect(url, row_factory=dict_row) as connection:
        tables = {name: _table(connection, name) for name in _names(connection)}
        # People have another key on each side, and the same address.
        people_keys = [row["id"] for row in connection.execute("SELECT id FROM directus_users ORDER BY email")]
        system: dict[str, list[Any]] = {"directus_users": people_keys, "directus_files": [*files]}
        choices, anywhere, people = _choices(connection), _any_relations(connection), _people_columns(connection)
        connection.execute("SET session_replication_role = replica")
        single = set(singletons)
        keys: dict[str, list[Any]] = {**system}
        for name, table in tables.items():
            numbers = range(first, first + rows) if name not in single else range(1, 2) if first == 1 else range(0)
            keys[name] = _draw_keys(table, numbers, seed)
        for name, table in tables.items():
            for place, key in enumerate(keys[name]):
                row = _row(table, key, (first, place), keys, choices, seed)
                authors = [column for column in row if (name, column) in people]
                row |= {
                    column: _dice(seed, name, first + place, column).choice(system["directus_users"])
                    for column in authors
                }
                _point_anywhere(row, name, anywhere, keys, _dice(seed, name, first + place, "anywhere"))
                _insert(connection, name, row)
            if table.counts_up and keys[name]:
                _set_sequence(connection, table)
        return {name: len(keys[name]) for name in tables}


def describe(url: str, columns: Iterable[tuple[str, str]]) -> None:
    """Enter a text of its own in these columns of Directus' tables, in every row: (table, column)."""
    with psycopg.connect(url) as connection:
        for table, column in columns:
            connection.execute(
                sql.SQL("UPDATE {} SET {} = {} || id::text").format(
                    sql.Identifier(table), sql.Identifier(column), sql.Literal(f"{column} of ")
                )
            )


def edit(url: str, *, every: int, singletons: Iterable[str] = ()) -> int:
    """Change a text in every *every*-th row of each table as a person would; how many rows were changed."""
    changed = 0
    with psycopg.connect(url, row_factory=dict_row) as connection:
        choices = _choices(connection)
        for name in _names(connection):
            table = _table(connection, name)
            texts = [
                one["name"]
                for one in table.columns
                if one["kind"] in ("text", "character varying") and (one["length"] or 99) >= len(_WORDS[0]) * 4
            ]
            free = [one for one in texts if one not in {table.key, *table.unique, *table.foreign}]
            free = [one for one in free if (name, one) not in choices and one not in ("item", "collection")]
            if not free or name in set(singletons):
                continue
            statement = sql.SQL(
                "UPDATE {table} SET {column} = %s WHERE {key} IN"
                " (SELECT {key} FROM (SELECT {key}, row_number() OVER (ORDER BY {key}::text) n FROM {table}) o"
                " WHERE n % {every} = 0)"
            ).format(
                table=sql.Identifier(name),
                column=sql.Identifier(free[0]),
                key=sql.Identifier(table.key),
                every=sql.Literal(every),
            )
            changed += connection.execute(statement.as_string(connection).replace("n % ", "n %% "), [_EDITED]).rowcount
    return changed


def _dice(seed: int, table: str, number: int, what: str) -> random.Random:
    return random.Random(f"{seed} {table} {number} {what}")


def _names(connection: psycopg.Connection[dict[str, Any]]) -> list[str]:
    found = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'directus\\_%' ORDER BY 1"
    )
    return [row["tablename"] for row in found]


def _table(connection: psycopg.Connection[dict[str, Any]], name: str) -> Table:
    quoted = sql.Identifier(name).as_string(connection)
    columns = tuple(connection.execute(_COLUMNS, [quoted]).fetchall())
    keys = connection.execute(_KEYS, [quoted]).fetchall()
    unique = {key["columns"][0] for key in keys if key["kind"] in "pu" and len(key["columns"]) == 1}
    foreign = {key["columns"][0]: key["target"].strip('"') for key in keys if key["kind"] == "f"}
    primary = next(key["columns"][0] for key in keys if key["kind"] == "p")
    return Table(name, columns, primary, frozenset(unique), foreign)


def _choices(connection: psycopg.Connection[dict[str, Any]]) -> dict[tuple[str, str], list[Any]]:
    found: dict[tuple[str, str], list[Any]] = {}
    for row in connection.execute("SELECT collection, field, options FROM directus_fields WHERE options IS NOT NULL"):
        options = row["options"] if isinstance(row["options"], dict) else {}
        values = [one.get("value") for one in options.get("choices") or [] if isinstance(one, dict)]
        if values and all(isinstance(value, (str, int)) for value in values):
            found[row["collection"], row["field"]] = values
    return found


def _people_columns(connection: psycopg.Connection[dict[str, Any]]) -> set[tuple[str, str]]:
    """Columns that name who made or changed a row, also those without a relation."""
    found = connection.execute("SELECT collection, field FROM directus_fields WHERE special ~ 'user-(created|updated)'")
    return {(row["collection"], row["field"]) for row in found}


def _any_relations(connection: psycopg.Connection[dict[str, Any]]) -> dict[str, list[tuple[str, str, list[str]]]]:
    found: dict[str, list[tuple[str, str, list[str]]]] = {}
    for row in connection.execute(
        "SELECT many_collection, many_field, one_collection_field, one_allowed_collections FROM directus_relations"
        " WHERE one_collection_field IS NOT NULL"
    ):
        allowed = [name for name in (row["one_allowed_collections"] or "").split(",") if name]
        found.setdefault(row["many_collection"], []).append((row["one_collection_field"], row["many_field"], allowed))
    return found


def _draw_keys(table: Table, numbers: Sequence[int], seed: int) -> list[Any]:
    kind, longest = next((one["kind"], one["length"]) for one in table.columns if one["name"] == table.key)
    if kind == "uuid":
        drawn = [_dice(seed, table.name, number, table.key).getrandbits(128) for number in numbers]
        return [uuid.UUID(int=one, version=4) for one in drawn]
    if kind in ("integer", "bigint", "smallint"):
        return list(numbers)
    return [
        f"{_dice(seed, table.name, number, table.key).choice(_WORDS)}-{number}"[-(longest or 64) :]
        for number in numbers
    ]


def _row(
    table: Table,
    key: Any,
    counted: tuple[int, int],
    keys: Mapping[str, list[Any]],
    choices: Mapping[tuple[str, str], list[Any]],
    seed: int,
) -> dict[str, Any]:
    """
    Args:
        counted: The number of the first row, and this one's place after it.
    """
    first, place = counted
    number = first + place
    row: dict[str, Any] = {}
    for column in table.columns:
        name = column["name"]
        dice = _dice(seed, table.name, number, name)
        if column["generated"]:
            continue
        if name == table.key:
            row[name] = key
        elif name in table.foreign:
            there = keys.get(table.foreign[name], [])
            enough = name not in table.unique or place < len(there)
            row[name] = (there[place] if name in table.unique else dice.choice(there)) if there and enough else None
        elif not column["required"] and dice.random() < 0.15:
            row[name] = None
        elif (table.name, name) in choices and column["kind"] not in ("json", "jsonb"):
            row[name] = dice.choice(choices[table.name, name])
        else:
            row[name] = _value(column, number, name in table.unique, dice)
    return row


def _value(column: Mapping[str, Any], number: int, unique: bool, dice: random.Random) -> Any:
    when = _DAY + timedelta(hours=dice.randrange(5000), milliseconds=dice.randrange(1000))
    match column["kind"]:
        case "integer" | "smallint" | "bigint":
            return number if unique else dice.randrange(1, 1000)
        case "numeric":
            scale = column["scale"] if column["scale"] is not None else 2
            whole = 10 ** min(4, max(0, (column["precision"] or 8) - scale))
            return f"{dice.randrange(whole)}.{dice.randrange(10**scale):0{scale}d}" if scale else dice.randrange(whole)
        case "real":
            return dice.randrange(1000) / 4
        case "double precision":
            return dice.randrange(100000) / 8
        case "boolean":
            return dice.random() < 0.5
        case "uuid":
            return uuid.UUID(int=dice.getrandbits(128), version=4)
        case "date":
            return when.date()
        case "time without time zone":
            return when.time().replace(microsecond=0)
        case "timestamp without time zone":
            return when.replace(tzinfo=None, microsecond=0)
        case "timestamp with time zone":
            return when
        case "json" | "jsonb":
            return Json({"word": dice.choice(_WORDS), "numbers": [number, number + 1]}, dumps=json.dumps)
        case _:
            text = " ".join(dice.choice(_WORDS) for _ in range(dice.randrange(1, 6)))
            text = f"{text} {number}" if unique else text
            return text[-(column["length"] or 200) :]


def _point_anywhere(
    row: dict[str, Any],
    name: str,
    anywhere: Mapping[str, list[tuple[str, str, list[str]]]],
    keys: Mapping[str, list[Any]],
    dice: random.Random,
) -> None:
    for collection, item, allowed in anywhere.get(name, []):
        able = [one for one in allowed if keys.get(one)]
        target = dice.choice(able) if able else None
        row[collection], row[item] = (target, str(dice.choice(keys[target]))) if target else (None, None)


def _insert(connection: psycopg.Connection[dict[str, Any]], name: str, row: Mapping[str, Any]) -> None:
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(name),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() for _ in row),
        ),
        list(row.values()),
    )


def _set_sequence(connection: psycopg.Connection[dict[str, Any]], table: Table) -> None:
    quoted = sql.Identifier(table.name).as_string(connection)
    connection.execute(
        sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {}").format(
            sql.Literal(quoted), sql.Literal(table.key), sql.Identifier(table.key), sql.Identifier(table.name)
        )
    )
