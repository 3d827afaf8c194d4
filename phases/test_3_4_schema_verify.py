"""3.4  Schema Migration Verification

Purpose     Production's data model is local's, in the files, in the app, in the database and in use.
Needs       3.3 schema applied
Writes      scratch rows of its own in production, all deleted again
On failure  STOP: restore the database from the backup of gate 1.4, investigate, then begin again at 3.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.backups import standing
from fixtures.checks.rows import audit as audited
from fixtures.checks.schema import schema
from fixtures.checks.site import trials
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.audit import ReferenceCheck
from fixtures.model.finding import told
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.plan import SchemaPlan
from fixtures.model.snapshot import Snapshot
from fixtures.model.trial import Trial
from fixtures.operations.imports import importing, quiet
from fixtures.operations.schema import apply, schema_papers, schema_proof
from fixtures.operations.source import export
from fixtures.operations.standing import standing_data, standing_rows
from fixtures.operations.trials import family
from fixtures.operations.verification import audit

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.model.secret import Secret
    from fixtures.operations.standing.row_look import Past
    from fixtures.plugins.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver, DirectusOperator, DirectusSandbox
    from fixtures.systems.postgres.observer import PostgresObserver

pytestmark = task_group("3.4")


@action("3.4.1")
def test_the_schema_is_exported_again(production: DirectusObserver, settings: Settings, evidence: Evidence) -> None:
    """Export production schema again"""
    snapshot = production.snapshot()
    path = settings.migration_dir / schema_papers.AFTER_SCHEMA
    size = schema_papers.write_snapshot(path, snapshot)
    assert export.read_snapshot(path).raw == snapshot.raw
    evidence.write(snapshot)
    evidence.say(f"migration/{path.name}, {size:,} bytes, {len(snapshot.fields)} fields.")


@action("3.4.2")
def test_it_is_compared_with_local(settings: Settings, evidence: Evidence) -> None:
    """Compare post-migration schema with local"""
    after = export.read_snapshot(settings.migration_dir / schema_papers.AFTER_SCHEMA)
    local = export.read_snapshot(settings.migration_dir / export.LOCAL_SCHEMA)
    findings = schema.missing(local, after, kept=schema_papers.kept(evidence.read(SchemaPlan, of="3.2")))
    assert not findings, told(findings)
    own = [difference.name for difference in schema.differences(local, after) if difference.only_observed]
    evidence.write(schema.differences(local, after), "differences")
    evidence.say(f"Every object of local is in production as it is; only in production: {', '.join(own) or 'nothing'}.")


@action("3.4.3")
def test_every_collection_and_field_is_there(
    production: DirectusObserver, database: PostgresObserver, evidence: Evidence
) -> None:
    """Verify all collections present"""
    local = evidence.read(Snapshot, of="1.2")
    findings = standing_data.absent(local, production, database)
    assert not findings, told(findings)
    evidence.say(f"{len(local.tables)} tables with all their columns, in the API, in the app and in the database.")


@action("3.4.4")
def test_every_relationship_works(
    production_operator: DirectusOperator, production_sandbox: DirectusSandbox, evidence: Evidence, progress: Progress
) -> None:
    """Verify all relationships configured"""
    local = evidence.read(Snapshot, of="1.2")
    chosen = family.relations(local)
    assert {relation.name for relation in chosen} == set(local.relations)
    progress("scratch rows", "relationships", 0, len(chosen))
    with quiet.quiet(production_operator, local.tables, journal=importing.paused_flows(evidence.ledger)):
        found = family.navigation(local, chosen, production_operator, production_sandbox)
    evidence.write(found, "navigation")
    findings = trials.broken(found)
    assert not findings, told(findings)
    evidence.say(f"Reached both ways on scratch rows: {trials.counted(found)}.")


@action("3.4.5")
def test_edge_cases_hold(
    production_operator: DirectusOperator, production_sandbox: DirectusSandbox, evidence: Evidence, progress: Progress
) -> None:
    """Test edge cases"""
    local = evidence.read(Snapshot, of="1.2")
    progress("scratch rows", "edge cases, collections", 0, len(local.tables))
    with quiet.quiet(production_operator, local.tables, journal=importing.paused_flows(evidence.ledger)):
        found = family.edge_cases(local, local.tables, production_operator, production_sandbox)
        found += family.cascades(local, family.relations(local), production_operator, production_sandbox)
    evidence.write(found, "edges")
    findings = trials.broken(found)
    assert not findings, told(findings)
    evidence.say(f"Tried on scratch rows only: {trials.counted(found)}.")


@action("3.4.6")
def test_nothing_is_orphaned(
    production: DirectusObserver, database: PostgresObserver, evidence: Evidence, progress: Progress
) -> None:
    """Check for orphaned data"""
    local = evidence.read(Snapshot, of="1.2")
    found = audit.references(database, local, lambda text, done, of: progress("orphans", text, done, of))
    evidence.write(found, "references")
    findings = [*audited.orphaned(found), *standing_data.unreachable(evidence.read(Fingerprint, of="1.4"), production)]
    assert not findings, told(findings)
    evidence.say(f"{len(found)} references looked at by SQL, no orphan; every existing collection is accessible.")


@acceptance("3.4.A1")
def test_a_diff_names_nothing(production: DirectusObserver, source: DirectusObserver, evidence: Evidence) -> None:
    """Production schema matches local schema (verified by diff)"""
    plan, local = evidence.read(SchemaPlan, of="3.2"), evidence.read(Snapshot, of="1.2")
    observed = apply.observe(production, local, plan.admitted)
    assert observed.outstanding == ()
    assert observed.withheld == schema_papers.withheld(plan)
    findings = schema_proof.unplanned(source, local, evidence.read(Snapshot, of="3.4"), plan)
    assert not findings, told(findings)
    evidence.say(
        f"Directus' diff, both ways, names nothing but what stays: {', '.join(observed.withheld) or 'nothing'}."
    )


@acceptance("3.4.A2")
def test_all_are_present_and_correct(evidence: Evidence) -> None:
    """All collections and fields present and correct"""
    local, after = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="3.4")
    findings = schema.missing(local, after, kept=schema_papers.kept(evidence.read(SchemaPlan, of="3.2")))
    assert not findings, told(findings)
    assert set(local.tables) <= set(after.tables)


@acceptance("3.4.A3")
def test_every_relation_was_walked(evidence: Evidence) -> None:
    """All relationships configured and working"""
    local, found = evidence.read(Snapshot, of="1.2"), evidence.read(list[Trial], of="3.4", name="navigation")
    walked = {trial.name for trial in found if trial.held}
    assert [name for name in family.walkable(local) if name not in walked] == []


@acceptance("3.4.A4")
def test_every_rule_was_tried(evidence: Evidence) -> None:
    """Edge cases validated"""
    found = evidence.read(list[Trial], of="3.4", name="edges")
    assert [trial for trial in found if not trial.held] == []
    assert {"required", "unique", "default"} <= {trial.rule for trial in found}
    assert any(trial.rule.startswith("on delete") for trial in found)


@acceptance("3.4.A5")
def test_production_data_is_whole(
    database: PostgresObserver,
    database_url: Secret,
    past: Past,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """No orphaned data or integrity issues"""
    references = evidence.read(list[ReferenceCheck], of="3.4", name="references")
    assert len(references) == audit.expected_references(evidence.read(Snapshot, of="1.2"))
    found = standing_rows.look(evidence, database_url, database, past, progress, by_itself=settings.changes_by_itself)
    findings = standing.lost(found)
    assert not findings, told(findings)
    evidence.say(standing.spoken(found))


@acceptance("3.4.A6", closes=True)
def test_the_schema_stands_still(production: DirectusObserver, evidence: Evidence) -> None:
    """Schema migration fully verified and stable"""
    assert production.snapshot().digest == evidence.read(Snapshot, of="3.4").digest
    assert not importing.unsettled(evidence.ledger)


@acceptance("3.4.A7", closes=True)
def test_data_may_follow(production_sandbox: DirectusSandbox, evidence: Evidence) -> None:
    """Ready to proceed with data migration"""
    assert production_sandbox.made == ()
    assert not importing.paused_flows(evidence.ledger).exists()
    assert set(evidence.read(Snapshot, of="1.2").tables) <= set(evidence.read(Snapshot, of="3.4").tables)


@gate("3.4")
def test_gate(unmet: list[str]) -> None:
    """Production's data model is verified; the import may be prepared (4.1)."""
    assert unmet == []
