"""Key formats, counts and rows production has otherwise: each finding seen."""

from __future__ import annotations

from fixtures.checks.rows import keys
from fixtures.checks.rows.classification import index_by_key
from fixtures.model.dataset import CollectionProfile, ExportedFile
from fixtures.model.export import CollectionCount
from fixtures.model.imports import ConflictKind

UUID = "0b5c7e0e-1d7f-4f8e-9a51-6a1d2f3b4c5d"
DEFINITIONS = CollectionProfile("definitions", "id", "uuid", False, ("id", "term", "meaning"), unique=("term",))
TYPES = {"id": "uuid", "term": "string", "meaning": "text"}


def exported(rows: int, key_format: str = "uuid", collection: str = "definitions") -> ExportedFile:
    return ExportedFile(collection, f"data/{collection}.json", rows, "0" * 64, 10, key_format)


def form_of(*found: object) -> str:
    form = keys.KeyFormat()
    for key in found:
        form.add(key)
    return str(form)


def test_key_formats() -> None:
    assert form_of() == "no rows"
    assert form_of(UUID, UUID.upper()) == "uuid"
    assert form_of(3, 1, 812) == "integer 1 to 812"
    assert form_of("9007199254740995", "12") == "integer 12 to 9007199254740995"
    assert form_of("R-3", "N1-A") == "text up to 4 characters"
    assert form_of(3, "R-3") == "text up to 3 characters"


def test_a_missing_or_short_file_is_found() -> None:
    counts = [CollectionCount("definitions", 4, 0), CollectionCount("chapters", 2, -1)]
    findings = keys.count_mismatches([exported(3)], counts)
    assert [(f.code, f.observed) for f in findings] == [("MIG-131", "3 rows"), ("MIG-131", "no file")]
    assert keys.count_mismatches([exported(4), exported(2, collection="chapters")], counts) == []


def test_keys_unlike_their_type_are_found() -> None:
    assert [f.code for f in keys.key_type_mismatches(DEFINITIONS, exported(3, "integer 1 to 3"))] == ["MIG-132"]
    assert keys.key_type_mismatches(DEFINITIONS, exported(3)) == []
    assert keys.key_type_mismatches(DEFINITIONS, exported(0, "no rows")) == []


def row(key: int, term: str, meaning: str) -> dict[str, str]:
    return {"id": f"00000000-0000-4000-8000-{key:012d}", "term": term, "meaning": meaning}


def test_rows_production_has_otherwise() -> None:
    local = [row(1, "porch", "a"), row(2, "alley", "b"), row(3, "eave", "c"), row(4, "new", "d")]
    production = [row(1, "porch", "a"), row(2, "alley", "edited there"), row(9, "eave", "c")]
    found = keys.find_conflicts(DEFINITIONS, TYPES, index_by_key(local, DEFINITIONS), production)
    assert [(each.key[-1], each.kind, each.columns) for each in found] == [
        ("2", ConflictKind.EDITED, ("meaning",)),
        ("3", ConflictKind.UNIQUE_VALUE_TAKEN, ("term",)),
    ]
    assert found[1].production_key.endswith("9")


def test_equal_rows_are_no_conflict() -> None:
    rows = [row(1, "porch", "a")]
    assert keys.find_conflicts(DEFINITIONS, TYPES, index_by_key(rows, DEFINITIONS), rows) == ()
