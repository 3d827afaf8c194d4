"""The story says what the ledger says: the newest verdict, the worst answer, and never more than happened."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures import runbook
from fixtures.evidence.ledger import Kind
from fixtures.model.audit import FinalCount
from fixtures.model.dataset import Outcome
from fixtures.model.ids import GateId, LineId, Subject
from fixtures.model.imports import ImportResult
from fixtures.model.inputs import Inputs
from fixtures.model.story import MigratedCounts, OverallVerdict, RunState
from fixtures.model.verdict import Obstacle, Verdict
from fixtures.plugins import terminal_summary
from fixtures.report import deviations, evidence_values
from fixtures.report.evidence_values import all_runs
from fixtures.report.formatting import duration, first_line, size
from fixtures.report.story import build_story
from tests_selftest.unit.invented_migration import BEGIN, InventedMigration

ALL = tuple(group.id for group in runbook.GROUPS)


@pytest.fixture
def migration(tmp_path: Path) -> InventedMigration:
    return InventedMigration(tmp_path)


def before(group: str) -> tuple[str, ...]:
    return ALL[: ALL.index(group)]


def test_go_needs_every_line_and_every_gate(migration: InventedMigration) -> None:
    migration.passes(*ALL)
    story = migration.story()
    assert str(story.headline) == "GO"
    assert len(story.steps) + len(story.criteria) == len(runbook.lines())
    assert len(story.groups) == len(runbook.GROUPS)
    assert all(line_result.verdict is Verdict.PASSED for line_result in story.lines)


@pytest.mark.parametrize("group", ALL)
def test_one_missing_gate_is_never_go(migration: InventedMigration, group: str) -> None:
    migration.passes(*(each for each in ALL if each != group))
    assert str(migration.story().headline) == f"UNDER WAY at {group}"


def test_a_failure_stops_at_its_group_with_the_first_line_of_its_message(migration: InventedMigration) -> None:
    migration.passes(*before("3.3"))
    with migration.evidence.attempt("3.3.2", plan="9f2c"):
        pass
    migration.fails("3.3.3", "MIG-331 Production changed.\n  where  there")
    headline = migration.story().headline
    assert str(headline) == "STOPPED at 3.3"
    assert headline.reason == "3.3.3 Verify schema application succeeded: MIG-331 Production changed."
    assert headline.next_act == (
        "STOP: pytest phases/ -m rollback --target rehearsal brings production back to the backup of gate 1.4;"
        " investigate, then begin again"
    )


def test_nobody_is_told_to_restore_a_database_nothing_was_written_to(migration: InventedMigration) -> None:
    migration.passes(*before("3.3"))
    migration.fails("3.3.1", "MIG-331 Production changed.")
    assert migration.story().headline.next_act.startswith("neither schema nor data were written")


def test_a_later_pass_replaces_an_earlier_failure(migration: InventedMigration) -> None:
    migration.passes(*before("3.3"))
    migration.fails("3.3.2", "no")
    migration.passes(*ALL[ALL.index("3.3") :])
    assert migration.story().headline.verdict is OverallVerdict.GO


def test_one_failed_parameter_is_not_covered_by_the_last_one(migration: InventedMigration) -> None:
    migration.passes(*ALL)
    migration.judge("5.1.A1[/#/amendments]", Verdict.FAILED, message="nothing drawn")
    migration.judge("5.1.A1[/#/chapters]", Verdict.PASSED)
    story = migration.story()
    assert str(story.headline) == "STOPPED at 5.1"
    assert next(p for p in story.lines if p.id == "5.1.A1").message == "nothing drawn"


def test_a_write_whose_end_nobody_saw_is_in_doubt(migration: InventedMigration) -> None:
    migration.passes(*before("3.3"))
    migration.ledger.add(Kind.INTENT, "3.3.2", plan="9f2c")
    assert str(migration.story().headline) == "IN DOUBT at 3.3"
    assert str(migration.story(state=RunState.RUNNING).headline) == "UNFINISHED at 3.3"
    migration.passes("3.3")
    assert migration.story().headline.verdict is OverallVerdict.UNDER_WAY


def test_a_killed_run_is_called_unfinished_and_an_interrupted_one_interrupted(migration: InventedMigration) -> None:
    migration.passes(*before("2.3"))
    assert str(migration.story(state=RunState.RUNNING).headline) == "UNFINISHED at 2.3"
    assert str(migration.story(state=RunState.INTERRUPTED).headline) == "INTERRUPTED at 2.3"


def test_what_blocks_is_named_and_what_an_earlier_run_settled_stays(migration: InventedMigration) -> None:
    migration.passes("1.1", "1.2")
    blocked: dict[Subject, Obstacle] = {
        LineId("1.1.1"): Obstacle(GateId("gate 9.9"), "no"),
        LineId("3.1.1"): Obstacle(GateId("gate 1.4"), "it has not passed"),
    }
    story = migration.story(blocked=blocked)
    assert next(p for p in story.lines if p.id == "1.1.1").verdict is Verdict.PASSED
    assert next(p for p in story.lines if p.id == "3.1.1").verdict is Verdict.BLOCKED
    assert str(story.headline) == "STOPPED at 3.1"
    assert "gate 1.4: it has not passed" in story.headline.reason
    assert story.headline.next_act == "pass gate 1.4 first: pytest phases/ -m phase1"


def test_what_blocks_this_run_is_said_and_not_the_failure_of_an_earlier_one(tmp_path: Path) -> None:
    first = InventedMigration(tmp_path, run="run-20251122T100000Z")
    first.passes(*before("5.1"))
    first.fails("5.1.3", "MIG-542 A create was answered wrongly.")
    second = InventedMigration(tmp_path, run="run-20251122T110000Z")
    second.ledger.add(Kind.REVOKED, "gate 4.3", reason="USER_MAP")
    blocked: dict[Subject, Obstacle] = {LineId("5.1.1"): Obstacle(GateId("gate 4.3"), "gate 4.3 has not passed")}
    told = second.story(blocked=blocked).headline
    assert (str(told), told.next_act) == ("STOPPED at 5.1", "pass gate 4.3 first: pytest phases/ -m phase4")
    assert told.reason == "Blocked by gate 4.3: gate 4.3 has not passed."
    assert str(second.story(state=RunState.RUNNING).headline) == "UNFINISHED at 4.3"


def test_a_failure_of_an_earlier_run_says_which_run_it_was(tmp_path: Path) -> None:
    first = InventedMigration(tmp_path, run="run-20251122T100000Z")
    first.passes(*before("5.1"))
    first.fails("5.1.3", "MIG-542 A create was answered wrongly.")
    assert first.story().headline.reason.endswith("answered wrongly.")
    second = InventedMigration(tmp_path, run="run-20251122T110000Z")
    second.passes("1.1")
    told = second.story().headline
    assert str(told) == "STOPPED at 5.1"
    assert told.reason.endswith("answered wrongly. (in run-20251122T100000Z; not run again since)")


def test_nothing_changed_is_only_said_where_nothing_was_written(migration: InventedMigration) -> None:
    migration.passes("1.1")
    migration.fails("1.2.2", "no")
    assert migration.story().headline.next_act.startswith("nothing in production changed; ")
    migration.passes(*[group for group in before("4.1") if group != "1.1"])
    migration.fails("4.1.2", "MIG-415 no")
    told = migration.story().headline
    assert str(told) == "STOPPED at 4.1"
    assert told.next_act == (
        "4.1 itself changed nothing in production, but before it were written: schema by 3.3;"
        " correct what is named above and run the same command again"
    )
    (_, migrated) = terminal_summary.lines(migration.story(), tmp_report(), root=tmp_report().parent)[1]
    assert "schema change" in migrated


def tmp_report() -> Path:
    return Path("/tmp/reports/run-x/report.html")


def test_verdicts_for_other_inputs_or_revoked_ones_do_not_count(migration: InventedMigration) -> None:
    migration.passes(*ALL)
    migration.ledger.add(Kind.REVOKED, "gate 3.3", reason="restored")
    assert str(migration.story().headline) == "UNDER WAY at 3.3"
    told = build_story(
        migration.evidence, target="rehearsal", run="r", inputs=Inputs(fixed="others"), dry_run=False,
        state=RunState.ENDED, written_at=BEGIN,
    )  # fmt: skip
    assert all(line_result.verdict is None for line_result in told.lines)


def test_a_dry_run_that_met_no_obstacle_is_rehearsed_never_go(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path, dry_run=True)
    for group in ALL:
        for line in runbook.lines_of(group):
            writes = runbook.group(group).writes
            verdict = (Verdict.PLANNED if line.kind == "step" else Verdict.NOT_REACHED) if writes else Verdict.PASSED
            migration.judge(line.id, verdict)
        migration.judge(f"gate {group}", Verdict.PASSED)
    story = migration.story()
    assert story.headline.verdict is OverallVerdict.REHEARSED
    assert "2.1, 2.2, 3.3, 3.4, 4.2, 4.3, 5.1, 6.2 would write" in story.headline.reason
    assert story.first_write is None


def test_nothing_recorded_is_told_as_nothing_and_nothing_is_invented() -> None:
    story = build_story(
        None, target="production", run="r", inputs=Inputs(), dry_run=False, state=RunState.ENDED, written_at=BEGIN,
        blocked={line.id: Obstacle(GateId("gate 1.4"), "gate 1.4 was not run") for line in runbook.lines_of("3.1")},
    )  # fmt: skip
    assert (story.rollback_point, story.outcomes, story.schema, story.speeds, story.migrated) == (
        None,
        (),
        None,
        (),
        None,
    )
    assert story.headline.verdict is OverallVerdict.STOPPED


def test_the_story_is_the_whole_migration_in_all_its_runs(tmp_path: Path) -> None:
    InventedMigration(tmp_path, run="run-1").passes(*before("3.1"))
    second = InventedMigration(tmp_path, run="run-2")
    second.now = BEGIN + timedelta(hours=2)
    second.passes("3.1", "3.2")
    story = second.story()
    assert [part.run for part in story.runs] == ["run-1", "run-2"]
    assert story.groups[0].verdict is Verdict.PASSED
    assert next(p for p in story.lines if p.id == "1.1.1").run == "run-1"


def test_changed_evidence_is_not_shown_but_named(migration: InventedMigration) -> None:
    migration.passes(*ALL)
    (migration.reports / migration.run / "4.2" / "ImportResult.json").write_text("{}")
    story = migration.story()
    assert story.outcomes == ()
    assert "was changed after it was written" in story.unreadable[0]


def test_every_named_list_the_report_reads_is_written_by_a_step_of_its_group() -> None:
    """Under another name it would never be found, and its part would say "not measured"."""
    root = Path(__file__).resolve().parents[2]
    read = re.findall(r'read\.listed\(\w+, "([\d.]+)", "(\w+)"\)', Path(evidence_values.__file__).read_text())
    assert len(read) == 4
    for group, name in read:
        (module,) = (root / "phases").glob(f"test_{group.replace('.', '_')}_*.py")
        assert re.search(rf'evidence\.write\(.+, "{name}"\)', module.read_text()), name


def test_rows_an_earlier_run_created_count_as_created_not_as_found() -> None:
    def run(before: int, created: int, identical: int) -> ImportResult:
        outcome = Outcome("sections", before, 10, created, identical, 0, 0, before + created)
        return ImportResult((outcome,), (), (), 0, 1.0)

    again = all_runs([run(3, 7, 3), run(10, 0, 10)], [])
    assert (again[0].before, again[0].created, again[0].identical, again[0].after) == (3, 7, 3, 10)
    audited = all_runs([run(6, 4, 6)], [FinalCount("sections", before=3, created=7, now=10, migrated=True)])
    assert (audited[0].before, audited[0].created, audited[0].identical) == (3, 7, 3)
    assert audited[0].expected_after == audited[0].after


def test_before_the_import_the_plan_is_told_and_after_it_what_happened(migration: InventedMigration) -> None:
    migration.passes(*before("4.2"))
    planned = migration.story()
    assert planned.import_plan is not None
    assert (planned.import_plan.to_create, len(planned.conflicts), planned.migrated) == (905, 1, None)
    migration.passes("4.2")
    imported = migration.story()
    assert (imported.import_plan, len(imported.conflicts)) == (None, 2)


def test_files_and_folders_of_the_library_are_not_rows_of_collections(migration: InventedMigration) -> None:
    migration.passes(*ALL)
    moved = migration.story().migrated
    assert moved == MigratedCounts(
        collections=4, created=1334, skipped=494, updated=0, refused=0, files=12, files_created=9
    )


def test_each_exhibit_stands_with_the_line_that_left_it(migration: InventedMigration) -> None:
    migration.passes(*ALL)
    story = migration.story()
    line = next(p for p in story.lines if p.id == "3.2.2")
    assert [each.name for each in line.attachments] == ["SchemaPlan.json"]
    assert len(line.attachments[0].sha256) == 64
    assert [each.name for each in story.pictures] == ["home.jpg", "zoning-districts.jpg", "amendments.jpg"]


@pytest.mark.parametrize(
    "text",
    [
        "# 3.1.1 Access production backend\n\n## As written\na\n\n## Why not\nb\n\n## Instead\nBy REST,\nread only.\n",
        "# 3.1.1 Access production backend\n\n**As written** a\n\n**Why not** b\n\n**Instead** By REST,\nread only.\n",
        "# 3.1.1 Access production backend\n\nAs written: a\n\nWhy not: b\n\nInstead: By REST,\nread only.\n",
    ],
)
def test_a_deviation_is_its_title_and_what_is_done_instead(text: str) -> None:
    found = deviations.parse(text)
    assert found is not None
    assert (found.id, found.words) == ("3.1.1", "Access production backend")
    assert found.instead == "By REST, read only."


def test_deviations_come_in_the_order_of_the_runbook(tmp_path: Path) -> None:
    for subject in ("6.2.2", "1.2.2"):
        (tmp_path / f"{subject}.md").write_text(f"# {subject} words\n\n## Instead\nsomething\n")
    (tmp_path / "README.md").write_text("no title\n")
    assert [each.id for each in deviations.read(tmp_path)] == ["1.2.2", "6.2.2"]
    assert deviations.read(tmp_path / "nowhere") == ()


def test_words_for_numbers() -> None:
    assert [duration(s) for s in (0.04, 9.96, 41.4, 59.7, 192, 7500)] == [
        "0.0 s", "10.0 s", "41 s", "1 min", "3 min 12 s", "2 h 05 min",
    ]  # fmt: skip
    assert [size(b) for b in (0, 812, 14_200, 3_100_000)] == ["0 B", "812 B", "14.2 kB", "3.1 MB"]
    assert first_line("\n MIG-1 a\nMIG-2 b\n2 findings") == "MIG-1 a"
    assert first_line("") == ""
