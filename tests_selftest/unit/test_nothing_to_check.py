"""Lines of the runbook with nothing to look at, as on a blank production: they pass and say so, and miss no fault."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fixtures.evidence.ledger import Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.dataset import CollectionProfile
from fixtures.model.export import Inventory
from fixtures.model.rule_check import RuleCheck
from fixtures.model.snapshot import Snapshot
from fixtures.model.timing import Budget
from fixtures.operations.verification import audit
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.kills import suite

PARTS: dict[str, Any] = {"collections": [], "fields": [], "systemFields": [], "relations": []}
BLANK = Snapshot({"version": 1, "directus": "11.17.4", "vendor": "postgres", **PARTS})
"""What Directus' snapshot is before anybody made a collection."""

SETTINGS = SimpleNamespace(waivers=None, api_budget=Budget("API", 500.0, "ms", ""))
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def field(name: str, kind: str, *, special: str = "", **schema: Any) -> dict[str, Any]:
    meta = {"special": [special] if special else None}
    return {"collection": "posts", "field": name, "type": kind, "meta": meta,
            "schema": {"is_nullable": True, **schema}}  # fmt: skip


KEY = field("id", "integer", is_primary_key=True, is_nullable=False, has_auto_increment=True)
AUTHOR = field("user_created", "uuid", special="user-created")


def posts(*fields: dict[str, Any], relations: tuple[dict[str, Any], ...] = ()) -> Snapshot:
    one = {"collection": "posts", "schema": {"name": "posts"}, "meta": {}}
    return Snapshot({**BLANK.raw, "collections": [one], "fields": [KEY, *fields], "relations": list(relations)})


class Production:
    """A production with this schema, and without any configuration of people."""

    system = "production Directus"

    def __init__(self, schema: Snapshot) -> None:
        self._schema = schema

    def snapshot(self) -> Snapshot:
        return self._schema

    def collections(self) -> list[dict[str, Any]]:
        return list(self._schema.collections.values())

    def configuration(self, _: object) -> list[dict[str, Any]]:
        return []


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    return Evidence(tmp_path / "run-1", Ledger(tmp_path / "ledger.jsonl", run="run-1", inputs="i", suite="s"))


def do(evidence: Evidence, line: str, **handles: Any) -> tuple[str, ...]:
    """One line of the runbook, as pytest would call it; what it noted."""
    evidence.begin(line)
    suite.test_of(line)(evidence=evidence, **handles)
    return evidence.notes


def test_a_blank_production_is_exported_and_everything_is_called_new(evidence: Evidence) -> None:
    production = Production(BLANK)
    assert "Production has no collection yet: everything in local's schema is new." in do(
        evidence, "3.1.2", production=production
    )
    assert evidence.read(Snapshot, of="3.1").raw == BLANK.raw
    do(evidence, "3.1.A1", production=production)
    with pytest.raises(AssertionError, match="MIG-"):
        do(evidence, "3.1.A1", production=Production(posts()))


def test_a_snapshot_that_lost_a_part_is_not_taken_for_a_blank_one(evidence: Evidence) -> None:
    cut = Snapshot({name: part for name, part in BLANK.raw.items() if name != "collections"})
    with pytest.raises(AssertionError, match=r'the part "collections"'):
        do(evidence, "3.1.2", production=Production(cut))


def test_nothing_is_timed_where_every_collection_is_new(evidence: Evidence) -> None:
    evidence.begin("1.3.1")
    evidence.write(Inventory(NOW, (CollectionProfile("posts", "id", "integer", singleton=False, columns=("id",)),), ()))
    do(evidence, "3.1.2", production=Production(BLANK))
    handles = {"production": Production(BLANK), "settings": SETTINGS, "progress": lambda *_: None}
    assert do(evidence, "5.2.3", **handles) == (
        "Not applicable yet: no collection of the project is in production before 3.3.",
    )
    assert do(evidence, "5.2.A3", settings=SETTINGS) == (
        "Not applicable yet: production has no collection before 3.3.",
    )
    do(evidence, "3.1.2", production=Production(posts()))
    with pytest.raises(AssertionError):
        do(evidence, "5.2.A3", settings=SETTINGS)


def ruled(evidence: Evidence, local: Snapshot, *edges: RuleCheck) -> tuple[str, ...]:
    """3.4.A4 after 3.4.5 has found these edges in local's schema."""
    evidence.begin("1.2.2")
    evidence.write(local)
    evidence.begin("3.4.5")
    evidence.write(list(edges), "edges")
    return do(evidence, "3.4.A4", settings=SETTINGS, now=NOW)


def test_a_schema_without_rules_needs_none_tried(evidence: Evidence) -> None:
    assert ruled(evidence, posts(field("title", "string"))) == (
        "Not applicable: the schema has no required, unique or default rule and no relation to try.",
    )


def test_a_schema_with_rules_of_one_kind_needs_only_these(evidence: Evidence) -> None:
    local = posts(field("title", "string", is_nullable=False))
    assert ruled(evidence, local, RuleCheck("required", "posts.title", "400", "400")) == ()
    with pytest.raises(AssertionError, match=r"posts\.title"):
        ruled(evidence, local)


TO_USERS = {
    "collection": "posts", "field": "user_created", "related_collection": "directus_users", "meta": {},
    "schema": {"table": "posts", "column": "user_created", "foreign_key_table": "directus_users"},
}  # fmt: skip


def test_an_author_without_a_relation_is_no_reference_that_sql_can_check() -> None:
    """3.4.A5 holds the number of references that were checked against the number there must be."""
    database = cast(PostgresObserver, SimpleNamespace(foreign_keys=lambda _: []))
    checked = audit.references(database, posts(AUTHOR), lambda *_: None)
    assert (len(checked), audit.expected_references(posts(AUTHOR))) == (0, 0)
    assert audit.expected_references(posts(AUTHOR, relations=(TO_USERS,))) == 1
