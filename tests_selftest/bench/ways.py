"""Seven ways of the same rows into production, and what it costs to verify them; each gives its seconds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import httpx
import msgspec
import psycopg
from psycopg import sql

from fixtures.model.export import DataExport
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations import lanes
from fixtures.operations.imports.import_log import ImportLog
from fixtures.operations.imports.import_set import ImportSet
from fixtures.operations.imports.journal import Journal
from fixtures.operations.lane_api.batches import row_converter
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.operations.source import export_reader
from fixtures.operations.verification import verify
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.postgres.copy_text import RowWriter
from tests_selftest.bench import files

BATCH = 100
IN_FLIGHT = 4
JSON = {"Content-Type": "application/json"}


class Where(Protocol):
    """What the ways need to know of the systems."""

    @property
    def folder(self) -> Path: ...
    @property
    def url(self) -> Secret: ...
    @property
    def operator(self) -> DirectusOperator: ...
    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def people(self) -> list[str]: ...
    @property
    def address(self) -> str: ...
    @property
    def token(self) -> str: ...


@dataclass
class Load:
    """One size of the workload: its files, and the same rows ready to be sent by those who do nothing but send."""

    stand: Where
    folder: Path
    export: DataExport

    @property
    def rows(self) -> int:
        return self.export.rows

    @property
    def import_set(self) -> ImportSet:
        return files.import_set(self.folder, self.stand.snapshot, self.export, self.stand.people)

    def bodies(self, size: int) -> list[tuple[str, list[bytes]]]:
        """By collection, parents first, the bodies of requests of *size* rows, as Directus takes them."""
        found, import_set = [], self.import_set
        for name in import_set.order.collections:
            convert = row_converter(import_set.types(name))
            rows = (
                convert(msgspec.json.decode(line))
                for _, line in export_reader.numbered_lines(self.folder, import_set.file(name))
            )
            bodies = []
            while portion := list(islice(rows, size)):
                bodies.append(msgspec.json.encode(portion if size > 1 else portion[0]))
            found.append((name, bodies))
        return found


def script(load: Load) -> float:
    """The runbook's own script: ask for each item by its key, then create it."""
    bodies = load.bodies(1)
    keys = {name: load.import_set.profile(name).key for name, _ in bodies}
    with _client(load) as client:
        began = time.perf_counter()
        for name, requests in bodies:
            for body in requests:
                key = json.loads(body)[keys[name]]
                if client.get(f"/items/{name}/{key}").status_code != 200:
                    _well(client.post(f"/items/{name}", content=body, headers=JSON))
        return time.perf_counter() - began


def sequential(load: Load) -> float:
    """Batches, one after the other, nothing looked at."""
    bodies = load.bodies(BATCH)
    with _client(load) as client:
        began = time.perf_counter()
        for name, requests in bodies:
            for body in requests:
                _well(client.post(f"/items/{name}", content=body, headers=JSON))
        return time.perf_counter() - began


def raw(load: Load) -> float:
    """Batches side by side, made before, nothing looked at, nothing remembered: the most the API takes."""
    bodies = load.bodies(BATCH)
    with _client(load) as client, ThreadPoolExecutor(IN_FLIGHT) as pool:
        began = time.perf_counter()
        for name, requests in bodies:

            def send(body: bytes, name: str = name) -> None:
                _well(client.post(f"/items/{name}", params={"fields": "id"}, content=body, headers=JSON))

            list(pool.map(send, requests))
        return time.perf_counter() - began


def utils_import(load: Load) -> float:
    """Directus' own import, a whole file a collection."""
    with _client(load) as client:
        began = time.perf_counter()
        for name in load.import_set.order.collections:
            content = (load.folder / load.import_set.file(name).path).read_bytes()
            part = {"file": (f"{name}.json", content, "application/json")}
            _well(client.post(f"/utils/import/{name}", files=part))
        return time.perf_counter() - began


def lane(name: str, load: Load) -> float:
    """A lane of this suite, as 4.2 runs it: classified, journaled, logged, counted."""
    place = load.stand.folder / f"lane-{time.monotonic_ns()}"
    with ImportLog(place / "import-log.txt", run="bench") as log:
        context = lanes.ImportContext(
            production=load.stand.operator, database=load.stand.url, journal=Journal(place / "journal.jsonl"), log=log,
            progress=lambda *_: None, reported={},
        )  # fmt: skip
        import_set = load.import_set
        began = time.perf_counter()
        result = lanes.run(name, import_set, context)
        seconds = time.perf_counter() - began
    assert result.created == load.rows, (result.created, load.rows, result.refusals[:3])
    return seconds


def plain_copy(load: Load) -> float:
    """COPY of lines made before, straight into the tables, one transaction: what Postgres itself needs."""
    import_set = load.import_set
    written: list[tuple[str, tuple[str, ...], list[bytes]]] = []
    for name in import_set.order.collections:
        columns = import_set.profile(name).columns
        writer = RowWriter({each: import_set.types(name)[each] for each in columns})
        lines = (writer.line(line) for _, line in export_reader.numbered_lines(load.folder, import_set.file(name)))
        written.append((name, columns, list(_blocks(lines))))
    began = time.perf_counter()
    with psycopg.connect(load.stand.url.reveal()) as connection, connection.cursor() as cursor:
        for name, columns, blocks in written:
            into = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, columns))
            )
            with cursor.copy(into) as copy:
                for block in blocks:
                    copy.write(block)
    return time.perf_counter() - began


def verification(load: Load) -> float:
    """Every row and value that is there now, beside the export, as 4.3 does it."""
    nothing = InitialRows(Fingerprint(load.export.exported_at, "", (), {}), load.folder)
    import_set = load.import_set
    began = time.perf_counter()
    found = verify.rows(load.stand.operator, load.stand.url, import_set, nothing, (), progress=lambda *_: None)
    seconds = time.perf_counter() - began
    assert sum(each.equal for each in found) == load.rows, [each.different[:2] for each in found]
    return seconds


# What is compared stands side by side: lane api between the script and the API's ceiling, lane sql behind COPY.
WAYS: dict[str, Callable[[Load], float]] = {
    "sequential": sequential,
    "import": utils_import,
    "script": script,
    "api": lambda load: lane("api", load),
    "raw": raw,
    "copy": plain_copy,
    "sql": lambda load: lane("sql", load),
}


def _client(load: Load) -> httpx.Client:
    return httpx.Client(
        base_url=load.stand.address,
        headers={"Authorization": f"Bearer {load.stand.token}"},
        timeout=600,
        trust_env=False,
    )


def _well(answer: httpx.Response) -> None:
    assert answer.status_code < 300, f"{answer.status_code} {answer.text[:300]}"


def _blocks(lines: Iterator[bytes], rows: int = 1000) -> Iterator[bytes]:
    while portion := list(islice(lines, rows)):
        yield b"".join(portion)
