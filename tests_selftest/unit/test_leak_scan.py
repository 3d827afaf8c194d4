"""The scan for leaks finds a planted secret in each kind of file, and in each encoding; it is shown, not believed."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from pathlib import Path
from urllib.parse import quote

import pytest

from tests_selftest.world.leak_scan import leaks

# Obviously none; with characters that each encoding writes otherwise.
SECRET = "Fake+0/Fake&1 é"
KINDS = (
    "report.html",
    "ledger.jsonl",
    "evidence.json",
    "MIGRATION_REPORT.md",
    "frontend.log",
    "monitoring.ics",
    "a.jpg",
)
ENCODED = {
    "raw": SECRET.encode(),
    "in an address": f"https://h.example/?t={quote(SECRET, safe='')}".encode(),
    "in JSON": json.dumps({"token": SECRET}).encode(),
    "alone in base64": base64.b64encode(SECRET.encode()),
    "as Basic of a": base64.b64encode(f"a:{SECRET}".encode()),
    "as Basic of ab": base64.b64encode(f"ab:{SECRET} and more".encode()),
    "as Basic of abc": base64.urlsafe_b64encode(f"abc:{SECRET}, and".encode()),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", ENCODED)
def test_a_planted_secret_is_found_in_each_kind_of_file_and_encoding(tmp_path: Path, kind: str, encoding: str) -> None:
    file = tmp_path / kind
    file.write_bytes(b"before " + ENCODED[encoding] + b" after")
    assert {(place, name) for place, name, _ in leaks([file], {"TOKEN": SECRET})} == {(str(file), "TOKEN")}
    file.write_bytes(b"before and after, Fake+0 and /Fake")
    assert leaks([file], {"TOKEN": SECRET}) == []


def test_a_secret_in_an_archive_or_a_compressed_file_is_found_with_its_member(tmp_path: Path) -> None:
    packed = tmp_path / "archive.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        member = tarfile.TarInfo("migration/rows.json.gz")
        content = gzip.compress(f"[{json.dumps(SECRET)}]".encode())
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    compressed = tmp_path / "rows.gz"
    compressed.write_bytes(gzip.compress(SECRET.encode()))
    found = {place for place, _, _ in leaks([packed, compressed], {"TOKEN": SECRET})}
    assert found == {f"{packed}!migration/rows.json.gz", str(compressed)}
