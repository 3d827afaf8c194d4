"""Archive and calendar: what is missing, changed or truncated is found."""

from __future__ import annotations

import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.operations.closing import archive, monitoring

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


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_folding_loses_nothing(words: str) -> None:
    plan = monitoring.plan(NOW, contact=words, fingerprint="abc")
    unfolded = monitoring.as_calendar(plan).replace("\r\n ", "")
    escaped = words
    for character in "\\;,":
        escaped = escaped.replace(character, "\\" + character)
    assert escaped in unfolded
