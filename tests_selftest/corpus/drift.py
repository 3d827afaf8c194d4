"""
`make drift`: production changes between the review of a plan and its apply, a hundred ways; each one is noticed.

The plan depends on a length, on uniqueness, on nulls, on orphans, on decimals and on a column somebody signed away.
Each injury is done to a production put back to its beginning, then the plan is applied: it must be refused before
anything is sent.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fixtures.checks.schema import plan_safety
from fixtures.model.plan import SchemaPlan
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.model.waiver import Waiver
from fixtures.operations.schema import apply, schema_plan
from fixtures.systems import directus
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.http.transport import Exchange
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.corpus import look
from tests_selftest.corpus.draft import Draft
from tests_selftest.corpus.production import TABLES, divider, relation
from tests_selftest.corpus.stage import TOKEN, Production, staged

Injury = Callable[[Production], object]


@dataclass(frozen=True)
class Reviewed:
    """A plan without open danger, and the schema it is for."""

    plan: SchemaPlan
    wanted: Snapshot


def edited(draft: Draft) -> None:
    """Changes that are admitted only because of what the data says, and one because somebody signed."""
    draft.schema("articles.short", max_length=10, is_unique=True)
    draft.schema("articles.title", is_nullable=False)
    draft.schema("articles.round_price", numeric_scale=1)
    draft.add_relation("articles.reviewer", "authors")
    draft.add("articles.new", "articles.body")
    draft.drop_field("articles.summary")


def reviewed(production: Production) -> Reviewed:
    """The plan, made on production as it is at the beginning."""
    draft = Draft(production.snapshot())
    edited(draft)
    day = datetime.now(UTC).date() + timedelta(days=1)
    signed = Waiver("SC141", "articles.summary", "nobody reads it any more", "the corpus", day)
    with _operator(production, []) as operator, PostgresObserver(production.database_url) as database:
        plan, _ = schema_plan.make_plan(operator, database, draft.snapshot, operator.snapshot(), accepted=[signed])
    assert plan_safety.blockers(plan) == []
    return Reviewed(plan, draft.snapshot)


def noticed(production: Production, made: Reviewed, injury: Injury) -> str:
    """The code with which the injured production is refused; what is wrong, in words, when it is not."""
    production.reset()
    injury(production)
    structure, content = look.structure(production), look.content(production)
    sent: list[str] = []
    with _operator(production, sent) as operator, PostgresObserver(production.database_url) as database:
        try:
            apply.apply(operator, database, made.plan, made.wanted)
        except apply.PlanOutdated as refusal:
            code = refusal.finding.code
        else:
            return "not noticed: the plan was applied"
    if sent:
        return f"{code}, but {len(sent)} requests were sent"
    if (look.structure(production), look.content(production)) != (structure, content):
        return f"{code}, but something changed"
    return code


def injuries() -> Iterator[tuple[str, Injury]]:
    """A hundred of them, named."""
    yield from _values()
    yield from _catalog()
    yield from _data_model()


def _values() -> Iterator[tuple[str, Injury]]:
    for row in (1, 2, 3):
        for length in (11, 12, 40, 100, 255):
            yield _sql(
                f"row {row}: short of {length}", f"UPDATE articles SET short = repeat('z', {length}) WHERE id = {row}"
            )
        yield _sql(f"row {row}: no title", f"UPDATE articles SET title = NULL WHERE id = {row}")
        for orphan in (4, 99, 1000, -1):
            yield _sql(f"row {row}: reviewer {orphan}", f"UPDATE articles SET reviewer = {orphan} WHERE id = {row}")
        for price in ("12.34", "0.01", "7.77", "99999.9999"):
            yield _sql(f"row {row}: price {price}", f"UPDATE articles SET round_price = {price} WHERE id = {row}")
    yield _sql("two the same", "UPDATE articles SET short = 'two' WHERE id = 1")
    yield _sql("three the same", "UPDATE articles SET short = 'one'")
    yield _sql("a duplicate is added", "INSERT INTO articles (title, short) VALUES ('t', 'one')")
    yield _sql("a row without a title is added", "INSERT INTO articles (slug) VALUES ('s')")
    yield _sql("a thousand of them", "INSERT INTO articles (slug) SELECT 's' || n FROM generate_series(1, 1000) n")
    yield _sql("a value in the column signed away", "UPDATE articles SET summary = 'new' WHERE id = 2")
    yield _sql("values in the column signed away", "UPDATE articles SET summary = 'new'")
    yield _sql("no value left in it", "UPDATE articles SET summary = NULL")
    rows = (
        {"title": "t", "short": "one"},
        {"slug": "s"},
        {"title": "t", "reviewer": "77"},
        {"title": "t", "summary": "s"},
        {"title": "t", "round_price": "1.25"},
        {"title": "t", "short": "x" * 30},
    )
    for item in rows:
        told = ", ".join(f"{column} {value[:12]}" for column, value in item.items() if column != "title")
        yield f"through the API: {told}", _request("POST", "/items/articles", item)
    yield "through the API: a title is emptied", _request("PATCH", "/items/articles/2", {"title": None})


def _catalog() -> Iterator[tuple[str, Injury]]:
    for table in TABLES:
        yield _sql(f"{table}: a column Directus does not know", f"ALTER TABLE {table} ADD COLUMN raw int")
    statements = {
        "a view": "CREATE VIEW seen AS SELECT short FROM articles",
        "a table": "CREATE TABLE raw (id int)",
        "a hidden table goes": "DROP TABLE hidden_things",
        "a view goes": "DROP VIEW author_names",
        "a hidden column goes": "ALTER TABLE articles DROP COLUMN hidden_note",
        "an index goes": "DROP INDEX articles_indexed_index",
        "a unique constraint goes": "ALTER TABLE articles DROP CONSTRAINT articles_unique_name_unique",
        "an index over two columns": "CREATE INDEX by_both ON articles (title, slug)",
        "an index over an expression": "CREATE INDEX lowered ON articles (lower(title))",
        "a check": "ALTER TABLE articles ADD CHECK (views > 0)",
        "a wider column": "ALTER TABLE articles ALTER slug TYPE varchar(200)",
        "a narrower column": "ALTER TABLE articles ALTER slug TYPE varchar(50)",
        "another type": "ALTER TABLE articles ALTER views TYPE bigint",
        "another default": "ALTER TABLE articles ALTER status SET DEFAULT 'archived'",
        "no default": "ALTER TABLE articles ALTER status DROP DEFAULT",
        "NOT NULL": "ALTER TABLE pages ALTER title SET NOT NULL",
        "null allowed": "ALTER TABLE articles ALTER must DROP NOT NULL",
        "a column renamed": "ALTER TABLE articles RENAME COLUMN digits TO numerals",
        "a column gone": "ALTER TABLE articles DROP COLUMN digits",
        "a foreign key gone": "ALTER TABLE articles DROP CONSTRAINT articles_author_foreign",
        "a foreign key more": "ALTER TABLE articles ADD FOREIGN KEY (reviewer) REFERENCES editors (id) NOT VALID",
        "a trigger": "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        " CREATE TRIGGER watch BEFORE UPDATE ON articles FOR EACH ROW EXECUTE FUNCTION f()",
        "a policy": "CREATE POLICY few ON articles USING (views > 0)",
        "a generated column": "ALTER TABLE articles ADD twice int GENERATED ALWAYS AS (views * 2) STORED",
    }
    for name, statement in statements.items():
        yield _sql(f"in the database: {name}", statement)


def _data_model() -> Iterator[tuple[str, Injury]]:
    field = {"field": "extra", "type": "string", "schema": {}, "meta": {"interface": "input"}}
    yield "in the data model: a field", _request("POST", "/fields/articles", field)
    yield "in the data model: an alias", _request("POST", "/fields/articles", divider("extra"))
    yield "in the data model: a note", _request("PATCH", "/fields/articles/title", {"meta": {"note": "changed"}})
    yield "in the data model: required", _request("PATCH", "/fields/articles/code", {"meta": {"required": True}})
    yield "in the data model: a collection", _request("POST", "/collections", {"collection": "extra", "schema": {}})
    yield "in the data model: an icon", _request("PATCH", "/collections/pages", {"meta": {"icon": "web"}})
    yield "in the data model: a field gone", _request("DELETE", "/fields/articles/rating", None)
    yield "in the data model: a collection gone", _request("DELETE", "/collections/legacy", None)
    yield (
        "in the data model: a relation",
        _request("POST", "/relations", relation("articles", "orphan", None, one_allowed_collections=["pages"])),
    )
    yield "in the data model: a relation gone", _request("DELETE", "/relations/blocks/page", None)


def _sql(name: str, statement: str) -> tuple[str, Injury]:
    return name, lambda production: production.sql(statement)


def _request(method: str, path: str, body: Any) -> Injury:
    def send(production: Production) -> None:
        with production.client() as client:
            client.request(method, path, json=body).raise_for_status()

    return send


def _operator(production: Production, sent: list[str]) -> Any:
    def watch(exchange: Exchange) -> None:
        if exchange.path == "/schema/apply":
            sent.append(exchange.path)

    return _Operator(production, watch)


class _Operator:
    """The production of the corpus with the power to write, every apply of its schema told to a listener."""

    def __init__(self, production: Production, watch: Callable[[Exchange], None]) -> None:
        self._transport = directus.connect(
            production.url, Secret(TOKEN), system="production Directus", read_only=False, on_exchange=watch
        )

    def __enter__(self) -> DirectusOperator:
        return DirectusOperator(self._transport.__enter__())

    def __exit__(self, *about: Any) -> None:
        self._transport.__exit__(*about)


def main() -> int:
    """A line for each injury; the exit code: 1 when one was not noticed, or anything was sent."""
    began, missed, tried = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="drift-") as folder, staged(Path(folder)) as production:
        made = reviewed(production)
        for name, injury in injuries():
            seen = noticed(production, made, injury)
            tried += 1
            missed += not seen.startswith("MIG-") or " " in seen
            sys.stdout.write(f"{name:60} {seen}\n")
            sys.stdout.flush()
    sys.stdout.write(
        f"{tried} changes of production after the review: {tried - missed} noticed before anything was sent, "
        f"{missed} not; {time.monotonic() - began:.0f} s\n"
    )
    return 1 if missed or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
