"""A migration that never happened, for tests of the report: a real ledger and real evidence files, invented facts."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fixtures import runbook
from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.backup import Artefact, Proof, RollbackPoint
from fixtures.model.dataset import ImportOrder, Outcome
from fixtures.model.file_store import FileStore, StoredFile
from fixtures.model.fingerprint import (
    Fingerprint,
    KeyRange,
    LiveWrite,
    RetypedColumn,
    RowChange,
    RowChangeKind,
    RowComparison,
    SequenceState,
    TableChange,
    TableFingerprint,
)
from fixtures.model.ids import Subject
from fixtures.model.imports import CollectionPlan, Conflict, ConflictKind, ImportPlan, ImportResult
from fixtures.model.inputs import Inputs
from fixtures.model.not_carried import NotCarried
from fixtures.model.plan import Change, Risk, SchemaPlan, Stage
from fixtures.model.story import RunState, Story
from fixtures.model.verdict import Obstacle, Verdict
from fixtures.report.story import build_story

INPUTS, PLAN = "inputs-of-the-test", "71aa" * 16
BEGIN = datetime(2025, 11, 22, 14, 0, 0, tzinfo=UTC)

_PIXEL = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgy"
    "PC4zNDL/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AKp//2Q=="
)


class InventedMigration:
    """Writes the events of a migration group by group; every event is a second after the one before."""

    def __init__(self, reports: Path, *, run: str = "run-20251122T140000Z", dry_run: bool = False) -> None:
        self.reports = reports
        self.run = run
        self.dry_run = dry_run
        self.now = BEGIN
        self.ledger = Ledger(
            reports / "ledger" / "invented.jsonl",
            run=run,
            inputs=INPUTS,
            suite="9e7bb79c0ffe",
            dry=dry_run,
            clock=self._tick,
        )
        self.evidence = Evidence(reports / run, self.ledger)
        if not self.ledger.entries:
            self.ledger.add(Kind.OPENED, "migration", target="rehearsal")

    def _tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def judge(self, subject: str, verdict: Verdict, *, notes: tuple[str, ...] = (), message: str = "") -> None:
        """One verdict in the ledger."""
        self.ledger.add(Kind.VERDICT, subject, verdict=verdict.value, seconds=0.8, notes=list(notes), message=message)

    def passes(self, *groups: str) -> None:
        """Every line of these groups passes, and their gates, with the evidence such a group leaves."""
        for group in groups:
            for line in runbook.lines_of(group):
                self.evidence.begin(line.id)
                self._leave(line.id)
                self.judge(line.id, Verdict.PASSED, notes=(f"Saw 14 things, as {line.id} asks.",))
            self.judge(f"gate {group}", Verdict.PASSED)

    def fails(self, subject: str, message: str) -> None:
        """The lines of the group before *subject* pass, and it fails."""
        for line in runbook.lines_of(runbook.line(subject).group):
            if line.id == subject:
                break
            self.judge(line.id, Verdict.PASSED)
        self.judge(subject, Verdict.FAILED, message=message)

    def story(self, *, state: RunState = RunState.ENDED, blocked: Mapping[Subject, Obstacle] | None = None) -> Story:
        """The state of the migration now."""
        return build_story(
            self.evidence,
            target="rehearsal",
            run=self.run,
            inputs=Inputs(fixed=INPUTS),
            dry_run=self.dry_run,
            state=state,
            written_at=self.now,
            blocked=blocked,
            contact="Ada Lovelace, +1 704 555 0100",
            facts=(("Production", "cms.example.org"), ("Frontend", "pixelsock/fuma, master")),
        )

    def _leave(self, subject: str) -> None:
        match subject:
            case "1.3.2":
                self.evidence.write([NotCarried("directus_users.bio", 12, "it is empty in production")], "not-carried")
            case "1.4.2":
                self.evidence.write(rollback_point(self.now))
            case "1.4.4":
                self.evidence.write(fingerprint(self.now))
            case "1.4.A2":
                self.evidence.write(file_store(self.now))
            case "3.4.A5":
                self.evidence.write(comparison(self.now))
            case "5.3.A6":
                self.evidence.write(comparison(self.now, lost=True))
                self.evidence.write(fingerprint(self.now))
            case "3.2.2":
                self.evidence.write(schema_plan(self.now))
            case "3.3.2":
                with self.evidence.attempt(subject, plan=PLAN) as attempt:
                    attempt.outcome = {"plan": PLAN}
            case "4.1.2":
                self.evidence.write(import_plan(self.now))
            case "4.2.2":
                with self.evidence.attempt(subject, plan="9f2c"):
                    self.evidence.write(import_result())
            case "5.1.1":
                for name in ("home.jpg", "zoning-districts.jpg", "amendments.jpg"):
                    self.evidence.attach(name, _PIXEL)


def rollback_point(taken_at: datetime) -> RollbackPoint:
    dump = Artefact(
        "pg_dump", "udo-20251122.dump", "/somewhere/backups/udo-20251122.dump", 1_402_113, "ab" * 32, taken_at, 41
    )
    return RollbackPoint(
        description="Pre-migration backup - 2025-11-22",
        taken_at=taken_at,
        database="udo",
        server_version="18.4",
        dump=dump,
        export=None,
        export_reason="the plan of this database has none",
        recovery="AVAILABLE",
        recovery_since=None,
        proven_at=taken_at,
        counts={"sections": 200, "definitions": 20, "audit.log": 0},
        proof=Proof(taken_at, "00000003-0000001B-1", 41, 220, "cd" * 32, 3.4),
        outside=("audit.log",),
        without_rows={"shown": "a view has no rows of its own"},
    )


def fingerprint(taken_at: datetime) -> Fingerprint:
    ranges = (KeyRange(("1",), ("200",), 200, "ef" * 32),)
    table = TableFingerprint("sections", ("id",), {"id": "integer", "title": "text"}, 200, "12" * 32, ranges)
    return Fingerprint(taken_at, "00000003-0000001B-1", (table,), {"sections_id_seq": SequenceState(200, 1)})


def file_store(observed_at: datetime) -> FileStore:
    broken = StoredFile("5e", "plan <A>.pdf", "local", 403, problem="403 no such file")
    return FileStore(observed_at, (StoredFile("4d", "map.png", "local", 200, "34" * 32, 4_000), broken), ())


def comparison(at: datetime, *, lost: bool = False) -> RowComparison:
    change = TableChange("sections", 200, 199, lost=1, rows=(RowChange(("17",), RowChangeKind.GONE),))
    live = LiveWrite("definitions", "0b54", "update", "ada@udo.example", at)
    rewritten = (RetypedColumn("sections.height", "numeric(6,2)", "numeric(6,1)"),)
    return RowComparison(
        BEGIN, at, 200, 1, (change,) if lost else (), (live,), ("sections.title",), rewritten=rewritten
    )


def schema_plan(made_at: datetime) -> SchemaPlan:
    changes = (
        Change(Stage.COLLECTION, "create", "amendments", Risk.ADDITIVE, "SC101", "a new collection"),
        Change(Stage.FIELD, "create", "chapters.summary", Risk.ADDITIVE, "SC102", "a new field, text"),
        Change(Stage.CONSTRAINT, "alter", "sections.title", Risk.DATA_DEPENDENT, "SC120", "length", "120", "255"),
        Change(
            Stage.FIELD,
            "drop",
            "chapters.old_note",
            Risk.DESTRUCTIVE,
            "SC141",
            "",
            data_impact="3 values in the column (rows: 40)",
            waived="SC141 on chapters.old_note, accepted by Ada Lovelace until 2026-12-01: nobody reads it",
        ),
        Change(Stage.COLLECTION, "drop", "import_notices", Risk.DESTRUCTIVE, "SC190", "stays", withheld=True),
    )
    return SchemaPlan(made_at, "source", "target", "guard", changes, {}, PLAN)


def import_plan(made_at: datetime) -> ImportPlan:
    sections = CollectionPlan("sections", 1310, 402, 905, 401, 4)
    conflict = Conflict("sections", "17", ConflictKind.EDITED, ("title", "body"), "17")
    return ImportPlan(made_at, "api", "keep", ImportOrder(("sections",)), (sections,), (conflict,), ())


def import_result() -> ImportResult:
    outcomes = (
        Outcome("directus_folders", 1, 2, 1, 1, 0, 0, 2),
        Outcome("directus_files", 5, 12, 9, 3, 0, 0, 14),
        Outcome("chapters", 12, 18, 9, 8, 1, 0, 21),
        Outcome("sections", 402, 1310, 905, 401, 4, 0, 1307),
        Outcome("definitions", 95, 260, 180, 76, 4, 0, 275),
        Outcome("amendments", 0, 240, 240, 0, 0, 0, 240),
    )
    conflicts = (
        Conflict("sections", "17", ConflictKind.EDITED, ("title", "body"), "17"),
        Conflict("definitions", "0b54", ConflictKind.UNIQUE_VALUE_TAKEN, ("term",), "77aa"),
    )
    return ImportResult(outcomes, conflicts, (), 0, 12.5)
