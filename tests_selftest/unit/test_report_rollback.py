"""Rollback in the report: the command, its measured duration, and the state of one that was begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures import runbook
from fixtures.evidence.ledger import ROLLED_BACK, Kind
from fixtures.model.story import OverallVerdict
from fixtures.model.verdict import Verdict
from fixtures.report import page, rollback
from tests_selftest.unit.invented_migration import InventedMigration

ALL = tuple(group.id for group in runbook.GROUPS)
COMMAND = "pytest phases/ -m rollback --target rehearsal"


@pytest.fixture
def migration(tmp_path: Path) -> InventedMigration:
    return InventedMigration(tmp_path)


def closed(migration: InventedMigration, *, seconds: float = 31.0) -> None:
    migration.ledger.add(Kind.INTENT, "R.5.1", backup="b.dump", transaction="7")
    migration.ledger.add(Kind.DONE, "R.5.1", backup="b.dump")
    migration.judge("gate R", Verdict.PASSED)
    facts = {"outcome": ROLLED_BACK, "backup": "b.dump", "seconds": seconds, "parts": {"R.3": 12.0}, "rows": 530}
    migration.ledger.add(Kind.CLOSED, "migration", **facts)


def test_on_production_the_command_names_the_host_that_must_be_typed() -> None:
    assert rollback.command("rehearsal", "cms.example.org") == COMMAND
    assert rollback.command("production", "cms.example.org") == (
        "MIGRATION_CONFIRM_HOST=cms.example.org pytest phases/ -m rollback --target production"
    )


# The runbook's seven rollback decision points, and 3.2 and 5.3, where a migration stops for the same reasons.
POINTS = {
    "1.4": ("fix the backup and run the same command again", False),
    "2.3": ("restores both services' earlier deploys; or git revert and push", True),
    "3.2": ("correct what is named above", True),
    "3.3": ("STOP: ", True),
    "3.4": ("STOP: ", True),
    "4.2": ("STOP: if rows are damaged", True),
    "4.3": ("STOP: ", True),
    "5.1": ("fix it and run the same command again; if something critical is broken", True),
    "5.3": ("STOP: ", True),
}


@pytest.mark.parametrize("at", POINTS)
def test_each_decision_point_of_the_runbook_says_what_to_do_and_the_exact_command(
    migration: InventedMigration, at: str
) -> None:
    migration.passes(*ALL[: ALL.index(at)])
    if at >= "3.3":
        with migration.evidence.attempt("3.3.2", plan="9f2c"):
            pass
    migration.fails(runbook.lines_of(at)[-1].id, "MIG-999 It is not so.")
    said, with_command = POINTS[at]
    advice = migration.story().headline.next_act
    assert said in advice
    assert (COMMAND in advice) is with_command
    assert "{" not in advice


def test_going_back_replaces_every_other_word_until_it_has_come_to_its_end(migration: InventedMigration) -> None:
    migration.passes(*ALL[:12])
    migration.judge("R.1.1", Verdict.PASSED)
    assert migration.story().headline.verdict is OverallVerdict.UNDER_WAY, "it has only looked so far"
    migration.judge("R.1.2", Verdict.FAILED, message="MIG-702 A rollback would remove 2 rows.")
    stopped = migration.story().headline
    assert (str(stopped), "it changed nothing" in stopped.next_act) == ("STOPPED at R.1.2", True)
    migration.judge("R.1.2", Verdict.PASSED)
    migration.ledger.add(Kind.INTENT, "R.5.1", backup="b.dump")
    doubt = migration.story().headline
    assert (str(doubt), COMMAND in doubt.next_act) == ("IN DOUBT at R.5.1", True)
    closed(migration)
    end = migration.story().headline
    assert str(end) == "ROLLED BACK"
    assert "backup b.dump was restored" in end.reason
    assert "31 s" in end.reason


def test_a_migration_that_goes_forward_again_is_told_as_one(migration: InventedMigration) -> None:
    migration.passes("1.1", "1.2")
    migration.ledger.add(Kind.INTENT, "R.2.1", service="fuma", trigger="off")
    migration.judge("R.3.1", Verdict.FAILED, message="MIG-705")
    migration.passes("1.3")
    assert str(migration.story().headline) == "UNDER WAY at 1.4"


def test_the_time_back_stands_in_the_second_block_before_anything_is_applied(tmp_path: Path) -> None:
    rehearsed = InventedMigration(tmp_path, run="run-1")
    rehearsed.passes("1.4")
    closed(rehearsed)
    (tmp_path / "ledger" / "invented.jsonl").rename(tmp_path / "ledger" / "0123456789ab.jsonl")
    production = InventedMigration(tmp_path, run="run-2")
    production.passes(*ALL[:4])
    story = production.story()
    assert story.rollback_timings is not None
    assert (story.rollback_timings.seconds, story.rollback_timings.rows) == (31.0, 530)
    assert story.rollback_timings.of == "another rehearsal"
    shown = page.fragment(story, runs=tmp_path, redact=str)
    block = shown[shown.index('id="part-2"') : shown.index('id="part-3"')]
    assert COMMAND in block
    assert "31 s, measured on another rehearsal" in block


def test_an_own_measurement_is_preferred_and_none_is_said_as_none(migration: InventedMigration) -> None:
    assert migration.story().rollback_timings is None
    closed(migration, seconds=44.0)
    migration.ledger.add(Kind.OPENED, "migration", target="rehearsal")
    found = migration.story().rollback_timings
    assert found is not None
    assert (found.of, found.seconds) == ("this target", 44.0)


def test_a_page_of_a_migration_that_went_back_counts_nothing_as_migrated(migration: InventedMigration) -> None:
    migration.passes(*ALL)
    closed(migration)
    shown = page.fragment(migration.story(), runs=migration.reports, redact=str)
    block = shown[shown.index('id="part-1"') : shown.index('id="part-2"')]
    assert "ROLLED BACK" in block
    assert "Rolled back completely." in block
    assert "created" not in block
