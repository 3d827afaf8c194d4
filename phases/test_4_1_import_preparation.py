"""4.1  Data Import Preparation

Purpose     What the import will do to every row is known before the first one is sent.
Needs       1.3 data exported · 3.4 schema verified
Writes      migration/ in the backend's working copy, which git ignores
On failure  nothing in production changed; correct what is named locally, then begin again at 1.3
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fixtures.checks.backups import file_store as file_checks
from fixtures.checks.directus_configuration import carried_objects, comparison
from fixtures.checks.rows import import_rules, order, profile
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.dataset import ImportOrder
from fixtures.model.directus_configuration import Configuration
from fixtures.model.export import AssetInventory, DataExport
from fixtures.model.finding import format_findings
from fixtures.model.imports import ImportPlan
from fixtures.model.screening import Screening
from fixtures.model.snapshot import Snapshot
from fixtures.operations import lanes
from fixtures.operations.backups import file_store
from fixtures.operations.carry import apply, planning
from fixtures.operations.imports import flow_pause, import_documents, import_inputs, import_plan, strategy
from fixtures.operations.source import asset_export, directus_configuration, export_reader, not_carried

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.model.secret import Secret
    from fixtures.model.site import SiteMap
    from fixtures.process.progress import Progress
    from fixtures.report.documents import Documents
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver
    from fixtures.systems.postgres.observer import PostgresObserver
    from fixtures.systems.render import RenderObserver

pytestmark = task_group("4.1")


@action("4.1.1", dry_run=True)
def test_every_file_is_reviewed(settings: Settings, evidence: Evidence) -> None:
    """Review all exported data files"""
    data, assets = evidence.read(DataExport, of="1.3"), evidence.read(AssetInventory, of="1.3")
    findings = [finding for file in data.files for finding in export_reader.file_problems(settings.migration_dir, file)]
    findings += asset_export.missing_assets(settings.migration_dir, assets)
    assert not findings, format_findings(findings)
    evidence.note(
        f"{len(data.files)} files with {data.rows:,} rows and {len(assets.files)} files of the library are as exported."
    )


@action("4.1.2", dry_run=True)
def test_conflicts_are_analyzed(
    production: DirectusObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    dry_run: bool,
) -> None:
    """Analyze potential conflicts"""
    import_set = import_inputs.import_set(evidence, settings, production)
    observe = lanes.class_counter(
        settings.import_lane, production, database_url, progress, dry_run=dry_run, on_screening=evidence.write
    )
    plan, refused = import_plan.review(
        production, import_set, settings.conflict_policy, observe, lane=settings.import_lane, database=database_url
    )
    evidence.write(list(plan.refusals), "refused-rows")
    invalid = evidence.read(Screening, of="4.1").invalid_rows()
    findings = import_plan.unsupported_columns(replace(import_set, invalid_rows=invalid))
    assert not findings, format_findings(findings)
    assert not refused, format_findings(refused)
    evidence.write(plan)
    evidence.note(import_documents.summarize_conflicts(plan))


@action("4.1.3", dry_run=True)
def test_the_strategy_is_chosen(
    production: DirectusObserver,
    render: RenderObserver,
    site: SiteMap,
    settings: Settings,
    evidence: Evidence,
    dry_run: bool,
) -> None:
    """Determine import strategy"""
    plan = evidence.read(ImportPlan, of="4.1")
    local, there = evidence.read(Configuration, of="1.3"), directus_configuration.read(production)
    arriving = evidence.read(Snapshot, of="1.2").collections if dry_run else ()
    carried = planning.plan(planning.inputs(evidence, settings), production, there, arriving=arriving)
    afterwards = replace(there, rows=carried_objects.with_objects(there.rows, carried.to_create)).described()
    evidence.write(directus_configuration.compare(local, there.described()))
    evidence.write(carried.plan)
    evidence.attach(planning.DOCUMENT, planning.document(carried.plan))
    for sentence in [
        *planning.summarize(carried.plan),
        *comparison.summarize(directus_configuration.compare(local, afterwards)),
    ]:
        evidence.note(sentence)
    triggered = flow_pause.triggered_flows(production, (*plan.order.collections, *apply.tables(settings.carry)))
    findings = [
        *import_rules.unresolved_conflicts(plan),
        *flow_pause.unpausable_flows(triggered, may_pause=settings.may_pause),
        *comparison.closed_to_visitors(site.collections, local, afterwards, with_files=bool(site.pictured)),
        *comparison.open_to_visitors(plan.order.collections, [site.form.collection] if site.form else [], afterwards),
    ]
    if settings.allow_ephemeral_files == "no":
        storage = file_store.destination(render, render.service(settings.render_backend))
        findings += file_checks.uploads_to_ephemeral_disk(storage, len(evidence.read(AssetInventory, of="1.3").files))
    assert not findings, format_findings(findings)
    evidence.note(import_documents.summarize_strategy(plan))
    for sentence in not_carried.sentences(evidence):
        evidence.note(sentence)


@action("4.1.4", dry_run=True)
def test_the_order_is_planned(settings: Settings, evidence: Evidence) -> None:
    """Plan import execution order"""
    plan, profiles = evidence.read(ImportPlan, of="4.1"), profile.profiles(evidence.read(Snapshot, of="1.2"))
    assert plan.order == order.plan(profiles, lane=settings.import_lane) == evidence.read(ImportOrder, of="1.3")
    findings = order.parents_after_children(plan.order, profiles)
    assert not findings, format_findings(findings)
    evidence.note(f"Folders and files first, then {plan.order.summary}")


@action("4.1.5", dry_run=True)
def test_the_import_plan_is_written(settings: Settings, documents: Documents, evidence: Evidence) -> None:
    """Create import script (if using API method)"""
    plan = evidence.read(ImportPlan, of="4.1")
    import_documents.write_plan(settings.migration_dir, plan)
    text = documents.write(import_documents.TABLE, plan=plan)
    assert [each.collection for each in plan.collections if each.collection not in text] == []
    evidence.note(import_documents.summarize_plan(plan))


@acceptance("4.1.A1", dry_run=True)
def test_the_files_are_valid(settings: Settings, evidence: Evidence) -> None:
    """All data files reviewed and validated"""
    data = evidence.read(DataExport, of="1.3")
    assert {file.collection for file in data.files} == set(evidence.read(Snapshot, of="1.2").tables)
    findings = [finding for file in data.files for finding in export_reader.file_problems(settings.migration_dir, file)]
    assert not findings, format_findings(findings)


@acceptance("4.1.A2", dry_run=True)
def test_the_counts_are_documented(settings: Settings, documents: Documents, evidence: Evidence) -> None:
    """Item counts documented"""
    plan, data = evidence.read(ImportPlan, of="4.1"), evidence.read(DataExport, of="1.3")
    table = documents.render(import_documents.TABLE, plan=plan)
    findings = import_documents.count_problems(settings.migration_dir, plan, data, table)
    assert not findings, format_findings(findings)


@acceptance("4.1.A3", dry_run=True)
def test_the_strategy_can_be_carried_out(
    production: DirectusObserver, database: PostgresObserver, settings: Settings, evidence: Evidence
) -> None:
    """Import strategy selected"""
    plan = evidence.read(ImportPlan, of="4.1")
    lane, policy = settings.import_lane, str(settings.conflict_policy)
    findings = strategy.problems(plan, production, database, lane=lane, policy=policy)
    assert not findings, format_findings(findings)
    evidence.note(f"Lane {lane} may write to all {len(plan.collections)} collections of the plan; policy {policy}.")


@acceptance("4.1.A4", dry_run=True)
def test_parents_precede_children(evidence: Evidence) -> None:
    """Import order planned based on dependencies"""
    plan, local = evidence.read(ImportPlan, of="4.1"), evidence.read(Snapshot, of="1.2")
    findings = order.parents_after_children(plan.order, profile.profiles(local))
    assert not findings, format_findings(findings)
    assert [each.collection for each in plan.collections] == list(plan.order.collections)


@acceptance("4.1.A5", dry_run=True)
def test_the_plan_is_on_disk(settings: Settings, evidence: Evidence) -> None:
    """Import script ready (if using API method)"""
    findings = import_documents.plan_problems(settings.migration_dir, evidence.read(ImportPlan, of="4.1"))
    assert not findings, format_findings(findings)


@acceptance("4.1.A6", dry_run=True, closes=True)
def test_no_conflict_is_unresolved(evidence: Evidence) -> None:
    """Ready to execute data import safely"""
    plan = evidence.read(ImportPlan, of="4.1")
    findings = import_rules.unresolved_conflicts(plan)
    assert not findings, format_findings(findings)
    updates = import_rules.planned_updates(plan)
    rest = f"{updates:,} rows of production get local's content" if updates else "no row of production is overwritten"
    evidence.note(f"{plan.to_create:,} rows would be created, and {rest}.")


@gate("4.1")
def test_gate(unpassed_lines: list[str]) -> None:
    """The import is prepared; it may be executed (4.2)."""
    assert unpassed_lines == []
