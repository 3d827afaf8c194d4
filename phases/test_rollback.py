"""Rollback

Purpose     Production is what it was before the migration's first write: code, files, schema, rows, sequences.
Needs       the rollback point of 1.4, its evidence, and an explicit request: pytest phases/ -m rollback
Writes      autodeploy and deploys on Render, the file library, the whole database, the ledger; with ROLLBACK_POSTGRES
            a new database and the backend's variables, instead of the library and the old database
On failure  run the same command again: it observes what was done before it acts, and continues from there
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.marks import action, gate, task_group
from fixtures.model.finding import format_findings
from fixtures.operations.rollback import summaries

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.operations.rollback.rollback_steps import RollbackSteps

pytestmark = task_group("R")


@action("R.1.1", dry_run=True)
def test_the_rollback_point_is_proven(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Verify that the rollback point is whole and proven"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    point, where = rollback_steps.verify_point()
    assert point.proven_at is not None
    return evidence.note(
        f"Roll back to {point.id} of {point.taken_at:%Y-%m-%d %H:%M:%SZ}, {point.rows:,} rows: {where}."
    )


@action("R.1.2", dry_run=True)
def test_live_edits_are_confirmed(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Name what people wrote since the backup, before anything is lost"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    found = rollback_steps.live_edits()
    assert not found or sum(each.rows for each in found) == rollback_steps.accepted_loss
    return evidence.note(summaries.summarize_live_edits(found, into=rollback_steps.into))


@action("R.2.1")
def test_no_push_can_deploy(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Switch autodeploy off"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    found = rollback_steps.autodeploy_off()
    assert {rollback_steps.autodeploy(each) for each in found} == {"off"}
    return evidence.note(f"Autodeploy is off; it was {', '.join(f'{e.trigger} for {e.name}' for e in found)}.")


@action("R.3.1")
def test_the_earlier_code_serves(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Roll both services back to the deploys before the migration"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    done, later = rollback_steps.roll_back_code(), rollback_steps.with_database()
    assert [each.commit for each in done] == [each.commit for each in rollback_steps.earlier() if each not in later]
    return evidence.note(summaries.summarize_code(done, later))


@action("R.4.1")
def test_added_files_are_removed(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Remove the files the import added"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    done = rollback_steps.files()
    findings = rollback_steps.undeleted_files(done)
    assert not findings, format_findings(findings)
    return evidence.note(summaries.summarize_files(done))


@action("R.5.1")
def test_the_database_is_restored(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Restore the database from the backup"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    done = rollback_steps.restore_database()
    findings = rollback_steps.not_restored(done)
    assert not findings, format_findings(findings)
    return evidence.note(summaries.summarize_database(done))


@action("R.5.2")
def test_every_instance_is_restarted(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Clear caches and start the backend anew on what was restored"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    done = rollback_steps.restart_instances()
    assert rollback_steps.directus.ping()
    return evidence.note(done)


@action("R.6.1")
def test_the_schema_is_restored(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Verify that the schema is as it was"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    compared, findings = rollback_steps.schema()
    assert not findings, format_findings(findings)
    return evidence.note(f"{compared}.")


@action("R.6.2")
def test_every_row_is_restored(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Verify that every row and every sequence is as it was"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    compared, findings = rollback_steps.rows()
    assert not findings, format_findings(findings)
    return evidence.note(compared)


@action("R.6.3")
def test_every_file_is_restored(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Verify that every file of the library is there"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    compared, findings = rollback_steps.library()
    assert not findings, format_findings(findings)
    return evidence.note(compared)


@action("R.6.4")
def test_the_site_answers(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Verify that both services serve the earlier code and answer"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    findings = rollback_steps.check_answers()
    assert not findings, format_findings(findings)
    return evidence.note("Both public addresses answer with the code from before.")


@action("R.7.1")
def test_what_came_after_the_backup_is_revoked(rollback_steps: RollbackSteps, evidence: Evidence) -> None:
    """Revoke what came after the backup and set autodeploy back"""
    if rollback_steps.nothing_to_roll_back:
        return evidence.note(rollback_steps.nothing_to_roll_back)
    revoked, found = rollback_steps.revoke(), rollback_steps.autodeploy_as_before()
    assert [rollback_steps.autodeploy(each) for each in found] == [each.trigger for each in found]
    return evidence.note(summaries.summarize_end(revoked, found))


@gate("R")
def test_gate(unpassed_lines: list[str]) -> None:
    """Production is as it was; this migration is closed, and another may begin."""
    assert unpassed_lines == []
