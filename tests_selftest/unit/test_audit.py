"""Lost, surplus, orphaned, damaged and changed rows and files are seen; what is right is left alone."""

from __future__ import annotations

import pytest

from fixtures.checks.rows.audit import count_mismatches, damaged_files, orphaned_references
from fixtures.model.audit import FileCheck, FinalCount, ReferenceCheck
from fixtures.model.dataset import CollectionProfile
from fixtures.operations.verification.audit import expected_imports


@pytest.mark.parametrize(
    ("count", "codes"),
    [
        (FinalCount("a", 10, 5, 15, migrated=True), []),
        (FinalCount("a", 10, 5, 14, migrated=True), ["MIG-551"]),
        (FinalCount("a", 10, 5, 16, migrated=True), ["MIG-551"]),
        (FinalCount("a", 0, 0, 0, migrated=True), []),
        (FinalCount("own", 10, 0, 12, migrated=False), []),
        (FinalCount("own", 10, 0, 9, migrated=False), ["MIG-551"]),
    ],
)
def test_counts_are_before_plus_imported(count: FinalCount, codes: list[str]) -> None:
    assert [finding.code for finding in count_mismatches([count])] == codes


def test_orphans_are_named_with_the_missing_parents() -> None:
    (finding,) = orphaned_references([ReferenceCheck("a.b → c.id", 0), ReferenceCheck("a.d → e.id", 2, ("7", "9"))])
    assert finding.code == "MIG-552"
    assert "7, 9" in finding.observed


def test_a_file_with_other_bytes_or_without_any_is_seen() -> None:
    good = FileCheck("1", "a.png", 200, "x", ())
    other = FileCheck("2", "b.png", 200, "y", ("other bytes: y instead of x",))
    gone = FileCheck("3", "c.png", 403, "", ())
    assert [finding.where[-1] for finding in damaged_files([good, other, gone])] == ["2", "3"]


def test_what_must_have_been_added_is_told_from_keys_alone() -> None:
    things = CollectionProfile("things", "id", "integer", singleton=False, columns=("id",))
    assert expected_imports(things, {"1", "2", "3"}, {"2", "9"}, {"3"}) == 1
    one = CollectionProfile("settings", "id", "integer", singleton=True, columns=("id",))
    assert expected_imports(one, {"1"}, {"7"}, set()) == 0
    assert expected_imports(one, {"1"}, set(), set()) == 1
