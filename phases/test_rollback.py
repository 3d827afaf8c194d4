"""The way back

Purpose     Production is what it was before the migration's first write: code, files, schema, rows, sequences.
Needs       the rollback point of 1.4, its evidence, and somebody who asked for it: pytest phases/ -m rollback
Writes      autodeploy and deploys on Render, the file library, the whole database, the ledger; with ROLLBACK_POSTGRES
            a new database and the backend's variables, instead of the library and the old database
On failure  run the same command again: it looks at what was done before it acts, and goes on from there
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.marks import action, gate, task_group
from fixtures.model.finding import told
from fixtures.operations.rollback import rollback, spoken

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.operations.rollback.going_back import WayBack

pytestmark = task_group("R")


@action("R.1.1", dry_run=True)
def test_there_is_a_way_back(way_back: WayBack, evidence: Evidence) -> None:
    """Verify that the rollback point is whole and proven"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    point, where = way_back.verified()
    assert point.proven_at is not None
    return evidence.say(
        f"Going back to {point.id} of {point.taken_at:%Y-%m-%d %H:%M:%SZ}, {point.rows:,} rows: {where}."
    )


@action("R.1.2", dry_run=True)
def test_nobody_loses_work_unasked(way_back: WayBack, evidence: Evidence) -> None:
    """Name what people wrote since the backup, before anything is lost"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    found = way_back.live_work()
    assert not found or sum(each.rows for each in found) == way_back.loses
    return evidence.say(spoken.spoken_work(found, into=way_back.into))


@action("R.2.1")
def test_no_push_can_deploy(way_back: WayBack, evidence: Evidence) -> None:
    """Switch autodeploy off"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    found = way_back.autodeploy_off()
    assert {way_back.autodeploy(each) for each in found} == {"off"}
    return evidence.say(f"Autodeploy is off; it was {', '.join(f'{e.trigger} for {e.name}' for e in found)}.")


@action("R.3.1")
def test_the_earlier_code_serves(way_back: WayBack, evidence: Evidence) -> None:
    """Roll both services back to the deploys before the migration"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    done, later = way_back.code(), way_back.with_database()
    assert [each.commit for each in done] == [each.commit for each in way_back.earlier() if each not in later]
    return evidence.say(spoken.spoken_code(done, later))


@action("R.4.1")
def test_added_files_are_gone(way_back: WayBack, evidence: Evidence) -> None:
    """Remove the files the import added"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    done = way_back.files()
    assert not set(done.removed) & set(done.kept)
    return evidence.say(spoken.spoken_files(done))


@action("R.5.1")
def test_the_database_is_restored(way_back: WayBack, evidence: Evidence) -> None:
    """Restore the database from the backup"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    done = way_back.restored()
    assert done.backup == rollback.point(evidence).id
    return evidence.say(spoken.spoken_database(done))


@action("R.5.2")
def test_no_instance_knows_the_new_schema(way_back: WayBack, evidence: Evidence) -> None:
    """Clear caches and start the backend anew on what was restored"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    done = way_back.awake()
    assert way_back.directus.ping()
    return evidence.say(done)


@action("R.6.1")
def test_the_schema_is_as_it_was(way_back: WayBack, evidence: Evidence) -> None:
    """Verify that the schema is as it was"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    compared, findings = way_back.schema()
    assert not findings, told(findings)
    return evidence.say(f"{compared}.")


@action("R.6.2")
def test_every_row_is_as_it_was(way_back: WayBack, evidence: Evidence) -> None:
    """Verify that every row and every sequence is as it was"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    compared, findings = way_back.rows()
    assert not findings, told(findings)
    return evidence.say(compared)


@action("R.6.3")
def test_every_file_is_there(way_back: WayBack, evidence: Evidence) -> None:
    """Verify that every file of the library is there"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    compared, findings = way_back.library()
    assert not findings, told(findings)
    return evidence.say(compared)


@action("R.6.4")
def test_the_site_answers(way_back: WayBack, evidence: Evidence) -> None:
    """Verify that both services serve the earlier code and answer"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    findings = way_back.unanswered()
    assert not findings, told(findings)
    return evidence.say("Both public addresses answer with the code from before.")


@action("R.7.1")
def test_what_came_after_the_backup_is_revoked(way_back: WayBack, evidence: Evidence) -> None:
    """Revoke what came after the backup and set autodeploy back"""
    if way_back.idle:
        return evidence.say(way_back.idle)
    revoked, found = way_back.revoked(), way_back.autodeploy_as_before()
    assert [way_back.autodeploy(each) for each in found] == [each.trigger for each in found]
    return evidence.say(spoken.spoken_end(revoked, found))


@gate("R")
def test_gate(unmet: list[str]) -> None:
    """Production is as it was; this migration is closed, and another may begin."""
    assert unmet == []
