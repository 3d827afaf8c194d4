"""
Where each finding of the catalogue is made, read from the code; writes docs/reference/finding-codes.md.

    python -m tests_selftest.finding_codes
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fixtures.model.finding import CATALOGUE

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "finding-codes.md"
CODE = re.compile(r"[A-Z]{3,4}-(?:\d{3}|nnn)")
_SPEC = re.compile(r"(?:![rs])?(?::[^{}]*)?\}")
SECTIONS = ("start", "phase1", "phase2", "phase3", "phase4", "phase5", "phase6", "rollback", "systems")
CHOSEN = {
    "fixtures/checks/backups/backup.py:rollback_point_problems": ("MIG-042", "MIG-043", "MIG-044"),
    "fixtures/checks/backups/dump.py:_why": ("MIG-157", "MIG-158"),
    "fixtures/checks/backups/dump.py:listing_errors": ("MIG-157", "MIG-158", "MIG-159"),
    "fixtures/checks/rows/anomalies.py:_finding": tuple(f"MIG-{n}" for n in (531, 532, 534, 535, 536)),
    "fixtures/checks/rows/refusals.py:refusal_findings": tuple(f"MIG-{n}" for n in (412, 414, 415, 416, 418, 419)),
    "fixtures/checks/site/logs.py:_quoted": ("MIG-232", "MIG-233"),
    "fixtures/operations/code/push.py:verify_branch": ("MIG-201", "MIG-202"),
}
"""Function → the codes its call of `finding` chooses from, where the code is not written in the call."""

_HEAD = """\
# Finding codes

Every message of the suite begins with a code. The texts are in `fixtures/model/findings/`, and
this page is written from them by `make finding-codes`. A word in braces is a value. A message
names place, expected and observed as well; "…" is told by the place that finds it. Codes of
schema changes (SC1xx) are in [risk codes](risk-codes.md).
"""


@dataclass(frozen=True)
class Call:
    """One call of `finding`: its place, the codes it may have, and the keywords it gives."""

    module: str
    line: int
    codes: tuple[str, ...]
    keywords: frozenset[str]


def modules() -> list[Path]:
    """Every module that may find something."""
    return [path for folder in ("fixtures", "phases") for path in sorted((ROOT / folder).rglob("*.py"))]


def calls() -> list[Call]:
    """Every call of `finding`, in the order of modules and lines."""
    return [call for path in modules() for call in calls_in(path.read_text("utf-8"), str(path.relative_to(ROOT)))]


def calls_in(source: str, module: str) -> Iterator[Call]:
    """
    The calls in one module.

    Raises:
        ValueError: which code a call has, or which values it gives, cannot be read from the code.
    """
    tree = ast.parse(source)
    inside = {
        inner: outer.name for outer in ast.walk(tree) if isinstance(outer, ast.FunctionDef) for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "finding":
            place = f"{module}:{inside.get(node, '')}"
            codes = _codes(node.args[0]) or CHOSEN.get(place, ())
            keywords = [keyword.arg for keyword in node.keywords]
            if len(node.args) != 1 or not codes or None in keywords:
                raise ValueError(f"{place}, line {node.lineno}: its code or its values cannot be read from the call")
            yield Call(module, node.lineno, codes, frozenset(str(name) for name in keywords))


def _codes(first: ast.expr) -> tuple[str, ...]:
    match first:
        case ast.Constant(value=str(code)):
            return (code,)
        case ast.IfExp(body=ast.Constant(value=str(one)), orelse=ast.Constant(value=str(other))):
            return (one, other)
        case _:
            return ()


def page() -> str:
    """The reference page, as it must be."""
    places: dict[str, dict[str, None]] = {}
    for call in calls():
        for code in call.codes:
            places.setdefault(code, {})[call.module] = None
    parts = [_HEAD]
    for name in SECTIONS:
        text = (CATALOGUE / f"{name}.toml").read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        parts.append(f"## {title}\n\n| code | what happened | meaning | do | found in |\n|---|---|---|---|---|")
        for code, entry in tomllib.loads(text).items():
            texts = (_SPEC.sub("}", entry.get(key, "…")).replace("|", r"\|") for key in ("sentence", "meaning", "do"))
            found = ", ".join(f"`{module}`" for module in places.get(code, ()))
            parts.append(f"| {' | '.join((code, *texts, found))} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
