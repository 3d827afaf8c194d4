"""3.4  Schema Migration Verification

Purpose     Production's data model is local's, in the files, in the app, in the database and in use.
Needs       3.3 schema applied
Writes      scratch rows of its own in production, all deleted again
On failure  STOP: restore the database from the backup of gate 1.4, investigate, then begin again at 3.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.backups import row_preservation
from fixtures.checks.rows import audit as audited
from fixtures.checks.schema import schema
from fixtures.checks.site import rule_checks
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.audit import ReferenceCheck
from fixtures.model.finding import format_findings
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.plan import SchemaPlan
from fixtures.model.rule_check import RuleCheck
from fixtures.model.snapshot import Snapshot
from fixtures.operations import unfinished
from fixtures.operations.imports import flow_pause, import_inputs
from fixtures.operations.preservation import existing_data, existing_rows
from fixtures.operations.schema import apply, schema_documents, schema_plan, schema_verification
from fixtures.operations.scratch_rows import navigation, related
from fixtures.operations.source import schema_export
from fixtures.operations.verification import audit

if TYPE_CHECKING:
    from datetime import datetime

    from fixtures.evidence.store import Evidence
    from fixtures.model.applied_schema import AppliedSchema
    from fixtures.operations.preservation.existing_rows import ComparisonContext
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver, DirectusOperator, DirectusSandbox
    from fixtures.systems.postgres.observer import PostgresObserver

pytestmark = task_group("3.4")


@action("3.4.1")
def test_the_schema_is_exported_again(production: DirectusObserver, settings: Settings, evidence: Evidence) -> None:
    """Export production schema again"""
    snapshot = production.snapshot()
    path = settings.migration_dir / schema_documents.AFTER_SCHEMA
    size = schema_documents.write_snapshot(path, snapshot)
    assert schema_export.read_snapshot(path).raw == snapshot.raw
    evidence.write(snapshot)
    evidence.note(f"migration/{path.name}, {size:,} bytes, {len(snapshot.fields)} fields.")


@action("3.4.2")
def test_the_schema_is_compared_with_local(settings: Settings, evidence: Evidence) -> None:
    """Compare post-migration schema with local"""
    after = schema_export.read_snapshot(settings.migration_dir / schema_documents.AFTER_SCHEMA)
    local = schema_export.read_snapshot(settings.migration_dir / schema_export.LOCAL_SCHEMA)
    findings = schema.missing_objects(local, after, keeps=evidence.read(SchemaPlan, of="3.2").keeps)
    assert not findings, format_findings(findings)
    own = [difference.name for difference in schema.only_observed(local, after)]
    evidence.write(schema.differences(local, after), "differences")
    evidence.note(
        f"Every object of local is in production as it is; only in production: {', '.join(own) or 'nothing'}."
    )


@action("3.4.3")
def test_every_collection_and_field_exists(
    production: DirectusObserver, database: PostgresObserver, evidence: Evidence
) -> None:
    """Verify all collections present"""
    local = evidence.read(Snapshot, of="1.2")
    findings = existing_data.missing_objects(local, production, database)
    assert not findings, format_findings(findings)
    evidence.note(f"{len(local.tables)} tables with all their columns, in the API, in the app and in the database.")


@action("3.4.4")
def test_every_relationship_works(
    production_operator: DirectusOperator,
    production_sandbox: DirectusSandbox,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    now: datetime,
) -> None:
    """Verify all relationships configured"""
    local = evidence.read(Snapshot, of="1.2")
    waived = schema_plan.accepted_untried(settings.waivers, today=now.date())
    chosen = related.relations(local)
    assert {relation.name for relation in chosen} == set(local.relations)
    progress("scratch rows", "relationships", 0, len(chosen))
    with flow_pause.pause_flows(
        production_operator, local.tables, journal=import_inputs.paused_flows_file(evidence.ledger)
    ):
        found = navigation.exercise_relations(local, chosen, production_operator, production_sandbox, waived=waived)
    evidence.write(found, "navigation")
    findings = rule_checks.failed_rules(found)
    assert not findings, format_findings(findings)
    evidence.note(f"Reached both ways on scratch rows: {rule_checks.summarize(found) or 'there is no relation'}.")
    for sentence in rule_checks.not_tried(found):
        evidence.note(sentence)


@action("3.4.5")
def test_constraints_are_enforced(
    production_operator: DirectusOperator,
    production_sandbox: DirectusSandbox,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    now: datetime,
) -> None:
    """Test edge cases"""
    local = evidence.read(Snapshot, of="1.2")
    sandbox = production_sandbox
    waived = schema_plan.accepted_untried(settings.waivers, today=now.date())
    progress("scratch rows", "edge cases, collections", 0, len(local.tables))
    with flow_pause.pause_flows(
        production_operator, local.tables, journal=import_inputs.paused_flows_file(evidence.ledger)
    ):
        found = related.edge_cases(local, local.tables, production_operator, sandbox, waived=waived)
        found += related.cascades(local, related.relations(local), production_operator, sandbox, waived=waived)
    evidence.write(found, "edges")
    findings = rule_checks.failed_rules(found)
    assert not findings, format_findings(findings)
    evidence.note(f"Tried on scratch rows only: {rule_checks.summarize(found) or 'the schema has no such rule'}.")
    for sentence in rule_checks.not_tried(found):
        evidence.note(sentence)


@action("3.4.6")
def test_nothing_is_orphaned(
    production: DirectusObserver, database: PostgresObserver, evidence: Evidence, progress: Progress
) -> None:
    """Check for orphaned data"""
    local = evidence.read(Snapshot, of="1.2")
    found = audit.references(database, local, lambda text, done, of: progress("orphans", text, done, of))
    evidence.write(found, "references")
    findings = [
        *audited.orphaned_references(found),
        *existing_data.shrunk_collections(evidence.read(Fingerprint, of="1.4"), production),
    ]
    assert not findings, format_findings(findings)
    evidence.note(f"{len(found)} references checked by SQL, no orphan; every existing collection is accessible.")


@acceptance("3.4.A1")
def test_the_diff_is_empty(production: DirectusObserver, source: DirectusObserver, evidence: Evidence) -> None:
    """Production schema matches local schema (verified by diff)"""
    plan, local = evidence.read(SchemaPlan, of="3.2"), evidence.read(Snapshot, of="1.2")
    observed = apply.observe(production, local, plan.admitted)
    findings = apply.not_as_planned(observed, plan)
    findings += schema_verification.unplanned_differences(source, local, evidence.read(Snapshot, of="3.4"), plan)
    assert not findings, format_findings(findings)
    evidence.note(f"Directus' diff, both ways, names only what stays: {', '.join(observed.withheld) or 'nothing'}.")


@acceptance("3.4.A2")
def test_collections_and_fields_match_the_plan(evidence: Evidence) -> None:
    """All collections and fields present and correct"""
    local, after = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="3.4")
    findings = schema.missing_objects(local, after, keeps=evidence.read(SchemaPlan, of="3.2").keeps)
    assert not findings, format_findings(findings)
    assert set(local.tables) <= set(after.tables)


@acceptance("3.4.A3")
def test_every_relation_was_tested(settings: Settings, evidence: Evidence, now: datetime) -> None:
    """All relationships configured and working"""
    local, found = evidence.read(Snapshot, of="1.2"), evidence.read(list[RuleCheck], of="3.4", name="navigation")
    walked, testable = {trial.name for trial in found if trial.held}, related.testable_relations(local)
    assert [name for name in testable if name not in walked] == []
    waived = schema_plan.accepted_untried(settings.waivers, today=now.date())
    findings = rule_checks.not_verifiable([trial for trial in found if trial.name in testable], waived)
    assert not findings, format_findings(findings)
    if not testable:
        evidence.note("Not applicable: no relation has a collection of the project's own rows on its side.")


@acceptance("3.4.A4")
def test_every_constraint_was_tested(settings: Settings, evidence: Evidence, now: datetime) -> None:
    """Edge cases validated"""
    local, found = evidence.read(Snapshot, of="1.2"), evidence.read(list[RuleCheck], of="3.4", name="edges")
    assert [trial for trial in found if not trial.held] == []
    untried = related.untried_rules(local, found)
    assert untried == [], f"no rule was tried of {untried}"
    waived, ruled = schema_plan.accepted_untried(settings.waivers, today=now.date()), related.ruled_collections(local)
    of_rules = [trial for trial in found if trial.name.partition(".")[0] in ruled]
    findings = rule_checks.not_verifiable(of_rules, waived)
    assert not findings, format_findings(findings)
    if not ruled:
        evidence.note("Not applicable: the schema has no required, unique or default rule and no relation to try.")


@acceptance("3.4.A5")
def test_production_data_is_intact(comparison_context: ComparisonContext, evidence: Evidence) -> None:
    """No orphaned data or integrity issues"""
    references = evidence.read(list[ReferenceCheck], of="3.4", name="references")
    assert len(references) >= audit.expected_references(evidence.read(Snapshot, of="1.2"))
    found = existing_rows.observe(comparison_context)
    findings = row_preservation.losses(found)
    assert not findings, format_findings(findings)
    evidence.note(row_preservation.summarize(found))


@acceptance("3.4.A6", closes=True)
def test_the_schema_is_unchanged_since_its_export(
    production: DirectusObserver, applied: AppliedSchema, evidence: Evidence
) -> None:
    """Schema migration fully verified and stable"""
    findings = unfinished.moved_schema(evidence.read(Snapshot, of="3.4"), production.snapshot(), group="3.4")
    assert not findings, format_findings(findings)
    assert not applied.in_doubt


@acceptance("3.4.A7", closes=True)
def test_no_scratch_row_or_paused_flow_is_left(production_sandbox: DirectusSandbox, evidence: Evidence) -> None:
    """Ready to proceed with data migration"""
    findings = [*unfinished.scratch_rows(production_sandbox), *unfinished.paused_flows(evidence)]
    assert not findings, format_findings(findings)
    assert set(evidence.read(Snapshot, of="1.2").tables) <= set(evidence.read(Snapshot, of="3.4").tables)


@gate("3.4")
def test_gate(unpassed_lines: list[str]) -> None:
    """Production's data model is verified; the import may be prepared (4.1)."""
    assert unpassed_lines == []
