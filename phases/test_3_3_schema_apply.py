"""3.3  Apply Schema Changes to Production

Purpose     Production gains the reviewed data model and loses nothing.
Needs       1.4 backup · 3.2 plan without open risk
Writes      production's schema, only through Directus' own diff and apply; scratch rows of its own
On failure  STOP: restore the database from the backup of gate 1.4, investigate, then begin again at 3.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.schema import schema
from fixtures.checks.site import access, logs, rule_checks
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.finding import format_findings
from fixtures.model.plan import SchemaPlan
from fixtures.model.snapshot import Snapshot
from fixtures.model.visit import ApiCall
from fixtures.operations import unfinished
from fixtures.operations.imports import flow_pause, import_inputs
from fixtures.operations.schema import apply, data_model_view, schema_plan, schema_verification
from fixtures.operations.scratch_rows import related
from fixtures.operations.site import measure
from fixtures.operations.source import schema_export

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from fixtures.evidence.store import Evidence
    from fixtures.model.applied_schema import AppliedSchema
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.browser.window import Browser
    from fixtures.systems.directus import DirectusObserver, DirectusOperator, DirectusSandbox
    from fixtures.systems.postgres.observer import PostgresObserver
    from fixtures.systems.render import RenderObserver

pytestmark = task_group("3.3")


@action("3.3.1", dry_run=True)
def test_the_plan_is_current(
    production: DirectusObserver, database: PostgresObserver, settings: Settings, evidence: Evidence
) -> None:
    """Upload local schema to production"""
    plan, local = evidence.read(SchemaPlan, of="3.2"), evidence.read(Snapshot, of="1.2")
    on_disk = schema_export.read_snapshot(settings.migration_dir / schema_export.LOCAL_SCHEMA)
    assert on_disk.digest == local.digest == plan.source
    state = apply.observe(production, local, plan.admitted)
    findings = apply.schema_drift(state, plan)
    if not state.is_applied:
        findings += apply.data_drift(database, plan, production.snapshot())
    assert not findings, format_findings(findings)
    evidence.note(f"Plan {plan.digest[:12]} is current; nothing was uploaded, it is sent with the request of 3.3.2.")


@action("3.3.2", dry_run=True)
def test_the_reviewed_plan_is_applied(
    production_operator: DirectusOperator,
    database: PostgresObserver,
    applied: AppliedSchema,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Apply schema using Directus CLI"""
    plan, local = evidence.read(SchemaPlan, of="3.2"), evidence.read(Snapshot, of="1.2")
    progress("schema apply", "changes", 0, len(plan.to_apply))
    if apply.observe(production_operator, local, plan.admitted).is_applied and not applied.in_doubt:
        evidence.note("Already in place: production's schema holds everything of local's; nothing was sent.")
        return
    creates = {"collections": list(plan.created_collections), "columns": list(plan.created_columns)}
    with evidence.attempt("3.3.2", plan=plan.digest, **creates) as attempt:
        state = apply.apply(production_operator, database, plan, local)
        attempt.outcome = {"plan": plan.digest, "withheld": list(state.withheld)}
    assert state.is_applied, f"{len(state.outstanding)} objects are still to change: {state.outstanding[:3]}"
    evidence.note(f"Plan {plan.digest[:12]} applied: {len(plan.to_apply)} changes in one transaction.")


@action("3.3.3")
def test_the_application_succeeded(
    production_operator: DirectusOperator,
    database: PostgresObserver,
    render: RenderObserver,
    settings: Settings,
    applied: AppliedSchema,
    evidence: Evidence,
) -> None:
    """Verify schema application succeeded"""
    plan, local = evidence.read(SchemaPlan, of="3.2"), evidence.read(Snapshot, of="1.2")
    second, _ = schema_plan.make_plan(production_operator, database, local, production_operator.snapshot())
    left = [change.name for change in second.to_apply]
    assert left == [], f"a second plan would still change {', '.join(left)}: Directus applied it otherwise than asked"
    instances = len(render.instances(render.service(settings.render_backend).id))
    new = applied.new_columns
    findings = [
        *schema_verification.missing_in_database(database, local, plan),
        *schema_verification.unreadable_fields(production_operator, local, new, instances=instances),
    ]
    assert not findings, format_findings(findings)
    kept = [change for change in second.changes if change.withheld]
    evidence.note(
        f"A second plan is empty ({len(kept)} differences stay on purpose); the database's catalog agrees; "
        f"{len(new)} new fields can be read through the API ({instances or 1} instances)."
    )


@action("3.3.4")
def test_the_data_model_shows_the_changes(
    browser: Browser,
    production: DirectusObserver,
    applied: AppliedSchema,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    tmp_path: Path,
) -> None:
    """Immediate post-application checks"""
    desired = applied.visible(evidence.read(Snapshot, of="1.2"))
    picture = tmp_path / "data-model.jpg"
    seen = data_model_view.observe(
        browser,
        settings.directus_url,
        email=settings.admin_email,
        password=settings.admin_password,
        desired=desired,
        production=production,
        picture=picture,
        on_item=lambda name, done, of: progress("data model", name, done, of),
    )
    evidence.attach(picture.name, picture.read_bytes())
    evidence.write(seen)
    findings = data_model_view.missing_in_app(seen, desired)
    assert not findings, format_findings(findings)
    evidence.note(
        f"The admin app shows {len(desired)} collections and {sum(map(len, desired.values()))} fields of them."
    )


@action("3.3.5")
def test_rows_can_be_created_read_updated_and_deleted(
    production_operator: DirectusOperator,
    production_sandbox: DirectusSandbox,
    applied: AppliedSchema,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    now: datetime,
) -> None:
    """Test basic CRUD operations"""
    local = evidence.read(Snapshot, of="1.2")
    tables = applied.tables(local)
    waived = schema_plan.accepted_untried(settings.waivers, today=now.date())
    progress("scratch rows", "collections", 0, len(tables))
    with flow_pause.pause_flows(production_operator, tables, journal=import_inputs.paused_flows_file(evidence.ledger)):
        calls = related.exercise_collections(local, tables, production_operator, production_sandbox, waived=waived)
    evidence.write(calls, "calls")
    findings = access.unexpected_answers(calls)
    assert not findings, format_findings(findings)
    evidence.note(f"{len(calls)} requests on scratch rows of {len(tables)} new collections, all as expected.")
    for sentence in rule_checks.not_tried(calls):
        evidence.note(sentence)


@action("3.3.6")
def test_no_scratch_row_is_left(production_sandbox: DirectusSandbox, evidence: Evidence) -> None:
    """Clean up temporary files"""
    production_sandbox.clean_up()
    findings = [*unfinished.scratch_rows(production_sandbox), *unfinished.paused_flows(evidence)]
    assert not findings, format_findings(findings)
    evidence.note("No file was put on the server; every scratch row is gone and every flow is active.")


@acceptance("3.3.A1")
def test_the_schema_was_applied(production: DirectusObserver, applied: AppliedSchema, evidence: Evidence) -> None:
    """Schema applied successfully without errors"""
    findings = unfinished.writes_in_doubt(entry for entry in evidence.ledger.in_doubt if entry.subject.group == "3.3")
    assert not findings, format_findings(findings)
    assert not applied.in_doubt
    state = apply.observe(production, evidence.read(Snapshot, of="1.2"))
    assert state.is_applied, f"{len(state.outstanding)} objects are still to change: {state.outstanding[:3]}"
    evidence.note(
        f"Applied and seen at {applied.applied_at:%Y-%m-%d %H:%M:%SZ}."
        if applied.applied_at
        else "Production's schema held everything of local's before the first run of this suite."
    )


@acceptance("3.3.A2")
def test_new_objects_are_visible_in_the_admin_app(applied: AppliedSchema, evidence: Evidence) -> None:
    """All new collections and fields visible in admin UI"""
    seen = evidence.read(data_model_view.DataModelView, of="3.3")
    desired = applied.visible(evidence.read(Snapshot, of="1.2"))
    findings = data_model_view.missing_in_app(seen, desired)
    assert not findings, format_findings(findings)
    assert seen.console_errors == (), f"the admin app's console: {'; '.join(seen.console_errors)}"


@acceptance("3.3.A3")
def test_crud_worked_on_every_new_collection(
    applied: AppliedSchema, settings: Settings, evidence: Evidence, now: datetime
) -> None:
    """Basic CRUD operations work on new collections"""
    calls = evidence.read(list[ApiCall], of="3.3", name="calls")
    tables = applied.tables(evidence.read(Snapshot, of="1.2"))
    assert {call.collection for call in calls} == set(tables)
    assert [call for call in calls if not call.right] == []
    findings = rule_checks.not_verifiable(calls, schema_plan.accepted_untried(settings.waivers, today=now.date()))
    assert not findings, format_findings(findings)
    if not tables:
        evidence.note("Not applicable: there is no collection.")


@acceptance("3.3.A4")
def test_the_log_is_clean(render: RenderObserver, settings: Settings, evidence: Evidence) -> None:
    """No schema-related errors in logs"""
    began, ended = evidence.ledger.span_since("3.3.1")
    service = render.service(settings.render_backend)
    lines = measure.logs(render, service, since=began, until=ended, required_text=apply.SCHEMA_REQUEST_TEXT)
    explanations = measure.explanations(evidence, settings)
    findings = logs.findings(
        lines, required_text=apply.SCHEMA_REQUEST_TEXT, resource=service.name, explanations=explanations
    )
    for sentence in logs.review(lines, explanations).sentences:
        evidence.note(sentence)
    assert not findings, format_findings(findings)
    evidence.note(f"No unexplained error or warning in the backend's log from {began:%H:%M:%SZ} to {ended:%H:%M:%SZ}.")


@acceptance("3.3.A5")
def test_production_schema_matches_local(production: DirectusObserver, evidence: Evidence) -> None:
    """Production database schema matches local schema"""
    desired, observed = evidence.read(Snapshot, of="1.2"), production.snapshot()
    findings = schema.missing_objects(desired, observed, keeps=evidence.read(SchemaPlan, of="3.2").keeps)
    assert not findings, format_findings(findings)
    evidence.note(
        f"All {len(desired.fields)} fields and {len(desired.relations)} relations of local are in production."
    )


@gate("3.3")
def test_gate(unpassed_lines: list[str]) -> None:
    """Schema applied; verification (3.4) may begin."""
    assert unpassed_lines == []
