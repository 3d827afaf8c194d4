"""
The lines of the runbook from 1.2 to 4.3, one after the other in this process, until one of them stops.

The functions of `phases/` themselves are called, with the handles they ask for by name. Left out is
what needs a browser, Render or the log of a server, and the dump of 1.4: production as it was is a
database beside it.
"""

from __future__ import annotations

import inspect
import json
import linecache
import re
import tempfile
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fixtures.evidence.applied import applied_schema
from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.finding import Finding
from fixtures.model.ids import Subject
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations.preservation import fingerprint
from fixtures.plugins import backup_guard
from fixtures.plugins.session import NO_WRITE_ERRORS
from fixtures.report.documents import Documents
from fixtures.settings import Settings, Target
from fixtures.systems import directus
from fixtures.systems.directus import KNOWN_READS, DirectusObserver, DirectusOperator, DirectusSandbox
from fixtures.systems.http.transport import Exchange
from fixtures.systems.postgres.fingerprint import SnapshotReader
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.untidy.stage import TOKEN, Stage

MODULES = (
    "test_1_2_schema_export", "test_1_3_data_export", "test_3_1_production_schema", "test_3_2_schema_plan",
    "test_3_3_schema_apply", "test_3_4_schema_verify", "test_4_1_import_preparation", "test_4_2_import",
    "test_4_3_data_verify",
)  # fmt: skip
BACKUP_BEFORE = "test_3_1_production_schema"
_LEFT_OUT = {
    "test_the_data_model_shows_the_changes",  # 3.3.4: a browser
    "test_new_objects_are_visible_in_the_admin_app",  # 3.3.A2: what that browser saw
    "test_the_log_is_clean",  # 3.3.A4: Render's log
    "test_gate",
}
_CODE = re.compile(r"\b(MIG|DIR|PG|HTTP|RND|GIT)-\d{3}\b")


@dataclass(frozen=True)
class Outcome:
    """
    How far a migration came.

    Attributes:
        line: The line that stopped it; empty when none did.
        said: Every finding and word of that stop.
        crashed: An exception that is none of the suite's own stops it.
        wrote: Something had been written to production by then.
        notes: The sentences of all lines before.
    """

    line: str
    said: str
    crashed: bool
    wrote: bool
    notes: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict, compare=False)

    @property
    def go(self) -> bool:
        return not self.line


def migrate(stage: Stage, *, lane: str = "sql") -> Outcome:
    """Run the lines against *stage* as it is."""
    with tempfile.TemporaryDirectory(prefix="untidy-run-") as folder, ExitStack() as stack:
        return _Run(stage, Path(folder), lane, stack).outcome()


class _Run:
    def __init__(self, stage: Stage, folder: Path, lane: str, stack: ExitStack) -> None:
        self.stage, self.folder, self.stack = stage, folder, stack
        self.writes: list[str] = []
        self.notes: list[str] = []
        self.settings = _settings(stage, folder, lane)
        self.settings.migration_dir.mkdir(parents=True)
        ledger = Ledger(folder / "reports/ledger/untidy.jsonl", run="run-untidy", inputs=self.settings.inputs, suite="")
        ledger.add(Kind.OPENED, "migration", target=str(self.settings.target))
        self.evidence = Evidence(folder / "reports/run-untidy", ledger, no_write_errors=NO_WRITE_ERRORS)
        local = directus.connect(stage.local.url, Secret(TOKEN), system="local Directus", read_only=True)
        reading = directus.connect(stage.production.url, Secret(TOKEN), system="production Directus", read_only=True)
        self.writing = directus.connect(
            stage.production.url, Secret(TOKEN), system="production Directus", read_only=False, on_exchange=self._watch
        )
        for transport in (local, reading, self.writing):
            stack.enter_context(transport)
        url = Secret(stage.production.database_url)
        self.database = stack.enter_context(PostgresObserver(url))
        self.source = DirectusObserver(local)
        self.handles: dict[str, Callable[[], Any]] = {
            "settings": lambda: self.settings,
            "evidence": lambda: self.evidence,
            "progress": lambda: lambda *_: None,
            "dry_run": lambda: False,
            "source": lambda: self.source,
            "source_cli": lambda: SimpleNamespace(snapshot=self._local_snapshot),
            "production": lambda: DirectusObserver(reading),
            "production_operator": lambda: DirectusOperator(self.writing),
            "database": lambda: self.database,
            "database_url": lambda: url,
            "writable_database_url": lambda: url,
            "open_backup": lambda: self._open_backup,
            "documents": lambda: Documents(self.settings.migration_dir, self.evidence),
            "applied": lambda: applied_schema(self.evidence),
            "now": lambda: datetime.now(UTC),
            "site": lambda: SimpleNamespace(collections=(), pictured=(), form=None),
            "render": lambda: SimpleNamespace(
                service=lambda _: SimpleNamespace(id="none"), instances=lambda _: []
            ),
        }  # fmt: skip

    def outcome(self) -> Outcome:
        seconds: dict[str, float] = {}
        for name in MODULES:
            if name == BACKUP_BEFORE:
                self._take_fingerprint()
            for line, test in _lines(name):
                self.evidence.begin(line)
                began = time.monotonic()
                with ExitStack() as stack:
                    given = {each: self._handle(each, stack) for each in inspect.signature(test).parameters}
                    try:
                        test(**given)
                        stack.close()  # ends the scratch rows, as a part of the line
                    except Exception as problem:  # noqa: BLE001 - a crash is what is looked for
                        own = _is_own(problem)
                        said, wrote = _said(problem, own=own), self._wrote(line)
                        return Outcome(line, said, not own, wrote, tuple(self.notes), seconds)
                self.notes += self.evidence.notes
                seconds[line] = time.monotonic() - began
        return Outcome("", "", crashed=False, wrote=self._wrote("4.3"), notes=tuple(self.notes), seconds=seconds)

    def _handle(self, name: str, stack: ExitStack) -> Any:
        """What a line asks for by this name: one of the handles here, else the fixture of the plugins, made of them."""
        if name == "production_sandbox":
            return stack.enter_context(self._sandbox())
        if name == "tmp_path":
            return Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if name in self.handles:
            return self.handles[name]()
        fixture = getattr(backup_guard, name)._get_wrapped_function()
        return fixture(**{each: self._handle(each, stack) for each in inspect.signature(fixture).parameters})

    def _wrote(self, line: str) -> bool:
        """A request that writes was sent, or the import by SQL began."""
        return bool(self.writes) or Subject.parse(line) >= Subject.parse("4.2.2")

    def _watch(self, exchange: Exchange) -> None:
        if exchange.method in {"POST", "PATCH", "DELETE", "PUT"} and not any(
            exchange.method == method and exchange.path.startswith(path) for method, path in KNOWN_READS
        ):
            self.writes.append(f"{exchange.method} {exchange.path}")

    def _local_snapshot(self, path: Path) -> Snapshot:
        snapshot = self.source.snapshot()
        path.write_text(json.dumps(snapshot.raw), encoding="utf-8")
        return snapshot

    def _take_fingerprint(self) -> None:
        self.evidence.begin("1.4.4")
        self.evidence.group_folder.mkdir(parents=True, exist_ok=True)
        with SnapshotReader(Secret(self.stage.production.database_url)) as reader:
            self.evidence.write(fingerprint.read(reader, self.evidence.group_folder, lambda *_: None))

    @contextmanager
    def _open_backup(self, _: Collection[str]) -> Iterator[Secret]:
        yield Secret(self.stage.before_url)

    @contextmanager
    def _sandbox(self) -> Iterator[DirectusSandbox]:
        with DirectusSandbox(
            self.writing, run="run-untidy", journal=self.folder / "scratch",
            on_server_error=self.evidence.record_own_error, rows_exist=self.database.rows_exist,
        ) as sandbox:  # fmt: skip
            yield sandbox


def _lines(module: str) -> Iterator[tuple[str, Callable[..., None]]]:
    for name, test in vars(import_module(f"phases.{module}")).items():
        if name.startswith("test_") and name not in _LEFT_OUT:
            mark = next(each for each in test.pytestmark if each.name == "runbook")
            yield str(mark.args[0]), test


def _settings(stage: Stage, folder: Path, lane: str) -> Settings:
    backend = folder / "backend"
    backend.mkdir()
    return Settings(
        target=Target.STAGING, directus_url=stage.production.url, admin_token=Secret(TOKEN),
        admin_email="admin@example.org", admin_password=Secret("admin"), local_directus_url=stage.local.url,
        local_admin_token=Secret(TOKEN), local_database_url=Secret(stage.local.database_url), frontend_repo=folder,
        backend_repo=backend, frontend_github="a/b", backend_github="a/b", frontend_remote_url="http://127.0.0.1/a",
        backend_remote_url="http://127.0.0.1/b", github_token=Secret("none-of-github"),
        render_api_key=Secret("none-of-render"), render_frontend="f", render_backend="b", render_postgres="p",
        site_map=folder / "site.toml", rollback_contact="nobody", import_lane=lane, allow_ephemeral_files="yes",
    )  # fmt: skip


def _is_own(problem: BaseException) -> bool:
    """A finding, an assertion, or a failure that carries the text of a finding."""
    return isinstance(problem, AssertionError) or hasattr(problem, "finding") or bool(_CODE.match(str(problem)))


def _said(problem: BaseException, *, own: bool) -> str:
    """
    What a person would read of it.

    All findings are in the evidence where a message shows three. Of a bare assertion pytest shows the values.
    """
    if not own:
        return "".join(traceback.format_exception(problem))
    text = [str(problem)]
    frame = problem.__traceback__
    while frame is not None:
        values = frame.tb_frame.f_locals
        for value in values.values():
            if isinstance(value, list) and value and all(isinstance(each, Finding) for each in value):
                text += [str(each) for each in value]
        if frame.tb_next is None and not str(problem):
            line = linecache.getline(frame.tb_frame.f_code.co_filename, frame.tb_lineno).strip()
            shown = {name: value for name, value in values.items() if re.search(rf"\b{name}\b", line)}
            text += [line, repr(shown)[:20_000]]
        frame = frame.tb_next
    return "\n".join(dict.fromkeys(text))
