"""A file local cannot deliver is listed by title; an answer about the token or the server is no such file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.model.finding import Finding
from fixtures.model.snapshot import Snapshot
from fixtures.operations.source import asset_export
from fixtures.systems.directus.observer import AssetDigest
from fixtures.systems.failure import Refused


class Library:
    """Two files, of which the second is answered with a status."""

    def __init__(self, status: int) -> None:
        self._status = status

    def files(self) -> list[dict[str, Any]]:
        return [
            {"id": "1", "title": "map", "filename_disk": "1.png"},
            {"id": "2", "title": None, "filename_disk": None},
        ]

    def folders(self) -> list[dict[str, Any]]:
        return []

    users = folders

    def asset_digest(self, file_id: str, *, save_to: Path) -> AssetDigest:
        if file_id == "2":
            raise Refused(Finding("DIR-101", "refused"), status=self._status, code="X")
        save_to.write_bytes(b"bytes")
        return AssetDigest(file_id, "ab" * 32, 5)


def silent(*_: object) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_file_without_bytes_is_listed_apart_and_its_row_is_not_exported(tmp_path: Path, status: int) -> None:
    found = asset_export.export_assets(Library(status), tmp_path, silent, schema=Snapshot({}))  # type: ignore[arg-type]
    assert [each.id for each in found.files] == ["1"]
    (absent,) = found.without_bytes
    assert (absent.id, absent.title) == ("2", "without a title")
    assert absent.reason == f"{status} X, its filename_disk is empty"
    assert [row["id"] for row in json.loads((tmp_path / "files.json").read_text())] == ["1"]


@pytest.mark.parametrize("status", [401, 429, 503])
def test_an_answer_that_is_not_about_the_file_ends_the_export(tmp_path: Path, status: int) -> None:
    with pytest.raises(Refused):
        asset_export.export_assets(Library(status), tmp_path, silent, schema=Snapshot({}))  # type: ignore[arg-type]
