"""What the dry run says is what the import does, on a real Directus: every class of row, exactly once, in silence."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.rows import import_rules, refusals
from fixtures.model.conflict_policy import parse_policies
from fixtures.model.imports import ConflictKind, ImportPlan, ImportResult
from fixtures.model.side_effects import ActivityLog, ActivityMark
from fixtures.operations import lanes
from fixtures.operations.imports import classify, flow_pause, import_plan, library, side_effects
from fixtures.process.waiting import wait_until
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import PICTURE, Migration, Project

LOCAL = [f"1ca10000-0000-4000-8000-00000000000{n}" for n in range(10)]
THEIRS = "9ced0000-0000-4000-8000-000000000001"
ADA, ADA_THERE = "ada00000-0000-4000-8000-000000000001", "ada00000-0000-4000-8000-000000000002"
GONE = "90e00000-0000-4000-8000-000000000001"
MADE, CHANGED = "2024-03-10T02:30:00.123456Z", "2025-11-02T01:30:00.654321Z"


def article(key: int, **more: Any) -> dict[str, Any]:
    stamps = {"user_created": ADA, "user_updated": ADA, "date_created": MADE, "date_updated": CHANGED}
    return {"id": key, "slug": f"a-{key}", "title": f"Article {key}", **stamps, **more}


def every_class(project: Project) -> dict[str, list[dict[str, Any]]]:
    """Production's rows are made; the export's are given."""
    project.person("ada@example.org", ADA_THERE)
    project.rest.post("/items/categories", {"id": THEIRS, "name": "Zoning"})
    project.rest.post("/items/categories", {"id": LOCAL[3], "name": "Edited", "note": "theirs"})
    project.rest.post(
        "/items/articles",
        [
            {"id": 1, "slug": "a-1", "title": "Article 1"},
            {"id": 2, "slug": "a-2", "title": "Theirs"},
            {"id": 3, "slug": "of somebody else", "title": "Another"},
        ],
    )
    return {
        "categories": [
            {"id": LOCAL[1], "name": "Zoning"},
            {"id": LOCAL[2], "name": "Below", "parent": LOCAL[1]},
            {"id": LOCAL[3], "name": "Edited", "note": "ours"},
        ],
        "articles": [
            article(1),
            article(2, title="Ours"),
            article(3),
            article(
                10, category=LOCAL[1], lead=1, owner=ADA,
                body=f'<a href="/content/categories/{LOCAL[1]}">§</a> 1', extra={"rows": [LOCAL[1].upper()], "n": 1.5},
            ),
            article(11, owner=GONE),
            article(12, lead=2),
        ],
        "comments": [
            {"id": 1, "article": 10, "text": "good"},
            {"id": 2, "article": 11, "text": "hangs on a refused one"},
            {"id": 3, "article": 3, "text": "would hang on the wrong one"},
        ],
        "blocks": [
            {"id": 1, "collection": "categories", "item": LOCAL[1]},
            {"id": 2, "collection": "articles", "item": "10"},
            {"id": 3, "collection": "articles", "item": "77"},
        ],
    }  # fmt: skip


def planned(migration: Migration) -> ImportPlan:
    """The dry run, before anything is written."""
    policies = parse_policies(migration.policies)
    look = lanes.class_counter(migration.lane, migration.project.operator, migration.project.url)
    plan, _ = import_plan.review(migration.project.operator, migration.import_set(), policies, look)
    return plan


def outcome_of(result: ImportResult) -> dict[str, tuple[int, ...]]:
    return {
        each.collection: (
            each.created,
            each.identical,
            each.natural_key_matches,
            each.conflicts,
            each.updated,
            each.refused,
        )
        for each in result.outcomes
        if not each.collection.startswith("directus_")
    }


def plan_of(plan: ImportPlan) -> dict[str, tuple[int, ...]]:
    return {
        each.collection: (
            each.create,
            each.identical,
            each.natural_key_matches,
            each.conflicts,
            each.update,
            each.refused,
        )
        for each in plan.collections
    }


def writes(project: Project) -> tuple[Any, ...]:
    """Counters of everything Directus writes down when somebody writes."""
    return tuple(
        project.ask(f"SELECT count(*), max(id)::text FROM {table}")[0]
        for table in ("directus_activity", "directus_revisions", "directus_notifications")
    )


def test_the_import_does_what_the_dry_run_said_and_again_nothing(project: Project, tmp_path: Path) -> None:
    migration = Migration(
        project, tmp_path, every_class(project), people={ADA: ADA_THERE}, policies="keep,categories=update"
    )
    untouched = writes(project)
    plan = planned(migration)
    assert writes(project) == untouched
    assert plan_of(plan) == {
        # create, identical, other key, conflicts, update, refused
        "articles": (1, 1, 0, 2, 0, 2),
        "blocks": (2, 0, 0, 0, 0, 1),
        "categories": (1, 0, 1, 0, 1, 0),
        "comments": (1, 0, 0, 0, 0, 2),
    }
    assert {(each.collection, each.key, each.code) for each in plan.refusals} == {
        ("articles", "11", refusals.UNKNOWN_USER),
        ("articles", "12", refusals.DANGLING),
        ("blocks", "3", refusals.DANGLING),
        ("comments", "2", refusals.DANGLING),
        ("comments", "3", refusals.KEY_COLLISION),
    }
    result = migration.run()
    assert outcome_of(result) == plan_of(plan)
    assert {(each.collection, each.key) for each in result.refusals} == {
        (each.collection, each.key) for each in plan.refusals
    }
    assert import_rules.outcome_count_mismatches(result.outcomes) == []

    settled = writes(project)
    content = {name: project.ask(f"SELECT * FROM {name} ORDER BY id") for name in classify_names(plan)}
    second = migration.run()
    assert (second.created, second.updated, second.completed) == (0, 0, 0)
    assert writes(project) == settled
    assert {name: project.ask(f"SELECT * FROM {name} ORDER BY id") for name in content} == content


def classify_names(plan: ImportPlan) -> list[str]:
    return [each.collection for each in plan.collections]


def test_references_lead_to_the_twin_everywhere_and_production_keeps_its_own(project: Project, tmp_path: Path) -> None:
    migration = Migration(
        project, tmp_path, every_class(project), people={ADA: ADA_THERE}, policies="keep,categories=update"
    )
    result = migration.run()
    assert [(c.key, c.production_key) for c in result.conflicts if c.kind is ConflictKind.NATURAL_KEY_MATCH] == [
        (LOCAL[1], THEIRS)
    ]
    ((category, owner, body, extra, lead),) = project.ask(
        "SELECT category::text, owner::text, body, extra, lead FROM articles WHERE id = 10"
    )
    assert (category, owner, lead) == (THEIRS, ADA_THERE, 1)
    assert body == f'<a href="/content/categories/{THEIRS}">§</a> 1'
    assert extra == {"rows": [THEIRS], "n": 1.5}
    assert project.ask("SELECT parent::text FROM categories WHERE id = %s", LOCAL[2]) == [(THEIRS,)]
    assert project.ask("SELECT item FROM blocks ORDER BY id") == [(THEIRS,), ("10",)]
    # An edited row under `keep` stays, under `update` becomes local's, and what it was before is kept.
    assert project.ask("SELECT title FROM articles WHERE id IN (2, 3) ORDER BY id") == [("Theirs",), ("Another",)]
    assert project.ask("SELECT note FROM categories WHERE id = %s", LOCAL[3]) == [("ours",)]
    assert migration.journal.before == {"categories": {LOCAL[3]: {"note": "theirs"}}}


def test_stamps_and_authors_are_those_of_local_to_the_microsecond(project: Project, tmp_path: Path) -> None:
    rows = every_class(project)
    own = project.ask("SELECT id, date_created, user_created FROM articles ORDER BY id")
    migration = Migration(project, tmp_path, rows, people={ADA: ADA_THERE}, policies="keep")
    result = migration.run()
    assert result.stamps is not None
    assert (result.stamps.rows, result.stamps.not_verifiable) == (1, ())
    ((made, changed, author, editor),) = project.ask(
        """SELECT to_char(date_created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  to_char(date_updated AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  user_created::text, user_updated::text FROM articles WHERE id = 10"""
    )
    assert (made, changed, author, editor) == (MADE, CHANGED, ADA_THERE, ADA_THERE)
    # Production's own rows keep theirs, and a later edit is never dated back.
    assert project.ask("SELECT id, date_created, user_created FROM articles WHERE id < 10 ORDER BY id") == own
    project.rest.patch("/items/articles/10", {"title": "Edited by an editor"})
    edited = project.ask("SELECT date_updated FROM articles WHERE id = 10")
    migration.run()
    assert project.ask("SELECT date_updated FROM articles WHERE id = 10") == edited


def test_stamps_that_may_not_be_restored_are_not_called_right(project: Project, tmp_path: Path) -> None:
    migration = Migration(
        project, tmp_path, {"articles": [article(10)]}, people={ADA: project.person("ada@example.org", ADA)}
    )
    migration.stamps = False
    result = migration.run()
    assert result.stamps is not None
    assert "articles.date_created" in result.stamps.not_verifiable
    assert result.stamps.seen == 0


def test_a_row_that_changed_after_it_was_compared_is_not_updated(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody edits production's row between the look and the write: their edit stays, and the row is named."""
    project.rest.post("/items/categories", {"id": LOCAL[3], "name": "Edited", "note": "theirs"})
    rows = {"categories": [{"id": LOCAL[3], "name": "Edited", "note": "ours"}]}
    migration = Migration(project, tmp_path, rows, policies="update")
    read = classify.classify_collections

    def read_then_edited(*given: Any, **named: Any) -> classify.ClassifiedCollections:
        found = read(*given, **named)
        project.rest.patch(f"/items/categories/{LOCAL[3]}", {"note": "edited meanwhile"})
        return found

    monkeypatch.setattr(classify, "classify_collections", read_then_edited)
    result = migration.run()
    assert [(each.key, each.code) for each in result.refusals] == [(LOCAL[3], "CHANGED_MEANWHILE")]
    assert project.ask("SELECT note FROM categories") == [("edited meanwhile",)]
    assert migration.journal.before == {}


def test_a_key_somebody_took_meanwhile_is_refused_and_never_called_ours(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor's row gets the next number between the look and the write: it stays, and ours is named."""
    migration = Migration(project, tmp_path, {"articles": [article(10), article(11)]}, people={ADA: ADA})
    project.person("ada@example.org", ADA)
    read = classify.classify_collections

    def read_then_taken(*given: Any, **named: Any) -> classify.ClassifiedCollections:
        found = read(*given, **named)
        project.rest.post("/items/articles", {"id": 11, "slug": "theirs", "title": "A visitor's"})
        return found

    monkeypatch.setattr(classify, "classify_collections", read_then_taken)
    result = migration.run()
    assert [(each.key, each.code) for each in result.refusals] == [("11", "RECORD_NOT_UNIQUE")]
    assert project.ask("SELECT id, title FROM articles ORDER BY id") == [(10, "Article 10"), (11, "A visitor's")]
    assert migration.journal.sent_keys == {"articles": {"10"}}


def canary(project: Project) -> dict[str, Any]:
    """An active flow that would notice every new article."""
    options = {"type": "action", "scope": ["items.create"], "collections": ["articles"]}
    told = {"name": "Canary", "status": "active", "trigger": "event", "accountability": "all", "options": options}
    flow: dict[str, Any] = project.rest.post("/flows", told)
    step = {"flow": flow["id"], "name": "Note", "key": "note", "type": "log", "position_x": 19, "position_y": 1}
    note = project.rest.post("/operations", {**step, "options": {"message": "noticed"}})
    project.rest.patch(f"/flows/{flow['id']}", {"operation": note["id"]})
    return flow


def heard(project: Project, since: ActivityMark) -> ActivityLog:
    """What production wrote down, once it has had the time to write down the run of a flow."""
    with PostgresObserver(project.url) as database:
        who = str(project.operator.me()["id"])
        return side_effects.read_activity(database, since, who=who)


def marked(project: Project) -> ActivityMark:
    with PostgresObserver(project.url) as database:
        return side_effects.mark(database)


def test_no_flow_runs_and_nothing_is_written_down_but_the_rows(project: Project, tmp_path: Path) -> None:
    """The canary sings when nobody keeps it quiet, and that is seen; paused, it does not, and is active again."""
    canary(project)
    rows = {"articles": [{"id": key, "slug": f"s-{key}", "title": "x"} for key in range(1, 121)]}
    flows = flow_pause.triggered_flows(project.operator, ["articles"])
    assert [finding.code for finding in flow_pause.unpausable_flows(flows, may_pause=False)] == ["MIG-420"]
    assert flow_pause.unpausable_flows(flows, may_pause=True) == []

    since = marked(project)
    with flow_pause.pause_flows(project.operator, ["articles"], journal=tmp_path / "flows.json"):
        result = Migration(project, tmp_path / "quiet", rows).run()
    found = heard(project, since)
    assert (found.flow_runs, found.created["articles"], found.revisions["articles"]) == (0, 120, 120)
    assert side_effects.unexpected(found, result.outcomes) == []
    assert [flow["name"] for flow in flow_pause.triggered_flows(project.operator, ["articles"])] == ["Canary"]

    project.ask("TRUNCATE articles CASCADE")
    since = marked(project)
    loud = Migration(project, tmp_path / "loud", rows).run()
    found = wait_until(
        lambda: heard(project, since), until=lambda seen: seen.flow_runs == 120, deadline_s=20, every_s=0.1,
        reason="every run of the canary is written down",
    )  # fmt: skip
    assert {finding.code for finding in side_effects.unexpected(found, loud.outcomes)} == {"MIG-425"}


def test_files_come_with_their_bytes_and_all_that_is_said_of_them(project: Project, tmp_path: Path) -> None:
    """Same id, same bytes, tags and focal point; who uploaded it and when as in local; small pictures are made."""
    project.person("ada@example.org", ADA_THERE)
    said = {
        "id": LOCAL[5], "title": "Eight pixels", "filename_download": "red.png", "type": "image/png",
        "filesize": str(len(PICTURE)), "tags": ["red", "small"], "focal_point_x": 3, "focal_point_y": 4,
        "uploaded_by": ADA, "uploaded_on": MADE, "created_on": MADE, "modified_by": None, "modified_on": CHANGED,
    }  # fmt: skip
    migration = Migration(project, tmp_path, {}, people={ADA: ADA_THERE}, library=[said])
    result = migration.run()
    assert [each.created for each in result.outcomes if each.collection == "directus_files"] == [1]
    assert project.operator.asset_digest(LOCAL[5]).sha256 == hashlib.sha256(PICTURE).hexdigest()
    ((tags, x, who, when, changed),) = project.ask(
        "SELECT tags::jsonb, focal_point_x, uploaded_by::text,"
        """ to_char(uploaded_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),"""
        """ to_char(modified_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM directus_files"""
    )
    assert (tags, x, who, when, changed) == (["red", "small"], 3, ADA_THERE, MADE, CHANGED)
    spoken, wrong = library.check_thumbnail(project.operator, migration.import_set().assets)
    assert (spoken, wrong) == ("Production makes a thumbnail of red.png (image/png).", [])
    settled = writes(project)
    assert migration.run().created == 0
    assert writes(project) == settled


def test_a_file_no_small_picture_can_be_made_of_is_named(project: Project, tmp_path: Path) -> None:
    said = {"id": LOCAL[6], "title": "x", "filename_download": "gone.png", "type": "image/png"}
    migration = Migration(project, tmp_path, {}, library=[said])
    _, wrong = library.check_thumbnail(project.operator, migration.import_set().assets)
    assert [finding.code for finding in wrong] == ["MIG-426"]
