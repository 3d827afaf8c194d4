"""A production that is much larger than the export: it is asked for the export's rows, and every answer is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from fixtures.checks.rows.profile import profiles
from fixtures.evidence.ledger import Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.export import CollectionCount, DataExport, Inventory
from fixtures.model.imports import Conflict, ConflictKind
from fixtures.model.visit import ApiCall
from fixtures.operations import lanes
from fixtures.operations.imports import classify
from fixtures.operations.imports.classify import ClassifiedCollections
from fixtures.operations.source import conflicts, production_rows
from fixtures.operations.verification import audit, query_checks
from fixtures.systems.directus import DirectusObserver, DirectusSandbox
from fixtures.systems.http.transport import Transport
from fixtures.systems.postgres.bounded_queries import BoundedQueries
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import Migration, Project

OWN = 20_000
"""Rows of production's own, in each of two collections."""

MOST_ROWS_ASKED = 300
"""Rows that one comparison of the 21 exported rows may read."""

FIRST = 1_000_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def key(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


ROWS: dict[str, list[dict[str, Any]]] = {
    "categories": [
        {"id": key(1), "name": "Both, with comma", "note": "as local"},
        {"id": key(2), "name": "Held elsewhere", "note": None},
        {"id": key(3), "name": "New", "parent": key(2)},
    ],
    "articles": [
        {"id": 1, "slug": "same", "title": "Same"},
        {"id": 2, "slug": "edited", "title": "As local"},
        {"id": 3, "slug": "taken", "title": "Another row has this slug"},
        {"id": 4, "slug": "new-4", "title": "New", "category": key(2)},
        *({"id": number, "slug": f"new-{number}", "title": "New"} for number in range(5, 12)),
    ],
    "comments": [
        {"id": 1, "article": 4, "text": "Of a row that arrives"},
        {"id": 2, "article": FIRST + 77, "text": "Of a row that production alone has"},
        {"id": 3, "article": FIRST + OWN + 77, "text": "Of a row nobody has"},
    ],
}


@pytest.fixture
def large(project: Project) -> Project:
    """Production's own rows, and what it shares with the export."""
    project.ask(
        "INSERT INTO articles (id, slug, title) SELECT %s + n, 'own-' || n, 'Own' FROM generate_series(1, %s) n",
        FIRST, OWN,
    )  # fmt: skip
    project.ask(
        "INSERT INTO categories (id, name) SELECT ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid,"
        " 'Own ' || n FROM generate_series(1, %s) n", OWN,
    )  # fmt: skip
    project.ask("INSERT INTO articles (id, slug, title) VALUES (1, 'same', 'Same'), (2, 'edited', 'As production')")
    project.ask("UPDATE articles SET slug = 'taken' WHERE id = %s", FIRST + 5)
    project.ask("INSERT INTO categories (id, name, note) VALUES (%s, 'Both, with comma', 'as local')", key(1))
    project.ask("INSERT INTO categories (id, name) VALUES (%s, 'Held elsewhere')", key(9))
    return project


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each answer of production held."""
    numbers: list[int] = []
    original = Transport.json

    def counting(self: Transport, method: str, path: str, **request: Any) -> Any:
        body = original(self, method, path, **request)
        counts = "aggregate[count]" in (request.get("params") or {})
        if method == "GET" and path.startswith("/items/") and not counts and isinstance(body["data"], list):
            numbers.append(len(body["data"]))
        return body

    monkeypatch.setattr(Transport, "json", counting)
    return numbers


def compared(migration: Migration) -> ClassifiedCollections:
    return classify.classify_collections(migration.project.operator, migration.import_set(), library=())


def classes(found: ClassifiedCollections) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "before": each.before,
            "create": each.create,
            "identical": each.identical,
            "conflicts": [(c.key, c.kind, c.production_key) for c in each.conflicts],
            "elsewhere": each.held_elsewhere,
            "refused": [(r.key, r.code) for r in each.refused],
        }
        for name, each in found.by_collection.items()
        if name in ROWS
    }


EXPECTED: dict[str, dict[str, Any]] = {
    "categories": {
        "before": OWN + 2,
        "create": [key(3)],
        "identical": [key(1)],
        "conflicts": [],
        "elsewhere": {key(2): key(9)},
        "refused": [],
    },
    "articles": {
        "before": OWN + 2,
        "create": [str(number) for number in range(4, 12)],
        "identical": ["1"],
        "conflicts": [
            ("2", ConflictKind.EDITED, "2"),
            ("3", ConflictKind.UNIQUE_VALUE_TAKEN, str(FIRST + 5)),
        ],
        "elsewhere": {"3": str(FIRST + 5)},
        "refused": [],
    },
    "comments": {
        "before": 0,
        "create": ["1", "2"],
        "identical": [],
        "conflicts": [],
        "elsewhere": {},
        "refused": [("3", "FOREIGN_KEY")],
    },
}


def test_a_comparison_asks_for_the_rows_of_the_export(large: Project, tmp_path: Path, asked: list[int]) -> None:
    found = compared(Migration(large, tmp_path, ROWS))
    assert classes(found) == EXPECTED
    assert 0 < sum(asked) <= MOST_ROWS_ASKED, f"{sum(asked):,} rows were read of {2 * OWN:,}"


def test_the_classes_are_those_of_a_whole_reading(
    large: Project, tmp_path: Path, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(production_rows, "READ_WHOLE", 10 * OWN)
    found = compared(Migration(large, tmp_path, ROWS))
    assert classes(found) == EXPECTED
    assert sum(asked) >= 2 * OWN


def test_conflicts_are_looked_for_in_the_rows_of_the_export(large: Project, tmp_path: Path, asked: list[int]) -> None:
    """As 1.3.4 does: other content under the same key, and a unique value under another key."""
    migration = Migration(large, tmp_path, ROWS)
    counts = tuple(
        CollectionCount(each.collection, each.rows, large.operator.count(each.collection)) for each in migration.files
    )
    inventory = Inventory(NOW, profiles(large.snapshot), counts)
    evidence = Evidence(tmp_path / "run-1", Ledger(tmp_path / "ledger.jsonl", run="run-1", inputs="i", suite="s"))
    found = conflicts.find_conflicts(
        large.snapshot, inventory, DataExport(NOW, migration.files), tmp_path, large.operator, evidence, lambda *_: None
    )
    assert sorted((each.collection, each.key, each.kind) for each in found) == [
        ("articles", "2", ConflictKind.EDITED),
        ("articles", "3", ConflictKind.UNIQUE_VALUE_TAKEN),
        ("categories", key(2), ConflictKind.UNIQUE_VALUE_TAKEN),
    ]
    assert 0 < sum(asked) <= MOST_ROWS_ASKED, f"{sum(asked):,} rows were read of {2 * OWN:,}"


def test_1_3_a4_is_red_for_a_conflict_that_is_not_listed(large: Project, tmp_path: Path) -> None:
    """The list lacks one; and a row of production is edited after the list was made."""
    migration = Migration(large, tmp_path, ROWS)
    counts = tuple(
        CollectionCount(each.collection, each.rows, large.operator.count(each.collection)) for each in migration.files
    )
    inventory, data = Inventory(NOW, profiles(large.snapshot), counts), DataExport(NOW, migration.files)
    evidence = Evidence(tmp_path / "run-1", Ledger(tmp_path / "ledger.jsonl", run="run-1", inputs="i", suite="s"))
    found = conflicts.find_conflicts(
        large.snapshot, inventory, data, tmp_path, large.operator, evidence, lambda *_: None
    )

    def items(name: str, *, fields: Sequence[str], **_: Any) -> Iterator[dict[str, Any]]:
        return ({column: row.get(column) for column in fields} for row in ROWS.get(name, ()))

    local = Mock(DirectusObserver, items=items)

    def unlisted(listed: Sequence[Conflict]) -> list[str]:
        asked, findings = conflicts.unlisted(
            listed, large.snapshot, inventory, data, tmp_path, local, large.operator, evidence
        )
        assert asked >= 10
        assert {each.code for each in findings} <= {"MIG-140"}
        return [each.where for each in findings]

    assert unlisted(found) == []
    assert len(unlisted(())) == len(found)
    assert unlisted([each for each in found if each.key != "2"]) == ['production · collection "articles" · key 2']
    large.ask("UPDATE articles SET title = 'edited since' WHERE id = 1")
    try:
        assert unlisted(found) == ['production · collection "articles" · key 1']
    finally:
        large.ask("UPDATE articles SET title = %s WHERE id = 1", ROWS["articles"][0]["title"])


@pytest.mark.parametrize("slug", ["true", "null", "NULL", "$NOW", "$CURRENT_USER", "", "a,b", " spaced ", "İ", "7"])
def test_a_value_that_means_something_else_in_a_filter_is_found(large: Project, tmp_path: Path, slug: str) -> None:
    """Each of them is in production, under another key; as a filter some of them would ask for something else."""
    large.ask("UPDATE articles SET slug = %s WHERE id = %s", slug, FIRST + 6)
    rows = {"articles": [{"id": 12, "slug": slug, "title": "Mine"}]}
    found = compared(Migration(large, tmp_path, rows)).by_collection["articles"]
    assert found.held_elsewhere == {"12": str(FIRST + 6)}


def test_the_import_asks_for_the_rows_of_the_export(large: Project, tmp_path: Path, asked: list[int]) -> None:
    migration = Migration(large, tmp_path, ROWS, policies="update")
    result = migration.run()
    created = {each.collection: each.created for each in result.outcomes}
    assert created["articles"] == 8
    assert large.ask("SELECT title FROM articles WHERE id = 2") == [("As local",)]
    assert 0 < sum(asked) <= 2 * MOST_ROWS_ASKED, f"{sum(asked):,} rows were read of {2 * OWN:,}"
    del asked[:]
    observe = lanes.class_counter("api", large.operator, large.url)
    left = observe(migration.import_set(), ())
    assert [each.create for each in left.values() if each.create] == []
    assert 0 < sum(asked) <= MOST_ROWS_ASKED


def queries_of(large: Project, name: str, rows: list[dict[str, Any]]) -> list[ApiCall]:
    profile = next(each for each in profiles(large.snapshot) if each.name == name)
    held = large.operator.count(name)
    return query_checks.run_query_checks(large.operator, large.url, profile, large.snapshot, rows, held=held)


def test_queries_are_compared_with_what_the_database_finds(large: Project, asked: list[int]) -> None:
    """The value is found beside 20,000 others, the order is the database's, and no row is read for them."""
    calls = queries_of(large, "articles", [{"id": 2, "slug": "edited", "title": "Whereupon"}])
    assert [(call.verb, call.right, call.not_tried) for call in calls] == [
        ("filter", True, ""),
        ("sort", True, ""),
        ("search", True, ""),
    ]
    assert sum(asked) == 0


def test_a_wrong_answer_is_seen_beside_many_rows(large: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database finds a row that the API does not give."""
    original = BoundedQueries.equal
    monkeypatch.setattr(BoundedQueries, "equal", lambda *given, **named: [*(original(*given, **named) or []), "4711"])
    calls = queries_of(large, "articles", [{"id": 2, "slug": "edited", "title": None}])
    assert [(call.verb, call.right, call.detail) for call in calls if call.verb == "filter"] == [
        ("filter", False, "slug 'edited': 1 rows missing, 0 too many, for example 4711")
    ]


def test_a_search_that_takes_too_long_is_not_asked(large: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with BoundedQueries(large.url, budget_ms=1) as bounded:
        assert bounded.containing("articles", key="id", columns=["slug", "title"], word="nowhere", most=10) is None
    monkeypatch.setattr(BoundedQueries, "containing", lambda *_, **__: None)
    calls = queries_of(large, "articles", [{"id": 2, "slug": "edited", "title": "Production"}])
    (search,) = [call for call in calls if call.verb == "search"]
    assert search.not_tried == f"Postgres does not find a word in its {OWN + 2:,} rows within 250 ms"
    assert {call.verb for call in calls if not call.not_tried} == {"filter", "sort"}


def test_anomalies_are_looked_for_in_the_rows_of_the_export(large: Project, tmp_path: Path, asked: list[int]) -> None:
    large.ask("UPDATE articles SET title = 'Ã¤lter' WHERE id = 2")
    large.ask("UPDATE articles SET title = 'Ã¤lter' WHERE id = %s", FIRST + 7)
    migration = Migration(large, tmp_path, ROWS)
    with PostgresObserver(large.url) as database:
        found = audit.anomalies(
            large.operator, database, large.snapshot, migration.import_set().export, tmp_path, lambda *_: None
        )
    assert (found.rows, dict(found.left_out)) == (2 * OWN + 4, {"articles": OWN, "categories": OWN + 1})
    assert [each.code for each in found.findings] == ["MIG-535"]
    assert 0 < sum(asked) <= MOST_ROWS_ASKED


def test_a_mark_is_looked_for_in_the_rows_that_came_since(large: Project) -> None:
    """Of two rows with the mark, the one that was there before is not searched for; without a bound it is."""
    highest = large.operator.highest_key("articles", key="id")
    assert highest == FIRST + OWN
    assert large.operator.highest_key("categories", key="id") is None
    sandbox = DirectusSandbox(large.transport, run="run-20260101T000000Z")
    large.ask("UPDATE articles SET title = %s WHERE id = %s", sandbox.mark, FIRST + 8)
    large.ask("INSERT INTO articles (id, slug, title) VALUES (%s, 'came', %s)", highest + 1, sandbox.mark)
    assert sandbox.find_marked("articles", column="title", above=highest) == [str(highest + 1)]
    assert sandbox.adopt_leftovers("articles", above=highest) == [str(highest + 1)]
    assert len(sandbox.find_marked("articles", column="title")) == 2
