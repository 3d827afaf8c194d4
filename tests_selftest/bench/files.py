"""Exports of any size, written as group 1.3 writes them, from the rows of the rehearsal's seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from fixtures.checks.rows import order
from fixtures.checks.rows.profile import profile
from fixtures.model.dataset import ExportedFile, ImportOrder
from fixtures.model.export import AssetInventory, DataExport
from fixtures.model.key_map import KeyMap
from fixtures.model.snapshot import Snapshot
from fixtures.operations.imports.import_set import ImportSet
from fixtures.operations.source.data_export import row_to_json
from fixtures.world.seed.rows import Rows

WORKLOAD = ("sections", "definitions", "definitions_translations", "districts_uses", "amendments")
"""Nine rows of ten in the rehearsal: a tree with long texts, uuid keys, two foreign keys, decimals, stamps."""


def write(folder: Path, snapshot: Snapshot, rows: Rows, most: int | None = None) -> DataExport:
    """
    The workload's files.

    Args:
        most: Rows in all, an equal share of each collection's, from its beginning.
    """
    total = sum(len(rows[name]) for name in WORKLOAD)
    share = 1.0 if most is None else min(1.0, most / total)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name in ("files", "folders"):
        (folder / f"{name}.json").write_text("[]")
    chosen = {name: rows[name][: max(1, round(len(rows[name]) * share))] for name in WORKLOAD}
    known = {str(row["id"]) for row in chosen["definitions"]}
    chosen["definitions_translations"] = [
        row for row in chosen["definitions_translations"] if str(row["definitions_id"]) in known
    ]
    return DataExport(datetime.now(UTC), tuple(_file(folder, snapshot, name, chosen[name]) for name in WORKLOAD))


def import_set(folder: Path, snapshot: Snapshot, export: DataExport, people: Iterable[str]) -> ImportSet:
    """What the lanes are given; production has the people of local."""
    planned = order.plan([profile(snapshot, name) for name in WORKLOAD])
    return ImportSet(
        folder=folder,
        export=export,
        order=ImportOrder(planned.collections, planned.deferred),
        assets=AssetInventory((), {}, {}),
        local_schema=snapshot,
        keys=KeyMap(users={}),
        people=frozenset(people),
    )


def _file(folder: Path, snapshot: Snapshot, name: str, rows: Iterable[Mapping[str, Any]]) -> ExportedFile:
    columns = profile(snapshot, name).columns
    types = {field["field"]: str(field["type"]) for field in snapshot.fields_of(name)}
    path, digest, count = folder / "data" / f"{name}.json", hashlib.sha256(), 0
    with path.open("wb") as sink:

        def put(piece: bytes) -> None:
            digest.update(piece)
            sink.write(piece)

        put(b"[")
        for row in rows:
            line = row_to_json({c: _shown(row.get(c), types[c]) for c in columns}, columns)
            put((b",\n" if count else b"\n") + line)
            count += 1
        put(b"\n]\n" if count else b"]\n")
    return ExportedFile(name, str(path.relative_to(folder)), count, digest.hexdigest(), path.stat().st_size, "")


def _shown(value: Any, kind: str) -> Any:
    """A value of the seed, which Postgres takes, as Directus shows it."""
    if value is None:
        return None
    if kind == "json":
        return json.loads(value)
    if kind == "csv":
        return str(value).split(",") if value else []
    if kind in {"bigInteger", "decimal"}:
        return str(value)
    if kind == "timestamp":
        moment = datetime.fromisoformat(str(value)).astimezone(UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    if kind == "dateTime":
        return str(value).replace(" ", "T")
    return value.isoformat() if isinstance(value, date) else value
