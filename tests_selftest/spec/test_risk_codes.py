"""A risk code has one home: its entry in the table. Only the classifier names codes, and nothing compares with one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from fixtures.checks.schema.risk_codes import CODES, CONFLICTS
from fixtures.model.plan import Part, Risk
from fixtures.model.probe import Lock, ProbeKind
from tests_selftest.corpus import edits_structure, edits_values

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "fixtures/checks/schema"
TABLE = SCHEMA / "risk_codes.py"
CLASSIFIER = {SCHEMA / f"{name}.py" for name in ("risk", "risk_fields", "kept_in_production", "column_fidelity")}
# The world writes the waiver a person of the rehearsal signs; a file of its own, read back by the suite.
WORLD = ROOT / "fixtures/world"

_CODE = re.compile(r"SC1\d\d")
NEVER_CAUSED = {"SC199"}
"""Codes no edit can cause: what nobody knows yet."""


def modules() -> list[Path]:
    files = [*(ROOT / "fixtures").rglob("*.py"), *(ROOT / "phases").rglob("*.py")]
    return [file for file in files if file != TABLE and WORLD not in file.parents]


def literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """Texts with a code in them; docstrings explain and decide nothing."""
    explained = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in explained and _CODE.search(str(node.value)):
            yield node


def compared(tree: ast.AST) -> Iterator[ast.Constant]:
    """Codes something is decided by: in a comparison, a pattern, or a set or mapping to look them up in."""
    deciding = (ast.Compare, ast.match_case, ast.Set, ast.Dict)
    for node in ast.walk(tree):
        if isinstance(node, deciding):
            yield from literals(node.pattern if isinstance(node, ast.match_case) else node)


def test_codes_occur_only_in_the_table_and_the_classifier() -> None:
    found = {
        f"{file.relative_to(ROOT)}:{literal.lineno}"
        for file in modules()
        if file not in CLASSIFIER
        for literal in literals(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert found == set()


def test_no_module_branches_on_a_code() -> None:
    found = {
        f"{file.relative_to(ROOT)}:{literal.lineno}"
        for file in modules()
        for literal in compared(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert found == set()


def test_every_code_is_caused_by_an_edit_of_the_corpus() -> None:
    caused = {code for edit in (*edits_values.EDITS, *edits_structure.EDITS) for code in edit.codes.split()}
    assert set(CODES) - caused == NEVER_CAUSED | set(CONFLICTS.values())


def test_the_entries_match_measured_behaviour() -> None:
    """Rows of the table as Directus and Postgres were seen to behave, written down by hand."""
    drops = {code: known.drops for code, known in CODES.items() if known.drops}
    assert drops == {
        "SC139": Part.FIELDS, "SC140": Part.COLLECTIONS, "SC141": Part.FIELDS, "SC142": Part.RELATIONS,
        "SC146": Part.FIELDS,
    }  # fmt: skip
    decided = {code: known.probe.name for code, known in CODES.items() if known.zero_admits and known.probe}
    assert decided == {
        "SC105": "ROWS", "SC107": "ORPHANS", "SC108": "ROWS", "SC128": "CHANGED", "SC130": "CHANGED",
        "SC131": "CHANGED", "SC132": "CHANGED", "SC133": "CHANGED", "SC134": "NULLS", "SC135": "DUPLICATES",
    }  # fmt: skip
    assert CONFLICTS == {
        ProbeKind.TABLE: "SC109", ProbeKind.COLUMN: "SC109", ProbeKind.DEPENDENTS: "SC160",
        ProbeKind.NAME: "SC161", ProbeKind.OTHER_NAME: "SC162",
        ProbeKind.KEY: "SC163",
    }  # fmt: skip
    assert {code for code, known in CODES.items() if known.lock is Lock.SCAN} == {
        "SC105", "SC107", "SC108", "SC124", "SC134", "SC135",
    }  # fmt: skip


def test_every_dangerous_code_is_probed_and_no_harmless_one_decides() -> None:
    """Zero admits only what was counted; a change of a dangerous kind that nothing counts must be one nobody loses."""
    assert [code for code, known in CODES.items() if known.zero_admits and known.probe is None] == []
    assert [code for code, known in CODES.items() if known.zero_admits and known.risk.harmless] == []
    unasked = {c for c, known in CODES.items() if known.risk in {Risk.LOSSY, Risk.DESTRUCTIVE} and known.probe is None}
    assert unasked == set()
