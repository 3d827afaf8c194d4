"""5.1  End-to-End Testing

Purpose     The site and its API do, with the migrated data, what people come for.
Needs       4.3 the data is verified
Writes      scratch rows of its own in production, each deleted and the deletion verified
On failure  fix it, or restore the backup named by gate 1.4 if critical functionality is broken
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fixtures.checks.backups import row_preservation
from fixtures.checks.rows.profile import profile as profile_of
from fixtures.checks.site import access as access_checks
from fixtures.checks.site import pages, rule_checks, site_map
from fixtures.marks import acceptance, action, gate, task_group
from fixtures.model.access import Grants
from fixtures.model.export import DataExport, Inventory
from fixtures.model.finding import format_findings
from fixtures.model.snapshot import Snapshot
from fixtures.model.visit import ApiCall, FormAction, PageVisit
from fixtures.operations.imports import flow_pause, import_inputs
from fixtures.operations.preservation import existing_rows
from fixtures.operations.schema import schema_plan
from fixtures.operations.scratch_rows import access, scratch_values
from fixtures.operations.site import site_form, workflows
from fixtures.operations.site.page_visit import page_name
from fixtures.operations.site.visit import VisitResults, ignore_visit
from fixtures.operations.source import export_reader
from fixtures.operations.verification import query_checks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from fixtures.evidence.store import Evidence
    from fixtures.model.ids import LineId
    from fixtures.model.secret import Secret
    from fixtures.model.site import SiteMap
    from fixtures.operations.preservation.existing_rows import ComparisonContext
    from fixtures.operations.scratch_rows.access import Person
    from fixtures.operations.site.visit import SiteTour
    from fixtures.process.progress import Progress
    from fixtures.settings import Settings
    from fixtures.systems.browser.window import Browser
    from fixtures.systems.directus import DirectusObserver, DirectusOperator, DirectusSandbox

pytestmark = task_group("5.1")


@action("5.1.1")
def test_every_page_is_visited(site_tour: SiteTour, evidence: Evidence, progress: Progress) -> None:
    """Test frontend data display"""
    expected = site_tour.expected_pages()
    sightings = VisitResults(evidence.attach, lambda path, done: progress("site", path, done, expected))
    seen = [*site_tour.lists(sightings), *site_tour.singles(sightings), *site_tour.plain(sightings)]
    assert len(seen) == expected > 0
    evidence.write(seen, "PageVisits")
    evidence.note(
        f"{len(seen)} pages opened: {sum(max(0, v.shown) for v in seen):,} items drawn on them,"
        f" {sum(v.images for v in seen)} pictures, {sum(v.files for v in seen)} files;"
        f" {sum(v.observations > 1 for v in seen)} were opened more than once until they were complete."
    )
    moved = [visit for visit in seen if visit.meanwhile]
    if moved:
        evidence.note(
            f"Made, changed or deleted by others while their pages were read: {sum(v.meanwhile for v in moved)} rows on"
            f" {len(moved)} pages; every row that stayed is shown."
        )


@action("5.1.2")
def test_the_form_is_used(
    browser: Browser,
    site_url: str,
    site: SiteMap,
    accounts: Mapping[str, tuple[str, Secret]],
    production_operator: DirectusOperator,
    production_sandbox: DirectusSandbox,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Test frontend CRUD operations"""
    progress("site", "using its form")
    forms = [site.form.collection] if site.form else []
    with flow_pause.pause_flows(production_operator, forms, journal=import_inputs.paused_flows_file(evidence.ledger)):
        actions = site_form.exercise_form(
            browser,
            site_url,
            site,
            accounts=accounts,
            production=production_operator,
            sandbox=production_sandbox,
            save_screenshot=lambda name, picture: evidence.attach(f"form-{page_name(name)}.jpg", picture),
        )
    evidence.write(actions, "FormActions")
    assert actions or site.form is None
    done = "; ".join(f"{action.name}: {action.observed}" for action in actions)
    evidence.note(
        f"{done}." if actions else "The site map has no form: items cannot be created, edited or deleted on this site."
    )


@action("5.1.3")
def test_every_endpoint_is_called(
    production_operator: DirectusOperator,
    production_sandbox: DirectusSandbox,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    now: datetime,
) -> None:
    """Test API endpoints"""
    inventory, snapshot = evidence.read(Inventory, of="1.3"), production_operator.snapshot()
    waived = schema_plan.accepted_untried(settings.waivers, today=now.date())
    values = scratch_values.ScratchValues(snapshot, production_operator, production_sandbox.mark, waived=waived)
    calls: list[ApiCall] = []
    with flow_pause.pause_flows(
        production_operator, snapshot.tables, journal=import_inputs.paused_flows_file(evidence.ledger)
    ):
        listed = scratch_values.list_endpoints(inventory.profiles, production_operator)
        for done, profile in enumerate(inventory.profiles, start=1):
            calls.append(listed[profile.name])
            if not profile.singleton:
                calls += scratch_values.exercise_crud(profile, values, production_operator, production_sandbox)
            progress("API", f"five verbs on {profile.name}, collections", done, len(inventory.profiles))
        production_sandbox.clean_up()
    evidence.write(calls, "EndpointCalls")
    assert {call.collection for call in calls} == {profile.name for profile in inventory.profiles}
    evidence.note(
        f"{len(calls)} calls on {len(inventory.profiles)} collections, {sum(call.right for call in calls)} as"
        f" expected; every scratch row was deleted."
    )
    for sentence in rule_checks.not_tried(calls):
        evidence.note(sentence)


@action("5.1.4")
def test_filters_sorts_and_searches_are_requested(
    production: DirectusObserver, database_url: Secret, settings: Settings, evidence: Evidence, progress: Progress
) -> None:
    """Test filtering and sorting"""
    inventory, data = evidence.read(Inventory, of="1.3"), evidence.read(DataExport, of="1.3")
    files, snapshot = {file.collection: file for file in data.files}, production.snapshot()
    profiles = [profile for profile in inventory.profiles if not profile.singleton]
    calls: list[ApiCall] = []
    held = production.counts(profile.name for profile in profiles)
    for done, profile in enumerate(profiles, start=1):
        rows = export_reader.rows(settings.migration_dir, files[profile.name])
        # Directus searches the columns that only production has, too.
        there = profile_of(snapshot, profile.name)
        calls += query_checks.run_query_checks(production, database_url, there, snapshot, rows, held=held[profile.name])
        progress("API", f"filter, sort and search in {profile.name}, collections", done, len(profiles))
    evidence.write(calls, "QueryCalls")
    filled = sum(bool(files[profile.name].rows) for profile in profiles)
    assert calls or not filled, f"not one question was asked of {filled} collections with rows"
    evidence.note(
        f"{len(calls)} queries on {len(profiles)} collections, compared with the rows:"
        f" {sum(call.right and not call.not_tried for call in calls)} right."
    )
    for sentence in rule_checks.not_tried(calls):
        evidence.note(sentence)


@action("5.1.5")
def test_permissions_are_tested(
    people: tuple[Person, ...],
    production_operator: DirectusOperator,
    production_sandbox: DirectusSandbox,
    settings: Settings,
    evidence: Evidence,
    progress: Progress,
    now: datetime,
) -> None:
    """Test authentication and permissions"""
    profiles = evidence.read(Inventory, of="1.3").profiles
    snapshot = production_operator.snapshot()
    waived = schema_plan.accepted_untried(settings.waivers, today=now.date())
    values = scratch_values.ScratchValues(snapshot, production_operator, production_sandbox.mark, waived=waived)
    granted = access.grants(production_operator, people)
    with flow_pause.pause_flows(
        production_operator, snapshot.tables, journal=import_inputs.paused_flows_file(evidence.ledger)
    ):
        calls = access.exercise(
            people,
            granted,
            profiles,
            values,
            production_sandbox,
            lambda done, total: progress("API", "permissions, collections", done, total),
        )
    assert len(calls) == access.expected_calls(people, granted, profiles)
    evidence.write(granted, "Grants")
    evidence.write(calls, "PermissionCalls")
    refused = sum(call.status in {*access_checks.FORBIDDEN, *access_checks.UNAUTHORIZED} for call in calls)
    evidence.note(
        f"{len(people)} accounts, {len(profiles)} collections: {len(calls)} requests, {refused} refused;"
        f" tested were {', '.join(person.name for person in people)}; the administrator, who read every collection in"
        " 5.1.3, and the invalid token asked for one collection."
    )
    for sentence in rule_checks.not_tried(calls):
        evidence.note(sentence)


@action("5.1.6")
def test_the_workflows_are_executed(
    browser: Browser,
    site_url: str,
    site: SiteMap,
    accounts: Mapping[str, tuple[str, Secret]],
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Test critical user workflows"""
    findings = site_map.problems(site, accounts)
    assert not findings, format_findings(findings)
    actions: list[FormAction] = []
    for workflow in site.workflows:
        progress("site", workflow.name, len(actions) + 1, len(site.workflows))
        actions.append(
            workflows.run_workflows(
                browser,
                site_url,
                site,
                workflow,
                accounts=accounts,
                save_screenshot=lambda name, picture: evidence.attach(f"workflow-{page_name(name)}.jpg", picture),
            )
        )
    evidence.write(actions, "WorkflowActions")
    evidence.note(
        f"{sum(action.done for action in actions)} of {len(actions)} workflows done from the first click to the end."
    )


@acceptance("5.1.A1")
def test_the_site_shows_the_data(site: SiteMap, evidence: Evidence) -> None:
    """Frontend loads and displays data correctly"""
    visits = evidence.read(list[PageVisit], of="5.1", name="PageVisits")
    findings = pages.display_problems(visits)
    findings += pages.missing_screenshots(visits, site.pictured)
    assert not findings, format_findings(findings)
    assert set(site.addresses) <= {visit.path for visit in visits}
    lists = [visit for visit in visits if visit.api_count >= 0]
    evidence.note(
        f"{len(lists)} lists show what the API counts, {sum(v.api_count for v in lists):,} items;"
        f" {sum(v.images for v in visits)} pictures, all loaded."
    )


@acceptance("5.1.A2")
def test_items_can_be_created_updated_and_deleted(
    site: SiteMap, settings: Settings, evidence: Evidence, now: datetime
) -> None:
    """All CRUD operations work via frontend and API"""
    actions = evidence.read(list[FormAction], of="5.1", name="FormActions")
    calls = evidence.read(list[ApiCall], of="5.1", name="EndpointCalls")
    profiles = evidence.read(Inventory, of="1.3").profiles
    findings = [*pages.failed_actions(actions), *access_checks.unexpected_answers(calls)]
    findings += rule_checks.not_verifiable(calls, schema_plan.accepted_untried(settings.waivers, today=now.date()))
    assert not findings, format_findings(findings)
    assert len(actions) == (len(site_form.FORM_ACTIONS) if site.form else 0)
    assert len(calls) == sum(len(scratch_values.crud_checks(profile)) for profile in profiles)
    evidence.note(f"{len(actions)} actions with the site's form and {len(calls)} calls of the API, all as expected.")


@acceptance("5.1.A3")
def test_answers_are_accurate(settings: Settings, evidence: Evidence, now: datetime) -> None:
    """Filtering, sorting, and search work correctly"""
    calls = evidence.read(list[ApiCall], of="5.1", name="QueryCalls")
    waived = schema_plan.accepted_untried(settings.waivers, today=now.date())
    findings = [*access_checks.unexpected_answers(calls), *rule_checks.not_verifiable(calls, waived)]
    assert not findings, format_findings(findings)
    filled = {file.collection for file in evidence.read(DataExport, of="1.3").files if file.rows}
    lists = {profile.name for profile in evidence.read(Inventory, of="1.3").profiles if not profile.singleton}
    for verb in ("filter", "sort"):
        untold = sorted(filled & lists - {call.collection for call in calls if call.verb == verb})
        assert untold == [], f"nothing is known of the {verb} of {', '.join(untold)}"
    if not any(call.verb == "search" for call in calls):
        evidence.note("Search is not applicable: no exported row has a text to search for.")
    asked = [call for call in calls if not call.not_tried]
    evidence.note(f"{len(asked)} answers hold the right rows in the right order.")
    for sentence in rule_checks.not_tried(calls):
        evidence.note(sentence)


@acceptance("5.1.A4")
def test_permissions_are_enforced(site: SiteMap, settings: Settings, evidence: Evidence, now: datetime) -> None:
    """Authentication and permissions enforced"""
    calls = evidence.read(list[ApiCall], of="5.1", name="PermissionCalls")
    granted = evidence.read(list[Grants], of="5.1", name="Grants")
    collections = [profile.name for profile in evidence.read(Inventory, of="1.3").profiles]
    private = [site.form.collection] if site.form else []
    visitor = next(grant for grant in granted if grant.person == "visitor")
    findings = [
        *access_checks.unexpected_answers(calls),
        *access_checks.unsafe_permissions(granted, collections, private),
        *access_checks.unreadable_for_visitors(visitor, site.collections),
        *rule_checks.not_verifiable(calls, schema_plan.accepted_untried(settings.waivers, today=now.date())),
    ]
    assert not findings, format_findings(findings)
    assert any(call.who == "invalid token" and call.status in access_checks.UNAUTHORIZED for call in calls)
    wrote = [call for call in calls if call.who == "visitor" and call.verb != "read" and not call.not_tried]
    refused = any(call.who == "visitor" and call.status in access_checks.FORBIDDEN for call in calls)
    assert refused or not wrote, "a visitor was refused nothing, although some writes must be"
    evidence.note(f"{len(calls)} requests of {len(granted)} accounts and an invalid token were answered as configured.")


@acceptance("5.1.A5")
def test_the_workflows_succeed(site: SiteMap, evidence: Evidence) -> None:
    """Critical user workflows complete successfully"""
    actions = evidence.read(list[FormAction], of="5.1", name="WorkflowActions")
    findings = pages.failed_actions(actions)
    assert not findings, format_findings(findings)
    assert [action.name for action in actions] == [workflow.name for workflow in site.workflows]
    evidence.note("; ".join(action.name for action in actions) + ".")


@acceptance("5.1.A6")
def test_no_console_or_api_error_occurred(evidence: Evidence) -> None:
    """No console errors or API errors"""
    seen: list[PageVisit | FormAction] = [
        *evidence.read(list[PageVisit], of="5.1", name="PageVisits"),
        *evidence.read(list[FormAction], of="5.1", name="FormActions"),
        *evidence.read(list[FormAction], of="5.1", name="WorkflowActions"),
    ]
    findings = pages.console_errors(seen)
    assert not findings, format_findings(findings)
    assert seen
    evidence.note(f"{len(seen)} pages, forms and workflows without a console error or a failed request.")


@acceptance("5.1.A7", closes=True)
def test_the_application_works(
    site_tour: SiteTour,
    production: DirectusObserver,
    comparison_context: ComparisonContext,
    evidence: Evidence,
    settings: Settings,
    lines_before: Sequence[LineId],
) -> None:
    """Application fully functional with migrated data"""
    assert evidence.ledger.unpassed(lines_before) == []
    assert evidence.read(Snapshot, of="1.2").tables
    assert production.ping()
    again = existing_rows.observe(comparison_context)
    findings = [*pages.display_problems(site_tour.plain(ignore_visit)), *row_preservation.losses(again)]
    assert not findings, format_findings(findings)
    evidence.note(f"All {len(lines_before)} lines of 5.1 passed, and {settings.directus_url} answers after them.")
    evidence.note(row_preservation.summarize(again))


@gate("5.1")
def test_gate(unpassed_lines: list[str]) -> None:
    """The application works with the migrated data; its performance may be judged."""
    assert unpassed_lines == []
