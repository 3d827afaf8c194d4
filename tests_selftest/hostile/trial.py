"""
Hostile rows put among the good ones of a real export, imported by the real lines, and looked for afterwards.

What is refused must be refused with its file, line, collection, key and rule; what arrives must arrive exactly; and all
good rows must be there as if nobody had meddled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import psycopg
from psycopg import sql

from fixtures.checks.rows.identity import compared_columns, differing_columns, key_text
from fixtures.checks.rows.profile import profile as profile_of
from fixtures.checks.rows.row_values import normalizer
from fixtures.model.dataset import ExportedFile
from fixtures.model.export import AssetFile, AssetInventory, DataExport
from fixtures.model.imports import ImportResult, Refusal
from fixtures.model.snapshot import Snapshot
from fixtures.process.files import sha256
from tests_selftest.hostile.corpus import (
    ARRIVES,
    CUT_SHORT,
    NEVER_FETCHED,
    NO_BYTES,
    ROWS,
    Broken,
    Case,
    make,
)
from tests_selftest.kills.content import differing as differing_tables
from tests_selftest.kills.gate import Moment
from tests_selftest.kills.kill_world import PRODUCTION, Ended, Ground
from tests_selftest.kills.suite import Handles

STATE = "import"
IMPORT = ("4.2.2",)
BROKEN_FILE = "amendments"
_FILE_CASES = {NO_BYTES: "NO_BYTES", CUT_SHORT: "OTHER_BYTES", NEVER_FETCHED: "NO_BYTES"}


@dataclass(frozen=True)
class Seen:
    """One case after the import: what was expected, what was seen, and where."""

    name: str
    where: str
    expected: str
    observed: str

    @property
    def well(self) -> bool:
        return self.expected == self.observed

    def __str__(self) -> str:
        mark = "ok " if self.well else "BAD"
        return f"{mark} {self.name:<50.50} {self.expected:<14} {self.observed:<14.80} {self.where}"


@dataclass(frozen=True)
class Placed:
    """A case in its file."""

    case: Case
    line: int
    key: str
    text: bytes


class Trial:
    """Hostile exports on one ground, in one lane."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.lane = ground.lane.get("IMPORT_LANE", "api")
        with self._handles() as handles:
            self.local = handles.evidence.read(Snapshot, of="1.2")
            self.export = handles.evidence.read(DataExport, of="1.3")
            self.assets = handles.evidence.read(AssetInventory, of="1.3")

    @property
    def folder(self) -> Path:
        return self.ground.folder / "backend" / "migration"

    # --- rows -------------------------------------------------------------------------------------------------------

    def clean(self) -> dict[str, str]:
        """What production holds after an import that nobody meddled with."""
        self.ground.go_back(STATE)
        ended = self.ground.run(IMPORT)
        assert ended.well, ended.said
        return self.ground.content()

    def rows(self, clean: dict[str, str], cases: Sequence[Case] = ROWS) -> tuple[list[Seen], list[str]]:
        """Every case in one import: what became of each, and what is wrong with the rows around them."""
        wanted = _rows_only(clean)
        self.ground.go_back(STATE)
        placed = self._put(cases)
        stopped = self.ground.run(("4.1.2",))
        ended = self.ground.run(IMPORT)
        assert ended.well, ended.said
        with self._handles() as handles:
            result = handles.evidence.read(ImportResult, of="4.2")
        seen = [self._row(each, result) for each in placed] + [self._file(key, result) for key in _FILE_CASES]
        wrong = [] if "MIG-4" in stopped.said else [f"4.1.2 did not stop at the refused rows: {stopped.said[:200]}"]
        known = {(each.case.collection, each.line) for each in placed}
        more = [r for r in result.refusals if (r.collection, r.line) not in known and r.key not in _FILE_CASES]
        wrong += [f"refused as well: {each}" for each in more]
        self._take_out(placed)
        wrong += [f"other rows in {name}" for name in differing_tables(wanted, _rows_only(self.ground.content()))]
        return seen, wrong

    def _put(self, cases: Sequence[Case]) -> list[Placed]:
        """The cases between the good rows of their files, recorded as if they had been exported so."""
        placed: list[Placed] = []
        files = []
        for file in self.export.files:
            own = [case for case in cases if case.collection == file.collection]
            files.append(self._mixed(file, own, placed) if own else file)
        self._put_files()
        self._record(tuple(files), self._inventory())
        return placed

    def _mixed(self, file: ExportedFile, cases: Sequence[Case], placed: list[Placed]) -> ExportedFile:
        path = self.folder / file.path
        good = [line.strip().rstrip(b",") for line in path.read_bytes().splitlines() if line.startswith(b"{")]
        profile = profile_of(self.local, file.collection)
        lines: list[bytes] = []
        for number, case in enumerate(cases):
            lines += good[number : number + 1]
            row = self._fresh(json.loads(good[-1]), profile.key, profile.key_type, profile.unique, number)
            text = make(case, row)
            lines.append(text)
            placed.append(Placed(case, len(lines) + 1, _key(text, profile.key, profile.key_type), text))
        lines += good[len(cases) :]
        path.write_bytes(b"[\n" + b",\n".join(lines) + b"\n]\n")
        # Not what Postgres wrote any more: no value in it is valid because a column held it.
        return replace(file, rows=len(lines), sha256=sha256(path), size_bytes=path.stat().st_size, exact=False)

    def _fresh(self, row: dict[str, Any], key: str, kind: str, unique: Sequence[str], number: int) -> dict[str, Any]:
        """A good row with another key and other unique values."""
        fresh = {"integer": 500_000 + number, "uuid": str(uuid5(NAMESPACE_URL, f"{key}{number}"))}
        return {**row, **dict.fromkeys(unique, f"H {number}"), key: fresh.get(kind, f"h-{number}")}

    def _put_files(self) -> None:
        path = self.folder / "files.json"
        rows = json.loads(path.read_text())
        rows += [{**rows[0], "id": key, "title": key, "folder": None} for key in _FILE_CASES]
        path.write_text(json.dumps(rows))
        (self.folder / "files" / f"{CUT_SHORT}.bin").write_bytes(b"whole"[:3])

    def _inventory(self) -> AssetInventory:
        def asset(key: str) -> AssetFile:
            whole = "b8ae8ab52ddc1e6e0bd20a6c9b0e2b0a7a9e0f5a3c3e4b9f8d7c6b5a49382716"
            return AssetFile(key, f"files/{key}.bin", whole, 5, "x.bin", "application/octet-stream")

        return replace(self.assets, files=(*self.assets.files, asset(NO_BYTES), asset(CUT_SHORT)))

    def _row(self, placed: Placed, result: ImportResult) -> Seen:
        case = placed.case
        where = f"data/{case.collection}.json line {placed.line} key {placed.key}"
        found = [r for r in result.refusals if r.collection == case.collection and r.line == placed.line]
        observed = _told(found[0], case, placed) if found else self._arrived(placed)
        return Seen(case.name, where, case.expected_of(self.lane), observed)

    def _file(self, key: str, result: ImportResult) -> Seen:
        found = [each for each in result.refusals if each.collection == "directus_files" and each.key == key]
        observed = found[0].code if found and found[0].file else "not refused with its file"
        return Seen(f"file {key[-2:]} of the library", "files.json", _FILE_CASES[key], observed)

    def _arrived(self, placed: Placed) -> str:
        """ARRIVES when production shows the row as it was written; else what is otherwise."""
        name = placed.case.collection
        profile = profile_of(self.local, name)
        types = {f["field"]: str(f["type"]) for f in self.local.fields_of(name) if f["field"] in profile.columns}
        wanted = normalizer(types)(json.loads(placed.text))
        with self._handles() as handles:
            production = handles.named("production")
            rows = production.items(name, key=profile.key, filter={profile.key: {"_eq": placed.key}})
            held = next(iter(rows), None)
        if held is None:
            return "lost"
        held |= self._stored(name, profile.key, placed.key, [c for c, kind in types.items() if kind == "json"])
        columns = differing_columns(wanted, held, {column: types[column] for column in compared_columns(profile)})
        return f"other {', '.join(columns)}" if columns else ARRIVES

    def _stored(self, table: str, key: str, value: str, columns: Sequence[str]) -> dict[str, Any]:
        """JSON as it lies in the database: on its way through Directus a number loses the digits no float keeps."""
        if not columns:
            return {}
        chosen = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
        query = sql.SQL("SELECT {} FROM {} WHERE {}::text = %s").format(
            chosen, sql.Identifier(table), sql.Identifier(key)
        )
        with psycopg.connect(self.ground.cluster.superuser_url_of(PRODUCTION)) as connection:
            row = connection.execute(query, [value]).fetchone() or ()
        return {c: None if text is None else json.loads(text) for c, text in zip(columns, row, strict=True)}

    def _take_out(self, placed: Sequence[Placed]) -> None:
        with psycopg.connect(self.ground.cluster.superuser_url_of(PRODUCTION)) as connection:
            for each in placed:
                key = profile_of(self.local, each.case.collection).key
                query = sql.SQL("DELETE FROM {} WHERE {}::text = %s").format(
                    sql.Identifier(each.case.collection), sql.Identifier(key)
                )
                connection.execute(query, [each.key])

    # --- files ------------------------------------------------------------------------------------------------------

    def broken(self, one: Broken) -> Seen:
        """A file broken as a file: the import must stop before it writes a row, and say which file."""
        self.ground.go_back(STATE)
        before = self.ground.content()
        file = next(each for each in self.export.files if each.collection == BROKEN_FILE)
        path = self.folder / file.path
        path.write_bytes(one.change(path.read_bytes()))
        if "flipped" not in one.name:
            file = replace(file, sha256=sha256(path), size_bytes=path.stat().st_size)
        self._record(tuple(file if each.path == file.path else each for each in self.export.files), self.assets)
        written: list[str] = []
        self.ground.http.reset(lambda _, moment, what: _note(written, moment, what))
        ended = self.ground.run(IMPORT)
        observed = _stopped(ended, written)
        if differing_tables(before, self.ground.content()):
            observed = "something was written"
        return Seen(one.name, f"{file.path}: {_part(ended.said, 'observed')}", "MIG-411", observed)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _record(self, files: tuple[ExportedFile, ...], assets: AssetInventory) -> None:
        with self._handles() as handles:
            handles.evidence.begin("1.3.2")
            handles.evidence.write(replace(self.export, files=files))
            handles.evidence.write(assets)

    def _handles(self) -> _Open:
        return _Open(self.ground)


class _Open:
    """The memory and the systems as the lines see them, for a moment."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._clean = ExitStack()

    def __enter__(self) -> Handles:
        return Handles(self._ground.order(()), self._clean)

    def __exit__(self, *_: object) -> None:
        self._clean.close()


def _told(refusal: Refusal, case: Case, placed: Placed) -> str:
    """The rule, when file and key are right as well."""
    if refusal.file != f"data/{case.collection}.json":
        return f"{refusal.code} in {refusal.file or 'no file'}"
    return refusal.code if refusal.key == placed.key else f"{refusal.code} of key {refusal.key}"


def _key(text: bytes, column: str, kind: str) -> str:
    try:
        row = json.loads(text)
        pairs = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return "?"
    if not isinstance(row, dict) or row.get(column) is None or b":NaN" in text or b":-Infinity" in text:
        return "?"
    twice = len(pairs) != len(row) or b'"a":1,"a":2' in text
    return "?" if twice else key_text(row[column], kind)


def _rows_only(content: dict[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in content.items() if not name.startswith("sequence ")}


def _note(written: list[str], moment: Moment, what: str) -> bool:
    if moment is Moment.BEFORE and what.startswith(("POST /items", "PATCH /items", "POST /files", "POST /folders")):
        written.append(what)
    return False


def _stopped(ended: Ended, written: list[str]) -> str:
    if ended.well:
        return "imported"
    if written:
        return f"stopped after {written[0]}"
    return "MIG-411" if "MIG-411" in ended.said and BROKEN_FILE in ended.said else ended.said[:60]


def _part(said: str, label: str) -> str:
    found = [part.strip() for part in said.split("·") if part.strip().startswith(label)]
    return found[0].removeprefix(label).strip()[:60] if found else ""
