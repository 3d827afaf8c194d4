"""What is known of a field type stands in one table; no other module keeps a set of type names of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "fixtures" / "model" / "field_types"
WORLD = ROOT / "fixtures" / "world"

DIRECTUS = {
    "string", "text", "hash", "csv", "json", "integer", "bigInteger", "decimal", "float", "boolean", "uuid", "date",
    "time", "dateTime", "timestamp", "binary", "geometry", "geometry.Point", "geometry.LineString",
    "geometry.Polygon", "geometry.MultiPoint", "geometry.MultiLineString", "geometry.MultiPolygon",
}  # fmt: skip
POSTGRES = {
    "smallint", "bigint", "int2", "int4", "int8", "numeric", "real", "double precision", "float4", "float8", "bool",
    "character varying", "varchar", "character", "bpchar", "citext", "bytea", "jsonb", "xml", "point", "polygon",
    "time without time zone", "time with time zone", "timestamp without time zone", "timestamp with time zone",
    "timestamptz", "interval", "money", "uuid[]",
}  # fmt: skip

ALLOWED = {
    "fixtures/checks/rows/library_columns.py": "columns of two tables of Directus itself, each with its type",
    "fixtures/systems/postgres/tables.py": "the two columns of a table that stands for large objects",
}
"""Modules outside the table that name several types, and why."""


def named(nodes: Iterator[ast.AST | None]) -> set[str]:
    """The type names among literal strings."""
    texts = {each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return texts & (DIRECTUS | POSTGRES)


def several(source: str) -> list[str]:
    """Where a module names several types in one collection, one `match`, or comparisons with one thing."""
    found = []
    compared: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(source)):
        names: set[str] = set()
        if isinstance(node, ast.Set | ast.List | ast.Tuple):
            names = named(iter(node.elts))
        elif isinstance(node, ast.Dict):
            keys, values = named(iter(node.keys)), named(iter(node.values))
            names = max(keys, values, key=len)
        elif isinstance(node, ast.Match):
            patterns = [inner for case in node.cases for inner in ast.walk(case.pattern)]
            names = named(each.value for each in patterns if isinstance(each, ast.MatchValue))
        elif isinstance(node, ast.Compare):
            thing, names = ast.unparse(node.left), named(iter(node.comparators))
            names = compared.setdefault(thing, set()) | names
            compared[thing] = names
        if len(names) > 1:
            found.append(f"line {getattr(node, 'lineno', 0)}: {', '.join(sorted(names))}")
    return found


def sources() -> list[Path]:
    files = [*(ROOT / "fixtures").rglob("*.py"), *(ROOT / "phases").rglob("*.py")]
    return [file for file in files if TABLE not in file.parents and WORLD not in file.parents]


def test_no_module_keeps_type_names_of_its_own() -> None:
    """The rehearsal's world is left out: it makes the schemas the suite meets, and shares no code with it."""
    found = {str(file.relative_to(ROOT)): several(file.read_text(encoding="utf-8")) for file in sources()}
    assert {name: places for name, places in found.items() if places and name not in ALLOWED} == {}


def test_every_exception_still_exists() -> None:
    assert all(several((ROOT / name).read_text(encoding="utf-8")) for name in ALLOWED)


@pytest.mark.parametrize(
    "source",
    [
        'TEXTS = frozenset({"string", "text"})',
        'FORMS = {"uuid": 1, "json": 2}',
        'COLUMNS = {"a": "bigint", "b": "real"}',
        'kinds = ["date", "timestamp with time zone"]',
        'match kind:\n    case "csv" | "json":\n        pass',
        'match kind:\n    case "csv":\n        pass\n    case "json":\n        pass',
        'a = kind == "csv"\nb = kind == "json"',
        'a = kind in ("csv", "json")',
    ],
)
def test_a_collection_of_type_names_is_found(source: str) -> None:
    assert several(source)


@pytest.mark.parametrize("source", ['a = kind == "json"', 'a = {"json": 1, "name": 2}', 'ask("json", "text")'])
def test_a_single_type_name_is_not_a_finding(source: str) -> None:
    assert several(source) == []
