"""A file is written whole or not at all: what was there stays when the disk is full, and nothing is left beside it."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.process.files import NoRoom, replacing, sha256, write


def names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """The operating system refuses to make a file longer than *size* bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_replaces_the_one_that_was_there(tmp_path: Path) -> None:
    """Folders are made, text is UTF-8, and nothing else lies beside it."""
    path = tmp_path / "deep" / "plan.json"
    assert write(path, "one \u2013 \u00e9") == path
    assert path.read_bytes() == b"one \xe2\x80\x93 \xc3\xa9"
    write(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["plan.json"]


def test_a_block_that_raises_leaves_what_was_there(tmp_path: Path) -> None:
    """A connection that broke half way must not leave half a file under the name of a whole one."""
    path = write(tmp_path / "dump", "whole")

    def broken() -> None:
        with replacing(path) as file:
            file.write(b"ha")
            raise ConnectionResetError(errno.ECONNRESET, "reset")

    with pytest.raises(ConnectionResetError):
        broken()
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["dump"]


def test_until_the_block_ends_the_old_file_is_read(tmp_path: Path) -> None:
    """Also by somebody who opens it meanwhile."""
    path = write(tmp_path / "latest.html", "old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path: Path) -> None:
    """Here a limit of the operating system stands for the disk: it cuts the file in the middle of a write."""
    path = write(tmp_path / "dump", "whole")
    with pytest.raises(NoRoom) as full, at_most(4096):
        write(path, b"x" * 10_000)
    assert str(path) in str(full.value)
    assert "File too large" in str(full.value)
    assert "free some space there" in str(full.value)
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["dump"]


def test_a_disk_that_is_full_only_when_it_is_asked_to_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems take every write and fail at fsync; the name must not be given then."""

    def refused(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refused)
    with pytest.raises(NoRoom, match="No space left on device"):
        write(tmp_path / "plan.json", "{}")
    assert names(tmp_path) == []


def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the file, then its folder: else a crash of the machine leaves an empty file or an old name."""
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, (tmp_path / "plan").exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    write(tmp_path / "plan", "x")
    (file, named_then), (folder, named_now) = synced
    assert file.startswith("plan.")
    assert (named_then, named_now) == (False, True)
    assert folder == tmp_path.name


def test_what_only_its_owner_may_read(tmp_path: Path) -> None:
    """From its first byte on; a file of another mode that had the name lends it nothing."""
    path = write(tmp_path / "dump", "public")
    path.chmod(0o644)
    with replacing(path, mode=0o600) as file:
        (unfinished,) = (each for each in tmp_path.iterdir() if each != path)
        assert unfinished.stat().st_mode & 0o777 == 0o600
        file.write(b"secret")
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_threads_may_write_the_same_file(tmp_path: Path) -> None:
    """Each of them whole; the last one stays."""
    path = tmp_path / "state.json"
    texts = [letter * 200_000 for letter in "ab"]

    def often(text: str) -> None:
        for _ in range(20):
            write(path, text)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(often, texts)) == [None, None]
    assert path.read_text() in texts
    assert names(tmp_path) == ["state.json"]


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    """Longer than one read."""
    content = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()
