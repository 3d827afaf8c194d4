"""3.2  Schema Comparison & Migration Planning

Purpose     Every difference and its risk is known, and the payload is written down and hashed.
Needs       1.2 local's schema · 3.1 production's schema
Writes      migration/ in the backend's working copy, which git ignores
On failure  nothing in production changed; correct what is named locally, then begin again at 1.2
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.directus_configuration import comparison
from fixtures.checks.schema import database_rules, plan_safety, planning, probing, schema, waivers
from fixtures.checks.schema.risk_codes import CODES
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.directus_configuration import Configuration
from fixtures.model.export import Inventory
from fixtures.model.finding import format_findings
from fixtures.model.plan import SchemaPlan
from fixtures.model.snapshot import Snapshot
from fixtures.operations import unfinished
from fixtures.operations.schema import kept_uniques, random_defaults, schema_documents, schema_plan
from fixtures.operations.source import directus_configuration, not_carried, schema_export

if TYPE_CHECKING:
    from datetime import datetime

    from fixtures.evidence.store import Evidence
    from fixtures.model.applied_schema import AppliedSchema
    from fixtures.report.documents import Documents
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver
    from fixtures.systems.postgres.observer import PostgresObserver

pytestmark = task_group("3.2")


@action("3.2.1", dry_run=True)
def test_the_files_are_compared(
    database: PostgresObserver, settings: Settings, evidence: Evidence, now: datetime
) -> None:
    """Compare schema files"""
    there = schema_export.read_snapshot(settings.migration_dir / schema_documents.PRODUCTION_SCHEMA)
    local = schema_export.read_snapshot(settings.migration_dir / schema_export.LOCAL_SCHEMA)
    text = schema_documents.text_diff(there, local)
    (settings.migration_dir / schema_documents.TEXT_DIFF).write_text(text, encoding="utf-8")
    evidence.attach(schema_documents.TEXT_DIFF, text)
    found = schema.differences(local, there)
    assert text or not found, "the comparison finds differences between identical files"
    evidence.write(found, "differences")
    evidence.note(f"{len(found)} differences in {len({each.name for each in found})} objects by the own comparison.")
    accepted, url = schema_plan.read_waivers(settings.waivers), settings.local_database_url
    outside = schema_plan.outside_snapshot(local, database, url, accepted=accepted, today=now.date())
    evidence.write(outside)
    triggers = schema_plan.row_triggers(database, local)
    findings = [
        *(schema_plan.local_mismatches(url, local) if url else ()),
        *database_rules.not_accepted(outside.rules),
        *database_rules.triggers_not_accepted(triggers, accepted, today=now.date()),
    ]
    assert not findings, format_findings(findings)
    for trigger in triggers:
        evidence.note(f"Production has its own {trigger}")
    if not url:
        evidence.note(
            "LOCAL_DATABASE_URL is not set: local's database was not compared with its snapshot, and what it has beside"
            " it (checks, uniques of several columns, indexes by hand, views, triggers) is not known; nor what Directus"
            " does not tell of a column: a virtual one, an expression as a default, a collation."
        )
        return
    objects = "; ".join(outside.objects) or "nothing"
    evidence.note(f"Local's database agrees with its snapshot; in no snapshot, so not migrated: {objects}.")
    for each in outside.rules:
        evidence.note(f"{each}.")


@action("3.2.2", dry_run=True)
def test_every_change_is_identified(
    production: DirectusObserver,
    database: PostgresObserver,
    settings: Settings,
    applied: AppliedSchema,
    documents: Documents,
    evidence: Evidence,
    now: datetime,
) -> None:
    """Identify all schema changes"""
    local, there = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="3.1")
    accepted = schema_plan.read_waivers(settings.waivers)
    here = schema_plan.read_local(settings.local_database_url)
    plan, sorted_waivers = schema_plan.make_plan(production, database, local, there, accepted=accepted, local=here)
    assert (plan.source, plan.target) == (local.digest, there.digest)
    evidence.write(plan)
    evidence.note(schema_documents.summarize(plan.changes))
    if accepted:
        evidence.note(waivers.summarize(sorted_waivers))
    fitting = not_carried.objects(evidence) | {each.object for each in schema_plan.row_triggers(database, local)}
    fitting.update(random_defaults.new_columns(local, there))
    for sentence in waivers.without_effect(accepted, fitting, today=now.date()):
        evidence.note(sentence)
    documents.write(
        schema_documents.PLAN,
        plan=plan,
        applied=applied,
        summary=schema_documents.summarize(plan.changes),
        codes=CODES,
        answer=probing.summarize,
    )
    found = directus_configuration.compare(
        evidence.read(Configuration, of="1.3"), evidence.read(Configuration, of="3.1")
    )
    evidence.write(found)
    for sentence in comparison.summarize(found, planned=False):
        evidence.note(sentence)


@action("3.2.3", dry_run=True)
def test_the_risks_are_assessed(
    database: PostgresObserver, settings: Settings, evidence: Evidence, now: datetime
) -> None:
    """Assess migration risks"""
    plan = evidence.read(SchemaPlan, of="3.2")
    findings = plan_safety.blockers(plan)
    if settings.local_database_url:
        local = evidence.read(Snapshot, of="1.2")
        there = evidence.read(Snapshot, of="3.1")
        findings += kept_uniques.colliding_rows(plan, local, database, settings.local_database_url)
        accepted = schema_plan.read_waivers(settings.waivers)
        findings += random_defaults.conflicts_to_be(
            local, there, database, settings.local_database_url, accepted, today=now.date()
        )
    elif stays := kept_uniques.kept(plan):
        evidence.note(f"LOCAL_DATABASE_URL is not set: whether local's rows fit {', '.join(stays)} is not known.")
    if settings.import_lane == "api":
        local, inventory = evidence.read(Snapshot, of="1.2"), evidence.read(Inventory, of="1.3")
        findings += schema_plan.refused_by_rest(database, local, inventory)
    assert not findings, format_findings(findings)
    noticed = schema_documents.api_breaking_changes(plan.changes)
    evidence.note(
        f"{len(plan.answers)} probes of production's data and catalog, none blocks a change; "
        f"{len(plan.waivers)} changes accepted by a waiver; "
        f"{len(noticed)} changes a client of the API may notice{': ' if noticed else '.'}{'; '.join(noticed)}"
    )
    for sentence in not_carried.sentences(evidence):
        evidence.note(sentence)


@action("3.2.4", dry_run=True)
def test_the_order_is_planned(settings: Settings, evidence: Evidence) -> None:
    """Plan schema application order"""
    plan = evidence.read(SchemaPlan, of="3.2")
    assert planning.misordered_changes(plan.changes) == []
    assert plan.digest[:12] in (settings.migration_dir / schema_documents.PLAN).read_text(encoding="utf-8")
    evidence.note("Collections, then fields, then constraints, then relations; parents before children.")


@action("3.2.5", dry_run=True)
def test_the_checklist_is_written(documents: Documents, evidence: Evidence) -> None:
    """Create schema migration checklist"""
    plan = evidence.read(SchemaPlan, of="3.2")
    text = documents.write(schema_documents.CHECKLIST, plan=plan)
    assert [change.name for change in plan.to_apply if change.name not in text] == []
    evidence.note(f"{len(plan.to_apply)} tasks, each with its validation, in migration/{schema_documents.CHECKLIST}.")


@acceptance("3.2.A1", dry_run=True)
def test_every_difference_is_in_the_plan(settings: Settings, evidence: Evidence) -> None:
    """All schema differences identified and documented"""
    plan = evidence.read(SchemaPlan, of="3.2")
    local, there = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="3.1")
    findings = plan_safety.undocumented_differences(plan.changes, schema.differing_objects(local, there))
    assert not findings, format_findings(findings)
    text = (settings.migration_dir / schema_documents.PLAN).read_text(encoding="utf-8")
    assert [change.name for change in plan.changes if f"`{change.name}`" not in text] == []


@acceptance("3.2.A2", dry_run=True)
def test_nothing_is_deleted(evidence: Evidence) -> None:
    """No destructive changes detected (or properly planned)"""
    plan = evidence.read(SchemaPlan, of="3.2")
    findings = plan_safety.deletions(plan.payload, plan.admitted)
    assert not findings, format_findings(findings)
    kept = [f"{change.name} ({change.code})" for change in plan.changes if change.withheld]
    waived = "; ".join(str(waiver) for waiver in plan.waivers) or "none"
    evidence.note(
        f"Nothing is sent that deletes without a waiver ({waived}); "
        f"kept in production: {', '.join(kept) or 'nothing differs'}."
    )


@acceptance("3.2.A3", dry_run=True)
def test_the_order_respects_dependencies(evidence: Evidence) -> None:
    """Migration order planned based on dependencies"""
    plan, local = evidence.read(SchemaPlan, of="3.2"), evidence.read(Snapshot, of="1.2")
    assert plan.changes == planning.order_changes(plan.changes, local)
    assert planning.misordered_changes(plan.changes) == []


@acceptance("3.2.A4", dry_run=True)
def test_every_risk_was_examined(evidence: Evidence) -> None:
    """Risks assessed and mitigation planned"""
    plan = evidence.read(SchemaPlan, of="3.2")
    local, there = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="3.1")
    assert {answer.probe for answer in plan.answers} == set(probing.probes_of(plan.changes, local, there))
    findings = plan_safety.blockers(plan)
    assert not findings, format_findings(findings)


@acceptance("3.2.A5", dry_run=True, closes=True)
def test_the_plan_describes_production_now(production: DirectusObserver, evidence: Evidence) -> None:
    """Ready to apply schema changes safely"""
    plan = evidence.read(SchemaPlan, of="3.2")
    local, there = evidence.read(Snapshot, of="1.2"), evidence.read(Snapshot, of="3.1")
    findings = [
        *plan_safety.altered(plan),
        *plan_safety.of_other_snapshots(plan, source=local, target=there),
        *unfinished.moved_schema(there, production.snapshot(), group="3.1"),
    ]
    assert not findings, format_findings(findings)
    evidence.note(f"Plan {plan.digest[:12]} describes production as it is now.")


@gate("3.2")
def test_gate(unpassed_lines: list[str]) -> None:
    """The plan is reviewed and without open risk; it may be applied (3.3)."""
    assert unpassed_lines == []
