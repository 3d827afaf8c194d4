"""Lost, surplus, orphaned, damaged and changed rows and files are seen; what is right is left alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fixtures.checks.rows import import_rules
from fixtures.checks.rows.audit import count_mismatches, damaged_files, orphaned_references
from fixtures.model.audit import FileCheck, FinalCount, ReferenceCheck
from fixtures.model.dataset import CollectionProfile, Outcome
from fixtures.model.fingerprint import LiveWrite
from fixtures.model.row_account import RowAccount
from fixtures.operations.verification.audit import imported_keys


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


ADA = LiveWrite("a", "3", "delete", "ada@udo.example", datetime(2026, 3, 29, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "account", "codes"),
    [
        (16, RowAccount("a", known=15, now=16, now_api=16, by_others=1), []),
        (14, RowAccount("a", known=15, now=14, now_api=14, deleted=(ADA,)), []),
        # A visitor's row does not make up for one that is gone.
        (15, RowAccount("a", known=15, now=15, now_api=15, by_others=1, missing=("7",), missing_rows=1), ["MIG-551"]),
        (14, RowAccount("a", known=15, now=14, now_api=14, missing=("7",), missing_rows=1), ["MIG-551"]),
        # What the API hides is not what somebody deleted.
        (14, RowAccount("a", known=15, now=15, now_api=14, deleted=(ADA,)), ["MIG-551"]),
        (17, RowAccount("a", known=15, now=17, now_api=17, by_others=1), ["MIG-551"]),
    ],
)
def test_only_rows_of_others_explain_another_count(now: int, account: RowAccount, codes: list[str]) -> None:
    count = FinalCount("a", 10, 5, now, migrated=True, account=account)
    assert [finding.code for finding in count_mismatches([count])] == codes
    outcome = Outcome("a", before=10, in_file=5, created=5, identical=0, conflicts=0, refused=0, after=now)
    found = import_rules.outcome_count_mismatches([outcome], {"a": account})
    assert [finding.code for finding in found] == ["MIG-423" for _ in codes]


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
    assert imported_keys(things, {"1", "2", "3"}, {"2", "9"}, {"3"}) == ["1"]
    one = CollectionProfile("settings", "id", "integer", singleton=True, columns=("id",))
    assert imported_keys(one, {"1"}, {"7"}, set()) == []
    assert imported_keys(one, {"1"}, set(), set()) == ["1"]
