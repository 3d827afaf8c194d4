"""
Some lines of the runbook in a process of their own, to be killed: `python -m tests_selftest.kills.suite <order.json>`.

It calls the tests of `phases/` themselves, in their order, with the handles pytest would give them and with the ledger
and the evidence on disk; only booting a world, the gates and the report are left out. So what is proven here is the
code that runs in a migration, and a line that changes is followed without a change here. Ends with 0 when every line
passed, with 1 after the first that did not; the last line of its output says which and why.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fixtures.evidence.applied import applied_schema
from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.applied_schema import AppliedSchema
from fixtures.model.carry import CarryPlan
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations.preservation import fingerprint
from fixtures.plugins.session import NO_WRITE_ERRORS
from fixtures.report.documents import Documents
from fixtures.settings import Settings, Target, load
from fixtures.systems import directus
from fixtures.systems.directus import DirectusObserver, DirectusOperator, DirectusSandbox
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.postgres.lock import TargetLock
from fixtures.systems.postgres.observer import PostgresObserver

ROOT = Path(__file__).resolve().parents[2]

FINGERPRINT = "fingerprint"
CARRY_PLAN = "plan of what is carried"
"""In place of a line: production is recorded by hash, as 1.4.4 does before the first write."""


@dataclass(frozen=True)
class Order:
    """
    What one such process is to do.

    Attributes:
        lines: Ids of the runbook's lines, for example "4.2.2".
        environment: The settings, by variable name.
        reports: Folder of ledger and evidence.
        database_url: Address of production's database, as Render would tell it.
    """

    lines: tuple[str, ...]
    environment: dict[str, str]
    reports: str
    database_url: str

    def write(self, path: Path) -> Path:
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
        return path

    @staticmethod
    def read(path: Path) -> Order:
        return Order(**json.loads(path.read_text(encoding="utf-8")))


class Handles:
    """What the lines ask for by name, made when first asked for; the same names as in `fixtures/plugins/handles.py`."""

    def __init__(self, order: Order, clean: ExitStack) -> None:
        self._clean = clean
        self._made: dict[str, Any] = {}
        self.settings = load(Target.REHEARSAL, order.environment, source="the order")
        self.database_url = Secret(order.database_url)
        reports = Path(order.reports)
        run = f"run-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        while (reports / run).exists():
            run += "x"
        self._run = run
        self._ledger_folder = reports / "ledger"
        ledger = Ledger(
            self._ledger_folder / f"{self.settings.fingerprint}.jsonl",
            run=run, inputs=self.settings.inputs, suite="kills",
        )  # fmt: skip
        if not any(entry.kind is Kind.OPENED for entry in ledger.current):
            ledger.add(Kind.OPENED, "migration", target="rehearsal")
        self.evidence = Evidence(reports / run, ledger, no_write_errors=NO_WRITE_ERRORS)
        (reports / run).mkdir(parents=True)

    def record_fingerprint(self) -> None:
        """What 1.4.4 knows of production before the first write; the dump and its proof are left out."""
        self.evidence.begin("1.4.4")
        self.evidence.write(fingerprint.record(self.database_url, self.evidence.group_folder, lambda *_: None))

    def record_carry_plan(self) -> None:
        """What 4.1.3 plans when CARRY is not set: nothing. The rest of that line is about the site and its flows."""
        self.evidence.begin("4.1.3")
        self.evidence.write(CarryPlan())

    def for_test(self, test: Callable[..., None]) -> dict[str, Any]:
        """The arguments of one test."""
        self._made.pop("applied", None)  # each line is given what was applied before it began
        return {name: self.named(name) for name in inspect.signature(test).parameters}

    def named(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = getattr(self, f"_{name}")(self.settings)
        return self._made[name]

    def _settings(self, settings: Settings) -> Settings:
        return settings

    def _evidence(self, _: Settings) -> Evidence:
        return self.evidence

    def _applied(self, _: Settings) -> AppliedSchema:
        return applied_schema(self.evidence)

    def _documents(self, settings: Settings) -> Documents:
        return Documents(settings.migration_dir, self.evidence)

    def _migration_dir(self, settings: Settings) -> Path:
        return settings.migration_dir

    def _now(self, _: Settings) -> datetime:
        return datetime.now(UTC)

    def _dry_run(self, _: Settings) -> bool:
        return False

    def _tmp_path(self, _: Settings) -> Path:
        return Path(self._clean.enter_context(tempfile.TemporaryDirectory()))

    def _progress(self, _: Settings) -> Callable[..., None]:
        return lambda *_: None

    def _database_url(self, _: Settings) -> Secret:
        return self.database_url

    def _writable_database_url(self, _: Settings) -> Secret:
        return self.database_url

    def _target_lock(self, _: Settings) -> TargetLock:
        return self._clean.enter_context(TargetLock(self.database_url))

    def _database(self, _: Settings) -> PostgresObserver:
        return self._clean.enter_context(PostgresObserver(self.database_url))

    def _pg_tools(self, settings: Settings) -> PostgresTools:
        return PostgresTools.found(settings.pg_bin_dir)

    def _source(self, settings: Settings) -> DirectusObserver:
        connection = directus.connect(
            settings.local_directus_url, settings.local_admin_token, system="local Directus", read_only=True
        )
        return DirectusObserver(self._clean.enter_context(connection))

    def _source_cli(self, _: Settings) -> SnapshotOverRest:
        return SnapshotOverRest(self.named("source"))

    def _render(self, _: Settings) -> OneInstance:
        return OneInstance()

    def _production(self, settings: Settings) -> DirectusObserver:
        return DirectusObserver(self._transport(settings, read_only=True))

    def _production_operator(self, settings: Settings) -> DirectusOperator:
        self.named("target_lock")
        return DirectusOperator(self._transport(settings, read_only=False))

    def _production_sandbox(self, settings: Settings) -> DirectusSandbox:
        journal = self._ledger_folder / f"{settings.fingerprint}.scratch"
        transport = self._transport(settings, read_only=False)
        return self._clean.enter_context(DirectusSandbox(transport, run=self._run, journal=journal))

    def _transport(self, settings: Settings, *, read_only: bool) -> Any:
        return self._clean.enter_context(
            directus.connect(
                settings.directus_url, settings.admin_token, system="production Directus", read_only=read_only
            )
        )


@dataclass(frozen=True)
class SnapshotOverRest:
    """What `directus schema snapshot` writes, three seconds sooner: REST gives the same object."""

    source: DirectusObserver

    def snapshot(self, path: Path) -> Snapshot:
        found = self.source.snapshot()
        path.write_text(json.dumps(found.raw), encoding="utf-8")
        return found


@dataclass(frozen=True)
class OneInstance:
    """What a line asks of Render here: which instances there are. There is one, which has no name of its own."""

    id: str = "ground"

    def service(self, _: str) -> OneInstance:
        return self

    def instances(self, service_id: str) -> tuple[str, ...]:
        return (service_id,)


def test_of(line: str) -> Callable[..., None]:
    """The test of `phases/` that is this line of the runbook."""
    group = "_".join(line.split(".")[:2])
    (file,) = (ROOT / "phases").glob(f"test_{group}_*.py") if line[0].isdigit() else (ROOT / "phases" / line,)
    module = importlib.import_module(f"phases.{file.stem}")
    for test in vars(module).values():
        for mark in getattr(test, "pytestmark", []) if callable(test) else []:
            if mark.name == "runbook" and mark.args[0] == line:
                found: Callable[..., None] = test
                return found
    raise LookupError(f"no test of phases/ is line {line}")


def main(arguments: list[str]) -> int:
    """Do the lines of the order; 0 when every one passed."""
    order = Order.read(Path(arguments[0]))
    line = "opening"
    try:
        with ExitStack() as clean:
            handles = Handles(order, clean)
            for line in order.lines:
                if line == FINGERPRINT:
                    handles.record_fingerprint()
                    continue
                if line == CARRY_PLAN:
                    handles.record_carry_plan()
                    continue
                test = test_of(line)
                handles.evidence.begin(line)
                test(**handles.for_test(test))
            line = "clean-up"
    except Exception as problem:  # noqa: BLE001 - the process ends here, and says why
        traceback.print_exc()
        print(f"{line}: {type(problem).__name__}: {' · '.join(str(problem).splitlines())[:1500]}")  # noqa: T201
        return 1
    print("every line passed")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main(sys.argv[1:]))
