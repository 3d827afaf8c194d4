"""What was applied: one definition, from the plans of a migration and its ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.evidence.applied import applied_schema, from_plans
from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.plan import Change, Risk, SchemaPlan, Stage
from fixtures.model.snapshot import Snapshot

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def create(stage: Stage, name: str) -> Change:
    return Change(stage, "create", name, Risk.ADDITIVE, "SC101", "new")


def alter(name: str, before: str, after: str, code: str = "SC120") -> Change:
    return Change(Stage.CONSTRAINT, "alter", name, Risk.DATA_DEPENDENT, code, "length", before, after)


def plan(digest: str, *changes: Change) -> SchemaPlan:
    return SchemaPlan(NOW, "s", "t", "g", changes, {}, digest)


FIRST = plan(
    "1111",
    create(Stage.COLLECTION, "amendments"),
    create(Stage.FIELD, "amendments.id"),
    create(Stage.FIELD, "chapters.summary"),
    alter("sections.title", "120", "255"),
    alter("sections.title", "", "NOT NULL", "SC134"),
)
SECOND = plan(
    "2222",
    create(Stage.FIELD, "chapters.subtitle"),
    alter("sections.title", "255", "400"),
    Change(Stage.COLLECTION, "drop", "notices", Risk.DESTRUCTIVE, "SC140", "", withheld=True),
)
NOTHING = plan("3333")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "l.jsonl", run="run-1", inputs="i", suite="s", clock=lambda: NOW)
    made.add(Kind.OPENED, "migration")
    return made


def apply(ledger: Ledger, sent: SchemaPlan, ended: Kind | None = Kind.DONE) -> None:
    facts = {"collections": list(sent.created_collections), "columns": list(sent.created_columns)}
    ledger.add(Kind.INTENT, "3.3.2", plan=sent.digest, **facts)
    if ended:
        ledger.add(ended, "3.3.2", plan=sent.digest)


def test_two_applied_plans_are_told_together_each_object_and_code_once(ledger: Ledger) -> None:
    apply(ledger, FIRST)
    apply(ledger, SECOND)
    found = from_plans([FIRST, FIRST, SECOND, NOTHING], ledger)
    assert found.plans == ("1111", "2222")
    assert [(c.name, c.code) for c in found.done] == [
        ("amendments", "SC101"),
        ("amendments.id", "SC101"),
        ("chapters.summary", "SC101"),
        ("sections.title", "SC120"),
        ("sections.title", "SC134"),
        ("chapters.subtitle", "SC101"),
    ]
    widened = next(c for c in found.done if c.code == "SC120")
    assert (widened.before, widened.after) == ("120", "400")
    assert [c.name for c in found.fields(of_new_collections=False)] == ["chapters.summary", "chapters.subtitle"]
    assert [c.name for c in found.fields(of_new_collections=True)] == ["amendments.id"]
    assert (found.pending, found.in_doubt, found.applied_at) == ((), False, NOW)


def test_a_plan_nobody_sent_is_pending_and_what_stays_in_production_is_withheld(ledger: Ledger) -> None:
    apply(ledger, FIRST)
    found = from_plans([FIRST, SECOND], ledger)
    assert (found.plans, found.planned) == (("1111",), "2222")
    assert [c.name for c in found.pending] == ["chapters.subtitle", "sections.title"]
    assert [c.name for c in found.withheld] == ["notices"]


def test_an_apply_without_an_end_counts_as_far_as_a_later_plan_no_longer_asks_for_it(ledger: Ledger) -> None:
    apply(ledger, FIRST, ended=None)
    assert from_plans([FIRST], ledger).done == ()
    assert from_plans([FIRST], ledger).in_doubt
    asks_again = plan("4444", alter("sections.title", "120", "255"))
    found = from_plans([FIRST, asks_again], ledger)
    assert [(c.name, c.code) for c in found.done] == [
        ("amendments", "SC101"),
        ("amendments.id", "SC101"),
        ("chapters.summary", "SC101"),
        ("sections.title", "SC134"),
    ]


def test_a_refused_apply_applied_nothing_unless_an_earlier_attempt_may_have(ledger: Ledger) -> None:
    apply(ledger, FIRST, ended=Kind.REFUSED)
    found = from_plans([FIRST, NOTHING], ledger)
    assert (found.done, found.new_columns, found.new_collections) == ((), (), ())
    apply(ledger, SECOND, ended=Kind.IN_DOUBT)
    apply(ledger, SECOND, ended=Kind.REFUSED)
    found = from_plans([FIRST, SECOND, NOTHING], ledger)
    assert [c.name for c in found.done] == ["chapters.subtitle", "sections.title"]
    assert found.new_columns == ("chapters.subtitle",)


def test_what_an_earlier_migration_added_to_the_target_is_remembered_and_a_dry_run_is_not(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    earlier = Ledger(path, run="run-1", inputs="i", suite="s", clock=lambda: NOW)
    earlier.add(Kind.OPENED, "migration")
    apply(earlier, FIRST, ended=None)
    earlier.add(Kind.CLOSED, "migration")
    apply(Ledger(path, run="run-2", inputs="i", suite="s", dry=True), SECOND)
    now = Ledger(path, run="run-3", inputs="i", suite="s")
    now.add(Kind.OPENED, "migration")
    found = applied_schema(Evidence(tmp_path / "run-3", now))
    assert (found.plans, found.planned, found.done) == ((), "", ())
    assert (found.new_collections, found.new_columns) == (("amendments",), ("amendments.id", "chapters.summary"))
    local = snapshot("amendments", "chapters")
    assert found.tables(local) == ["amendments"]
    assert found.visible(local) == {"amendments": ["id"], "chapters": ["summary"]}


def test_where_this_suite_added_nothing_all_of_local_is_looked_at(ledger: Ledger) -> None:
    found = from_plans([], ledger)
    assert list(found.tables(snapshot("chapters"))) == ["chapters"]
    assert found.visible(snapshot("chapters")) == {"chapters": []}


def snapshot(*tables: str) -> Snapshot:
    fields = {"amendments": "id", "chapters": "summary"}
    return Snapshot(
        {
            "collections": [{"collection": name, "schema": {"name": name}} for name in tables],
            "fields": [{"collection": name, "field": fields[name]} for name in tables],
        }
    )
