"""Columns of every type, with values at the edges of each."""

from __future__ import annotations

from tests_selftest.untidy.kind import Kind, column_kind, cycle, text


def types() -> list[Kind]:
    """Columns of every type, with ordinary values."""
    own = column_kind
    return [
        own("string", "varchar(255)", text("a", "b c", "ü"), plain=True),
        own("text", "text", text("long text", "other", "third"), plain=True),
        own("integer", "integer", cycle("1", "0", "-5", "NULL"), plain=True),
        own("bigInteger", "bigint", cycle("1", "-70000000000", "NULL"), plain=True),
        own("float", "real", cycle("1.5", "-0.25", "0", "NULL"), plain=True),
        own("decimal", "numeric(10,5)", cycle("1.5", "-0.25000", "NULL"), plain=True),
        own("boolean", "boolean", cycle("true", "false", "NULL"), special="cast-boolean", plain=True),
        own("date", "date", cycle("'2024-02-29'", "'1999-12-31'", "NULL"), plain=True),
        own("time", "time", cycle("'10:11:12'", "'00:00:00'", "NULL"), plain=True),
        own("dateTime", "timestamp", cycle("'2024-02-29 10:11:12'", "NULL"), plain=True),
        own("timestamp", "timestamptz", cycle("'2024-02-29 10:11:12Z'", "NULL"), plain=True),
        own("json", "json", text('{"a":[1,2,{"b":null}]}', '["x"]'), special="cast-json", plain=True),
        own("csv", "text", text("a,b", "c"), special="cast-csv", plain=True),
        own("uuid", "uuid", cycle("'11111111-2222-4333-8444-555555555555'", "NULL"), plain=True),
        own("date-created", "timestamptz", cycle("'2020-01-02 03:04:05.678901Z'"), special="date-created", plain=True),
        own("date-updated", "timestamptz", cycle("'2020-01-02 03:04:05.678901Z'"), special="date-updated", plain=True),
        own("hash", "varchar(255)", cycle("'$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA'"), special="hash"),
        own("jsonb", "jsonb", text('{"a": 1}', "[1, 2.50]", '"x"')),
        own("smallint", "smallint", cycle("32767", "-32768", "NULL")),
        own("char(n)", "char(5)", text("ab", "abcde", "")),
        own("numeric without precision", "numeric", cycle("1.23456789012345678901234567890", "1e40", "-0.0", "NULL")),
        own("numeric(30,10)", "numeric(30,10)", cycle("12345678901234567890.0123456789", "NULL")),
        own("numeric NaN", "numeric", cycle("'NaN'", "1")),
        own("double precision", "double precision", cycle("0.1", "1e308", "5e-324", "1.7976931348623157e308")),
        own("varchar without length", "varchar", text("a", "b" * 300)),
        own("varchar(10)", "varchar(10)", text("a", "bcdefghijk"), plain=True),
        own("timetz", "timetz", cycle("'10:11:12.345678+02'", "'00:00:00-11'")),
        own("timestamp(0)", "timestamp(0)", cycle("'2024-02-29 10:11:12'")),
        own("timestamptz(3)", "timestamptz(3)", cycle("'2024-02-29 10:11:12.345Z'")),
        own("interval", "interval", cycle("'1 year 2 mons 3 days 04:05:06.789'", "'-1 day'", "NULL")),
        own("bit", "bit(8)", cycle("B'10101010'", "B'00000000'")),
        own("varbit", "bit varying(16)", cycle("B'101'", "B''")),
        own("bytea", "bytea", cycle(r"'\x00ff5c0a'", r"'\x'", "NULL")),
        own("inet", "inet", cycle("'192.168.0.1/24'", "'::1'", "NULL")),
        own("cidr", "cidr", cycle("'10.0.0.0/8'", "NULL")),
        own("macaddr", "macaddr", cycle("'08:00:2b:01:02:03'", "NULL")),
        own("int4range", "int4range", cycle("'[1,5)'", "'empty'", "'(,)'")),
        own("tstzrange", "tstzrange", cycle("'[2024-01-01 00:00:00.5Z,2024-02-01Z)'", "NULL")),
        own("text[]", "text[]", cycle("ARRAY['a','b,c','NULL',NULL,'\"q\"']", "'{}'", "NULL")),
        own("integer[]", "integer[]", cycle("ARRAY[1,2,NULL]", "ARRAY[[1,2],[3,4]]", "NULL")),
        own("enum", "{n}_kind", cycle("'sad'", "'happy'", "NULL"),
            before=("CREATE TYPE {n}_kind AS ENUM ('happy', 'sad', 'so-so')",), extra=("{n}_kind",)),
        own("money", "money", cycle("'12.34'", "'-1000000.01'", "NULL")),
        own("domain", "{n}_domain", text("abc", "x"),
            before=("CREATE DOMAIN {n}_domain AS varchar(20) CHECK (VALUE <> '')",), extra=("{n}_domain",)),
        own("composite type", "{n}_pair", cycle("ROW(1,'a')", "NULL"),
            before=("CREATE TYPE {n}_pair AS (a integer, b text)",), extra=("{n}_pair",)),
        own("xml", "xml", cycle("NULL")),  # the packaged Postgres reads no XML
        own("point", "point", cycle("'(1.5,-2)'", "NULL")),
        own("polygon", "polygon", cycle("'((0,0),(1,0),(1,1))'", "NULL")),
        own("tsvector", "tsvector", text("'a' 'b':2", "")),
        own("vector", "vector(3)", cycle("'[1,2.5,-3]'", "NULL")),
        own("oid", "oid", cycle("4294967295", "1")),
        own("jsonpath", "jsonpath", text("$.a")),
        own("collation", 'text COLLATE "C"', text("a", "B")),
    ]  # fmt: skip


def edges() -> list[Kind]:
    """Columns whose values are at the edge of their type."""
    own = column_kind
    json = "cast-json"
    return [
        own("time with fractions", "time", cycle("'10:11:12.123456'", "'23:59:59.999999'")),
        own("dateTime with fractions", "timestamp", cycle("'2024-02-29 10:11:12.75'", "'1999-12-31 23:59:59.999999'")),
        own(
            "timestamp with fractions",
            "timestamptz",
            cycle("'2024-02-29 10:11:12.123456Z'", "'2024-02-29 10:11:12.1Z'"),
        ),
        own("year 1 and 9999, date", "date", cycle("'0001-01-01'", "'9999-12-31'")),
        own("year 1 and 9999, dateTime", "timestamp", cycle("'0001-01-01 00:00:00'", "'9999-12-31 23:59:59'")),
        own("year 1 and 9999, timestamp", "timestamptz", cycle("'0001-01-01 00:00:00Z'", "'9999-12-31 23:59:59Z'")),
        own("years BC and 10000", "timestamptz", cycle("'0044-03-15 00:00:00Z BC'", "'10000-01-01 00:00:00Z'")),
        own("date infinity", "date", cycle("'infinity'", "'-infinity'")),
        own("timestamp infinity", "timestamptz", cycle("'infinity'", "'-infinity'")),
        own("time 24:00", "time", cycle("'24:00:00'", "'00:00:00'")),
        own(
            "json 2^53",
            "json",
            text('{"n":9007199254740993}', '{"n":-9007199254740993}', '{"n":9007199254740991}'),
            special=json,
        ),
        own("json 12345678901234567890", "json", text('{"n":12345678901234567890}'), special=json),
        own("json many digits", "json", text('{"n":0.1234567890123456789}', '{"n":1.10}'), special=json),
        own("json exponent", "json", text('{"n":1e400}', '{"n":-1E-400}'), special=json),
        own("json null", "json", cycle("'null'", "NULL"), special=json),
        own("json repeated key", "json", text('{"o":{"b":1,"b":2}}', '[{"c":":","c":2}]'), special=json),
        own("json scalars", "json", text('"text"', "5", "true", '""'), special=json),
        own("json text in quotes", "json", text('"{\\"a\\":1}"', '"null"', '"5"'), special=json),
        own("json order and blanks", "json", text('{ "b" : 1,\n "a" : [ ] }', '{"10":1,"9":2}'), special=json),
        own("json zero character", "json", text('{"a":"\\u0000"}', '{"a":"\\ud83d\\ude00"}'), special=json),
        own("json lone surrogate", "json", text('{"a":"\\ud83d"}'), special=json),
        own("jsonb big numbers", "jsonb", text('{"n": 12345678901234567890}', '{"n": 1.10}', "null")),
        own("float infinity", "real", cycle("'Infinity'", "'-Infinity'", "'NaN'", "1")),
        own("double infinity", "double precision", cycle("'Infinity'", "'-Infinity'", "'NaN'")),
        own("float digits", "real", cycle("0.1", "1e-45", "3.4028235e38", "16777217")),
        own("negative zero", "double precision", cycle("'-0'", "0")),
        own("integer limits", "integer", cycle("2147483647", "-2147483648")),
        own("bigInteger limits", "bigint", cycle("9223372036854775807", "-9223372036854775808", "9007199254740993")),
        own("decimal limits", "numeric(10,5)", cycle("99999.99999", "-99999.99999", "0.00001")),
        own("numeric(38,20)", "numeric(38,20)", cycle("123456789012345678.12345678901234567890")),
        own("empty text", "varchar(255)", text("", " ", "a ")),
        own("unicode", "text", text("e\u0301", "\u00e9", "\U0001f600 \u202e", "\u0645\u0631\u062d\u0628\u0627")),
        own("control characters", "text", cycle(r"E'a\tb\nc\r\nd'", r"E'\\N'", r"E'\\'", "E'\\x01\\x1f'", "'\"'")),
        own("text like NULL", "varchar(255)", text("NULL", "null", "\\N", "true")),
        own("csv edges", "text", text("", ",", "a,,b", " a , b ", "a,b,"), special="cast-csv"),
        own("uuid text", "varchar(255)", text("00000000-0000-4000-8000-000000000001", "2024-01-01"), plain=True),
        own("long text", "text", cycle("repeat('x', 200000)", "'short'")),
    ]


def specials() -> list[Kind]:
    """Columns whose row in `directus_fields` is not what Directus writes, or missing."""
    own = column_kind
    return [
        own("json, special null", "json", text('{"a":1}', "[1]")),
        own("json, special []", "json", text('{"a":1}', "[1]"), special=""),
        own("csv, special null", "text", text("a,b", "c")),
        own("hash, special null", "varchar(255)", cycle("'$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA'")),
        own("boolean, special null", "boolean", cycle("true", "false")),
        own("column not configured", "varchar(255)", text("a", "b"), configured=False),
        own("jsonb not configured", "jsonb", text('{"a": 1}'), configured=False),
        own("column with capitals", "varchar(255)", text("a", "b"), before=()),
    ]
