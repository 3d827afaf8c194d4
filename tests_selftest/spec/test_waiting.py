"""Nothing sleeps but `fixtures.process.waiting`: a wait has a reason, a deadline and a last observation."""

from __future__ import annotations

import ast
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"

# What sleeps and waits for nothing: file and number of sleeps, each with its reason.
EXCEPTIONS = {
    "systems/http/transport.py": (1, "the pause before a repeated request; a default that tests replace"),
    "systems/render/observer.py": (1, "the pace Render's log API asks for; a default that tests replace"),
    "world/run.py": (1, "until a signal handler raises"),
    "world/remotes.py": (1, "a planned fault: a late answer"),
    "world/traffic.py": (1, "a planned fault: a late answer"),
    "world/render/backups.py": (1, "the time an export takes at least on the emulated Render"),
    "world/render/collector.py": (3, "the periods of logs and metrics"),
    "world/render/live.py": (1, "the pause before a fallen instance is started again"),
}


def sleeps(file: Path) -> int:
    """How often a file names `time.sleep` or `asyncio.sleep`, however it imports it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "sleep"
        and isinstance(node.value, ast.Name)
        and node.value.id in {"time", "asyncio"}
    ]
    imported = [
        alias
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in {"time", "asyncio"}
        for alias in node.names
        if alias.name == "sleep"
    ]
    return len(named) + len(imported)


def test_nothing_else_sleeps() -> None:
    """An exception that is no longer needed fails as well."""
    files = [
        file
        for file in FIXTURES.rglob("*.py")
        if file.relative_to(FIXTURES).parts[0] != "process" and "projects" not in file.parts
    ]
    found = {str(file.relative_to(FIXTURES)): number for file in files if (number := sleeps(file))}
    assert found == {name: number for name, (number, _) in EXCEPTIONS.items()}
