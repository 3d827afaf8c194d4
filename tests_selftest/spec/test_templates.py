"""A template and the keywords it is filled with have the same names; no type checker looks inside a text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

ROOT = Path(__file__).resolve().parents[2]


def text_of(node: ast.AST, known: dict[str, str]) -> str | None:
    """The text of a literal, of `sql.SQL(literal)`, or of a name that was given one of these."""
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("SQL") and node.args:
        node = node.args[0]
    if isinstance(node, ast.Name):
        return known.get(node.id)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def mismatches(source: str) -> Iterator[str]:
    """Every `.format` with keywords whose names are not those of its template."""
    tree, known = ast.parse(source), dict[str, str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = text_of(node.value, {})
            if text is not None:
                known[node.targets[0].id] = text
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            text, keywords = text_of(node.func.value, known), {each.arg for each in node.keywords}
            if text is None or None in keywords:
                continue
            names = {name.partition(".")[0] for _, name, _, _ in Formatter().parse(text) if name}
            if {name for name in names if not name.isdigit()} != keywords:
                yield f"line {node.lineno}: {sorted(names)} filled with {sorted(map(str, keywords))}"


@pytest.mark.parametrize(
    "file", sorted((ROOT / "fixtures").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_templates_are_filled_with_their_own_names(file: Path) -> None:
    assert list(mismatches(file.read_text(encoding="utf-8"))) == []


def test_an_unknown_keyword_is_found() -> None:
    assert list(mismatches('Q = sql.SQL("SELECT {a}")\nQ.format(b=1)'))
    assert list(mismatches('sql.SQL("{a} {}").format(1, c=2)'))
    assert not list(mismatches('sql.SQL("{a} {}").format(1, a=2)'))
