"""Report page and Markdown say the same numbers; no value breaks a document; an empty chapter says so."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest

from fixtures import runbook
from fixtures.checks import documents as document_checks
from fixtures.checks.schema.risk_codes import CODES
from fixtures.evidence.ledger import Kind
from fixtures.model.applied_schema import AppliedSchema
from fixtures.model.audit import FinalCount
from fixtures.model.carry import CarryPlan, CarryVerification, EmptiedOption, KindPlan, LeftOut
from fixtures.model.closing import FollowUp, MonitoringPlan, ScheduledCheck
from fixtures.model.database_rules import DatabaseRule, OutsideSnapshot, RuleLeftBehind
from fixtures.model.dataset import CollectionProfile, ExportedFile, ImportOrder, Outcome, Reference
from fixtures.model.directus_configuration import ConfigurationComparison, DifferingObject, KindComparison
from fixtures.model.export import AssetFile, AssetInventory, CollectionCount, DataExport, Inventory
from fixtures.model.health import Metric, MetricStatus
from fixtures.model.imports import Conflict, ConflictKind, ImportResult, Refusal
from fixtures.model.not_carried import NotCarried
from fixtures.model.plan import Change, Risk, SchemaPlan, Stage
from fixtures.model.probe import Probe, ProbeKind, ProbeResult
from fixtures.model.schema_changes import Alteration, Relationship, SchemaChanges
from fixtures.model.secret import Secret
from fixtures.model.story import Deviation, Story
from fixtures.model.verdict import Verdict
from fixtures.operations.closing.follow_ups import follow_ups
from fixtures.report import page
from fixtures.report.documents import RECHECK, REPORT, Documents, MigrationReport, render
from tests_selftest.unit.invented_migration import BEGIN, InventedMigration

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ALL = tuple(group.id for group in runbook.GROUPS)


def create(stage: Stage, name: str) -> Change:
    return Change(stage, "create", name, Risk.ADDITIVE, "SC101", "new")


FIRST = SchemaPlan(
    BEGIN, "s", "t", "g",
    (
        create(Stage.COLLECTION, "amendments"),
        create(Stage.FIELD, "amendments.id"),
        create(Stage.FIELD, "amendments.title"),
        create(Stage.FIELD, "chapters.summary"),
        Change(Stage.CONSTRAINT, "create", "chapters.number", Risk.DATA_DEPENDENT, "SC150", "an index"),
        Change(Stage.CONSTRAINT, "alter", "sections.title", Risk.DATA_DEPENDENT, "SC120", "length", "120", "255"),
        Change(Stage.CONSTRAINT, "alter", "sections.title", Risk.DATA_DEPENDENT, "SC134", "not null", waived="by Ada"),
        create(Stage.RELATION, "amendments.section"),
    ),
    {}, "1111" * 16,
)  # fmt: skip
SECOND = SchemaPlan(
    BEGIN, "s2", "t2", "g2",
    (
        create(Stage.COLLECTION, "hearings"),
        create(Stage.FIELD, "hearings.id"),
        create(Stage.FIELD, "chapters.subtitle"),
        Change(Stage.COLLECTION, "drop", "notices", Risk.DESTRUCTIVE, "SC140", "", withheld=True),
    ),
    {}, "2222" * 16,
)  # fmt: skip
EARLIER = ImportResult(
    (
        Outcome("directus_folders", 1, 2, 1, 1, 0, 0, 2),
        Outcome("directus_files", 5, 12, 9, 3, 0, 0, 14),
        Outcome("sections", 400, 1000, 900, 90, 10, 0, 1300),
        Outcome("amendments", 0, 50, 30, 0, 0, 20, 30),
    ),
    (), (Refusal("amendments", "7", "RECORD_NOT_UNIQUE", "twice"),), 0, 9.0,
)  # fmt: skip
LATER = ImportResult(
    (
        Outcome("directus_folders", 2, 2, 0, 2, 0, 0, 2),
        Outcome("directus_files", 14, 12, 0, 12, 0, 0, 14),
        Outcome("sections", 1300, 1000, 0, 987, 10, 0, 1300, updated=3),
        Outcome("amendments", 30, 50, 15, 30, 0, 5, 45),
    ),
    (Conflict("sections", "17", ConflictKind.EDITED, ("title",), "17"),),
    (Refusal("amendments", "7", "RECORD_NOT_UNIQUE", "twice"),), 0, 4.0,
)  # fmt: skip
COUNTS = [
    FinalCount("sections", 400, 900, 1300, migrated=True),
    FinalCount("amendments", 0, 45, 45, migrated=True),
    FinalCount("notices", 3, 0, 3, migrated=False),
]

KEY_FIGURES = {
    "collections created": 2,
    "fields created": 5,
    "constraints created": 1,
    "relations created": 1,
    "schema objects modified": 2,
    "schema differences kept in production": 1,
    "rows created": 945,
    "rows skipped": 97,
    "rows updated": 3,
    "rows refused": 5,
    "files in the export": 12,
    "files created": 9,
    "things of local that were not carried over": 1,
    "tables before the first write": 1,
    "rows before the first write": 200,
}


def twice_applied(migration: InventedMigration) -> Story:
    """Two plans applied and two runs of the import, in one migration."""
    migration.passes("1.1", "1.2", "1.3", "1.4")
    for plan, result in ((FIRST, EARLIER), (SECOND, LATER)):
        migration.evidence.begin("3.2.2")
        migration.evidence.write(plan)
        facts = {"collections": list(plan.created_collections), "columns": list(plan.created_columns)}
        with migration.evidence.attempt("3.3.2", plan=plan.digest, **facts) as attempt:
            attempt.outcome = {"plan": plan.digest}
        migration.evidence.begin("4.2.2")
        migration.evidence.write(result)
    migration.evidence.begin("3.2.2")
    migration.evidence.write(SchemaPlan(BEGIN, "s3", "t3", "g3", SECOND.changes[3:], {}, "3333" * 16))
    migration.evidence.begin("5.3.1")
    migration.evidence.write(COUNTS, "FinalCounts")
    return migration.story()


def report(story: Story) -> str:
    return render(REPORT, story=story, target="production")


def html(story: Story, tmp_path: Path) -> str:
    return page.fragment(story, runs=tmp_path, redact=str)


def markdown_table(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, its head left out."""
    below = text.split(f"{heading}\n", 1)[1]
    lines = re.search(r"(?m)(^\|.*\n)+", below)
    assert lines, heading
    return [cells(line) for line in lines[0].splitlines()[2:]]


def cells(line: str) -> list[str]:
    """A table line at its unescaped pipes (GFM: a backslash escapes the character behind it)."""
    return [cell.strip() for cell in re.findall(r"((?:\\.|[^|\\])*)\|", line)[1:]]


def html_table(text: str, caption: str) -> list[list[str]]:
    """The body rows of the table with this caption, as text."""
    (body,) = re.findall(rf"<caption[^>]*>{caption}</caption>.*?<tbody>(.*?)</tbody>", text, re.DOTALL)
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", c).strip() for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]


def test_page_and_markdown_say_the_same_numbers_with_two_plans_and_two_imports(tmp_path: Path) -> None:
    story = twice_applied(InventedMigration(tmp_path))
    text, shown = report(story), html(story, tmp_path)
    expected = [[label, f"{value:,}"] for label, value in KEY_FIGURES.items()]
    assert markdown_table(text, "### Key figures") == expected
    assert html_table(shown, "Key figures") == expected


def test_every_object_and_every_row_count_is_the_same_in_both(tmp_path: Path) -> None:
    story = twice_applied(InventedMigration(tmp_path))
    text, shown = report(story), html(story, tmp_path)
    sections = {title: int(number) for title, number in re.findall(r"(?m)^### (.+) \((\d+)\)$", text)}
    assert sections == {
        "New collections": 2,
        "New fields in existing collections": 2,
        "Fields of the new collections": 3,
        "New relationships": 1,
        "New constraints": 1,
        "Modified": 2,
        "Planned and not applied": 0,
        "Kept in production, although local does not have it": 1,
        "Risks covered by a waiver": 1,
        "Errors during import": 1,
        "Conflicts, production's row was kept": 1,
        "Values and files not carried over": 1,
        "Of local's database, in no snapshot and not made": 0,
    }
    stages = dict(re.findall(r'<span class="grow">(\w+)</span> <span class="soft">(\d+) changes?</span>', shown))
    assert stages == {"Collections": "2", "Fields": "5", "Constraints": "3", "Relations": "1"}
    assert "11 changes of production's schema applied" in " ".join(re.sub(r"<[^>]+>", "", shown).split())
    assert "1 change covered by a waiver" in " ".join(re.sub(r"<[^>]+>", "", shown).split())
    rows = [
        ["directus_folders", "1", "2", "1", "1", "0", "0", "0", "0", "2"],
        ["directus_files", "5", "12", "9", "3", "0", "0", "0", "0", "14"],
        ["sections", "400", "1,000", "900", "87", "0", "10", "3", "0", "1,300"],
        ["amendments", "0", "50", "45", "0", "0", "0", "0", "5", "45"],
    ]
    assert markdown_table(text, "## 3. Data migration results") == rows
    both = [[*row[:9], row[10]] for row in html_table(shown, "Rows per collection")]
    assert both == rows


BIO = NotCarried("directus_users.bio", 12, "it is empty in production")


def test_what_is_not_carried_over_is_named_and_counted_in_page_and_markdown(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes("1.3")
    story = migration.story()
    said = "directus_users.bio: 12 rows of local have something that is not carried over; it is empty in production"
    assert f"### Values and files not carried over (1)\n\n- {said}\n" in report(story)
    shown = " ".join(re.sub(r"<[^>]+>", "", html(story, tmp_path)).split())
    assert "Values and files not carried over directus_users.bio: 12 rows of local, it is empty in production" in shown
    assert ("things of local that were not carried over", 1) in story.key_figures


def test_who_accepted_that_values_are_left_behind_stands_beside_them(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes("1.3")
    accepted = "NOT_CARRIED on directus_users.bio, accepted by Ada until 2026-12-01: entered again"
    story = replace(migration.story(), not_carried=(replace(BIO, accepted=accepted),))
    assert f"it is empty in production; {accepted}\n" in report(story)
    shown = " ".join(re.sub(r"<[^>]+>", "", html(story, tmp_path)).split())
    assert f"12 rows of local, it is empty in production {accepted}" in shown


def test_what_local_s_database_has_and_no_snapshot_holds_is_in_page_and_markdown(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    rule = DatabaseRule("orders", "paid", "check", ("total",), "CHECK ((total > 0))", "ALTER TABLE orders ADD …;")
    signed = RuleLeftBehind(rule, "no snapshot holds it", "accepted by Ada")
    migration.evidence.begin("3.2.1")
    migration.evidence.write(OutsideSnapshot(("view sums", "orders: CREATE TRIGGER t"), (signed,)))
    story = migration.story()
    text, shown = report(story), " ".join(unescape(re.sub(r"<[^>]+>", "", html(story, tmp_path))).split())
    assert "### Of local's database, in no snapshot and not made (3)\n\n- orders.paid (check): no snapshot" in text
    assert "holds it: ALTER TABLE orders ADD …; accepted by Ada\n- view sums\n- orders: CREATE TRIGGER t\n" in text
    assert "not made orders.paid (check), no snapshot holds it: ALTER TABLE orders ADD …; accepted by Ada" in shown
    assert "view sums orders: CREATE TRIGGER t" in shown or "view sumsorders: CREATE TRIGGER t" in shown
    assert ("rules and indexes of local's database that were not made", 1) in story.key_figures


def test_release_notes_and_notice_say_the_numbers_of_the_same_story(tmp_path: Path) -> None:
    story = twice_applied(InventedMigration(tmp_path))
    notes = render("RELEASE_NOTES.md", story=story, pages=["Amendments (/#/amendments)"])
    assert "- `amendments`: 45 items, `GET /items/amendments`" in notes
    assert "- `hearings` (a folder)" in notes
    new_fields = notes.split("## New fields in existing collections")[1].split("##")[0]
    assert re.findall(r"- `(.+?)`", new_fields) == ["chapters.summary", "chapters.subtitle"]
    assert "- `sections.title`: length 120 → 255" in notes.split("## Changed fields")[1].split("##")[0]
    assert "- `amendments.section`: new" in notes.split("## New relationships")[1].split("##")[0]
    assert "- Amendments (/#/amendments)" in notes
    said = render("NOTICE.md", story=story, target="cms", report="r.md")
    assert "945 items imported, 2 collections verified" in said
    assert "New in the admin app: amendments, hearings; 2 new fields in existing collections" in said
    assert "call Ada Lovelace, +1 704 555 0100" in said
    assert "udo-20251122.dump" in said


def test_an_empty_chapter_says_so_and_is_never_left_out(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.judge("1.1.1", Verdict.PASSED)
    text = report(migration.story())
    assert document_checks.missing_from_report(text, must_name=[]) == []
    for said in (
        "Not counted: group 5.3 has not passed.",
        "None: every line passed at its first attempt.",
        "Not measured.",
        "The schemas were not compared in this migration.",
        "No import is on record in this migration.",
        "No backup is on record in this migration.",
        "Not identified yet: step 6.1.5 does that.",
        "Not compared: group 3.2 has not passed.",
    ):
        assert said in text


COMPARED = ConfigurationComparison(
    NOW,
    (
        KindComparison("roles", 4, 1, tuple("abc")),
        KindComparison("policies", 2, 2),
        KindComparison("permissions", 415, 1, tuple(f"Public · c{n:03} · read" for n in range(414))),
        KindComparison("settings", 2, 3, ("public_note",), ("project_color", "project_url"), (
            DifferingObject("project_name", ("project_name",)),
        )),
        KindComparison("deployments", 0, 0, not_compared="production: Directus 11.5.0 has no /deployments"),
        KindComparison("shares", 0, 0),
    ),
    {"read": tuple(f"c{n:03}" for n in range(19))},
)  # fmt: skip


def test_what_is_not_carried_over_is_the_same_in_both(tmp_path: Path) -> None:
    """Counts, names, what it means and what to do; of the comparisons of 3.2 and 4.1 the later one."""
    migration = InventedMigration(tmp_path)
    for line, found in (("3.2.2", replace(COMPARED, compared_at=BEGIN, kinds=())), ("4.1.3", COMPARED)):
        migration.evidence.begin(line)
        migration.evidence.write(found)
    story = migration.story()
    assert story.configuration == COMPARED
    text, shown = report(story), html(story, tmp_path)
    rows = [
        ["roles", "4", "1", "3", "0", "0"],
        ["policies", "2", "2", "0", "0", "0"],
        ["permissions", "415", "1", "414", "0", "0"],
        ["settings", "2", "3", "1", "1", "2"],
    ]
    unread = "not compared: production: Directus 11.5.0 has no /deployments"
    assert markdown_table(text, "### Not carried over") == [*rows, ["deployments", "0", "0", unread, "", ""]]
    assert html_table(shown, "Configuration on both sides") == [*rows, ["deployments", unread]]
    words = [" ".join(unescape(re.sub(r"<[^>]+>|[*]", "", each)).split()) for each in (text, shown)]
    for document in words:
        assert "Visitors may not read 19 collections that local's visitors may: c000, c001, c002, c003" in document
        assert "c010, c011 and 7 more." in document
        assert "3 roles: nobody can be given such a role. Settings → Access Control → Create Role. a, b, c" in document
        assert "414 permissions: the API answers 403" in document
        assert "Public · c059 · read … and 354 more, in the evidence of groups 3.2, 4.1 and 4.3" in document
        assert "1 setting: production works with another value" in document
        assert "project_name (project_name)" in document
    tasks = [task.what for task in follow_ups(story)]
    assert tasks[0] == "Carry over by hand what production needs of 3 roles, 414 permissions, 1 setting"


CARRIED = CarryPlan(
    "permissions,flows",
    (
        KindPlan("permissions", tuple(f"Public · c{n:03} · read" for n in range(70)), own=("Public · pages · read",)),
        KindPlan("flows", ("Notify",), ("Nightly",), left_out=(LeftOut("Old", "production has no role"),)),
    ),
    (EmptiedOption("operations", "Notify · post", "options.url"),),
    {"read": ("c000", "c001")},
)


def test_what_carry_takes_over_is_the_same_in_both(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    for line, found in (("4.1.3", COMPARED), ("4.1.3", CARRIED), ("4.3.2", CarryVerification(71, by_others=1))):
        migration.evidence.begin(line)
        migration.evidence.write(found)
    text, shown = report(migration.story()), html(migration.story(), tmp_path)
    task = "Check and activate 2 flows that CARRY took over (Notify, Nightly), and set their 1 credentials"
    assert task in [each.what for each in follow_ups(migration.story())]
    assert html_table(shown, "What CARRY does") == [["permissions", "70", "0", "1", "0"], ["flows", "1", "1", "0", "1"]]
    assert "| flows | 1 | 1 | 0 | 1 |" in text
    for document in (" ".join(unescape(re.sub(r"<[^>]+>|[*`]", "", each)).split()) for each in (text, shown)):
        assert "CARRY=permissions,flows takes over what production lacks. 71 objects made by this migration" in document
        assert "left out: flow Old: production has no role" in document
        assert "left empty, for a person to set: operation Notify · post, options.url" in document
        assert "visitors without a login may read 2 more: c000, c001" in document
    assert "Public · c059 · read … and 10 more, in carry-plan.txt" in " ".join(re.sub(r"<[^>]+>", "", shown).split())


def test_a_later_comparison_with_a_new_plan_replaces_that_before_the_import(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    for line, found in (("4.1.3", replace(COMPARED, compared_at=BEGIN)), ("3.2.2", replace(COMPARED, kinds=()))):
        migration.evidence.begin(line)
        migration.evidence.write(found)
    assert migration.story().configuration == replace(COMPARED, kinds=())


def test_a_report_without_a_chapter_or_a_name_is_incomplete(tmp_path: Path) -> None:
    text = report(twice_applied(InventedMigration(tmp_path)))
    assert document_checks.missing_from_report(text, must_name=["amendments"]) == []
    cut = text.split("## 5. ")[0]
    (finding,) = document_checks.missing_from_report(cut, must_name=["no_such_collection"])
    assert finding.code == "MIG-611"
    assert "chapter 5, no_such_collection" in finding.observed


def test_the_backup_its_scope_and_the_time_of_a_rollback_are_in_it(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL)
    text = report(migration.story())
    assert '- 1 of the 3 tables are outside of "public" (audit.log)' in text
    assert "- In the dump and not compared (a view has no rows of its own): shown." in text
    assert "it was never measured as a whole" in text
    facts = {"outcome": "rolled back", "backup": "b", "seconds": 44.0, "parts": {}, "rows": 530}
    migration.ledger.add(Kind.CLOSED, "migration", **facts, method="new", database="udo-db-2")
    assert "44 s the last time, into a new database, on this target" in report(migration.story())


def test_a_failure_and_when_its_line_passed_are_in_it(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.judge("5.1.A1", Verdict.FAILED, message="MIG-512 The page | shows\nmore\n2 findings")
    migration.judge("5.1.A1", Verdict.PASSED)
    migration.judge("5.2.A1", Verdict.IN_DOUBT, message="RND-1 lost")
    first, second = markdown_table(report(migration.story()), "### Errors and how they were resolved")
    assert first == ["5.1.A1", "2025-11-22 14:00:02Z", r"MIG-512 The page \| shows", "passed at 2025-11-22 14:00:03Z"]
    assert second[3] == "NOT RESOLVED"


HOSTILE = "a|b\\|c\r\n# not a heading\n| not | a | row |\u2028- not an item"


def test_no_value_breaks_a_table_or_a_list(tmp_path: Path) -> None:
    """Every table line has as many cells as its head, and a line break in a value begins no line of its own."""
    changes = [replace(c, detail=HOSTILE, before=HOSTILE, after=HOSTILE, data_impact=HOSTILE) for c in FIRST.changes]
    plan = replace(FIRST, changes=tuple(changes), answers=(ProbeResult(Probe("SC134", ProbeKind.NULLS, "a.b"), 2),))
    story = replace(
        twice_applied(InventedMigration(tmp_path)),
        contact=HOSTILE,
        refusals=(Refusal("sections", HOSTILE, "X", HOSTILE),),
        conflicts=(Conflict("sections", HOSTILE, ConflictKind.NATURAL_KEY_MATCH, ("title",), HOSTILE),),
        follow_ups=(FollowUp(HOSTILE, HOSTILE, HOSTILE),),
        deviations=(Deviation("1.1.1", HOSTILE, HOSTILE),),
        counts=(FinalCount(HOSTILE, 1, 2, 3, migrated=True),),
        measures=(Metric("backend", "cpu", MetricStatus.NOT_MEASURED, note=HOSTILE),),
        configuration=ConfigurationComparison(
            NOW,
            (
                KindComparison("flows", 1, 1, (HOSTILE,), (HOSTILE,), (DifferingObject(HOSTILE, ("name",)),)),
                KindComparison("shares", 1, 1, not_compared=HOSTILE),
            ),
            {"read": (HOSTILE,)},
        ),
        not_carried=(NotCarried(HOSTILE, 1, HOSTILE),),
        outside=OutsideSnapshot(
            (HOSTILE,),
            (RuleLeftBehind(DatabaseRule(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE), HOSTILE, HOSTILE),),
        ),
    )
    assert story.schema
    story = replace(story, schema=replace(story.schema, done=tuple(changes), pending=tuple(changes)))
    watch = MonitoringPlan(NOW, HOSTILE, (ScheduledCheck("1", NOW, 30, HOSTILE, HOSTILE),))
    schema = SchemaChanges(
        "d", (HOSTILE,), (), (Relationship("M2O", "a.b", "c"),), (Alteration("a.b", "type", HOSTILE, HOSTILE),), ()
    )
    for text in (
        report(story),
        render("RELEASE_NOTES.md", story=story, pages=[HOSTILE]),
        render("NOTICE.md", story=story, target="cms", report="r.md"),
        render("MONITORING.md", plan=watch),
        render("SCHEMA_CHANGES.md", changes=schema, summary=schema.summary),
        render("SCHEMA_CHECKLIST.md", plan=plan),
        render("SCHEMA_PLAN.md", plan=plan, applied=story.schema, summary="s", codes=CODES, answer=lambda _: HOSTILE),
    ):
        width = 0
        for line in text.splitlines():
            width = (width or len(cells(line))) if line.startswith("|") else 0
            assert not line.startswith("|") or len(cells(line)) == width, line
            assert not re.match(r"(# |- )not ", line), line


def test_the_schema_plan_has_every_change_answer_code_and_what_was_applied_before() -> None:
    answers = (
        ProbeResult(Probe("SC134", ProbeKind.NULLS, "sections.title"), 2),
        ProbeResult(Probe("SC160", ProbeKind.DEPENDENTS, "sections.title"), 0),
        ProbeResult(Probe("SC160", ProbeKind.DEPENDENTS, "chapters.number"), 0),
    )
    statement = 'ALTER TABLE "sections" ADD COLUMN "size" smallint;'
    changes = (replace(FIRST.changes[0], statement=statement), *FIRST.changes[1:])
    plan = replace(FIRST, answers=answers, changes=changes)
    nothing = render(
        "SCHEMA_PLAN.md",
        plan=replace(SECOND, changes=()),
        applied=_applied(),
        summary="s",
        codes=CODES,
        answer=str,
    )
    assert "# Applied earlier in this migration: plan 111111111111" in nothing
    assert "| `sections.title` | alter length | 120 | 255 | data-dependent | SC120 |  |  |" in nothing
    text = render(
        "SCHEMA_PLAN.md", plan=plan, applied=_applied(done=False), summary="8 changes", codes=CODES,
        answer=lambda _: "two rows",
    )  # fmt: skip
    assert "# Applied earlier" not in text
    assert "- SC134 `sections.title`: two rows" in text
    assert f"- {changes[0].code} `{changes[0].name}`: `{statement}`" in text
    assert "of Directus\n\nNothing." in nothing
    assert f"- SC160: 2 objects probed, 0 {ProbeKind.DEPENDENTS.value}" in text
    assert "## 1. Create new collections (1)" in text
    assert f"- SC150: {CODES['SC150'].meaning}" in text
    checklist = render("SCHEMA_CHECKLIST.md", plan=plan)
    assert "- [ ] 1. create `amendments` (new) SC101\n  - [ ] validate: it is in the data model" in checklist


def _applied(*, done: bool = True) -> AppliedSchema:
    return AppliedSchema(plans=(FIRST.digest,), done=FIRST.changes) if done else AppliedSchema()


def test_export_and_order_are_listed_collection_by_collection() -> None:
    profiles = (
        CollectionProfile("chapters", "id", "integer", False, ("id", "name"), unique=("name",)),
        CollectionProfile("sections", "id", "uuid", False, ("id",), (Reference("chapter", "chapters", False),)),
    )
    counts = (CollectionCount("chapters", 3, 2), CollectionCount("sections", 4, -1))
    inventory = Inventory(NOW, profiles, counts)
    data = DataExport(NOW, (ExportedFile("chapters", "data/chapters.json", 3, "ab" * 32, 10, "integer"),))
    assets = AssetInventory((AssetFile("1", "files/1.png", "cd" * 32, 1200, "a.png", "image/png"),), {}, {})
    text = render(
        "DATA_EXPORT.md", inventory=inventory, data=data, assets=assets, concealed=["users.pin"], not_carried=[BIO]
    )
    assert f"- {BIO}" in text
    assert "| chapters | 3 | 2 | id (integer) | integer | – | data/chapters.json | abababababababab… |" in text
    assert "1 files of the library (1,200 bytes) in 0 folders" in text
    assert "- users.pin" in text
    order = ImportOrder(("chapters", "sections"), deferred=("chapters.cover",), cycles=(("a", "b"),))
    conflicts = [Conflict("sections", k, ConflictKind.EDITED, (), k) for k in ("1", "2")]
    text = render("IMPORT_ORDER.md", inventory=inventory, order=order, conflicts=conflicts)
    assert "1. chapters; unique: name\n2. sections: chapter → chapters\n" in text
    assert "- chapters.cover" in text
    assert "- a → b" in text
    assert "- sections: 2 × same key, other content" in text


def test_plan_and_result_are_aligned_columns_with_totals() -> None:
    lines = render("import-result.txt", result=EARLIER).splitlines()
    assert lines[-1].split() == ["total", "406", "1064", "940", "94", "0", "10", "0", "20", "1346"]
    assert len({len(line) for line in lines}) == 1


def test_tasks_follow_from_conflicts_refusals_and_the_backup(tmp_path: Path) -> None:
    story = twice_applied(InventedMigration(tmp_path))
    tasks = [task.what for task in follow_ups(story)]
    assert tasks == [
        "Decide which version of 1 row(s) of sections is right",
        "Settle 1 refused rows",
        "Keep udo-20251122.dump for 30 days, in a second place too",
        "Check again after 24 hours",
    ]


@pytest.mark.parametrize(
    ("closed_before", "changed", "name"),
    [(False, False, REPORT), (False, True, REPORT), (True, True, REPORT), (True, False, RECHECK)],
)
def test_a_migration_without_changes_does_not_replace_the_report(
    tmp_path: Path, closed_before: bool, changed: bool, name: str
) -> None:
    migration = InventedMigration(tmp_path / "reports")
    if closed_before:
        migration.ledger.add(Kind.CLOSED, "migration")
        migration.ledger.add(Kind.OPENED, "migration")
    if changed:
        twice_applied(migration)
    folder = tmp_path / "migration"
    folder.mkdir()
    written = MigrationReport(Documents(folder, migration.evidence), migration.story, "rehearsal")
    text = written.write()
    assert [file.name for file in folder.iterdir()] == [written.path.name] == [name]
    assert written.text == text


def test_no_secret_reaches_a_document(tmp_path: Path) -> None:
    secret = Secret("s3cr3t-Tok3n")
    story = replace(twice_applied(InventedMigration(tmp_path)), contact=f"Ada, {secret.reveal()}")
    text = report(story)
    assert "- Whom to call: Ada, [redacted]" in text
    assert "s3cr3t" not in text
