"""Every template that is filled gets the values it names; the names are only looked up when the line runs."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def unfilled(tree: ast.AST) -> Iterator[tuple[int, set[str]]]:
    """Line and names of each `"…{name}…".format(…)` or `sql.SQL("…").format(…)` that lacks one."""
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "format"):
            continue
        template = call.func.value
        if isinstance(template, ast.Call) and template.args:
            template = template.args[0]
        given = {keyword.arg for keyword in call.keywords}
        if not (isinstance(template, ast.Constant) and isinstance(template.value, str)) or None in given:
            continue
        wanted = {name for _, name, _, _ in string.Formatter().parse(template.value) if name}
        if wanted - given:
            yield call.lineno, {name for name in wanted if name not in given}


def test_every_template_gets_what_it_names() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} lacks {', '.join(sorted(names))}"
        for folder in ("fixtures", "phases", "tests_selftest")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, names in unfilled(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert wrong == []


def test_a_template_that_lacks_a_value_is_found() -> None:
    assert list(unfilled(ast.parse('sql.SQL("SELECT {a}, {b}").format(a=1, c=2)'))) == [(1, {"b"})]
    assert list(unfilled(ast.parse('"{a} {}".format(1, a=2)'))) == []
