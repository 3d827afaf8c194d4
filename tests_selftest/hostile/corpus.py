"""
Rows nobody should trust, and rows that only look dangerous: what is done to a good row, and what must become of it.

Every bad row stands between good ones. A case names the rule that refuses it, or says that the row arrives exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

Row = dict[str, Any]
ARRIVES = "arrives"
"""Not refused: the row is in production afterwards, every digit and letter of it."""


@dataclass(frozen=True)
class Case:
    """
    One row that is put into the export of *collection*.

    Attributes:
        make: From a good row with a new key, the line that is written.
        expected: The rule that refuses it, or ARRIVES.
        by_sql: What is expected of lane sql, where it is something else.
    """

    name: str
    collection: str
    make: Callable[[Row], str]
    expected: str
    by_sql: str = ""

    def expected_of(self, lane: str) -> str:
        return self.by_sql if lane == "sql" and self.by_sql else self.expected


def case(name: str, collection: str, expected: str, /, **values: Any) -> Case:
    """A good row with these values instead of its own."""
    return Case(name, collection, lambda row: row_to_json({**row, **values}), expected)


def raw(name: str, collection: str, expected: str, change: Callable[[str], str], /, **values: Any) -> Case:
    """A good row whose text is changed: what no JSON library would write."""
    return Case(name, collection, lambda row: change(row_to_json({**row, **values})), expected)


def without(name: str, collection: str, expected: str, column: str) -> Case:
    """A good row that lacks a column."""
    return Case(name, collection, lambda row: row_to_json({k: v for k, v in row.items() if k != column}), expected)


def row_to_json(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def nested(levels: int) -> Any:
    value: Any = "innermost"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


NO_BYTES, CUT_SHORT = "88888888-8888-4888-8888-888888888801", "88888888-8888-4888-8888-888888888802"
NEVER_FETCHED = "88888888-8888-4888-8888-888888888803"
"""Files of the library whose bytes are not what the inventory says."""

_HTML = (
    "<p onclick=\"alert('x')\">Robert'); DROP TABLE definitions;-- &amp; <script>1</script> \\' \" % _ ${x} {{y}}</p>"
)
_ODD = (
    "tab\t line\nfeed\r\n nbsp\u00a0 zero\u200bwidth rtl\u202e emoji 👩‍👩‍👧 combining e\u0301 \u2028 \ufffd \x01 end "
)

ROWS: tuple[Case, ...] = (
    # --- what is no JSON object
    raw("a name twice in one object", "amendments", "TWICE", lambda t: t[:-1] + ',"title":"again"}'),
    raw("a name twice deep inside", "zoning_districts", "TWICE", lambda t: t.replace('"HOLE"', '{"a":1,"a":2}'),
        metadata="HOLE"),
    raw("NaN", "amendments", "NOT_A_NUMBER", lambda t: t.replace('"HOLE"', "NaN"), fee="HOLE"),
    raw("Infinity", "zoning_districts", "NOT_A_NUMBER", lambda t: t.replace('"HOLE"', "-Infinity"), metadata="HOLE"),
    raw("a row cut short", "amendments", "JSON", lambda t: t[: len(t) // 2]),
    raw("an array instead of an object", "amendments", "JSON", lambda _: '[1,"a"]'),
    raw("a number instead of an object", "amendments", "JSON", lambda _: "17"),
    raw("null instead of an object", "amendments", "JSON", lambda _: "null"),
    raw("single quotes", "amendments", "JSON", lambda t: t.replace('"', "'")),
    raw("5,000 levels deep", "zoning_districts", "DEPTH", lambda t: t.replace('"HOLE"', "[" * 5000 + "]" * 5000),
        metadata="HOLE"),
    case("300 levels deep", "zoning_districts", "DEPTH", metadata=nested(300)),
    case("100 levels deep", "zoning_districts", ARRIVES, metadata=nested(100)),
    # --- keys
    without("no key", "amendments", "KEY", "id"),
    case("a null key", "fee_schedule", "KEY", id=None),
    case("an empty key", "languages", "KEY", code=""),
    case("key 0", "fee_schedule", "KEY_RANGE", id=0),
    case("a negative key", "amendments", "KEY_RANGE", id=-7),
    case("a key of another type", "amendments", "TYPE", id="seven"),
    case("a malformed uuid", "definitions", "TYPE", id="00119fb2-6db9-433b-b95c"),
    case("a uuid in capitals", "definitions", ARRIVES, id="ABCDEF00-1111-4222-8333-ABCDEF000001"),
    case("a key above 2^31", "fee_schedule", "RANGE", id=2**31),
    case("a key with slash, question mark and blank", "languages", ARRIVES, code="a/b?c d&e=f%20"),
    # --- columns
    case("an unknown column", "fee_schedule", "COLUMN", bogus=1),
    without("a column with a default is missing", "fee_schedule", "COLUMN", "active"),
    case("an alias array", "chapters", "ALIAS", sections=[1, 2, 3]),
    case("an object under a foreign key", "sections", "NESTED", chapter={"id": 1, "title": "overwritten"}),
    case("an array under a foreign key", "documents", "NESTED", file=["x"]),
    case("null in a required column", "definitions", "REQUIRED", meaning=None),
    without("a required column is missing", "sections", "REQUIRED", "chapter"),
    # --- types and limits
    case("text in a whole number", "documents", "TYPE", pages="abc"),
    case("a number as text in a whole number", "documents", "TYPE", pages="12"),
    case("a fraction in a whole number", "documents", "TYPE", pages=1.5),
    case("a whole number above 2^31", "documents", "RANGE", pages=2**31),
    case("text too long", "amendments", "LENGTH", number="x" * 33),
    case("text of exactly its length, in emoji", "amendments", ARRIVES, number="👍" * 32),
    case("a number in a text", "amendments", "TYPE", title=5),
    case("NUL in a text", "amendments", "TEXT", title="a\0b"),
    raw("half of a surrogate pair", "amendments", "TEXT", lambda t: t.replace("HOLE", "\\ud800"), title="HOLE"),
    raw("half of a pair inside JSON", "zoning_districts", "TEXT", lambda t: t.replace("HOLE", "\\ud800"),
        metadata={"a": "HOLE"}),
    case("2^53+1 as a number", "amendments", ARRIVES, population=2**53 + 1),
    case("2^53+1 as text", "zoning_districts", ARRIVES, max_units=str(2**53 + 1)),
    case("2^63", "zoning_districts", "RANGE", max_units=str(2**63)),
    case("a thousand digits", "zoning_districts", "RANGE", max_units="9" * 1000),
    case("a boolean as yes", "fee_schedule", "TYPE", active="yes"),
    case("a boolean as 1", "fee_schedule", "TYPE", active=1),
    case("a decimal too large", "amendments", "RANGE", fee="1000000.0000"),
    case("a decimal with too many digits", "amendments", "DIGITS", fee="1.23456"),
    case("a decimal with zeros too many", "amendments", ARRIVES, fee="1.230000"),
    case("a decimal as a number", "amendments", ARRIVES, fee=0.1),
    raw("a decimal as a number no float keeps", "amendments", "DIGITS",
        lambda t: t.replace('"HOLE"', "0.10000000000000000001"), fee="HOLE"),
    case("NaN as text in a decimal", "amendments", "TYPE", fee="NaN"),
    case("a decimal with a comma", "amendments", "TYPE", fee="1,5"),
    # --- moments
    case("30 February", "amendments", "DATE", ordinance_date="2024-02-30"),
    case("the year 0", "amendments", "DATE", ordinance_date="0000-01-01"),
    case("the year 99999", "amendments", "DATE", ordinance_date="99999-01-01"),
    case("the word now", "amendments", "DATE", ordinance_date="now"),
    case("a date as a number", "amendments", "TYPE", ordinance_date=20240101),
    case("25 o'clock", "amendments", "DATE", hearing_time="25:00:00"),
    case("a moment without its zone", "amendments", "DATE", adopted_at="2026-03-08T02:30:00"),
    case("a moment in another zone", "amendments", ARRIVES, adopted_at="2026-03-08T02:30:00+05:30"),
    case("a zone where none belongs", "amendments", "DATE", published_at="2026-03-08T02:30:00Z"),
    case("infinity as a moment", "amendments", "DATE", adopted_at="infinity"),
    # --- lists and JSON
    case("a comma in a word of a list", "sections", "TEXT", keywords=["a,b", "c"]),
    case("a list as one text", "sections", "TYPE", keywords="a,b"),
    case("JSON that is only a text", "zoning_districts", ARRIVES, metadata="just text"),
    replace(case("JSON with a number beyond 2^53", "zoning_districts", "DIGITS", metadata={"n": 2**53 + 1}),
            by_sql=ARRIVES),
    # --- choices and uniqueness
    case("a value that is not among the choices", "documents", ARRIVES, kind="song"),
    case("a unique value twice, the one", "fee_schedule", "UNIQUE", item="Said twice"),
    case("a unique value twice, the other", "fee_schedule", "UNIQUE", item="Said twice"),
    case("a key twice, the one", "definitions", "UNIQUE", id="77777777-7777-4777-8777-777777777777"),
    case("a key twice, in capitals", "definitions", "UNIQUE", id="77777777-7777-4777-8777-777777777777".upper()),
    # --- references
    case("a reference to nobody", "sections", "FOREIGN_KEY", chapter=999_999),
    case("an any-relation to a missing row", "amendments_blocks", "FOREIGN_KEY", collection="sections", item="999999"),
    case("an any-relation to a collection not allowed", "amendments_blocks", "COLLECTION", collection="languages",
         item="ar"),
    case("an any-relation without a collection", "amendments_blocks", "COLLECTION", collection=None, item="1"),
    case("a file nobody has", "documents", "FOREIGN_KEY", file="99999999-9999-4999-8999-999999999999"),
    case("a file without bytes", "documents", "FOREIGN_KEY", file=NO_BYTES),
    case("a file cut short", "documents", "FOREIGN_KEY", file=CUT_SHORT),
    case("a row that refers to a refused one", "districts_uses", "FOREIGN_KEY", district="bad"),
    case("the refused one", "zoning_districts", "TYPE", code="bad", max_units="many"),
    case("a row that is its own parent", "sections", ARRIVES, parent="SELF"),
    # --- text that must arrive as it is
    case("SQL and HTML in a text", "definitions", ARRIVES, meaning=_HTML),
    case("odd letters", "definitions", ARRIVES, meaning=_ODD),
    case("an empty text where one is required", "definitions", ARRIVES, meaning=""),
    case("300,000 letters", "definitions", ARRIVES, meaning="Lorem ipsum. " * 23_077),
)  # fmt: skip


def make(one: Case, row: Row) -> bytes:
    """The line of a case, from a good row with a key of its own."""
    key = row.get("id", row.get("code"))
    return one.make(row).replace('"SELF"', str(key)).encode()


@dataclass(frozen=True)
class Broken:
    """A file that is broken as a file: what is done to the bytes of a good one; all of them stop the import."""

    name: str
    change: Callable[[bytes], bytes]


FILES: tuple[Broken, ...] = (
    Broken("an empty file", lambda _: b""),
    Broken("cut in the middle of a row", lambda b: b[: len(b) // 2]),
    Broken("without its closing bracket", lambda b: b.rstrip().removesuffix(b"]")),
    Broken("bytes that are not UTF-8", lambda b: b.replace(b'"title":"', b'"title":"\xff\xfe', 1)),
    Broken("UTF-16", lambda b: b.decode().encode("utf-16")),
    Broken("a byte order mark", lambda b: b"\xef\xbb\xbf" + b),
    Broken("one object instead of an array", lambda b: b.splitlines()[1].rstrip(b",") + b"\n"),
    Broken("lines of JSON without an array", lambda b: b"\n".join(each.rstrip(b",") for each in b.splitlines()[1:-1])),
    Broken("an object around the array", lambda b: b'{"data":\n' + b + b"}\n"),
    Broken("something after the array", lambda b: b + b'{"id":1}\n'),
    Broken("a second array", lambda b: b + b),
    Broken("a comma too many", lambda b: b.rstrip().removesuffix(b"]").rstrip() + b",\n]\n"),
    Broken("a comma too few", lambda b: b.replace(b",\n", b"\n", 1)),
    Broken("the whole array on one line", lambda b: b.replace(b"\n", b"")),
    Broken("no row where there were some", lambda _: b"[]\n"),
    Broken("one row less", lambda b: b"\n".join(b.splitlines()[:-2]).rstrip(b",") + b"\n]\n"),
    Broken("one byte flipped", lambda b: b[: len(b) // 3] + bytes([b[len(b) // 3] ^ 1]) + b[len(b) // 3 + 1 :]),
    Broken("a null byte between rows", lambda b: b.replace(b",\n", b",\n\0", 1)),
)
