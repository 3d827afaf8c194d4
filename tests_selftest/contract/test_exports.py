"""Render's export is opened and its rows are loaded and counted; what does not load or lacks a row is refused."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.model.backup import Artefact
from fixtures.model.secret import Secret
from fixtures.operations.backups import backup
from fixtures.operations.backups.backup import BackupStorage
from fixtures.process.command import CommandFailed
from fixtures.process.command import run as command
from fixtures.systems.failure import IncompleteRead
from fixtures.systems.postgres.dump import PostgresTools, environment_for
from tests_selftest.contract.spare import silent, spare

SCHEMA = """
    CREATE TABLE boards (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
    CREATE TABLE members (id serial PRIMARY KEY, board int REFERENCES boards, email text);
    INSERT INTO boards (name) SELECT 'board ' || n FROM generate_series(1, 2000) n;
    INSERT INTO members (board, email) SELECT n, n || '@b.org' FROM generate_series(1, 2000) n;
"""
COUNTS = {"boards": 2000, "members": 2000}
Edit = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def dumped(server: Secret, tools: PostgresTools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump in the form Render packs: a table of contents, and a compressed file for each table."""
    folder = tmp_path_factory.mktemp("dumped") / "db"
    with spare(server, SCHEMA) as url:
        argv = [str(tools.pg_dump), "--format=directory", "--compress=1", f"--file={folder}"]
        command(argv, env=environment_for(url), timeout_s=60)
    return folder


def packed(dumped: Path, place: Path, edit: Edit | None = None) -> Artefact:
    """The export as Render offers it; *edit* changes the file with the rows of "boards"."""
    path = place / "export.dir.tar.gz"
    copy = place / "copy"
    copy.mkdir()
    for file in dumped.iterdir():
        body = file.read_bytes()
        if edit is not None and file.suffix == ".gz" and b"board 7\n" in gzip.decompress(body):
            body = edit(body)
        (copy / file.name).write_bytes(body)
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(copy, arcname="2026-01-01T08_00Z/db")
    return Artefact("Render export", "exp-1", str(path), path.stat().st_size, "", datetime.now(UTC), 2)


def rows_edited(change: Edit) -> Edit:
    """An edit of the rows themselves, compressed again: no checksum tells of it."""
    return lambda body: gzip.compress(change(gzip.decompress(body)))


def codes(artefact: Artefact, storage: BackupStorage) -> list[str]:
    return [each.code for each in backup.export_problems(artefact, storage, silent, before=COUNTS, after=COUNTS)]


@pytest.fixture
def storage(server: Secret, tools: PostgresTools, tmp_path: Path) -> BackupStorage:
    return BackupStorage(tmp_path, tools, server)


def test_a_whole_export_is_usable(dumped: Path, storage: BackupStorage, tmp_path: Path) -> None:
    assert codes(packed(dumped, tmp_path), storage) == []


def test_a_row_fewer_or_more_than_production_had_is_said(dumped: Path, storage: BackupStorage, tmp_path: Path) -> None:
    for name, change in (
        ("fewer", rows_edited(lambda rows: rows.replace(b"7\tboard 7\n", b"", 1))),
        ("more", rows_edited(lambda rows: b"2001\tboard 2001\n" + rows)),
    ):
        (tmp_path / name).mkdir()
        assert codes(packed(dumped, tmp_path / name, change), storage) == ["MIG-142"], name


@pytest.mark.parametrize(
    "edit",
    [
        rows_edited(lambda rows: rows.replace(b"7\tboard 7\n", b"seven\tboard 7\n", 1)),
        rows_edited(lambda rows: rows.replace(b"7\tboard 7\n", b"7\t\\N\n", 1)),
        rows_edited(lambda rows: rows.replace(b"8\tboard 8\n", b"7\tboard 8\n", 1)),
        rows_edited(lambda rows: rows.replace(b"8\tboard 8\n", b"8\tboard 7\n", 1)),
        lambda body: body[: len(body) // 2],
    ],
    ids=["a value its column refuses", "a null where none may be", "a key twice", "a unique value twice", "cut short"],
)
def test_rows_that_do_not_load_are_refused(dumped: Path, storage: BackupStorage, tmp_path: Path, edit: Edit) -> None:
    """Every row is loaded, not only counted; one that is there twice for one that is lost is no equal number."""
    with pytest.raises(CommandFailed, match="pg_restore"):
        codes(packed(dumped, tmp_path, edit), storage)


def test_an_archive_cut_short_and_a_table_it_lacks_are_said(
    dumped: Path, storage: BackupStorage, tmp_path: Path
) -> None:
    made = packed(dumped, tmp_path)
    assert [
        each.code for each in backup.export_problems(made, storage, silent, before={**COUNTS, "more": 1}, after=COUNTS)
    ] == ["MIG-141"]
    Path(made.path).write_bytes(Path(made.path).read_bytes()[:-400])
    with pytest.raises(IncompleteRead, match="PGS-202"):
        codes(made, storage)
