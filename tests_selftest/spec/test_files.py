"""One writer of whole files: nothing else renames one into its place or knows what an unfinished one is called."""

from __future__ import annotations

import ast
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
WRITER = "process/files.py"

# What renames and is not a file that was written, each with its reason.
EXCEPTIONS = {
    "embedded_postgres/home.py": (1, "a whole folder: the copy of the Postgres package"),
    "world/chromium.py": (2, "a whole folder: the browser; and its wrapper, which is tried before it gets its name"),
    "world/seed/build.py": (1, "a whole folder: a seed"),
    "world/toolchain.py": (2, "a whole folder: node_modules, and the copy of it for the self-tests"),
    "world/working_copies.py": (1, "a whole folder: a clone"),
}


def renames(tree: ast.Module) -> int:
    """Calls of `Path.rename`, `Path.replace` (one argument; that of a text has two), `os.rename` and `os.replace`."""
    found = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_os = isinstance(node.func.value, ast.Name) and node.func.value.id in {"os", "shutil"}
            alone = len(node.args) == 1 and not node.keywords
            found += node.func.attr in {"rename", "replace", "move"} and (alone or of_os)
    return found


def names_an_unfinished_file(tree: ast.Module) -> bool:
    """Whether a text of the program, which no docstring is, holds ".partial" or ".half"."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documented
        and (".partial" in node.value or node.value.endswith((".half", ".tmp", ".new")))
        for node in ast.walk(tree)
    )


def trees() -> dict[str, ast.Module]:
    files = [file for file in FIXTURES.rglob("*.py") if "projects" not in file.parts]
    return {
        name: ast.parse(file.read_text(encoding="utf-8"))
        for file in files
        if (name := str(file.relative_to(FIXTURES))) != WRITER
    }


def test_nothing_else_renames_a_file_into_its_place() -> None:
    """An exception that is no longer needed fails as well."""
    found = {name: number for name, tree in trees().items() if (number := renames(tree))}
    assert found == {name: number for name, (number, _) in EXCEPTIONS.items()}


def test_nothing_else_writes_partial_files() -> None:
    """Whatever is written beside its place is written by the one that renames it."""
    assert {name for name, tree in trees().items() if names_an_unfinished_file(tree)} <= EXCEPTIONS.keys()
