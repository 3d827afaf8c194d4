"""The rollback is a page like the others, holds its own lines, and is no part of the runbook."""

from __future__ import annotations

import ast
from pathlib import Path

from fixtures import runbook
from fixtures.evidence.ledger import IRREVERSIBLE_STEPS
from tests_selftest.spec.test_runbook import MODULES, declared

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "phases" / "test_rollback.py"


def test_the_phases_are_the_19_groups_and_the_rollback() -> None:
    assert {each.name for each in (ROOT / "phases").glob("test_*.py")} == {*(m.name for m in MODULES), PAGE.name}
    assert not any(line.id.startswith("R") for line in runbook.lines())
    assert runbook.ROLLBACK not in runbook.GROUPS


def test_the_rollback_has_its_lines_in_order_and_ends_with_its_gate() -> None:
    wanted = [(line.id, line.kind, line.text) for line in runbook.lines_of("R")]
    found = declared(PAGE)
    assert [(subject, "step", words) for subject, _, words in found[:-1]] == wanted
    assert found[-1][0] == "gate R"
    assert set(IRREVERSIBLE_STEPS) <= {line.id for line in runbook.lines_of("R")}


def test_the_rollback_is_short_and_every_line_asserts_something() -> None:
    tree = ast.parse(PAGE.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [each.name for each in functions if not each.name.startswith("test_")] == []
    assert [f.name for f in functions if not any(isinstance(inner, ast.Assert) for inner in ast.walk(f))] == []
    words = ast.get_docstring(tree) or ""
    assert all(word in words for word in ("Purpose", "Needs", "Writes", "On failure"))
