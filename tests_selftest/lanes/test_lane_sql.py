"""Lane sql on a real Directus: the same content as lane api, all or nothing, and a lost commit told from a kept one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.model.fingerprint import Fingerprint
from fixtures.model.imports import ImportResult
from fixtures.operations import lanes
from fixtures.operations.imports import import_log
from fixtures.operations.lane_sql import accounting, load_sql
from fixtures.operations.lane_sql.load_sql import CommitRecord
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.operations.verification import verify
from fixtures.systems.failure import InDoubt, Unreachable
from fixtures.systems.postgres.stage import StageSession
from fixtures.systems.postgres.transaction import outcome_of
from tests_selftest.kills.content import differing, digests
from tests_selftest.lanes.project import MODEL, Migration, Project
from tests_selftest.lanes.test_lane_api import ADA, ADA_THERE, GONE, LOCAL, article, every_class
from tests_selftest.lanes.test_lane_api import outcome_of as told

OF_THE_MOMENT = ("articles.date_created", "articles.date_updated", "articles.user_created", "articles.user_updated")
"""Of rows production had: made anew for each lane by this test itself."""


def content(project: Project) -> dict[str, str]:
    """Every table and sequence of the project."""
    found = digests(project.url.reveal())
    return {name: digest for name, digest in found.items() if name.removeprefix("sequence ").split("_id_")[0] in MODEL}


def imported(project: Project, folder: Path, lane: str) -> tuple[ImportResult, dict[str, str]]:
    project.empty()
    rows = every_class(project)
    # Production's own rows were made a moment ago, in both lanes at another one.
    project.ask("UPDATE articles SET date_created = '2026-01-01', date_updated = NULL, user_updated = NULL")
    migration = Migration(
        project, folder / lane, rows, people={ADA: ADA_THERE}, policies="keep,categories=update", lane=lane
    )
    return migration.run(), content(project)


def test_both_lanes_leave_the_same_rows_stamps_and_sequences(project: Project, tmp_path: Path) -> None:
    (api, over_api), (sql, over_sql) = (imported(project, tmp_path, lane) for lane in ("api", "sql"))
    assert told(sql) == told(api)
    assert {(each.collection, each.key, each.code) for each in sql.refusals} == {
        (each.collection, each.key, each.code) for each in api.refusals
    }
    assert set(sql.conflicts) == set(api.conflicts)
    assert differing(over_api, over_sql) == []


def seen(migration: Migration, lane: str, **more: Any) -> dict[str, tuple[Any, ...]]:
    """The classes of all rows as one lane finds them, everything that is named with its reason."""
    look = lanes.class_counter(lane, migration.project.operator, migration.project.url)
    return {
        name: (
            each.before, each.create, each.identical, each.to_backfill, set(each.conflicts),
            set(each.natural_key_matches),
            sorted((one.key, one.code, one.message) for one in each.refused),
        )
        for name, each in look(migration.import_set(**more), ()).items()
    }  # fmt: skip


def every_class_and_chains(project: Project) -> dict[str, list[dict[str, Any]]]:
    """Also rows that hang on refused ones: in a tree, over a circle, over an any-relation, and on themselves."""
    rows = every_class(project)
    project.rest.post("/items/articles", [{"id": 4, "slug": "a-4"}, {"id": 5, "slug": "a-5"}, {"id": 6, "slug": "six"}])
    rows["categories"] += [
        {"id": LOCAL[4], "name": "lost", "parent": GONE},
        {"id": LOCAL[5], "name": "below the lost", "parent": LOCAL[4]},
        {"id": LOCAL[6], "name": "own parent", "parent": LOCAL[6]},
    ]
    rows["articles"] += [
        article(4, title="filled in"), article(5, lead=1), article(6, slug="a-3", title="parts of two"),
        article(13, slug="a-1", title="parts of another"), article(14, category=LOCAL[5], user_updated=GONE),
        article(15, lead=4, category=LOCAL[6]), article(16, user_created=GONE),
    ]  # fmt: skip
    rows["comments"].append({"id": 4, "article": 15, "text": "each the other's"})
    rows["blocks"] += [
        {"id": 4, "collection": "categories", "item": LOCAL[5]},
        {"id": 5, "collection": "articles", "item": "3"},
        {"id": 6, "collection": "articles", "item": None},
    ]
    return rows


@pytest.mark.parametrize(
    "new_columns",
    [frozenset[str](), frozenset({"articles.title", "articles.lead"})],
    ids=["nothing new", "new columns"],
)
def test_both_lanes_see_the_same_before_an_import_and_after_it(
    project: Project, tmp_path: Path, new_columns: frozenset[str]
) -> None:
    migration = Migration(
        project, tmp_path, every_class_and_chains(project), people={ADA: ADA_THERE}, policies="keep", lane="sql"
    )
    untouched = content(project)
    before = seen(migration, "sql", new_columns=new_columns)
    assert before == seen(migration, "api", new_columns=new_columns)
    assert content(project) == untouched
    classes = [sum(numbers) for numbers in zip(*(each[:4] for each in before.values()), strict=True)]
    assert all(classes) == bool(new_columns), "a class no row has would be compared with nothing"
    assert all(any(each[place] for each in before.values()) for place in (4, 5, 6))

    result = migration.run(new_columns=new_columns)
    assert {name: each[1] for name, each in before.items()} == {
        each.collection: each.created for each in result.outcomes if each.collection in MODEL
    }
    after = seen(migration, "sql", new_columns=new_columns)
    assert after == seen(migration, "api", new_columns=new_columns)
    assert {name: each[1] for name, each in after.items()} == dict.fromkeys(MODEL, 0)


def test_a_second_import_writes_nothing_and_says_so(project: Project, tmp_path: Path) -> None:
    migration = Migration(project, tmp_path, every_class(project), people={ADA: ADA_THERE}, policies="keep", lane="sql")
    migration.run()
    before = content(project)
    again = migration.run()
    assert (again.created, again.updated, again.completed) == (0, 0, 0)
    assert content(project) == before
    counts = import_log.tally(tmp_path / "import-log.txt")
    assert counts[import_log.SKIPPED] == again.skipped
    assert counts[import_log.REFUSED] == len(again.refusals)


def test_directus_writes_down_nothing_of_it(project: Project, tmp_path: Path) -> None:
    counters = "SELECT (SELECT count(*) FROM directus_activity), (SELECT count(*) FROM directus_revisions)"
    before = project.ask(counters)
    result = Migration(project, tmp_path, {"articles": [article(1), article(2)]}, people={ADA: ADA}, lane="sql").run()
    assert len(result.refusals) == 2
    project.person("ada@example.org", ADA)
    before = project.ask(counters)
    assert Migration(project, tmp_path, {"articles": [article(1), article(2)]}, lane="sql").run().created == 2
    assert project.ask(counters) == before


@pytest.mark.parametrize("exact", [9007199254740993, -1])
def test_digits_and_moments_are_those_of_the_file(project: Project, tmp_path: Path, exact: int) -> None:
    text, moment = "a\tb\\n\n\r\u2028", "2024-03-10T02:30:00.123456Z"
    row = {"id": 7, "slug": "a", "extra": {"n": exact}, "body": text, "date_created": moment}
    rows = {"articles": [row]}
    Migration(project, tmp_path, rows, lane="sql").run()
    ((extra, body, made),) = project.ask("SELECT extra::text, body, date_created::text FROM articles")
    assert (extra, body, made) == (f'{{"n": {exact}}}', text, "2024-03-10 02:30:00.123456+00")


BAD: dict[str, dict[str, Any]] = {
    "too long": {"id": 2, "title": "x" * 61},
    "no number": {"id": 2, "lead": "seven"},
    "no date": {"id": 2, "date_created": "yesterday"},
    "no such day": {"id": 2, "date_created": "2024-02-31T00:00:00Z"},
    "NUL": {"id": 2, "body": "a\0b"},
    "no key": {"id": None, "slug": "keyless"},
    "unique value twice": {"id": 2, "slug": "a-1"},
    "key twice": {"id": 1, "slug": "other"},
    "nowhere": {"id": 2, "category": "90e00000-0000-4000-8000-000000000009"},
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("standing", [False, True], ids=["empty table", "rows there"])
def test_a_bad_row_is_named_and_those_around_it_arrive(
    project: Project, tmp_path: Path, bad: str, standing: bool
) -> None:
    if standing:
        project.rest.post("/items/articles", [{"id": 100, "slug": "a-100"}])
    rows = [{"id": 1, "slug": "a-1"}, {"slug": "bad", **BAD[bad]}, {"id": 3, "slug": "a-3"}]
    result = Migration(project, tmp_path, {"articles": rows}, lane="sql").run()
    assert [(each.collection, each.key) for each in result.refusals] == [("articles", str(BAD[bad]["id"]))]
    assert [key for (key,) in project.ask("SELECT id FROM articles WHERE id < 100 ORDER BY 1")] == [1, 3]


def test_nothing_stays_of_an_import_that_breaks(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(project)
    monkeypatch.setattr(accounting, "outcome", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Migration(project, tmp_path, {"comments": [], "articles": [{"id": 1, "slug": "a"}]}, lane="sql").run()
    assert content(project) == before


@pytest.mark.parametrize("kept", [True, False], ids=["committed", "taken back"])
def test_a_commit_whose_answer_is_lost_is_settled_by_asking(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    migration = Migration(project, tmp_path, {"articles": [{"id": 1, "slug": "a"}]}, lane="sql")
    commit = StageSession.commit

    def lost(session: StageSession) -> None:
        if kept:
            commit(session)
        session.close()
        raise InDoubt(load_sql._unknown("1"), method="COMMIT", path="", reason="the line was cut")

    with monkeypatch.context() as patch:
        patch.setattr(StageSession, "commit", lost)
        if kept:
            assert migration.run().created == 1
        else:
            with pytest.raises(Unreachable):
                migration.run()
    assert project.ask("SELECT count(*) FROM articles") == [(1 if kept else 0,)]
    again = migration.run()
    assert again.created == (0 if kept else 1)
    assert project.ask("SELECT count(*) FROM articles") == [(1,)]


def test_a_run_that_died_after_its_commit_is_told_by_the_next(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration = Migration(project, tmp_path, {"articles": [{"id": 1, "slug": "a"}]}, lane="sql")
    with monkeypatch.context() as patch:
        patch.setattr(CommitRecord, "remove", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            migration.run()
    result = migration.run()
    assert result.created == 1
    assert import_log.tally(tmp_path / "import-log.txt")[import_log.CREATED] == 1
    assert migration.run().created == 0


def test_the_database_knows_what_became_of_a_transaction(project: Project) -> None:
    with psycopg.connect(project.url.reveal()) as connection:
        row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
        assert row is not None
        assert outcome_of(project.url, row[0]) == "in progress"
        connection.rollback()
    assert outcome_of(project.url, row[0]) == "aborted"
    assert outcome_of(project.url, "999999999999") == "unknown"


def test_verification_sees_a_value_a_row_and_a_stamp_that_changed(project: Project, tmp_path: Path) -> None:
    project.person("ada@example.org", ADA)
    migration = Migration(project, tmp_path, {"articles": [article(n) for n in (1, 2, 3, 4)]}, lane="sql")
    migration.run()

    def verified() -> tuple[int, list[tuple[str, tuple[str, ...]]], dict[str, int]]:
        import_set = migration.import_set()
        nothing = InitialRows(Fingerprint(import_set.export.exported_at, "", (), {}), tmp_path)
        found = verify.rows(project.operator, project.url, import_set, nothing, (), progress=lambda *_: None)
        (articles,) = (each for each in found if each.collection == "articles")
        named = [(row.key, row.columns) for row in articles.different if "over the API" not in row.columns[0]]
        return articles.equal, named, {name: rows for name, rows in articles.stamps.items() if rows}

    assert verified() == (4, [], {})
    project.ask("UPDATE articles SET title = title || ' ' WHERE id = 1")
    project.ask("DELETE FROM articles WHERE id = 2")
    project.ask("UPDATE articles SET date_created = now() WHERE id = 3")
    assert verified() == (2, [("1", ("title",)), ("2", ("missing",))], {"date_created": 1})
