"""The layered packages: which may import which. An import upwards is how a structure begins to rot."""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ALLOWED: dict[str, set[str]] = {
    "model": set(),
    "process": {"model"},
    # Below `world` and `plugins`: it starts a server and is no client, so no client agrees with itself by sharing it.
    "embedded_postgres": {"model", "process"},
    "settings": {"model"},
    "runbook": {"model"},
    "configuration": {"model"},
    "checks": {"model", "configuration"},
    "evidence": {"model", "settings", "process"},
    "systems": {"model", "settings", "process"},
    "operations": {"systems", "checks", "model", "evidence", "settings", "configuration", "process"},
    "report": {"model", "runbook", "evidence", "process"},
    "world": {"model", "settings", "process", "embedded_postgres"},
    "marks": {"model", "runbook"},
    "plugins": {
        "model", "process", "embedded_postgres", "settings", "configuration", "runbook", "checks", "evidence",
        "systems", "operations", "report", "marks",
    },
    "phases": {"marks", "checks", "model", "operations"},
}  # fmt: skip
STDLIB_ONLY = {"model", "process"}
MAY_KNOW_PYTEST = {"plugins", "marks", "phases"}

# Phases name the types of what they are handed in their signatures; they never make one. Held by the test below.
TYPES_ONLY = {"phases": {"systems", "evidence", "settings", "process", "runbook", "plugins", "report"}}


def package_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "fixtures" and len(parts) > 1 else parts[0]


def sources() -> list[Path]:
    files = [*(ROOT / "fixtures").rglob("*.py"), *(ROOT / "phases").rglob("*.py")]
    return [file for file in files if "projects" not in file.parts]


def imports(tree: ast.Module) -> list[tuple[str, bool]]:
    """(module, only for type checking) of every import anywhere in a file."""
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(name.name, node in guarded) for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "fixtures":
                found += [(f"fixtures.{name.name}", node in guarded) for name in node.names]
            else:
                found.append((node.module, node in guarded))
    return found


def test_every_package_has_its_entry() -> None:
    packages = {package_of(".".join(file.relative_to(ROOT).with_suffix("").parts)) for file in sources()}
    assert packages - {"__init__"} == set(ALLOWED)


@pytest.mark.parametrize("file", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards_only(file: Path) -> None:
    here = package_of(".".join(file.relative_to(ROOT).with_suffix("").parts))
    if here == "__init__":
        return
    wrong = []
    for module, typing_only in imports(ast.parse(file.read_text(encoding="utf-8"))):
        top = module.split(".")[0]
        if top in {"fixtures", "phases", "tests_selftest"}:
            there = package_of(module)
            allowed = {here} | ALLOWED[here] | (TYPES_ONLY.get(here, set()) if typing_only else set())
            if there not in allowed:
                wrong.append(f"{here} imports {module}")
        elif here in STDLIB_ONLY and top not in sys.stdlib_module_names:
            wrong.append(f"{here} imports {module}, which is not in the standard library")
        elif top == "pytest" and here not in MAY_KNOW_PYTEST:
            wrong.append(f"{here} knows pytest")
    assert wrong == []


def test_only_the_rehearsal_imports_the_world() -> None:
    """Nothing imports it (see ALLOWED), and only `--target rehearsal` starts it, as a process of its own."""
    knowing = {
        str(file.relative_to(ROOT))
        for file in sources()
        if "world" not in file.parts and "fixtures.world" in file.read_text(encoding="utf-8")
    }
    assert knowing == {"fixtures/plugins/rehearsal.py"}


def inner_packages(outer: str) -> dict[str, set[str]]:
    """The folders and modules right inside a package, each with those of its neighbours it imports."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "fixtures" / outer).rglob("*.py"):
        here = file.relative_to(ROOT / "fixtures" / outer).parts[0].removesuffix(".py")
        for module, _ in imports(ast.parse(file.read_text(encoding="utf-8"))):
            parts = module.split(".")
            if parts[:2] == ["fixtures", outer] and len(parts) > 2:
                found.setdefault(here, set()).add(parts[2])
    return {here: there - {here} for here, there in found.items()}


@pytest.mark.parametrize("outer", ["checks", "systems", "operations"])
def test_inner_packages_have_no_import_cycle(outer: str) -> None:
    """TopologicalSorter raises CycleError with the cycle in it: two packages that need each other are one."""
    found = inner_packages(outer)
    assert len(list(TopologicalSorter(found).static_order())) >= len(found) > 1


def test_phases_create_no_client() -> None:
    """A phase module may name a system's type; calling it would be a way around Observer, Operator and Sandbox."""
    clients = {"DirectusOperator", "DirectusObserver", "DirectusSandbox", "RenderOperator", "Transport", "WorkingCopy"}
    made = []
    for file in (ROOT / "phases").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in clients:
                made.append(f"{file.name}: {node.func.id}")
    assert made == []
