"""The suite about itself: the runbook and the phase modules say the same thing, line by line."""

from __future__ import annotations

import ast
import csv
from collections import Counter
from pathlib import Path

import pytest

from fixtures import runbook
from fixtures.model.ids import LineId

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "phases").glob("test_[0-9]_[0-9]_*.py"))
DECLARING = {"action": "step", "acceptance": "criterion"}


def declared(module: Path) -> list[tuple[str, str, str]]:
    """(id, kind, first line of the docstring) of every test of a phase module, in order; gates as "gate 3.3"."""
    found = []
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id in {*DECLARING, "gate"}:
                subject = ast.literal_eval(mark.args[0])
                words = (ast.get_docstring(node) or "").splitlines()[:1]
                kind = DECLARING.get(mark.func.id, "gate")
                found.append((f"gate {subject}" if kind == "gate" else subject, kind, words[0] if words else ""))
    return found


def group_of(module: Path) -> str:
    return ".".join(module.name.split("_")[1:3])


def test_each_of_the_19_task_groups_has_one_module() -> None:
    assert [group_of(module) for module in MODULES] == [group.id for group in runbook.GROUPS]


def test_the_runbook_has_100_steps_and_103_criteria_in_19_groups() -> None:
    assert Counter(line.kind for line in runbook.lines()) == {"step": 100, "criterion": 103}
    assert [group.id for group in runbook.GROUPS] == list(dict.fromkeys(line.group for line in runbook.lines()))
    assert sum(group.checkpoint > 0 for group in runbook.GROUPS) == 5


def test_an_id_matches_the_group_and_kind_of_its_row() -> None:
    with (ROOT / "fixtures" / "runbook.tsv").open(encoding="utf-8", newline="") as table:
        rows = [(row["id"], row["group"], row["kind"]) for row in csv.DictReader(table, delimiter="\t")]
    assert [(line.id, line.group, line.kind) for line in runbook.lines()] == rows


def test_a_closing_criterion_covers_every_line_before_it() -> None:
    assert runbook.lines_before(LineId("5.2.A7")) == (
        "5.2.1", "5.2.2", "5.2.3", "5.2.4", "5.2.5", "5.2.6",
        "5.2.A1", "5.2.A2", "5.2.A3", "5.2.A4", "5.2.A5", "5.2.A6",
    )  # fmt: skip


def test_each_of_the_203_ids_belongs_to_exactly_one_test_with_its_words_first() -> None:
    tests = [entry for module in MODULES for entry in declared(module) if entry[1] != "gate"]
    with (ROOT / "fixtures" / "runbook.tsv").open(encoding="utf-8", newline="") as table:
        wanted = [(row["id"], row["kind"], row["text"]) for row in csv.DictReader(table, delimiter="\t")]
    assert len(wanted) == 203
    assert sorted(tests) == sorted(wanted)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_has_the_lines_of_its_group_in_order_and_ends_with_its_gate(module: Path) -> None:
    group = group_of(module)
    assert [subject for subject, _, _ in declared(module)] == [
        *(line.id for line in runbook.lines_of(group)),
        f"gate {group}",
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_phase_module_is_short_and_has_no_helpers(module: Path) -> None:
    """No helper, no sleep, no URL, no skip, no hand-written dependency: these belong to other packages, or nowhere."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [f.name for f in functions if not f.name.startswith("test_")] == []
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names.isdisjoint({"sleep", "skip", "skipif", "xfail", "importorskip", "dependency", "subtests"})
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert [text for text in texts if "://" in text] == []
    docstring = ast.get_docstring(tree) or ""
    assert all(word in docstring for word in ("Purpose", "Needs", "Writes", "On failure")), module.name


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_every_line_asserts_something(module: Path) -> None:
    """A test without an assertion of its own cannot fail for the reason it is there."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not any(isinstance(inner, ast.Assert) for inner in ast.walk(node))
    ]
    assert silent == []


def test_a_group_needs_only_groups_before_it() -> None:
    order = [group.id for group in runbook.GROUPS]
    for group in runbook.GROUPS:
        assert all(order.index(need) < order.index(group.id) for need in group.needs), group.id
