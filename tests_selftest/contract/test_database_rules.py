"""What Directus makes of local's constraints and indexes, and which of them the suite says production will lack."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date

import psycopg
import pytest

from fixtures.checks.schema import database_rules, plan_safety
from fixtures.model.database_rules import OutsideSnapshot
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.model.waiver import Waiver
from fixtures.operations.schema import apply, kept_uniques, schema_plan, schema_verification
from fixtures.systems import directus
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.corpus.stage import PRISTINE, TOKEN, Production, staged

LOCAL = "corpus_local"
TODAY = date(2026, 11, 30)


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with staged(tmp_path_factory.mktemp("rules")) as running:
        yield running


@dataclass(frozen=True)
class Sides:
    """Local, as its Directus tells it and as its database is; production, without what was made by hand."""

    snapshot: Snapshot
    local: Secret
    operator: DirectusOperator
    database: PostgresObserver

    def outside(self, *waivers: Waiver) -> OutsideSnapshot:
        return schema_plan.outside_snapshot(self.snapshot, self.database, self.local, accepted=waivers, today=TODAY)


@contextmanager
def sides(production: Production, by_hand: str, *, there: str = "") -> Iterator[Sides]:
    """Local with what was made *by_hand*, production with what is *there*."""
    cluster = production.cluster
    production.reset()
    production.sql(by_hand)
    production.forget()
    snapshot = Snapshot(production.snapshot())
    cluster.drop_database(LOCAL)
    cluster.create_database(LOCAL, "corpus", PRISTINE)
    local = Secret(cluster.superuser_url_of(LOCAL))
    with psycopg.connect(local.reveal(), autocommit=True) as connection:
        connection.execute(by_hand.encode())
    production.reset()
    if there:
        production.sql(there)
        production.forget()
    with (
        directus.connect(production.url, Secret(TOKEN), system="production Directus", read_only=False) as transport,
        PostgresObserver(production.database_url) as database,
    ):
        yield Sides(snapshot, local, DirectusOperator(transport), database)


RULES = {
    "a check": "ALTER TABLE legacy ADD CONSTRAINT mine CHECK (note <> 'x')",
    "a unique of two columns": "ALTER TABLE legacy ADD CONSTRAINT mine UNIQUE (note, keeper)",
    "a unique of some rows": "CREATE UNIQUE INDEX mine ON legacy (note) WHERE keeper IS NOT NULL",
    "a unique of an expression": "CREATE UNIQUE INDEX mine ON legacy (lower(note))",
    "a unique without a constraint": "CREATE UNIQUE INDEX mine ON legacy (note)",
    "a deferrable unique": "ALTER TABLE legacy ADD CONSTRAINT mine UNIQUE (note) DEFERRABLE INITIALLY DEFERRED",
    "an exclusion": "ALTER TABLE legacy ADD CONSTRAINT mine EXCLUDE USING btree (note WITH =)",
    "a foreign key without a relation":
        "ALTER TABLE articles ADD CONSTRAINT mine FOREIGN KEY (reviewer) REFERENCES editors",
}  # fmt: skip
INDEXES = {
    "an index of two columns": ("CREATE INDEX mine ON legacy (note, keeper)", database_rules.NOT_MADE),
    "an index of an expression": ("CREATE INDEX mine ON legacy (lower(note))", database_rules.NOT_MADE),
    "an index of some rows": ("CREATE INDEX mine ON legacy (note) WHERE keeper > 1", database_rules.MADE_PLAIN),
    "an index backwards": ("CREATE INDEX mine ON legacy (note DESC)", database_rules.MADE_PLAIN),
    "a hash index": ("CREATE INDEX mine ON legacy USING hash (note)", database_rules.MADE_PLAIN),
}
MADE = {
    "an index by another name": "CREATE INDEX mine ON legacy (note)",
    "a unique by another name": "ALTER TABLE legacy ADD CONSTRAINT mine UNIQUE (note)",
    "a unique that holds by its key": "ALTER TABLE legacy ADD CONSTRAINT mine UNIQUE (id, note)",
}


def applied(seen: Sides) -> None:
    """The plan is sent and proven."""
    plan, _ = schema_plan.make_plan(seen.operator, seen.database, seen.snapshot, seen.operator.snapshot())
    assert plan_safety.blockers(plan) == []
    apply.apply(seen.operator, seen.database, plan, seen.snapshot)
    second, _ = schema_plan.make_plan(seen.operator, seen.database, seen.snapshot, seen.operator.snapshot())
    assert second.to_apply == ()
    assert schema_verification.missing_in_database(seen.database, seen.snapshot, plan) == []


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_production_would_lack_stops_the_line_until_it_is_there_or_accepted(
    production: Production, kind: str
) -> None:
    name = "articles.mine" if "articles" in RULES[kind] else "legacy.mine"
    with sides(production, RULES[kind]) as seen:
        assert schema_plan.local_mismatches(seen.local, seen.snapshot) == [], "Directus does not tell of it"
        (stop,) = database_rules.not_accepted(seen.outside().rules)
        assert (stop.code, f'"{name}"' in stop.where) == ("MIG-327", True)
        waiver = Waiver("NOT_CARRIED", name, "checked by the forms of the site", "Ada", TODAY)
        (left,) = seen.outside(waiver).rules
        assert database_rules.not_accepted([left]) == []
        assert "accepted by Ada" in str(left)
        applied(seen)
        assert database_rules.not_accepted(seen.outside().rules) == [stop], "no apply makes it"
        production.sql(stop.expected)
        assert seen.outside() == OutsideSnapshot(seen.outside().objects), "the statement it names makes it"


@pytest.mark.parametrize("kind", INDEXES)
def test_an_index_that_is_made_otherwise_or_not_at_all_is_named_and_stops_nothing(
    production: Production, kind: str
) -> None:
    statement, meaning = INDEXES[kind]
    with sides(production, statement) as seen:
        (left,) = seen.outside().rules
        assert (left.rule.object, left.meaning) == ("legacy.mine", meaning)
        assert database_rules.not_accepted([left]) == []
        applied(seen)


@pytest.mark.parametrize("kind", MADE)
def test_what_directus_makes_as_it_is_is_sent(production: Production, kind: str) -> None:
    with sides(production, MADE[kind]) as seen:
        assert seen.outside().rules == ()
        applied(seen)


@pytest.mark.parametrize("there", ["", "CREATE INDEX theirs ON legacy (note)"], ids=["none there", "one there"])
def test_the_second_of_two_equal_indexes_is_named(production: Production, there: str) -> None:
    both = "CREATE INDEX mine ON legacy (note); CREATE INDEX mine_too ON legacy (note)"
    with sides(production, both, there=there) as seen:
        (left,) = seen.outside().rules
        assert (left.rule.object, left.meaning) == ("legacy.mine_too", database_rules.NOT_MADE)
        applied(seen)
        assert [each.rule.object for each in seen.outside().rules] == ["legacy.mine_too"]


def test_a_unique_that_takes_one_null_only_is_not_the_one_directus_makes(production: Production) -> None:
    with sides(production, "ALTER TABLE legacy ADD CONSTRAINT mine UNIQUE NULLS NOT DISTINCT (note)") as seen:
        (stop,) = database_rules.not_accepted(seen.outside().rules)
        assert stop.code == "MIG-327"


def test_a_constraint_and_an_index_of_the_same_kind_are_the_same_rule(production: Production) -> None:
    both = "ALTER TABLE legacy ADD CONSTRAINT theirs UNIQUE (note, keeper)"
    with sides(production, "CREATE UNIQUE INDEX mine ON legacy (note, keeper)", there=both) as seen:
        assert seen.outside().rules == ()


def test_new_rows_that_break_a_unique_which_stays_are_found_before_anything_is_sent(production: Production) -> None:
    """Production's row 1 has n1. Of local's, 1 is production's own, 7 has n1 too, 8 and 9 share one, 10 has none."""
    by_hand = (
        "ALTER TABLE articles DROP CONSTRAINT articles_unique_name_unique;"
        "UPDATE articles SET unique_name = 'n2' WHERE id = 1;"
        "INSERT INTO articles (id, unique_name) VALUES (7, 'n1'), (8, 'new'), (9, 'new'), (10, NULL)"
    )
    with sides(production, by_hand) as seen:
        plan, _ = schema_plan.make_plan(seen.operator, seen.database, seen.snapshot, seen.operator.snapshot())
        assert (kept_uniques.kept(plan), plan.payload) == (("articles.unique_name",), {})
        (stop,) = kept_uniques.colliding_rows(plan, seen.snapshot, seen.database, seen.local)
        assert (stop.code, stop.observed) == ("MIG-328", "n1 in 7 and 1; new in 9 and 8")
        there = [c for c in plan.changes if c.name == "articles.unique_name"]
        dropped = replace(plan, changes=tuple(replace(change, withheld=False) for change in there))
        assert kept_uniques.colliding_rows(dropped, seen.snapshot, seen.database, seen.local) == []


def test_without_a_connection_to_local_its_snapshot_tells_of_foreign_keys(production: Production) -> None:
    with sides(production, RULES["a foreign key without a relation"]) as seen:
        unreached = schema_plan.outside_snapshot(seen.snapshot, seen.database, Secret(""))
        (stop,) = database_rules.not_accepted(unreached.rules)
        assert stop.expected == (
            'ALTER TABLE "articles" ADD CONSTRAINT "articles_reviewer_foreign" '
            "FOREIGN KEY (reviewer) REFERENCES editors(id);"
        )
        production.sql(stop.expected)
        assert schema_plan.outside_snapshot(seen.snapshot, seen.database, Secret("")) == OutsideSnapshot()


def test_a_trigger_that_may_change_a_row_of_the_import_stops_before_the_schema(production: Production) -> None:
    """One that runs after its row, one that is disabled, and one on a table of another program do not."""
    there = """
        CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
        CREATE TABLE of_another_program (id integer PRIMARY KEY);
        CREATE TRIGGER before_it BEFORE INSERT OR UPDATE ON articles FOR EACH ROW EXECUTE FUNCTION shout();
        CREATE TRIGGER after_it AFTER INSERT ON articles FOR EACH ROW EXECUTE FUNCTION shout();
        CREATE TRIGGER off BEFORE INSERT ON articles FOR EACH ROW EXECUTE FUNCTION shout();
        ALTER TABLE articles DISABLE TRIGGER off;
        CREATE TRIGGER elsewhere BEFORE INSERT ON of_another_program FOR EACH ROW EXECUTE FUNCTION shout();
        CREATE RULE swallowed AS ON INSERT TO articles DO INSTEAD NOTHING;
    """
    with sides(production, "SELECT 1", there=there) as both:
        found = schema_plan.row_triggers(both.database, both.snapshot)
        assert [each.object for each in found] == ["articles.before_it", "articles.swallowed"]
        findings = database_rules.triggers_not_accepted(found, today=TODAY)
        assert [each.code for each in findings] == ["MIG-353", "MIG-353"]
        assert "BEFORE INSERT OR UPDATE" in str(findings[0])
        signed = Waiver("NOT_CARRIED", "articles.before_it", "it keeps such rows", "Ada Lovelace", date(2026, 12, 31))
        (left,) = database_rules.triggers_not_accepted(found, [signed], today=TODAY)
        assert "articles.swallowed" in str(left)


def test_a_sequence_that_a_default_uses_and_no_column_owns_is_one_that_fills_it(production: Production) -> None:
    there = """
        CREATE SEQUENCE numbers;
        CREATE TABLE counted (id integer PRIMARY KEY DEFAULT nextval('numbers'), word text DEFAULT nextval('numbers'));
        INSERT INTO counted (id) VALUES (7);
    """
    with sides(production, "SELECT 1", there=there) as both:
        found = [each for each in both.database.sequences() if each.table == "counted"]
    assert [(each.column, each.name, each.highest, each.ahead) for each in found] == [("id", "numbers", 7, False)]
