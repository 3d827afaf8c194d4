"""
Local and production compared by SQL alone; nothing of `fixtures` is used.

    differences = judge(local_url, before_url, production_url, pristine_url)

Every table, column, type, default, generated expression, unique, index, foreign key, check, trigger
and every value as Postgres writes it: what local has must be in production, and so must what
production had.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

_RECORDS = frozenset({
    "directus_activity", "directus_revisions", "directus_sessions", "directus_notifications", "directus_migrations",
    "directus_collections", "directus_fields", "directus_relations",
})  # fmt: skip
_OF_THE_STORE = frozenset(
    {"storage", "filename_disk", "created_on", "uploaded_on", "uploaded_by", "modified_on", "modified_by", "filesize"}
)
_OF_PRODUCTION = frozenset({"last_access", "last_page", "token", "password", "auth_data"})
_LIBRARY = ("directus_files", "directus_folders", "directus_users")

_JSON_MARK = "cast-json"
_NOW = re.compile(r"\bCURRENT_TIMESTAMP\b(?!\()")
_NO_DEFAULT = re.compile(r"NULL(::.*)?$")
_TABLES = """
    SELECT c.relname, c.relkind::text,
      (SELECT array_agg(a.attname::text ORDER BY k.place) FROM pg_index i
        CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number WHERE i.indrelid = c.oid AND i.indisprimary)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition ORDER BY 1
"""
_COLUMNS = """
    SELECT c.relname, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated::text,
      a.attidentity::text, pg_get_expr(d.adbin, d.adrelid), coalesce(col.collname, '')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation col ON col.oid = a.attcollation
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
_INDEXES = """
    SELECT t.relname, i.relname, pg_get_indexdef(x.indexrelid), coalesce(k.condeferrable, false)
    FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid
      AND k.contype IN ('u', 'p', 'x') WHERE n.nspname = 'public'
"""
_CONSTRAINTS = """
    SELECT t.relname, k.conname, k.contype::text, pg_get_constraintdef(k.oid) FROM pg_constraint k
    JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = 'public' AND k.contype IN ('f', 'c')
"""
_TRIGGERS = """
    SELECT t.relname, g.tgname, pg_get_triggerdef(g.oid) FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public' AND NOT g.tgisinternal
"""
_CONFIGURED = """
    SELECT collection, field, coalesce(special, '') FROM directus_fields UNION ALL
    SELECT many_collection, many_field, concat_ws(' ', 'to', one_collection, one_field, one_allowed_collections)
    FROM directus_relations UNION ALL SELECT collection, '', singleton::text FROM directus_collections
"""


@dataclass(frozen=True, order=True)
class Difference:
    """
    One thing that is not as it should be.

    Attributes:
        place: "table", "table.column", or the name of an index, a constraint or a trigger after a table.
        what: The aspect: "row", "value", "type", "default", "index" …
        outside: Of something no Directus schema holds: checks, triggers, views, tables Directus does not know,
            indexes that are no rule of the data, columns the database computes and Directus does not know; and the
            mark of JSON, which Directus sets on every such field it makes. No value is lost: it needs to be named.
    """

    place: str
    what: str
    text: str
    outside: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.what}: {self.text}"


@dataclass(frozen=True)
class Database:
    """A database by its catalogs, and every value as Postgres writes it."""

    kinds: Mapping[str, str]
    keys: Mapping[str, list[str] | None]
    columns: Mapping[str, Mapping[str, tuple[Any, ...]]]
    indexes: Mapping[tuple[str, str], str]
    foreign: Mapping[tuple[str, str], str]
    checks: Mapping[tuple[str, str], str]
    triggers: Mapping[tuple[str, str], str]
    configured: frozenset[tuple[str, str, str]]
    rows: Mapping[str, Mapping[Any, Mapping[str, str | None]]]
    tracked: frozenset[str]
    behind: tuple[str, ...]

    def knows(self, table: str, column: str) -> bool:
        """Whether Directus has the column in its data model."""
        return any((table, column) == (collection, field) for collection, field, _ in self.configured)


def judge(local: str, before: str, production: str, pristine: str) -> list[Difference]:
    """`compare` of the databases at these addresses."""
    return compare(read(local), read(before), read(production), read(pristine))


def compare(local: Database, before: Database, production: Database, pristine: Database) -> list[Difference]:
    """
    All differences, what local has first, then what production had.

    Args:
        before: Production as it was.
        pristine: A database with nothing but Directus' own tables.
    """
    found = [*_missing(local, production, pristine), *_lost(before, production)]
    behind = [place for place in production.behind if place not in before.behind]
    found += [Difference(place, "sequence", "behind the largest value") for place in behind]
    return list(dict.fromkeys(found))


def _missing(local: Database, there: Database, empty: Database) -> list[Difference]:
    found: list[Difference] = []
    for table, kind in local.kinds.items():
        own = table.startswith("directus_")
        if own and table not in _LIBRARY:
            continue
        outside = not own and (table not in local.tracked or kind in "vm")
        if table not in there.kinds:
            found.append(Difference(table, "table", "is not there", outside))
            continue
        standard = set(empty.columns[table]) if own else set()
        if kind in "rp" and not outside:
            for column, told in local.columns[table].items():
                if column in standard:
                    continue
                now = there.columns[table].get(column)
                # What is computed from other columns is lost with none of them.
                computed = bool(told[2]) and now is None and not local.knows(table, column)
                found += [replace(each, outside=computed) for each in _column(table, column, told, now)]
            if local.keys[table] != there.keys[table]:
                found.append(Difference(table, "key", f"{local.keys[table]} / {there.keys[table]}"))
            found += _values(table, local, there, standard)
    found += _definitions("index", local.indexes, there.indexes, skip=empty.indexes, tables=local.tracked)
    found += _definitions("foreign key", local.foreign, there.foreign, skip=empty.foreign, tables=local.tracked)
    found += _definitions("check", local.checks, there.checks, skip=empty.checks, tables=local.tracked, outside=True)
    found += _definitions("trigger", local.triggers, there.triggers, skip={}, tables=local.tracked, outside=True)
    for collection, field, special in sorted(local.configured - there.configured):
        marked = (collection, field, ",".join(filter(None, (special, _JSON_MARK)))) in there.configured
        json_column = local.columns.get(collection, {}).get(field, ("",))[0] == "json"
        # Directus 11.17.4 marks every JSON field it makes and answers alike without: no snapshot can be without it.
        found.append(Difference(f"{collection}.{field}".rstrip("."), "configuration", special, marked and json_column))
    return found


def _lost(was: Database, there: Database) -> list[Difference]:
    found: list[Difference] = []
    for table in was.kinds:
        if table not in there.kinds:
            found.append(Difference(table, "lost table", "is gone"))
            continue
        for column, told in was.columns.get(table, {}).items():
            found += [
                Difference(each.place, f"lost {each.what}", each.text)
                for each in _column(table, column, told, there.columns[table].get(column))
            ]
        if table in _RECORDS:
            continue
        for key, row in was.rows.get(table, {}).items():
            now = there.rows[table].get(key)
            if now is None:
                found.append(Difference(table, "lost row", str(key)))
                continue
            found += [
                Difference(f"{table}.{column}", "lost value", f"{key}: {value!r} / {now.get(column)!r}")
                for column, value in row.items()
                if column in now and column not in _OF_PRODUCTION and not _same(value, now[column])
            ]
    for what, before, after in (
        ("lost index", was.indexes, there.indexes), ("lost foreign key", was.foreign, there.foreign),
        ("lost check", was.checks, there.checks), ("lost trigger", was.triggers, there.triggers),
    ):  # fmt: skip
        found += _definitions(what, before, after, skip={}, tables=frozenset(was.kinds))
    return found


def _column(table: str, column: str, told: tuple[Any, ...], there: tuple[Any, ...] | None) -> list[Difference]:
    place = f"{table}.{column}"
    if there is None:
        return [Difference(place, "column", "is not there")]
    aspects = ("type", "not null", "generated", "default", "collation")
    return [
        Difference(place, aspect, f"{one!r} / {other!r}")
        for aspect, one, other in zip(aspects, told, there, strict=True)
        if one != other
    ]


def _values(table: str, local: Database, there: Database, standard: set[str]) -> list[Difference]:
    found: list[Difference] = []
    left_out = _OF_THE_STORE if table == "directus_files" else standard if table == "directus_users" else frozenset()
    for key, row in local.rows.get(table, {}).items():
        now = there.rows[table].get(key)
        if now is None:
            if table != "directus_users":
                found.append(Difference(table, "row", f"{key} is not there"))
            continue
        found += [
            Difference(f"{table}.{column}", "value", f"{key}: {value!r} / {now[column]!r}")
            for column, value in row.items()
            if column in now and column not in left_out and not _same(value, now[column])
        ]
    return found


def _definitions(
    what: str, ones: Mapping[tuple[str, str], str], others: Mapping[tuple[str, str], str], *,
    skip: Mapping[tuple[str, str], str], tables: frozenset[str], outside: bool = False,
) -> list[Difference]:  # fmt: skip
    """Definitions of *ones* that *others* has not, whatever they are called."""
    left: dict[tuple[str, str], int] = {}
    for (table, _), definition in others.items():
        left[table, definition] = left.get((table, definition), 0) + 1
    found = []
    for (table, name), definition in ones.items():
        if table not in tables or (table, name) in skip:
            continue
        if left.get((table, definition), 0) <= 0:
            of_its_own = outside or (what == "index" and not definition.startswith("CREATE UNIQUE"))
            found.append(Difference(f"{table}.{name}", what, definition, of_its_own))
        else:
            left[table, definition] -= 1
    return found


def _same(one: str | None, other: str | None) -> bool:
    if one == other or one is None or other is None:
        return one == other
    if one[:1] in '{["' and other[:1] in '{["':
        try:
            return bool(_parsed(one) == _parsed(other))
        except ValueError:
            return False
    return False


def _parsed(text: str) -> Any:
    """JSON with every digit, the order of its keys and repeated keys kept; only blanks do not count."""
    kept = dict[str, Any](parse_int=lambda t: ("n", t), parse_float=lambda t: ("n", t), object_pairs_hook=tuple)
    return json.loads(text, **kept)


def read(url: str) -> Database:
    """What `compare` asks of the database at *url*."""
    with psycopg.connect(url) as connection:
        connection.execute("SET timezone = 'UTC'; SET extra_float_digits = 1; SET search_path = public")

        def ask(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query.encode()).fetchall()

        tables = ask(_TABLES)
        kinds = {name: kind for name, kind, _ in tables}
        keys = {name: key for name, _, key in tables}
        columns: dict[str, dict[str, tuple[Any, ...]]] = {name: {} for name, kind, _ in tables if kind in "rp"}
        for table, column, kind, required, generated, identity, default, collation in ask(_COLUMNS):
            if table in columns:
                given = "a number of a sequence" if identity or "nextval(" in (default or "") else default
                given = None if _NO_DEFAULT.match(given or "NULL") else _NOW.sub("now()", given)
                columns[table][column] = (kind, required, generated, given, collation)
        rows = {}
        for name, names in columns.items():
            by = ["email"] if name == "directus_users" else keys[name]
            texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(each)) for each in names)
            found = connection.execute(sql.SQL("SELECT {} FROM {}").format(texts, sql.Identifier(name))).fetchall()
            by_name = [dict(zip(names, row, strict=True)) for row in found]
            rows[name] = {
                tuple(row[each] for each in by) if by else tuple(sorted(row.items(), key=str)): row for row in by_name
            }
        constraints = ask(_CONSTRAINTS)
        return Database(
            kinds,
            keys,
            columns,
            {(t, n): _nameless(d) + (" deferrable" if late else "") for t, n, d, late in ask(_INDEXES)},
            {(t, n): d for t, n, kind, d in constraints if kind == "f"},
            {(t, n): d for t, n, kind, d in constraints if kind == "c"},
            {(t, n): d for t, n, d in ask(_TRIGGERS)},
            frozenset(ask(_CONFIGURED)),
            rows,
            frozenset(each for (each,) in ask("SELECT collection FROM directus_collections")),
            tuple(_behind(connection, columns)),
        )


def _nameless(definition: str) -> str:
    """The definition of an index without its own name."""
    return re.sub(r'INDEX ("(?:[^"]|"")*"|\S+) ON', "INDEX ON", definition, count=1)


def _behind(connection: psycopg.Connection[Any], columns: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Columns whose sequence would give a value that is there already."""
    found = []
    owned = connection.execute(
        "SELECT t.relname, a.attname::text, s.oid::regclass::text FROM pg_class s JOIN pg_depend d ON d.objid = s.oid"
        " AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 JOIN pg_class t ON t.oid = d.refobjid"
        " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid WHERE s.relkind = 'S'"
    ).fetchall()
    for table, column, sequence in owned:
        if table in columns and not table.startswith("directus_"):
            query = sql.SQL("SELECT coalesce(max({c}), 0) <= (SELECT last_value FROM {s}) FROM {t}").format(
                c=sql.Identifier(column), t=sql.Identifier(table), s=sql.SQL(sequence)
            )
            if not connection.execute(query).fetchall()[0][0]:
                found.append(f"{table}.{column}")
    return found
