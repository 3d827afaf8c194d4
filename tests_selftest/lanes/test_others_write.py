"""While a migration runs, visitors and editors go on: their rows are told apart from ours, and no loss hides behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.checks.rows import audit as audit_rules
from fixtures.checks.rows import data_rules, import_rules
from fixtures.model.audit import FinalCount
from fixtures.model.imports import ImportResult
from fixtures.model.row_account import RowAccount
from fixtures.model.rows import CollectionVerification
from fixtures.operations import lanes
from fixtures.operations.preservation import existing_rows, fingerprint
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.operations.verification import audit, data_audit, row_accounts, verify
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import Migration, Project, column, serial

IMPORTED = {"comments": ["21", "22"], "articles": ["10", "11", "12"]}
ROWS: dict[str, list[dict[str, Any]]] = {
    "articles": [{"id": key, "slug": f"a-{key}", "title": f"Article {key}"} for key in (10, 11, 12)],
    "comments": [{"id": key, "article": 10, "text": f"Comment {key}"} for key in (21, 22)],
}
CHROME = {"Authorization": f"Bearer {'1a' * 24}", "User-Agent": "Mozilla/5.0 Chrome/150"}
ADMIN = "admin@example.org"


def silent(*_: object) -> None:
    """Nobody watches."""


class Live:
    """A production with rows of its own, an import, and people who write meanwhile."""

    def __init__(self, project: Project, folder: Path, lane: str) -> None:
        self.project = project
        project.rest.post("/items/articles", [{"id": key, "slug": f"own-{key}", "title": "own"} for key in (1, 2, 3)])
        self.before = InitialRows(fingerprint.record(project.url, folder, silent), folder)
        by_key = replace(self.before, value=replace(self.before.value, horizon=None))
        self.readings: tuple[InitialRows, ...] = (self.before, by_key)
        self.migration = Migration(project, folder / "m", ROWS, lane=lane)
        self.result: ImportResult = self.migration.run()

    def person(self, method: str, path: str, body: Any = None) -> None:
        """A request of somebody with a browser."""
        httpx.request(method, f"{self.project.running.url}{path}", json=body, headers=CHROME).raise_for_status()

    def visitor(self) -> None:
        self.person("POST", "/items/comments", {"article": 1, "text": "Nice"})

    @contextmanager
    def database(self) -> Iterator[PostgresObserver]:
        with PostgresObserver(self.project.url) as observer:
            yield observer

    def accounts(self, imported: Mapping[str, Sequence[str]]) -> dict[str, RowAccount]:
        """With earlier rows known by their version where they can be; by their keys, it must be the same."""
        with self.database() as database:
            found = [
                row_accounts.accounts(self.project.operator, self.project.url, database, before, imported)
                for before in self.readings
            ]
        assert all(each == found[0] for each in found)
        return found[0]

    def progress(self) -> tuple[list[str], list[RowAccount]]:
        """4.2.5: what is wrong, and whose the rows are of the collections with another count."""
        counted = data_audit.recount(self.result.outcomes, self.project.operator)
        uneven = data_audit.uneven(self.result.outcomes, counted)
        found = self.accounts({name: IMPORTED.get(name, []) for name in uneven})
        wrong = import_rules.outcome_count_mismatches(counted, found)
        return [each.code for each in wrong], list(found.values())

    def audited(self) -> tuple[list[str], list[FinalCount]]:
        """5.3.A2."""
        imported = {name: IMPORTED.get(name, []) for name in ROWS}
        counts = audit.final_counts(
            self.project.operator, sorted(self.project.snapshot.tables), before=self.before, imported=imported,
            account=self.accounts, on_item=silent,
        )  # fmt: skip
        return [each.code for each in audit_rules.count_mismatches(counts)], counts

    def left(self) -> dict[str, int]:
        """4.3.A7."""
        observe = lanes.class_counter(self.migration.lane, self.project.operator, self.project.url, reread=True)
        with self.database() as database:
            return data_audit.remaining_imports(
                self.project.operator, self.migration.import_set(invalid_rows={}), (), observe,
                lambda: existing_rows.live_writes(database, self.before.value.taken_at),
            )  # fmt: skip

    def verified(self) -> tuple[list[str], list[str], dict[str, CollectionVerification]]:
        """4.3.1 and 4.3.2."""
        with self.database() as database:
            readings = [
                verify.rows(
                    self.project.operator, self.project.url, self.migration.import_set(invalid_rows={}), before, (),
                    progress=silent,
                    live_writes=lambda: existing_rows.live_writes(database, self.before.value.taken_at),
                )
                for before in self.readings
            ]  # fmt: skip
        found = readings[0]
        assert all(each == found for each in readings)
        values = [*data_rules.value_mismatches(found), *data_rules.stamp_mismatches(found)]
        return (
            [each.code for each in data_rules.count_mismatches(found)],
            [each.where for each in values],
            {each.collection: each for each in found},
        )


@pytest.fixture(params=["api", "sql"])
def live(request: pytest.FixtureRequest, project: Project, tmp_path: Path) -> Live:
    return Live(project, tmp_path, request.param)


def test_a_quiet_production_is_accounted_for_without_others(live: Live) -> None:
    assert live.progress() == ([], [])
    wrong, counts = live.audited()
    assert wrong == []
    assert {each.collection: each.now for each in counts if each.migrated} == {"articles": 6, "comments": 2}
    numbers, values, found = live.verified()
    assert (numbers, values) == ([], [])
    assert [each.by_people for each in found.values() if each.by_people] == []


def test_a_visitors_row_is_named_and_stops_no_line(live: Live) -> None:
    live.visitor()
    wrong, (account,) = live.progress()
    assert wrong == []
    assert (account.collection, account.by_others, account.missing) == ("comments", 1, ())
    assert row_accounts.summarize([account]) == ["Made by others meanwhile: 1 row(s) of comments; they stay."]
    wrong, counts = live.audited()
    assert wrong == []
    assert [each.account.by_others for each in counts if each.account and each.collection == "comments"] == [1]
    numbers, values, found = live.verified()
    assert (numbers, values, found["comments"].unexpected) == ([], [], 1)
    assert data_audit.summarize_others(found.values()) == ["Made by others meanwhile: 1 row(s) of comments; they stay."]


LOSSES: dict[str, Callable[[Live], object]] = {
    "ours": lambda live: live.project.ask("DELETE FROM comments WHERE id = 22"),
    "of before": lambda live: live.project.ask("DELETE FROM articles WHERE id = 3"),
}


@pytest.mark.parametrize("visitors", [False, True], ids=["alone", "with a visitor's row in its place"])
@pytest.mark.parametrize("which", LOSSES)
def test_a_row_that_is_gone_stays_red(live: Live, which: str, visitors: bool) -> None:
    """Also where a visitor's new row makes the count right."""
    LOSSES[which](live)
    if visitors:
        live.visitor()
        live.person("POST", "/items/articles", {"slug": "new", "title": "A reader's"})
    name, key = ("comments", "22") if which == "ours" else ("articles", "3")
    assert live.audited()[0] == ["MIG-551"]
    (count,) = [each for each in live.audited()[1] if each.account and each.account.missing]
    assert (count.collection, count.account and count.account.missing) == (name, (key,))
    assert [each.code for each in audit_rules.count_mismatches([count])] == ["MIG-551"], "only the visitor was seen"
    numbers, _, found = live.verified()
    assert numbers == (["MIG-433"] if which == "ours" else ["MIG-432", "MIG-433"])
    assert found[name].by_people == ()
    if not visitors:
        assert live.progress()[0] == ["MIG-423"]


def test_what_a_person_deleted_or_edited_is_theirs_and_listed(live: Live) -> None:
    live.person("DELETE", "/items/comments/22")
    live.person("DELETE", "/items/articles/3")
    live.person("PATCH", "/items/articles/11", {"title": "Better"})
    assert live.progress()[0] == []
    assert live.left() == {}
    wrong, counts = live.audited()
    assert wrong == []
    assert sorted(row_accounts.summarize(each.account for each in counts if each.account)) == [
        f"Deleted by {ADMIN}: 1 row(s) of articles, keys 3.",
        f"Deleted by {ADMIN}: 1 row(s) of comments, keys 22.",
    ]
    numbers, values, found = live.verified()
    assert (numbers, values) == ([], [])
    assert data_audit.summarize_others(found.values()) == [
        f"{ADMIN} edited meanwhile: articles 11.",
        f"{ADMIN} deleted meanwhile: articles 3.",
        f"{ADMIN} deleted meanwhile: comments 22.",
    ]
    assert {name: (each.in_file, each.equal + each.kept + each.edited) for name, each in found.items()} == {
        "articles": (3, 3), "blocks": (0, 0), "categories": (0, 0), "comments": (2, 2)
    }  # fmt: skip


def test_a_persons_edit_explains_no_row_that_is_gone_and_no_other_row(live: Live) -> None:
    live.person("PATCH", "/items/articles/11", {"title": "Better"})
    live.person("PATCH", "/items/articles/12", {"title": "Better"})
    live.project.ask("DELETE FROM articles WHERE id = 12")
    live.project.ask("UPDATE articles SET title = 'spoiled' WHERE id = 10")
    assert live.audited()[0] == ["MIG-551"]
    assert live.left() == {"articles": 2}
    numbers, values, _ = live.verified()
    assert numbers == ["MIG-433"]
    assert sorted(set(values)) == ["production · articles · key 10", "production · articles · key 12"]


def test_a_row_made_between_the_two_counts_is_no_hidden_row(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database was read, then a visitor writes, then the API counts: nothing is hidden by a cache."""
    count, written = DirectusOperator.count, list[str]()

    def meanwhile(self: DirectusOperator, collection: str, **more: Any) -> int:
        if collection == "comments" and not written:
            written.append(collection)
            live.visitor()
        return count(self, collection, **more)

    monkeypatch.setattr(DirectusOperator, "count", meanwhile)
    live.readings = (live.before,)  # the visitor writes in one of them
    assert live.verified()[0] == []
    written.clear()
    assert live.audited()[0] == []


def test_a_row_the_api_hides_is_still_seen(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    count = DirectusOperator.count
    monkeypatch.setattr(
        DirectusOperator, "count", lambda self, name, **more: count(self, name, **more) - (name == "comments")
    )
    assert live.verified()[0] == ["MIG-431", "MIG-433"]
    assert live.audited()[0] == ["MIG-551"]


def test_a_row_of_others_that_the_api_cannot_give_is_not_read_beside_the_exported_ones(
    project: Project, tmp_path: Path
) -> None:
    """A moment that JSON has no form for: Directus 11.17.4 answers 500 to a list that holds it."""
    fields = [serial(), column("name"), column("at", "timestamp")]
    project.rest.post("/collections", {"collection": "g_events", "schema": {}, "meta": {}, "fields": fields})
    try:
        migration = Migration(
            project, tmp_path, {"g_events": [{"id": 1, "name": "ours"}]}, snapshot=project.snapshot_with("g_events")
        )
        migration.run()
        project.ask("INSERT INTO g_events (id, name, at) VALUES (50, 'theirs', 'infinity')")
        before = InitialRows(fingerprint.record(project.url, tmp_path, silent), tmp_path)
        found = verify.rows(project.operator, project.url, migration.import_set(), before, (), progress=silent)
        (events,) = [each for each in found if each.collection == "g_events"]
        assert (events.now, events.now_sql, events.keys, events.different) == (2, 2, ("1",), ())
    finally:
        project.rest.delete("/collections/g_events")
