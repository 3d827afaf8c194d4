"""A row that is not as it was is a loss, unless a person did it or the plan announced it; nothing else explains it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fixtures.checks.backups import row_preservation
from fixtures.checks.backups.row_preservation import Explanations, PlannedChanges
from fixtures.model.fingerprint import (
    TABLE_MISSING,
    ColumnChange,
    LiveWrite,
    RetypedColumn,
    RowChange,
    RowChangeKind,
    RowComparison,
    TableChange,
)

NAMES = {"1": "a.title", "2": "a.title", "3": "a.text"}
AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def change(table: str, *rows: tuple[str, str], columns: tuple[ColumnChange, ...] = ()) -> TableChange:
    what = [kind for _, kind in rows]
    return TableChange(
        table=table,
        before=10,
        now=9,
        lost=what.count("gone"),
        changed=what.count("other values"),
        rows=tuple(RowChange((key,), RowChangeKind(kind)) for key, kind in rows),
        columns=columns,
    )


def codes(left: TableChange) -> list[str]:
    return [found.code for found in row_preservation.losses(RowComparison(AT, AT, 10, 1, (left,)))]


def test_what_a_person_did_is_no_loss_and_the_rest_is() -> None:
    found = change("a", ("1", "gone"), ("2", "other values"), ("3", "other values"))
    left = row_preservation.unexplained_changes(found, Explanations({("a", "1"), ("a", "3"), ("b", "2")}))
    assert (left.lost, left.changed, [row.key for row in left.rows]) == (0, 1, [("2",)])
    assert codes(left) == ["MIG-345"]
    assert row_preservation.unexplained_changes(found, Explanations({("a", "1"), ("a", "2"), ("a", "3")})).intact


def test_the_plan_explains_a_changed_description_and_not_a_lost_one() -> None:
    found = change("directus_fields", ("1", "other values"), ("2", "gone"), ("3", "other values"))
    left = row_preservation.unexplained_changes(
        found, Explanations(described_objects=NAMES, planned_changes=PlannedChanges(frozenset({"a.title"})))
    )
    assert [(row.key, row.kind) for row in left.rows] == [(("2",), "gone"), (("3",), "other values")]


def test_an_update_somebody_asked_for_is_no_loss_and_a_deletion_is() -> None:
    found = change("a", ("1", "other values"), ("2", "gone"), ("3", "other values"))
    left = row_preservation.unexplained_changes(found, Explanations(updated={"1", "2"}))
    assert [(row.key, row.kind) for row in left.rows] == [(("2",), "gone"), (("3",), "other values")]


@pytest.mark.parametrize("now", ["", "text"])
def test_a_column_that_goes_or_changes_its_type_is_a_loss_unless_planned(now: str) -> None:
    found = change("a", columns=(ColumnChange("title", "varchar(9)", now),))
    assert codes(row_preservation.unexplained_changes(found, Explanations())) == ["MIG-345"]
    name = frozenset({"a.title"})
    for planned_changes in (PlannedChanges(name), PlannedChanges(altered=name), PlannedChanges(dropped=name)):
        left = row_preservation.unexplained_changes(found, Explanations(planned_changes=planned_changes))
        assert left.intact is bool(planned_changes.altered if now else planned_changes.dropped)


def test_more_rows_than_can_be_named_stay_a_loss() -> None:
    """Only as many as are named can be explained; the rest is counted."""
    found = TableChange("a", 90_000, 1, lost=89_999, rows=(RowChange(("1",), RowChangeKind.GONE),))
    assert row_preservation.unexplained_changes(found, Explanations({("a", "1")})).lost == 89_998


def test_a_table_whose_rows_cannot_be_looked_for_is_said() -> None:
    left = TableChange("a", 10, 0, lost=10, problem="the table is gone")
    (finding,) = row_preservation.losses(RowComparison(AT, AT, 10, 1, (left,)))
    assert "the table is gone" in finding.sentence


def test_what_somebody_accepted_to_lose_is_no_loss_and_nothing_else_is() -> None:
    dropped = Explanations(described_objects=NAMES, planned_changes=PlannedChanges(dropped=frozenset({"a.title", "b"})))
    gone = change("directus_fields", ("1", "gone"), ("3", "gone"))
    assert [row.key for row in row_preservation.unexplained_changes(gone, dropped).rows] == [("3",)]
    assert row_preservation.unexplained_changes(TableChange("b", 10, 0, lost=10, problem=TABLE_MISSING), dropped).intact
    assert (
        row_preservation.unexplained_changes(TableChange("a", 10, 0, lost=10, problem=TABLE_MISSING), dropped).lost
        == 10
    )


def test_nothing_explains_a_change_in_another_schema_but_a_word_that_it_always_changes() -> None:
    """A plan that drops the collection "audit" or its field "log" says nothing of the table audit.log."""
    gone = TableChange("audit.log", 10, 0, lost=10, problem=TABLE_MISSING, schema="audit")
    edited = replace(change("audit.log", ("1", "other values")), schema="audit")
    plan = PlannedChanges(frozenset({"audit", "audit.log"}), dropped=frozenset({"audit", "audit.log"}))
    explanations = Explanations({("audit.log", "1")}, {"1": "audit.log"}, plan, {"1"})
    assert codes(row_preservation.unexplained_changes(gone, explanations)) == ["MIG-348"]
    assert codes(row_preservation.unexplained_changes(edited, explanations)) == ["MIG-348"]
    ours = change("log", ("1", "other values"))
    assert row_preservation.volatile([gone, edited, ours], {"audit.log", "log"}) == [gone, edited]
    assert "audit.log changed, as CHANGES_BY_ITSELF" in row_preservation.summarize(
        RowComparison(AT, AT, 10, 1, (), volatile_tables=("audit.log",))
    )


def test_people_are_named() -> None:
    write = LiveWrite("a", "1", "update", "ada@udo.example", AT)
    text = row_preservation.summarize(RowComparison(AT, AT, 10, 1, (), (write,), ("a.title",)))
    assert "except 1 edited since (ada@udo.example)" in text
    assert "description of 1 objects" in text


def test_what_the_plan_rewrote_is_told_with_what_it_was() -> None:
    rewritten = (RetypedColumn("a.price", "numeric(6,2)", "numeric(6,1)"), RetypedColumn("b.note", "text", ""))
    text = row_preservation.summarize(RowComparison(AT, AT, 10, 1, (), rewritten=rewritten))
    assert "each value equal to the backup's converted value: a.price (numeric(6,2) → numeric(6,1));" in text
    assert "without b.note" in text
