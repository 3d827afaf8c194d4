"""Columns with defaults of every form."""

from __future__ import annotations

from tests_selftest.untidy.kind import Kind, column_kind, cycle, text


def defaults() -> list[Kind]:
    """Columns with a default."""
    own = column_kind

    def default(
        name: str, kind: str, given: str, *, special: str | None = None, plain: bool = False, held: str | None = None
    ) -> Kind:
        # What gives another value in every row and on every side is never left to fill one: *held* is the value.
        return own(f"default {name}", f"{kind} DEFAULT {given}", cycle(held, "NULL"), special=special, plain=plain)

    return [
        default("text", "varchar(255)", "'draft'", plain=True),
        default("text with a quote", "varchar(255)", "'it''s'"),
        default("empty text", "varchar(255)", "''"),
        default("text like a call", "varchar(255)", "'now()'"),
        default("text NULL", "varchar(255)", "'NULL'"),
        default("number", "integer", "5", plain=True),
        default("negative number", "integer", "-5"),
        default("zero", "integer", "0"),
        default("decimal", "numeric(10,5)", "1.5", plain=True),
        default("boolean", "boolean", "false", special="cast-boolean", plain=True),
        default("json", "json", "'{\"a\":1}'", special="cast-json"),
        default("jsonb", "jsonb", "'{}'::jsonb"),
        default("now()", "timestamptz", "now()", held="'2024-02-29 10:11:12.345Z'"),
        default("CURRENT_TIMESTAMP", "timestamptz", "CURRENT_TIMESTAMP", held="'2024-02-29 10:11:12.345Z'", plain=True),
        default("CURRENT_DATE", "date", "CURRENT_DATE", held="'2024-02-29'"),
        default("timezone('utc', now())", "timestamp", "timezone('utc', now())", held="'2024-02-29 10:11:12'"),
        default("lower('ABC')", "varchar(255)", "lower('ABC')"),
        default("1 + 2", "integer", "(1 + 2)"),
        default("gen_random_uuid()", "uuid", "gen_random_uuid()", held="'11111111-2222-4333-8444-555555555555'"),
        default("date", "date", "'2020-01-01'"),
        default("array", "text[]", "'{}'::text[]"),
        default("random()", "double precision", "random()", held="0.25"),
        own("default of a second sequence", "integer NOT NULL DEFAULT nextval('{n}_seq')", str,
            before=("CREATE SEQUENCE {n}_seq",), after=("SELECT setval('{n}_seq', 900)",), extra=("{n}_seq",)),
        own("second serial", "serial", str, after=("SELECT setval(pg_get_serial_sequence('{t}', '{n}'), 900)",)),
        own("default of own function", "varchar(255) DEFAULT {n}_make()", cycle(None),
            before=("CREATE FUNCTION {n}_make() RETURNS text LANGUAGE sql AS 'SELECT ''made''::text'",)),
        own("NOT NULL", "varchar(255) NOT NULL", text("a", "b"), plain=True),
        own("NOT NULL with default", "integer NOT NULL DEFAULT 7", cycle("1", None), plain=True),
    ]  # fmt: skip
