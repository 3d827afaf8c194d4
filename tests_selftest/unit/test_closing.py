"""Archive and calendar: what is missing, changed or truncated is found."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks import documents
from fixtures.model.closing import MonitoringPlan
from fixtures.operations.closing import archive, cleanup, monitoring

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "migration"
    (root / "data").mkdir(parents=True)
    (root / "data" / "chapters.json").write_text("[]")
    (root / "schema-local.json").write_text("{}")
    return root


def test_an_archive_holds_the_folder_and_only_its_owner_reads_it(folder: Path, tmp_path: Path) -> None:
    made = archive.pack(folder, tmp_path / "a.tar.gz", now=NOW)
    assert set(made.members) == {"migration/data/chapters.json", "migration/schema-local.json"}
    assert archive.archive_problems(made, folder) == []
    assert (tmp_path / "a.tar.gz").stat().st_mode & 0o077 == 0


def test_packing_the_same_folder_again_leaves_the_archive_as_it_is(folder: Path, tmp_path: Path) -> None:
    first = archive.pack(folder, tmp_path / "a.tar.gz", now=NOW)
    assert archive.pack(folder, tmp_path / "a.tar.gz", now=NOW).sha256 == first.sha256


def test_an_archive_of_something_else_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    place = archive.archive_path(folder, tmp_path, NOW)
    archive.pack(folder, place, now=NOW)
    assert archive.archive_path(folder, tmp_path, NOW) == place
    (folder / "more.txt").write_text("x")
    assert archive.archive_path(folder, tmp_path, NOW).name == "migration-archive-20261101-2.tar.gz"


@pytest.mark.parametrize("damage", ["gone", "cut", "other", "grown"])
def test_each_damage_is_seen(folder: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.tar.gz"
    made = archive.pack(folder, path, now=NOW)
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "other":
        with tarfile.open(path, "w:gz") as tar:
            tar.add(folder / "schema-local.json", arcname="migration/schema-local.json")
    else:
        (folder / "late.txt").write_text("x")
    assert [finding.code for finding in archive.archive_problems(made, folder)] == ["MIG-621"]


def test_the_calendar_has_a_look_after_24_hours_and_lines_no_longer_than_allowed() -> None:
    plan = monitoring.plan(NOW, contact="Nick Serrano, +1 704 555 0100; ask for “Ümit”", fingerprint="abc")
    text = monitoring.as_calendar(plan)
    assert "DTSTART:20261102T120000Z" in text
    assert text.count("BEGIN:VEVENT") == len(plan.scheduled_checks) == 3
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert len({watch.uid for watch in plan.scheduled_checks}) == 3


def planned(folder: Path) -> MonitoringPlan:
    """A plan of NOW with its calendar in *folder*."""
    plan = monitoring.plan(NOW, contact="Ada", fingerprint="abc")
    (folder / monitoring.CALENDAR).write_bytes(monitoring.as_calendar(plan).encode())
    return plan


def test_a_monitoring_plan_that_can_be_followed_has_no_finding(folder: Path) -> None:
    plan = planned(folder)
    for hours in (0, 30, 71):  # also when the suite is run again while an appointment is still to come
        assert monitoring.problems(plan, folder, contact="Ada", now=NOW + timedelta(hours=hours)) == []


@pytest.mark.parametrize("damage", ["gone", "an appointment is out", "over", "another contact", "fewer days", "later"])
def test_6_2_a5_turns_red_when_nobody_would_look_at_production(folder: Path, damage: str) -> None:
    plan, contact, now = planned(folder), "Ada", NOW
    calendar = folder / monitoring.CALENDAR
    if damage == "gone":
        calendar.unlink()
    elif damage == "an appointment is out":
        head, _, rest = calendar.read_bytes().partition(b"BEGIN:VEVENT")
        calendar.write_bytes(head + rest.partition(b"END:VEVENT\r\n")[2])
    elif damage == "over":
        now = NOW + timedelta(days=3)
    elif damage == "another contact":
        contact = "Grace"
    else:
        watches = plan.scheduled_checks[:-1] if damage == "fewer days" else plan.scheduled_checks[1:]
        plan = replace(plan, scheduled_checks=watches)
        calendar.write_bytes(monitoring.as_calendar(plan).encode())
    found = monitoring.problems(plan, folder, contact=contact, now=now)
    code = "MIG-612" if damage in {"gone", "an appointment is out"} else "MIG-623"
    assert {each.code for each in found} == {code}
    assert all(each.where and each.expected and each.observed and each.meaning and each.do for each in found)


def test_release_notes_name_every_new_collection(folder: Path) -> None:
    notes = folder / cleanup.NOTES
    assert [each.code for each in cleanup.incomplete_notes(folder, ["chapters"])] == ["MIG-612"]
    notes.write_text("New: `chapters` and `sections`\n")
    assert cleanup.incomplete_notes(folder, ["chapters", "sections"]) == []
    (found,) = cleanup.incomplete_notes(folder, ["chapters", "amendments"])
    assert (found.code, found.observed) == ("MIG-613", "1 missing: `amendments`")


def test_a_document_that_was_edited_is_named_with_its_first_other_line() -> None:
    assert documents.not_as_written("a.txt", "x\ny\n", "x\ny\n", line="4.1.5") == []
    (found,) = documents.not_as_written("a.txt", "x\nz\n", "x\ny\n", line="4.1.5")
    assert (found.where, found.observed) == ("migration/a.txt", "line 2: 'z' instead of 'y'")
    (found,) = documents.not_as_written("a.txt", "x\n", "x\ny\n", line="4.1.5")
    assert found.observed == "line 2: nothing instead of 'y'"
    (found,) = documents.not_as_written("a.txt", "x\r\n", "x\n", line="4.1.5")
    assert found.observed == "other line ends"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_folding_loses_nothing(words: str) -> None:
    plan = monitoring.plan(NOW, contact=words, fingerprint="abc")
    unfolded = monitoring.as_calendar(plan).replace("\r\n ", "")
    escaped = words
    for character in "\\;,":
        escaped = escaped.replace(character, "\\" + character)
    assert escaped in unfolded
