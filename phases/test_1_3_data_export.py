"""1.3  Directus Data Export & Analysis

Purpose     Every row and file of the local project is on disk and counted, and its import order is known.
Needs       1.2 the schema, which names the columns of a row
Writes      migration/ in the backend's working copy, which git ignores
On failure  nothing changed; correct what is named and run the same command again
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from fixtures.checks.rows import keys, order, profile, singletons
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.dataset import ImportOrder
from fixtures.model.export import AssetInventory, DataExport, Inventory
from fixtures.model.finding import format_findings
from fixtures.model.imports import Conflict
from fixtures.model.not_carried import NotCarried
from fixtures.model.snapshot import Snapshot
from fixtures.operations.imports import flow_pause
from fixtures.operations.schema import schema_plan
from fixtures.operations.source import (
    asset_export,
    configuration_export,
    conflicts,
    data_export,
    data_inventory,
    directus_configuration,
    export_reader,
    inexact,
    local_database,
    not_carried,
)

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.process.progress import Progress
    from fixtures.report.documents import Documents
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver

pytestmark = task_group("1.3")


@action("1.3.1", dry_run=True)
def test_collections_are_identified(
    source: DirectusObserver, production: DirectusObserver, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Identify collections with new/modified data"""
    findings = local_database.problems(settings.local_database_url)
    assert not findings, format_findings(findings)
    progress("data export", "counting both sides")
    inventory = data_inventory.take_inventory(evidence.read(Snapshot, of="1.2"), source, production, evidence)
    assert inventory.counts
    findings = list(singletons.of_several_rows(inventory, lane=settings.import_lane))
    assert not findings, format_findings(findings)
    evidence.write(inventory)
    evidence.note(data_inventory.summarize(inventory))
    there = directus_configuration.read(source)
    configuration = there.described()
    evidence.write(configuration)
    evidence.write(configuration_export.write_rows(settings.migration_dir, there.rows))
    evidence.note(directus_configuration.summarize(configuration))


@action("1.3.2", dry_run=True)
def test_every_collection_is_exported(
    source: DirectusObserver, production: DirectusObserver, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Export data from each collection"""
    inventory, schema = evidence.read(Inventory, of="1.3"), evidence.read(Snapshot, of="1.2")
    data = data_export.export_data(
        inventory,
        source,
        settings.migration_dir,
        progress,
        schema=schema,
        database=settings.local_database_url or None,
        shared=conflicts.shared_columns(schema, inventory, production, evidence),
    )
    assets = asset_export.export_assets(
        source,
        settings.migration_dir,
        progress,
        schema=schema,
        database=settings.exact_library or None,
    )
    accepted, today = schema_plan.read_waivers(settings.waivers), data.exported_at.astimezone(UTC).date()
    rounded = inexact.find(data, schema, accepted, today=today, sql_writes=settings.writes_values_by_sql)
    uncarried = not_carried.find(
        schema,
        source,
        production,
        assets.without_bytes,
        accepted,
        today=today,
        exact_library=bool(settings.exact_library),
    )
    assert [file.collection for file in data.files] == [each.name for each in inventory.profiles]
    evidence.write(data)
    evidence.write(assets)
    evidence.write([*uncarried, *rounded], not_carried.EVIDENCE)
    evidence.note(
        f"{data.rows:,} rows of {len(data.files)} collections and {len(assets.files)} files"
        f" ({sum(file.size_bytes for file in assets.files):,} bytes) are in migration/."
    )
    for each in (*uncarried, *rounded):
        evidence.note(f"{each}.")
    findings = [
        *asset_export.files_without_bytes(assets, accepted, today=today),
        *not_carried.not_accepted(uncarried),
        *inexact.not_accepted(rounded, data),
        *inexact.unreadable(data),
    ]
    assert not findings, format_findings(findings)


@action("1.3.3", dry_run=True)
def test_the_export_is_analyzed(settings: Settings, documents: Documents, evidence: Evidence) -> None:
    """Analyze exported data"""
    inventory, data = evidence.read(Inventory, of="1.3"), evidence.read(DataExport, of="1.3")
    assets = evidence.read(AssetInventory, of="1.3")
    read_by_sql = {file.collection for file in data.files if file.exact}
    concealed = profile.unexportable_columns(evidence.read(Snapshot, of="1.2"), without=read_by_sql)
    findings = [
        *(finding for file in data.files for finding in export_reader.file_problems(settings.migration_dir, file)),
        *(f for file in data.files for f in keys.key_type_mismatches(inventory.profile(file.collection), file)),
    ]
    assert not findings, format_findings(findings)
    uncarried = evidence.read(list[NotCarried], of="1.3", name=not_carried.EVIDENCE)
    documents.write(
        "DATA_EXPORT.md",
        inventory=inventory,
        data=data,
        assets=assets,
        concealed=concealed,
        not_carried=uncarried,
    )
    evidence.note(
        f"Every file is a JSON array that `jq length` reads; {len(concealed)} concealed columns cannot be exported."
    )


@action("1.3.4", dry_run=True)
def test_the_import_is_ordered(
    production: DirectusObserver, settings: Settings, documents: Documents, evidence: Evidence, progress: Progress
) -> None:
    """Plan data import order"""
    inventory, data = evidence.read(Inventory, of="1.3"), evidence.read(DataExport, of="1.3")
    triggered = flow_pause.triggered_flows(production, [each.name for each in inventory.profiles])
    findings = flow_pause.unpausable_flows(triggered, may_pause=settings.may_pause)
    assert not findings, format_findings(findings)
    planned = order.plan(inventory.profiles, lane=settings.import_lane)
    found = conflicts.find_conflicts(
        evidence.read(Snapshot, of="1.2"), inventory, data, settings.migration_dir, production, evidence, progress
    )
    assert len(planned.collections) == len(inventory.profiles)
    documents.write("IMPORT_ORDER.md", inventory=inventory, order=planned, conflicts=found)
    evidence.write(planned)
    evidence.write(found, conflicts.CONFLICTS)
    evidence.note(planned.summary)


@acceptance("1.3.A1", dry_run=True)
def test_the_data_is_on_disk(source: DirectusObserver, settings: Settings, evidence: Evidence) -> None:
    """All necessary data exported to `migration/data/` directory"""
    data, assets = evidence.read(DataExport, of="1.3"), evidence.read(AssetInventory, of="1.3")
    findings = [finding for file in data.files for finding in export_reader.file_problems(settings.migration_dir, file)]
    findings += asset_export.missing_assets(settings.migration_dir, assets)
    assert not findings, format_findings(findings)
    assert {file.collection for file in data.files} == set(source.snapshot().tables)
    listed = {file.id for file in assets.files} | {file.id for file in assets.without_bytes}
    assert listed == {str(row["id"]) for row in source.files()}


@acceptance("1.3.A2", dry_run=True)
def test_the_counts_are_documented(
    source: DirectusObserver, production: DirectusObserver, settings: Settings, evidence: Evidence
) -> None:
    """Item counts documented for each collection"""
    inventory, data = evidence.read(Inventory, of="1.3"), evidence.read(DataExport, of="1.3")
    now = data_inventory.recount(inventory, source)
    findings = keys.count_mismatches(data.files, now)
    assert not findings, format_findings(findings)
    text = (settings.migration_dir / "DATA_EXPORT.md").read_text(encoding="utf-8")
    assert [count.collection for count in now if f"| {count.collection} | {count.local:,} |" not in text] == []
    snapshot, assets = evidence.read(Snapshot, of="1.2"), evidence.read(AssetInventory, of="1.3")
    accepted = schema_plan.read_waivers(settings.waivers)
    today = data.exported_at.astimezone(UTC).date()
    uncarried = not_carried.find(
        snapshot,
        source,
        production,
        assets.without_bytes,
        accepted,
        today=today,
        exact_library=bool(settings.exact_library),
    )
    rounded = inexact.find(data, snapshot, accepted, today=today, sql_writes=settings.writes_values_by_sql)
    findings = [*not_carried.not_accepted(uncarried), *inexact.not_accepted(rounded, data)]
    assert not findings, format_findings(findings)
    uncarried += rounded
    assert uncarried == evidence.read(list[NotCarried], of="1.3", name=not_carried.EVIDENCE)
    assert [each for each in uncarried if str(each) not in text] == []
    evidence.note(f"{len(now)} collections: rows in the file = rows the database counts now, {data.rows:,} in all.")


@acceptance("1.3.A3", dry_run=True)
def test_parents_precede_children(evidence: Evidence) -> None:
    """Import order planned based on dependencies"""
    inventory, planned = evidence.read(Inventory, of="1.3"), evidence.read(ImportOrder, of="1.3")
    findings = order.parents_after_children(planned, inventory.profiles)
    assert not findings, format_findings(findings)
    assert sorted(planned.collections) == sorted(each.name for each in inventory.profiles)


@acceptance("1.3.A4", dry_run=True)
def test_conflicts_are_identified(
    source: DirectusObserver, production: DirectusObserver, settings: Settings, evidence: Evidence
) -> None:
    """Potential conflicts identified"""
    found = evidence.read(list[Conflict], of="1.3", name=conflicts.CONFLICTS)
    asked, findings = conflicts.unlisted(
        found,
        evidence.read(Snapshot, of="1.2"),
        evidence.read(Inventory, of="1.3"),
        evidence.read(DataExport, of="1.3"),
        settings.migration_dir,
        source,
        production,
        evidence,
    )
    assert not findings, format_findings(findings)
    evidence.note(conflicts.summarize_conflicts(found))
    evidence.note(f"{asked:,} rows were asked of both sides once more: none of them is a conflict that is not listed.")


@gate("1.3")
def test_gate(unpassed_lines: list[str]) -> None:
    """The data is on disk, complete and ordered; its import may follow the schema."""
    assert unpassed_lines == []
