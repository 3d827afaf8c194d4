"""What a rollback into a new database says when it may not go on, and what becomes of the settings after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.checks.backups import new_database as checks
from fixtures.checks.backups import rollback
from fixtures.evidence.ledger import ROLLED_BACK, Kind, Ledger
from fixtures.model.finding import Finding
from fixtures.model.rollback import NEW_DATABASE, DatabaseRollback, LiveEdits, RepointResult, RollbackTiming
from fixtures.operations.rollback import summaries
from fixtures.plugins.terminal_summary import lines
from fixtures.report import page
from tests_selftest.unit.invented_migration import InventedMigration

HERE = ("18.4", "UTF8", "en_US.UTF-8")
OTHER = Finding(code="MIG-148", sentence="s", where='table "boards"', expected="3 rows", observed="2 rows")


@pytest.mark.parametrize(
    ("observed", "found"),
    [
        (HERE, []),
        (("19.1", "UTF8", "en_US.UTF-8"), []),
        (("17.9", "UTF8", "en_US.UTF-8"), ["MIG-727"]),
        (("18.4", "SQL_ASCII", "en_US.UTF-8"), ["MIG-727"]),
        (("18.4", "UTF8", "C"), ["MIG-727"]),
    ],
)
def test_an_older_server_and_other_text_are_refused_and_a_newer_server_is_not(
    observed: tuple[str, str, str], found: list[str]
) -> None:
    assert [each.code for each in checks.incompatible_server("n", expected=HERE, observed=observed)] == found


def test_only_an_empty_database_or_an_equal_one_is_restored_into() -> None:
    assert checks.not_empty("n", [], [OTHER]) == []
    assert checks.not_empty("n", ["boards"], []) == []
    (finding,) = checks.not_empty("n", ["boards"], [OTHER])
    assert finding.code == "MIG-718"
    assert "boards" in finding.observed


def test_a_way_back_that_was_begun_into_one_database_does_not_go_on_into_another() -> None:
    assert checks.target_database_changed("udo-db-2", "udo-db-2") == []
    for named in ("", "udo-db-3"):
        (finding,) = checks.target_database_changed("udo-db-2", named)
        assert finding.code == "MIG-724"
        assert "ROLLBACK_POSTGRES=udo-db-2" in finding.do


def test_where_it_may_not_be_restored_in_place_the_setting_is_named() -> None:
    for passing in (True, False):
        finding = rollback.restore_in_place_impossible("42501 must be owner", meaning="m", passing=passing)
        assert finding.code == "MIG-715"
        assert "set ROLLBACK_POSTGRES" in finding.do
        assert ("55P03" in finding.do) is passing


def test_the_ledger_knows_where_the_last_way_back_left_production(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.jsonl", run="r", inputs="i", suite="s")
    assert ledger.repointed_to == ""
    ledger.add(Kind.CLOSED, "migration", outcome=ROLLED_BACK, method=NEW_DATABASE, database="udo-db-2")
    ledger.add(Kind.OPENED, "migration")
    assert ledger.repointed_to == "udo-db-2"
    ledger.add(Kind.CLOSED, "migration", outcome=ROLLED_BACK, method="same", database="")
    assert ledger.repointed_to == ""


def test_report_and_last_lines_say_which_way_and_which_setting_must_follow(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes("1.4")
    facts = {"outcome": ROLLED_BACK, "backup": "b.dump", "seconds": 44.0, "parts": {}, "rows": 530}
    migration.ledger.add(Kind.CLOSED, "migration", **facts, method=NEW_DATABASE, database="udo-db-2")
    story = migration.story()
    assert "into the new database udo-db-2" in story.headline.reason
    assert "44 s" in story.headline.reason
    assert "set RENDER_POSTGRES=udo-db-2 and unset ROLLBACK_POSTGRES; then pytest phases/" in story.headline.next_act
    assert "in the old database" in dict(lines(story, tmp_path / "latest.html", root=tmp_path))["migrated"]
    shown = page.fragment(story, runs=migration.reports, redact=str)
    assert "44 s, into a new database, measured on this target" in shown
    assert "The old database keeps its last state." in shown
    measured = story.rollback_timings
    assert isinstance(measured, RollbackTiming)


def test_settings_that_could_not_be_set_stand_in_the_headline(tmp_path: Path) -> None:
    """Production is not all that it was without them."""
    migration = InventedMigration(tmp_path)
    migration.passes("1.4")
    facts = {"outcome": ROLLED_BACK, "backup": "b.dump", "seconds": 44.0, "parts": {}, "rows": 530}
    unset = {"unset": ["app.jwt_secret", "lock_timeout of role visitor"]}
    migration.ledger.add(Kind.CLOSED, "migration", **facts, method=NEW_DATABASE, database="udo-db-2", **unset)
    told = migration.story().headline
    assert "; but 2 settings of the database are not set there" in told.reason
    assert told.next_act.startswith("have app.jwt_secret, lock_timeout of role visitor set in udo-db-2 (R.5.1); ")


def test_rows_people_wrote_are_said_to_stay_in_the_old_database() -> None:
    work = [LiveEdits("boards", 2, 0, ("7", "8"))]
    for into, where in (("udo-db-2", "the old database"), ("", "a dump")):
        (finding,) = rollback.unconfirmed_live_edits(work, confirmed=0, into=into)
        assert where in finding.meaning
        assert where in summaries.summarize_live_edits(work, into=into)


def test_each_step_says_where_production_lies_now() -> None:
    assert "the new database udo-db-2 holds 9 tables" in summaries.summarize_database(
        DatabaseRollback("b.dump", "", "712", 9, 3.1, into="udo-db-2")
    )
    done = RepointResult(
        "cms", ("DB_HOST",), ("BEFORE_ROLLBACK_DB_HOST",), "old/o", "new/n", "dep-1", "c" * 40, 31.0, late=2
    )
    told = summaries.summarize_repoint(done)
    assert "on new/n" in told
    assert "2 more rows were edited until the switch; the old database keeps them" in told
