"""4.2  Execute Data Import

Purpose     Production gains every row and file it lacks, each once, and keeps every row it has.
Needs       1.4 backup · 4.1 import prepared
Writes      rows, files and folders that production lacks; columns that are new there, where they are empty
On failure  STOP: restore the database from the backup of gate 1.4, investigate, then begin again at 3.1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixtures.checks.rows import import_rules
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.carry import RIGHTS, CarryPlan, CarryResult
from fixtures.model.export import AssetInventory
from fixtures.model.finding import format_findings
from fixtures.model.imports import ImportPlan, ImportResult
from fixtures.model.row_account import RowAccount
from fixtures.model.side_effects import ActivityLog
from fixtures.operations import lanes, unfinished
from fixtures.operations.carry import apply, planning
from fixtures.operations.imports import (
    flow_pause,
    import_documents,
    import_inputs,
    import_log,
    library,
    sequences,
    side_effects,
    stamps,
    statistics,
)
from fixtures.operations.preservation import existing_rows
from fixtures.operations.verification import audit, data_audit, row_accounts

if TYPE_CHECKING:
    from fixtures.evidence.store import Evidence
    from fixtures.model.secret import Secret
    from fixtures.process.progress import Progress
    from fixtures.report.documents import Documents
    from fixtures.settings import Settings
    from fixtures.systems.directus import DirectusObserver, DirectusOperator, DirectusSandbox
    from fixtures.systems.postgres.observer import PostgresObserver

pytestmark = task_group("4.2")


@action("4.2.1", dry_run=True)
def test_production_answers_to_an_administrator(
    production: DirectusObserver, settings: Settings, evidence: Evidence
) -> None:
    """Set up environment for import"""
    who = production.me()
    assert production.ping(), "production does not answer; wait until its service runs, then run the same command"
    assert production.is_admin(), "ADMIN_TOKEN is not an administrator's; give one and run the same command again"
    evidence.note(
        f"{settings.directus_url} answers to {who['email']}; its address and token are those of the settings."
    )


@action("4.2.2")
def test_what_production_lacks_is_imported(
    production_operator: DirectusOperator,
    production_sandbox: DirectusSandbox,
    database: PostgresObserver,
    writable_database_url: Secret,
    settings: Settings,
    documents: Documents,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Execute import script (API method - RECOMMENDED)"""
    carry = evidence.read(CarryPlan, of="4.1")
    plan, log = evidence.read(ImportPlan, of="4.1"), settings.migration_dir / import_documents.LOG
    import_set = import_inputs.import_set(evidence, settings, production_operator)
    writable = writable_database_url if settings.restores_stamps else None
    to_carry = planning.inputs(evidence, settings)
    written = (*import_set.order.collections, *apply.tables(settings.carry))
    triggered = flow_pause.triggered_flows(production_operator, written)
    findings = flow_pause.unpausable_flows(triggered, may_pause=settings.may_pause)
    assert not findings, format_findings(findings)
    with (
        evidence.attempt(
            "4.2.2", create=plan.to_create, carry=carry.to_create, paused_flows=list(plan.paused_flows)
        ) as attempt,
        flow_pause.pause_flows(production_operator, written, journal=import_inputs.paused_flows_file(evidence.ledger)),
        import_log.ImportLog(log, run=evidence.folder.name) as lines,
    ):
        began = side_effects.mark(database)
        # Who may read a row is settled before it arrives; a flow comes after the last one, which it cannot notice.
        carried = apply.carry_over(RIGHTS, to_carry, production_operator, progress)
        context = lanes.ImportContext(
            production=production_operator,
            database=writable_database_url,
            journal=import_inputs.journal(evidence.ledger),
            log=lines,
            progress=progress,
            reported=import_inputs.reported_counts(evidence),
            stamps=settings.restores_stamps,
        )
        result = lanes.run(settings.import_lane, import_set, context)
        lagging = sequences.advance_sequences(
            production_operator, production_sandbox, database, import_set.local_schema, writable=writable
        )
        carried += apply.carry_over(apply.OTHERS, to_carry, production_operator, progress)
        attempt.outcome = {"created": result.created, "skipped": result.skipped, "refused": len(result.refusals)}
        attempt.outcome["carried"] = dict(carried.created)
    assert result.outcomes, "no collection was classified, so nothing was imported"
    by_sql = writable_database_url if settings.import_lane == "sql" else writable
    refreshed = statistics.refresh(by_sql, result.outcomes)
    activity = side_effects.read_activity(database, began, who=str(production_operator.me()["id"]))
    evidence.write(result)
    evidence.write(carried)
    evidence.write(activity)
    evidence.attach("import-result.txt", documents.render("import-result.txt", result=result))
    evidence.note(import_documents.summarize_result(result))
    if settings.carry:
        evidence.note(apply.summarize(carried))
    evidence.note(sequences.summarize(lagging))
    if result.stamps is not None:
        evidence.note(stamps.summarize(result.stamps))
    if result.exact:
        listed = ", ".join(f"{name} ({number:,})" for name, number in result.exact.items())
        evidence.note(f"Set in the database, as REST does not take every value of it, in rows: {listed}.")
    evidence.note(refreshed)
    evidence.note(side_effects.summarize(activity))


@action("4.2.3")
def test_only_refused_rows_are_left_to_import(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Alternative: Directus CLI import (if needed)"""
    observe = lanes.class_counter(settings.import_lane, production, database_url, progress)
    found = observe(import_inputs.import_set(evidence, settings, production), data_audit.library_ids(production))
    left = {name: each.create for name, each in found.items() if each.create}
    refused = evidence.read(ImportResult, of="4.2").refusals
    unexplained = sum(left.values()) - sum(1 for each in refused if each.collection in left)
    if unexplained:
        # A row of ours that a person deleted meanwhile would be created again.
        writes = existing_rows.live_writes(database, existing_rows.initial_rows(evidence).value.taken_at)
        deleted = sum(each.action == "delete" and each.table in left for each in writes)
        assert 0 < unexplained <= deleted, f"{left} rows are left to import"
        evidence.note(f"{unexplained} row(s) are gone again: people deleted them meanwhile, by directus_activity.")
    evidence.note(f"Not needed: {sum(left.values())} rows are left to import, and Directus has no such command.")


@action("4.2.4")
def test_no_row_was_refused(evidence: Evidence) -> None:
    """Handle errors during import"""
    refused = [*evidence.read(ImportResult, of="4.2").refusals, *evidence.read(CarryResult, of="4.2").refusals]
    findings = import_rules.refused_rows(refused)
    assert not findings, format_findings(findings)
    evidence.note("No row was refused; a refused row would be listed here with its key and production's error message.")


@action("4.2.5")
def test_every_collection_grew_as_expected(
    production: DirectusObserver,
    database: PostgresObserver,
    database_url: Secret,
    settings: Settings,
    evidence: Evidence,
) -> None:
    """Verify import progress"""
    result = evidence.read(ImportResult, of="4.2")
    thumbnail, wrong = library.check_thumbnail(production, evidence.read(AssetInventory, of="1.3"))
    counted = data_audit.recount(result.outcomes, production)
    imported = audit.migrated_keys(evidence, settings, data_audit.uneven(result.outcomes, counted))
    before = existing_rows.initial_rows(evidence)
    accounts = row_accounts.accounts(production, database_url, database, before, imported)
    evidence.write(list(accounts.values()), "accounts")
    findings = [*import_rules.outcome_count_mismatches(counted, accounts), *wrong]
    assert not findings, format_findings(findings)
    evidence.note(thumbnail)
    evidence.note(f"Counted again over the API: {len(result.outcomes)} collections have before + created rows.")
    for sentence in row_accounts.summarize(accounts.values()):
        evidence.note(sentence)


@action("4.2.6")
def test_the_log_has_a_line_for_every_row(settings: Settings, evidence: Evidence) -> None:
    """Save import logs"""
    result, path = evidence.read(ImportResult, of="4.2"), settings.migration_dir / import_documents.LOG
    counts = import_log.tally(path)
    assert import_log.has_ended(path)
    assert counts[import_log.CREATED] == result.created
    assert counts[import_log.SKIPPED] == result.skipped
    assert counts[import_log.REFUSED] == len(result.refusals)
    evidence.attach_text(path)
    evidence.note(f"migration/{path.name} has a line for every row: {import_log.summarize(counts)}.")


@acceptance("4.2.A1")
def test_every_file_was_imported(evidence: Evidence) -> None:
    """All data files imported successfully"""
    plan, result = evidence.read(ImportPlan, of="4.1"), evidence.read(ImportResult, of="4.2")
    assert {each.collection for each in plan.collections} <= {each.collection for each in result.outcomes}
    assert {each.collection: each.in_file for each in plan.collections}.items() <= {
        each.collection: each.in_file for each in result.outcomes
    }.items()
    refused = import_rules.refused_rows(result.refusals)
    assert not refused, format_findings(refused)


@acceptance("4.2.A2")
def test_the_log_shows_few_errors(settings: Settings) -> None:
    """Import logs show mostly "created" or "skipped" (not errors)"""
    counts = import_log.tally(settings.migration_dir / import_documents.LOG)
    refused, whole = counts.get(import_log.REFUSED, 0), sum(counts.values())
    few = not import_rules.mostly_errors(counts, refused_mark=import_log.REFUSED)
    assert few, f"{refused} of {whole} lines of the import log are refusals; 4.2.A1 names them"


@acceptance("4.2.A3")
def test_the_counts_add_up(evidence: Evidence) -> None:
    """Item counts in production increased by expected amounts"""
    result = evidence.read(ImportResult, of="4.2")
    accounts = {each.collection: each for each in evidence.read(list[RowAccount], of="4.2", name="accounts")}
    findings = import_rules.outcome_count_mismatches(result.outcomes, accounts)
    assert not findings, format_findings(findings)
    evidence.note(f"{sum(each.after - each.before for each in result.outcomes):,} rows more than before this run.")


@acceptance("4.2.A4")
def test_no_critical_error_occurred(evidence: Evidence) -> None:
    """No critical errors during import"""
    doubtful = [entry for entry in evidence.ledger.in_doubt if entry.subject.group == "4.2"]
    unsettled = [*unfinished.writes_in_doubt(doubtful), *unfinished.paused_flows(evidence)]
    assert not unsettled, format_findings(unsettled)
    result = evidence.read(ImportResult, of="4.2")
    refused = import_rules.refused_rows(result.refusals)
    assert not refused, format_findings(refused)
    carried = evidence.read(CarryResult, of="4.2").created
    findings = side_effects.unexpected(evidence.read(ActivityLog, of="4.2"), result.outcomes, carried)
    assert not findings, format_findings(findings)


@acceptance("4.2.A5")
def test_the_log_is_kept(settings: Settings, evidence: Evidence) -> None:
    """Import log saved for reference"""
    kept, log = evidence.find(import_documents.LOG, of="4.2"), settings.migration_dir / import_documents.LOG
    assert import_log.is_complete_copy(log, kept, run=evidence.folder.name)


@gate("4.2")
def test_gate(unpassed_lines: list[str]) -> None:
    """Every row of the export is in production or accounted for; verification (4.3) may begin."""
    assert unpassed_lines == []
