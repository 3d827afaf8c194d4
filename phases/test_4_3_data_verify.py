"""4.3  Data Migration Verification

Purpose     Every exported row is in production as it was in local, and everything production had is still there.
Needs       4.2 data imported
Writes      scratch rows of its own in production, all deleted again
On failure  STOP: restore the database from the backup of gate 1.4, investigate, then begin again at 3.1
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fixtures.checks.backups import row_preservation
from fixtures.checks.rows import audit, data_rules
from fixtures.checks.site import access, rule_checks
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.audit import ReferenceCheck
from fixtures.model.directus_configuration import Configuration
from fixtures.model.finding import format_findings
from fixtures.model.imports import ImportResult
from fixtures.model.rows import CollectionVerification, Duplicates, RelationCheck
from fixtures.model.snapshot import Snapshot
from fixtures.model.visit import ApiCall
from fixtures.operations import lanes, unfinished
from fixtures.operations.carry import planning, verification
from fixtures.operations.imports import flow_pause, import_inputs
from fixtures.operations.preservation import existing_rows
from fixtures.operations.schema import schema_plan
from fixtures.operations.scratch_rows import related
from fixtures.operations.verification import audit as auditing
from fixtures.operations.verification import data_audit, library_audit, relation_checks, row_accounts, verify
from fixtures.operations.verification.chosen_references import MAX_FOLLOWED

if TYPE_CHECKING:
    from datetime import datetime

    from fixtures.evidence.store import Evidence
    from fixtures.model.secret import Secret
    from fixtures.operations.preservation.existing_rows import ComparisonContext
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver, DirectusOperator, DirectusSandbox
    from fixtures.systems.postgres.observer import PostgresObserver

pytestmark = task_group("4.3")


@action("4.3.1")
def test_counts_are_as_expected(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Verify item counts per collection"""
    import_set = import_inputs.import_set(evidence, settings, production)
    conflicts, before = evidence.read(ImportResult, of="4.2").conflicts, existing_rows.initial_rows(evidence)
    people = partial(existing_rows.live_writes, database, before.value.taken_at)
    found = verify.rows(production, database_url, import_set, before, conflicts, progress=progress, live_writes=people)
    evidence.write(found, "verified")
    findings = data_rules.count_mismatches(found)
    assert not findings, format_findings(findings)
    evidence.note(
        f"{len(found)} collections, {sum(each.now for each in found):,} rows: as many as before and imported together, "
        "by the API and by SQL."
    )
    for sentence in data_audit.summarize_others(found):
        evidence.note(sentence)


@action("4.3.2")
def test_every_row_holds_its_values(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
) -> None:
    """Spot-check sample items"""
    found = evidence.read(list[CollectionVerification], of="4.3", name="verified")
    result = evidence.read(ImportResult, of="4.2")
    exact = result.stamps is None or not result.stamps.not_verifiable
    files = library_audit.verify(
        production,
        database_url,
        import_inputs.import_set(evidence, settings, production),
        result.conflicts,
        {(each.collection, each.key) for each in result.refusals},
        partial(existing_rows.live_writes, database, existing_rows.initial_rows(evidence).value.taken_at),
    )
    evidence.write(files, "library")
    findings = [
        *data_rules.value_mismatches(found),
        *(data_rules.stamp_mismatches(found) if exact else []),
        *data_rules.library_mismatches(files),
    ]
    assert not findings, format_findings(findings)
    evidence.note(library_audit.summarize(files))
    sample = data_audit.sample(found, seed=evidence.folder.name)
    evidence.write(sample, "sample")
    evidence.note(data_audit.summarize_rows(found))
    evidence.note(f"Sample for a manual check: {data_audit.summarize_sample(sample)}.")
    local, before = evidence.read(Configuration, of="1.3"), existing_rows.initial_rows(evidence)
    to_carry = planning.inputs(evidence, settings)
    carried, compared = verification.verify(to_carry, local, before, production, database)
    evidence.write(carried)
    evidence.write(compared)
    findings = verification.findings_of(carried)
    assert not findings, format_findings(findings)
    if settings.carry:
        evidence.note(verification.summarize(carried))


@action("4.3.3")
def test_relationships_are_intact(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Verify relationships intact"""
    import_set = import_inputs.import_set(evidence, settings, production)
    held = database.counts(import_set.order.collections)
    found = relation_checks.check_relations(production, database_url, import_set, held, progress)
    evidence.write(found, "relations")
    findings = data_rules.broken_references(found)
    assert not findings, format_findings(findings)
    evidence.note(
        f"{sum(each.read for each in found):,} references of {len(found)} relations read through the API, both ways: "
        f"each points to the same row as in local. Of a collection with more than {MAX_FOLLOWED:,} rows, so many are"
        " read; 4.3.1 compared the references of all exported ones."
    )


@action("4.3.4")
def test_nothing_is_orphaned(database: PostgresObserver, evidence: Evidence, progress: Progress) -> None:
    """Check for orphaned records"""
    local = evidence.read(Snapshot, of="1.2")
    found = auditing.references(database, local, lambda text, done, of: progress("orphans", text, done, of))
    evidence.write(found, "references")
    findings = audit.orphaned_references(found)
    assert not findings, format_findings(findings)
    evidence.note(f"{len(found)} references checked by SQL (NOT EXISTS; any-relations one by one): 0 orphans.")


@action("4.3.5")
def test_rows_can_be_created_read_updated_and_deleted(
    production_operator: DirectusOperator,
    production_sandbox: DirectusSandbox,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    now: datetime,
) -> None:
    """Test data operations"""
    local, sandbox = evidence.read(Snapshot, of="1.2"), production_sandbox
    waived = schema_plan.accepted_untried(settings.waivers, today=now.date())
    progress("scratch rows", "collections", 0, len(local.tables))
    with flow_pause.pause_flows(
        production_operator, local.tables, journal=import_inputs.paused_flows_file(evidence.ledger)
    ):
        calls = related.exercise_collections(local, local.tables, production_operator, sandbox, waived=waived)
    evidence.write(calls, "calls")
    findings = access.unexpected_answers(calls)
    assert not findings, format_findings(findings)
    evidence.note(f"{len(calls)} requests on scratch rows of {len(local.tables)} collections, all as expected.")
    for sentence in rule_checks.not_tried(calls):
        evidence.note(sentence)


@action("4.3.6")
def test_keys_and_unique_columns_have_no_duplicates(
    database: PostgresObserver, evidence: Evidence, progress: Progress
) -> None:
    """Check for duplicate entries"""
    local = evidence.read(Snapshot, of="1.2")
    found = data_audit.duplicates(database, local, progress)
    evidence.write(found, "duplicates")
    findings = [*data_rules.duplicate_values(found), *data_rules.sequences_behind(database.sequences())]
    assert not findings, format_findings(findings)
    evidence.note(f"{len(found)} keys and unique columns have no duplicate; every sequence is ahead of its column.")


@acceptance("4.3.A1")
def test_counts_match(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
) -> None:
    """Item counts match expectations for all collections"""
    found = evidence.read(list[CollectionVerification], of="4.3", name="verified")
    assert {each.collection for each in found} == set(evidence.read(Snapshot, of="1.2").tables)
    now = production.counts(each.collection for each in found)
    other = [each.collection for each in found if now[each.collection] != each.now]
    before, imported = existing_rows.initial_rows(evidence), auditing.migrated_keys(evidence, settings, other)
    accounts = row_accounts.accounts(production, database_url, database, before, imported)
    assert [name for name, each in accounts.items() if not each.explains(each.now_api - each.known)] == []
    findings = data_rules.count_mismatches(found)
    assert not findings, format_findings(findings)


@acceptance("4.3.A2")
def test_data_is_intact(comparison_context: ComparisonContext, evidence: Evidence) -> None:
    """Sample items verified and data intact"""
    found = evidence.read(list[CollectionVerification], of="4.3", name="verified")
    exported = sum(each.in_file for each in found)
    assert exported == 0 or any(each.equal or each.kept or each.edited for each in found), "no exported row was found"
    if not exported:
        evidence.note("Not applicable: no row was exported.")
    assert [each.collection for each in found if each.equal + each.kept + each.edited != each.in_file] == []
    again = existing_rows.observe(comparison_context)
    was = existing_rows.initial_rows(evidence)
    findings = [
        *row_preservation.losses(again),
        *existing_rows.resent_rows(was, import_inputs.journal(evidence.ledger)),
    ]
    assert not findings, format_findings(findings)
    evidence.note(row_preservation.summarize(again))


@acceptance("4.3.A3")
def test_every_relation_was_read(evidence: Evidence) -> None:
    """All relationships working correctly"""
    found = evidence.read(list[RelationCheck], of="4.3", name="relations")
    assert {each.relation for each in found} == relation_checks.relation_names(evidence.read(Snapshot, of="1.2"))
    assert data_rules.broken_references(found) == []


@acceptance("4.3.A4")
def test_no_orphan_was_found(evidence: Evidence) -> None:
    """No orphaned records found"""
    found = evidence.read(list[ReferenceCheck], of="4.3", name="references")
    assert len(found) >= auditing.expected_references(evidence.read(Snapshot, of="1.2"))
    assert [each for each in found if each.orphans] == []


@acceptance("4.3.A5")
def test_crud_worked_on_every_collection(
    production_sandbox: DirectusSandbox, settings: Settings, evidence: Evidence, now: datetime
) -> None:
    """CRUD operations work on all collections"""
    calls = evidence.read(list[ApiCall], of="4.3", name="calls")
    assert {call.collection for call in calls} == set(evidence.read(Snapshot, of="1.2").tables)
    assert [call for call in calls if not call.right] == []
    findings = rule_checks.not_verifiable(calls, schema_plan.accepted_untried(settings.waivers, today=now.date()))
    assert not findings, format_findings(findings)
    left = unfinished.scratch_rows(production_sandbox)
    assert not left, format_findings(left)


@acceptance("4.3.A6")
def test_no_duplicate_was_found(evidence: Evidence) -> None:
    """No duplicate entries (unless intended)"""
    found = evidence.read(list[Duplicates], of="4.3", name="duplicates")
    assert {each.collection for each in found} == set(evidence.read(Snapshot, of="1.2").tables)
    assert data_rules.duplicate_values(found) == []


@acceptance("4.3.A7", closes=True)
def test_another_import_would_change_nothing(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Data migration fully verified and stable"""
    import_set = import_inputs.import_set(evidence, settings, production)
    observe = lanes.class_counter(settings.import_lane, production, database_url, progress, reread=True)
    people = partial(existing_rows.live_writes, database, existing_rows.initial_rows(evidence).value.taken_at)
    left = data_audit.remaining_imports(
        production,
        import_set,
        evidence.read(ImportResult, of="4.2").conflicts,
        observe,
        people,
        database=database_url,
    )
    assert left == {}, f"another import would do something in {left}"
    evidence.note("Another import would create nothing and change nothing.")


@acceptance("4.3.A8", closes=True)
def test_the_schema_is_unchanged_and_no_write_is_in_doubt(production: DirectusObserver, evidence: Evidence) -> None:
    """Ready for post-migration validation"""
    findings = [
        *unfinished.moved_schema(evidence.read(Snapshot, of="3.4"), production.snapshot(), group="3.4"),
        *unfinished.paused_flows(evidence),
        *unfinished.writes_in_doubt(evidence.ledger.in_doubt),
    ]
    assert not findings, format_findings(findings)


@gate("4.3")
def test_gate(unpassed_lines: list[str]) -> None:
    """Production's data is verified; validation (phase 5) may begin."""
    assert unpassed_lines == []
