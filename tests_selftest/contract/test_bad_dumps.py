"""Every way a dump can be none is refused, each with its own code, on files made by a real Postgres."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest

from fixtures.checks.backups import backup as checks
from fixtures.model.backup import Artefact
from fixtures.model.fingerprint import Fingerprint, SequenceState
from fixtures.model.secret import Secret
from fixtures.operations.backups import backup, trial_restore
from fixtures.operations.backups.backup import BackupStorage, BackupUnusable
from fixtures.operations.preservation import fingerprint
from fixtures.systems.postgres.dump import PostgresTools, scratch_database
from fixtures.systems.postgres.encryption import BackupCipher, DecryptionFailed
from fixtures.systems.postgres.fingerprint import SnapshotReader
from tests_selftest.contract.spare import run, silent, spare, verified

SCHEMA = """
    CREATE TABLE boards (id serial PRIMARY KEY, name text NOT NULL);
    CREATE TABLE members (id serial PRIMARY KEY, board int REFERENCES boards, email text);
    INSERT INTO boards (name) SELECT 'board ' || md5(n::text) FROM generate_series(1, 2000) n;
    INSERT INTO members (board, email) SELECT n, n || '@b.org' FROM generate_series(1, 2000) n;
"""
Spoil = Callable[[Path], object]


@pytest.fixture(scope="module")
def database(server: Secret) -> Iterator[Secret]:
    with spare(server, SCHEMA) as url:
        yield url


@pytest.fixture(scope="module")
def key() -> Secret:
    return Secret(str(pyrage.x25519.Identity.generate()))


def taken(database: Secret, storage: BackupStorage, folder: Path) -> tuple[Artefact, Fingerprint]:
    """A dump and a fingerprint of one snapshot."""
    with SnapshotReader(database) as reader:
        held = fingerprint.read(reader, folder, silent)
        return backup.dump(database, storage, silent, snapshot=reader.id, taken_at=held.taken_at), held


@pytest.fixture(scope="module")
def good(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Artefact, Fingerprint]:
    folder = tmp_path_factory.mktemp("good")
    return taken(database, BackupStorage(folder, tools, server), folder)


@pytest.fixture
def copy(good: tuple[Artefact, Fingerprint], tmp_path: Path) -> Artefact:
    """The good dump under another path, to be spoiled."""
    path = tmp_path / "copy.dump"
    path.write_bytes(Path(good[0].path).read_bytes())
    path.chmod(0o600)
    return replace(good[0], path=str(path))


def codes(artefact: Artefact, tools: PostgresTools) -> list[str]:
    return [finding.code for finding in backup.verify_file(artefact, tools)]


def _flip(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) * 3 // 4] ^= 1
    path.write_bytes(body)


def _newer(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[6] += 40  # minor version of the archive's format
    path.write_bytes(body)


SPOILED: dict[str, tuple[Spoil, str]] = {
    "gone": (Path.unlink, "MIG-150"),
    "empty": (lambda path: path.write_bytes(b""), "MIG-151"),
    "a page of errors": (lambda path: path.write_text("<html><h1>502 Bad Gateway</h1></html>"), "MIG-153"),
    "plain text": (lambda path: path.write_text("pg_dump: error: connection failed"), "MIG-153"),
    "cut in its table of contents": (lambda path: path.write_bytes(path.read_bytes()[:900]), "MIG-154"),
    "cut in its data": (lambda path: path.write_bytes(path.read_bytes()[:-200]), "MIG-154"),
    "one bit flipped": (_flip, "MIG-143"),
    "bytes added": (lambda path: path.write_bytes(path.read_bytes() + b"\n"), "MIG-143"),
    "of a newer pg_dump": (_newer, "MIG-157"),
}


@pytest.mark.parametrize("way", SPOILED)
def test_a_spoiled_file_is_refused_with_its_own_words(copy: Artefact, tools: PostgresTools, way: str) -> None:
    spoil, code = SPOILED[way]
    assert codes(copy, tools) == []
    spoil(Path(copy.path))
    assert codes(copy, tools) == [code]


def test_a_file_nobody_may_read_is_refused(copy: Artefact) -> None:
    """Also where the test runs as root, who may read everything: it steps down for the look."""
    Path(copy.path).chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        found = backup.verify_file(copy)
    finally:
        if before == 0:
            os.seteuid(before)
    assert [(each.code, each.observed) for each in found] == [("MIG-152", "Permission denied")]


def test_another_database_and_another_time_are_told_apart(
    copy: Artefact, database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Both are whole dumps, and neither is the one that was written."""
    with scratch_database(server) as (_, other):
        run(other, "CREATE TABLE boards (id int)")
        Path(copy.path).write_bytes(tools.dump(other, tmp_path / "other.dump").path.read_bytes())
    assert codes(copy, tools) == ["MIG-155"]
    run(database, "COMMENT ON TABLE boards IS 'later'")  # two dumps of one content in one second are the same bytes
    Path(copy.path).write_bytes(tools.dump(database, tmp_path / "later.dump").path.read_bytes())
    run(database, "COMMENT ON TABLE boards IS NULL")
    assert codes(replace(copy, header={**copy.header, "created": "2020-01-01 00:00:00 UTC"}), tools) == ["MIG-156"]


def test_a_good_dump_is_proven_by_its_content(
    good: tuple[Artefact, Fingerprint], server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """Rows written after the snapshot are in neither; the proof says how many tables and rows it compared."""
    made, held = good
    proof = verified(made, held, BackupStorage(tmp_path, tools, server))
    assert proof is not None
    assert (proof.tables, proof.rows) == (2, 4000)
    assert proof.snapshot_id == held.snapshot_id
    assert made.header["dbname"].startswith("scratch_")


def test_a_dump_and_a_fingerprint_see_one_snapshot_while_others_write(
    database: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    """A row written between the two is in neither, so a live table cannot fool the proof; without it, it would."""
    storage = BackupStorage(tmp_path, tools, server)
    with SnapshotReader(database) as reader:
        held = fingerprint.read(reader, tmp_path, silent)
        run(database, "INSERT INTO boards (name) VALUES ('written meanwhile')")
        made = backup.dump(database, storage, silent, snapshot=reader.id, taken_at=held.taken_at)
    assert verified(made, held, storage) is not None
    later = backup.dump(database, storage, silent, snapshot="", taken_at=held.taken_at)
    with pytest.raises(BackupUnusable, match="MIG-148"):
        verified(later, held, storage)
    run(database, "DELETE FROM boards WHERE name = 'written meanwhile'")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE members SET email = 'X' || substr(email, 2) WHERE id = 1234", "MIG-148"),
        ("DELETE FROM members WHERE id = 1", "MIG-148"),
        ("ALTER TABLE members ALTER email TYPE varchar(90)", "MIG-148"),
        ("DROP TABLE members", "MIG-141"),
        ("SELECT setval('boards_id_seq', 7)", "MIG-149"),
    ],
)
def test_a_dump_that_restores_to_something_else_is_no_way_back(
    good: tuple[Artefact, Fingerprint], server: Secret, tools: PostgresTools, tmp_path: Path, change: str, code: str
) -> None:
    """A missing table, other rows, one other byte, another type, a sequence that is behind."""
    storage = BackupStorage(tmp_path, tools, server)
    with trial_restore.restored_database(good[0], tools, server) as url:
        run(url, change)
        made, _ = taken(url, storage, tmp_path)
    with pytest.raises(BackupUnusable) as refusal:
        verified(made, good[1], storage)
    assert {finding.code for finding in refusal.value.findings} == {code}


def test_a_sequence_may_be_ahead_and_not_behind(good: tuple[Artefact, Fingerprint]) -> None:
    held = good[1]
    ahead = replace(held, sequences={name: SequenceState(9999, 1) for name in held.sequences})
    assert checks.content_mismatches(good[0], held, ahead) == []
    gone = replace(held, sequences={})
    assert {f.code for f in checks.content_mismatches(good[0], held, gone)} == {"MIG-149"}


def test_a_sealed_dump_is_opened_by_its_key_alone(
    database: Secret, server: Secret, tools: PostgresTools, key: Secret, tmp_path: Path
) -> None:
    """Nothing of the rows lies on disk in the clear; another key, none, or one changed byte open nothing."""
    sealing = replace(tools, key=key)
    storage = BackupStorage(tmp_path / "backups", sealing, server)
    made, held = taken(database, storage, tmp_path)
    assert made.encrypted
    assert made.id.endswith(".dump.age")
    assert [path.name for path in storage.folder.iterdir()] == [made.id]
    assert b"PGDMP" not in Path(made.path).read_bytes()
    assert verified(made, held, storage) is not None
    assert backup.verify_file(made, sealing) == []
    other = replace(tools, key=Secret(str(pyrage.x25519.Identity.generate())))
    for wrong in (other, tools):
        with pytest.raises(DecryptionFailed, match="PGS-205"):
            wrong.listing(Path(made.path))
        assert codes(made, wrong) == ["MIG-158"], "its bytes are as written, and nobody could restore them"
    spoiled = replace(made, sha256="0" * 64)
    assert codes(spoiled, other) == ["MIG-158"]
    _flip(Path(made.path))
    with scratch_database(server) as (_, url):
        with pytest.raises(DecryptionFailed, match="PGS-205"):
            sealing.restore(Path(made.path), url)
        with SnapshotReader(url) as reader:
            assert reader.tables() == []


def test_a_key_that_is_none_is_said() -> None:
    with pytest.raises(DecryptionFailed, match="PGS-204"):
        BackupCipher(Secret("secret"))


def test_old_tools_and_a_full_disk_stop_before_anything_is_written() -> None:
    assert checks.tools_older_than_server("18.4", "18.1") == []
    assert [f.code for f in checks.tools_older_than_server("16.9", "18.1")] == ["MIG-146"]
    assert checks.insufficient_disk_space("/b", free_bytes=101, database_bytes=100) == []
    assert [f.code for f in checks.insufficient_disk_space("/b", free_bytes=100, database_bytes=100)] == ["MIG-147"]
