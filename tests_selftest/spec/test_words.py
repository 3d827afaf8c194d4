"""Retired words stay retired: names are those of Directus, Postgres, Render and pytest (docs/explanation/)."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests_selftest.spec.test_docs import ROOT, text_of, tracked

RETIRED_WORDS: dict[str, str] = {
    r"[Cc]argo(es)?(?!\.lock)": "import set",
    r"[Ww]ay back": "rollback",
    r"[Gg]oing back": "rollback, rolling back",
    r"NoWayBack": "BackupUnusable, RollbackBlocked",
    r"[Pp]arcels?": "batch",
    r"spoken_\w+": "summarize, summarize_*",
    r"[Dd]iary": "directus_activity, ActivityLog",
    r"[Ss]trangers?": "key collision",
    r"[Tt]wins?": "natural key match, the same row under another key",
    r"[Ee]xhibits?": "attachments",
    r"[Pp]apers": "documents",
    r"promises?": "acceptance criteria",
    r"[Uu]nfit": "invalid rows",
    r"[Uu]nsealed|[Ss]ealed|[Ss]eals?": "encrypted, encrypt",
    r"signed for": "covered by a waiver",
    r"house of rooms|room law": "layered packages",
    r"in peace": "undisturbed",
    r"on its strength": "unusable backup, writes stay blocked",
    r"import was noticed": "unexpected side effects",
    r"would hear": "would be triggered by",
}
"""A pattern of whole words → what is said instead. None may stand in a text of the repository."""

RETIRED_NAMES: dict[str, str] = {
    "Way": "ImportContext, Delivery",
    "Hands": "RollbackOperators",
    "Yard": "EmulatorState",
    "Crew": "what it is",
    "Beside": "StagedDiff",
    "Standing": "ApplyState, MetricStatus, RowPreservation, Freshness, RequestWindow",
    "Diary": "ActivityLog",
    "told": "format_findings",
    "look": "observe, compare, inspect",
    "spoken": "summarize",
    "silence": "side_effects",
    "ours": "sent_keys",
    "unfit": "invalid_rows",
    "beside": "diff",
    "twin": "natural_key_match",
    "stranger": "key_collision",
    "stations": "groups",
    "promises": "criteria, lines",
    "exhibits": "attachments",
    "papers": "documents",
    "seal": "encrypt",
    "unseal": "decrypt",
    "awake": "restart_instances",
    "forget": "clear_caches",
    "held_by": "production_key",
    "elsewhere": "has_other_key",
    "to_fill": "to_backfill",
    "fillable": "backfill_columns",
    "unfilled": "needs_backfill",
    "untouched": "is_unset",
    "gaps": "conflict_backfill",
    "unique_holders": "keys_by_unique_value",
    "holders": "keys_by_value",
    "keep_all": "commit_session_tables",
    "guarded": "constraint_savepoint",
    "careful": "decoded_values",
    "of_match": "matched_values",
    "unstaged": "directly_copied",
    "stored_alike": "binary_coercible_to",
    "keeps_any": "accepts_any_value",
    "made_for": "created_for",
    "landmark": "required_text",
    "shelved": "write_archive",
    "shelf": "archive_dir",
    "tidy": "cleanup",
    "left_behind": "leftover_scratch_rows",
    "nobody_to_tell": "missing_address",
    "tallies": "counters",
    "screened": "on_screening, result",
    "hold": "run_until_stopped, lock_root",
}
"""Words of plain English that are no name here: modules, classes, functions, attributes, parameters → the name."""

HERE = Path(__file__).resolve().relative_to(ROOT).as_posix()
NOT_OURS = ("fixtures/world/projects/", "fixtures/world/toolchain/", "fixtures/world/seed/words.py")
"""The rehearsal's sample projects, names of npm packages, and the content of sample rows."""


def texts() -> Iterator[tuple[str, str]]:
    """Every text of the repository but this list and what is not ours."""
    for name in tracked():
        if name == HERE or name.startswith(NOT_OURS):
            continue
        try:
            yield name, text_of(name)
        except UnicodeDecodeError:
            continue


def names_of(tree: ast.Module) -> Iterator[str]:
    """Public names a module gives: its classes, functions, parameters, attributes and constants."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name)):
                yield name
            case _:
                pass


@pytest.mark.parametrize("pattern", RETIRED_WORDS)
def test_a_retired_word_occurs_nowhere(pattern: str) -> None:
    word = re.compile(rf"(?<!\w)(?:{pattern})(?!\w)")
    found = Counter(name for name, text in texts() for _ in word.finditer(text))
    assert dict(found) == {}, f"say {RETIRED_WORDS[pattern]}"


def test_no_public_name_is_a_retired_one() -> None:
    found = []
    for name, text in texts():
        if not name.endswith(".py") or not name.startswith(("fixtures/", "phases/")):
            continue
        given = {Path(name).stem.removeprefix("test_"), *names_of(ast.parse(text))}
        found += [f"{name}: {each}, say {RETIRED_NAMES[each]}" for each in sorted(given & RETIRED_NAMES.keys())]
    assert found == []
