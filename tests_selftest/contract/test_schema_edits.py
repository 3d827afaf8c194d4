"""
A sample of `make corpus` and `make drift`: risky edits and changes behind a plan's back, on a real Directus.

The whole is run by those two; here stands one edit of each class, and one injury of each place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fixtures.model.plan import SchemaPlan
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations.schema import apply, schema_plan, schema_verification
from fixtures.systems import directus
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.postgres import probes as postgres_probes
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.corpus import drift, edits_structure, edits_values, look
from tests_selftest.corpus.draft import Draft
from tests_selftest.corpus.judge import judge
from tests_selftest.corpus.stage import TOKEN, Production, staged

EDITS = {edit.name: edit for edit in (*edits_values.EDITS, *edits_structure.EDITS)}
INJURIES = dict(drift.injuries())
NOTHING = SchemaPlan(datetime(2026, 1, 1, tzinfo=UTC), "", "", "", (), {}, "")

SAMPLE = (
    "decimal scale 4 → 1 over digits",
    "varchar 255 → 10, every value fits",
    "varchar 100 under a view",
    "unique over duplicates",
    "the snapshot lacks a meta key of a table",
    "two columns dropped, one covered by a waiver",
    "any-relation: one more, put in front",
    "no longer unique",
    "no longer unique, covered by a waiver",
    "no index any more, made by hand",
    "no index any more, made by hand, covered by a waiver",
    "an index whose name is taken",
    "a new JSON column without its mark",
    "a new table with an index on its key",
    "a foreign key without a relation",
    "a new column with a foreign key and no relation",
    "a new relation over a foreign key by hand",
    "a new column with a relation that has no foreign key",
    "a new column with a relation over a foreign key by hand",
)
INJURED = {
    "row 1: short of 11": "MIG-335",
    "a value in the column signed away": "MIG-335",
    "in the database: a view": "MIG-336",
    "in the data model: a note": "MIG-331",
}


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with staged(tmp_path_factory.mktemp("corpus")) as running:
        yield running


@pytest.fixture(scope="module")
def beginning(production: Production) -> tuple[dict[str, object], look.Content]:
    return production.snapshot(), look.content(production)


@pytest.mark.parametrize("name", SAMPLE)
def test_an_edit_is_what_the_corpus_says(
    production: Production, beginning: tuple[dict[str, object], look.Content], name: str
) -> None:
    assert judge(production, EDITS[name], *beginning).wrong == ()


def test_what_changed_behind_the_plan_is_noticed(production: Production) -> None:
    production.reset()
    made = drift.reviewed(production)
    assert {name: drift.noticed(production, made, INJURIES[name]) for name in INJURED} == INJURED


def test_a_plan_that_was_altered_after_its_review_is_not_sent(production: Production) -> None:
    production.reset()
    made = drift.reviewed(production)
    unsigned = replace(made.plan, waivers=())
    with opened(production) as (operator, database):
        sent = operator.snapshot().digest
        with pytest.raises(apply.PlanForbidden, match="MIG-324"):
            apply.apply(operator, database, unsigned, made.wanted)
        assert operator.snapshot().digest == sent


@contextmanager
def opened(production: Production) -> Iterator[tuple[DirectusOperator, PostgresObserver]]:
    with (
        directus.connect(production.url, Secret(TOKEN), system="production Directus", read_only=False) as transport,
        PostgresObserver(production.database_url) as database,
    ):
        yield DirectusOperator(transport), database


def test_a_snapshot_that_its_own_database_contradicts_stops_the_line(production: Production) -> None:
    production.reset()
    snapshot = Snapshot(production.snapshot())
    with opened(production) as (_, database):
        assert schema_plan.catalog_mismatches(database, snapshot) == []
        outside = schema_plan.outside_snapshot(snapshot, database, production.database_url)
        assert (outside.objects[0], outside.rules) == ("table hidden_things", ()), "on both sides, so nothing is lost"
        production.sql("ALTER TABLE articles ALTER must TYPE varchar(16)")
        production.sql("ALTER TABLE articles DROP CONSTRAINT articles_author_foreign")
        findings = schema_plan.catalog_mismatches(database, snapshot)
    assert [(each.code, each.where.split('"')[1]) for each in findings] == [
        ("MIG-329", "articles.author"),
        ("MIG-329", "articles.must"),
    ]


def test_an_apply_that_is_not_there_is_seen_by_each_witness(
    production: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalog, the API and the other direction of the diff, each for itself."""
    production.reset()
    monkeypatch.setattr(schema_verification, "READABLE_S", 0.1)
    draft = Draft(production.snapshot())
    draft.add("articles.new", "articles.body")
    with opened(production) as (operator, database):
        here = operator.snapshot()
        plan, _ = schema_plan.make_plan(operator, database, draft.snapshot, here)
        assert [each.code for each in schema_verification.missing_in_database(database, draft.snapshot, plan)] == [
            "MIG-337"
        ]
        assert [
            each.code
            for each in schema_verification.unreadable_fields(operator, draft.snapshot, ["articles.new"], instances=2)
        ] == ["MIG-338"]
        assert schema_verification.unreadable_fields(operator, here, ["articles.body"], instances=2) == []
        for local in (here, draft.snapshot):  # local as it was exported, and local developed further since
            findings = schema_verification.unplanned_differences(
                operator, local, draft.snapshot if local is here else here, NOTHING
            )
            assert [(each.code, each.where) for each in findings] == [("MIG-339", 'production · "articles.new"')]


@pytest.mark.parametrize("first_with_validation", [16, 99], ids=["Postgres 16 and later", "before"])
def test_values_that_do_not_survive_are_counted_and_named(
    production: Production, monkeypatch: pytest.MonkeyPatch, first_with_validation: int
) -> None:
    """Without `pg_input_is_valid` a conversion that is refused counts as one that no value survives."""
    monkeypatch.setattr(postgres_probes, "_FIRST_WITH_VALIDATION", first_with_validation)
    production.reset()
    with PostgresObserver(production.database_url) as database:
        seen = {
            (column, kind): postgres_probes.changed_by_cast(database, "articles", column, kind)
            for column, kind in (
                ("title", "character varying(10)"),
                ("price", "numeric(12,1)"),
                ("big", "real"),
                ("published", "date"),
                ("midnight", "date"),
                ("seen", "time without time zone"),
                ("facts", "text"),
                ("code", "integer"),
                ("digits", "integer"),
            )
        }
        with pytest.raises(ValueError, match="not the name of a type"):
            postgres_probes.changed_by_cast(database, "articles", "title", "text; DROP TABLE articles")
    assert {place: found.examples for place, found in seen.items() if found.count} == {
        ("title", "character varying(10)"): ("1",),
        ("price", "numeric(12,1)"): ("1",),
        ("big", "real"): ("1",),
        ("published", "date"): ("1", "2"),
        ("seen", "time without time zone"): ("1", "2"),
        ("code", "integer"): ("1",) if first_with_validation == 16 else ("1", "2"),
    }


def test_the_corpus_and_the_injuries_are_as_many_as_they_are_said_to_be() -> None:
    assert len(EDITS) >= 90
    assert len({edit.name for edit in EDITS.values()}) == len(EDITS)
    assert len(INJURIES) == 100
