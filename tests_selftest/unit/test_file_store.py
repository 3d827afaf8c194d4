"""Files a deploy would delete are found, those whose bytes are missing are named, and a changed one is a loss."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.checks.backups import file_store
from fixtures.model.file_store import FileStore, Storage, StoredFile
from fixtures.model.secret import Secret
from fixtures.operations.backups.file_store import storages

AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
GOOD = StoredFile("1", "a.png", "local", 200, "a" * 64, 10)
LOST = StoredFile("2", "b.png", "local", 403, problem="403 You don't have permission")
LOCAL = {"STORAGE_LOCAL_DRIVER": "local", "STORAGE_LOCAL_ROOT": "/data/uploads"}


def store(*files: StoredFile, storage: tuple[Storage, ...] = ()) -> FileStore:
    return FileStore(AT, files, storage)


@pytest.mark.parametrize(
    ("variables", "mount", "on_disk"),
    [
        (LOCAL, "/data", True),
        (LOCAL, "/elsewhere", False),
        (LOCAL, "", False),
        ({**LOCAL, "STORAGE_LOCAL_ROOT": "./uploads"}, "", False),
        ({**LOCAL, "STORAGE_LOCAL_ROOT": "./uploads"}, "/data", None),
        ({"STORAGE_LOCAL_DRIVER": "s3"}, "", None),
        ({}, "", None),  # in an environment group, which Render does not show here
    ],
)
def test_where_the_bytes_lie_is_read_from_render(variables: dict[str, str], mount: str, on_disk: bool | None) -> None:
    service: dict[str, Any] = {"serviceDetails": {"disk": {"mountPath": mount}} if mount else {"disk": None}}
    (found,) = storages(["local"], {name: Secret(text) for name, text in variables.items()}, service)
    assert found.on_disk is on_disk
    findings = file_store.on_ephemeral_disk(store(GOOD, storage=(found,)))
    assert [finding.code for finding in findings] == (["MIG-161"] if on_disk is False else [])


def test_a_storage_without_bytes_has_nothing_to_lose() -> None:
    bare = Storage("local", "local", "/u", on_disk=False)
    assert file_store.on_ephemeral_disk(store(LOST, storage=(bare,))) == []


@pytest.mark.parametrize(
    ("now", "codes"),
    [
        ((GOOD, LOST), []),
        ((GOOD, replace(LOST, status=200, problem="", sha256="b" * 64)), []),
        ((replace(GOOD, sha256="c" * 64), LOST), ["MIG-162"]),
        ((replace(GOOD, status=500, sha256="", problem="500 gone"), LOST), ["MIG-162"]),
        ((LOST,), ["MIG-162"]),
    ],
)
def test_a_file_of_before_is_still_the_same(now: tuple[StoredFile, ...], codes: list[str]) -> None:
    assert [finding.code for finding in file_store.changed_files(store(GOOD, LOST), store(*now))] == codes


def test_missing_bytes_are_named() -> None:
    assert "the bytes of 1 cannot be read: b.png (2): 403" in file_store.summarize(store(GOOD, LOST))
