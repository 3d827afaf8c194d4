"""`make bench ARGS=--big`: a million rows through lane sql, a tenth of them through lane api; memory, time, rate."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from fixtures.model.export import DataExport
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.systems import directus
from fixtures.systems.directus import DirectusOperator
from fixtures.world.seed import people
from fixtures.world.seed.rows import local_rows
from tests_selftest.bench import files, ways
from tests_selftest.bench.memory import own_peak_mb
from tests_selftest.bench.stand import Stand

MOST_MB = 300
ALLOWANCE = 1.5
"""How much longer a row may take among ten times as many: more would not be linear."""


@dataclass(frozen=True)
class Attached:
    """A stand as the measured process sees it: addresses, and nothing of how it was made."""

    address: str
    token: str
    database: str
    place: str

    @property
    def folder(self) -> Path:
        return Path(self.place)

    @property
    def url(self) -> Secret:
        return Secret(self.database)

    @cached_property
    def operator(self) -> DirectusOperator:
        transport = directus.connect(self.address, Secret(self.token), system="production Directus", read_only=False)
        return DirectusOperator(transport)

    @cached_property
    def snapshot(self) -> Snapshot:
        return self.operator.snapshot()

    @cached_property
    def people(self) -> list[str]:
        return [str(user["id"]) for user in self.operator.users()]


def main(rows: int, lanes: Sequence[str]) -> int:
    """0 when memory stays under its limit and time is linear."""
    stand = Stand()
    told = {}
    try:
        with tempfile.TemporaryDirectory(prefix="bench-big-") as folder:
            drawn = local_rows(7, rows * 10 // 9, editor=people.key_of("local", "editor"))
            stand.start({name: content for name, content in drawn.items() if name not in files.WORKLOAD})
            for size in (rows // 10, rows):
                place = Path(folder) / str(size)
                export = files.write(place, stand.snapshot, drawn, size)
                (place / "export.json").write_bytes(msgspec.json.encode(export))
            del drawn
            chosen = [each for each in (("sql", rows // 10), ("sql", rows), ("api", rows // 10)) if each[0] in lanes]
            for context, size in chosen:
                stand.empty()
                told[context, size] = _measured(stand, context, Path(folder) / str(size))
                _say(_line(context, told[context, size]))
    finally:
        stand.stop()
    peak = max(each["peak_mb"] for each in told.values())
    _say(f"{'PASS' if peak <= MOST_MB else 'FAIL'}  memory of the suite: {peak:.0f} MB (at most {MOST_MB} MB)")
    return 0 if peak <= MOST_MB and _linear(told, rows) else 1


def _linear(told: dict[tuple[str, int], dict[str, float]], rows: int) -> bool:
    """Whether a row among ten times as many takes about as long."""
    if ("sql", rows) not in told:
        return True
    few, many = told["sql", rows // 10], told["sql", rows]
    slower = (many["seconds"] + many["verify_s"]) / many["rows"] / ((few["seconds"] + few["verify_s"]) / few["rows"])
    _say(f"{'PASS' if slower <= ALLOWANCE else 'FAIL'}  a row among ten times as many takes {slower:.2f} × as long"
         f" (at most {ALLOWANCE} ×)")  # fmt: skip
    return slower <= ALLOWANCE


def _measured(stand: Stand, context: str, place: Path) -> dict[str, float]:
    """One lane and its verification, in a process of its own whose memory is that of the suite alone."""
    attached = Attached(stand.running.url, stand.token, stand.url.reveal(), str(place / f"work-{context}"))
    (place / "attached.json").write_text(json.dumps(asdict(attached)))
    done = subprocess.run(
        [sys.executable, "-m", "tests_selftest.bench.big", context, str(place)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def _inside(context: str, place: Path) -> dict[str, float]:
    export = msgspec.json.decode((place / "export.json").read_bytes(), type=DataExport)
    attached = Attached(**json.loads((place / "attached.json").read_text()))
    load = ways.Load(attached, place, export)
    idle = own_peak_mb()
    seconds = ways.lane(context, load)
    imported = own_peak_mb()
    began = time.perf_counter()
    ways.verification(load)
    verify_s = time.perf_counter() - began
    log = sum(each.stat().st_size for each in attached.folder.rglob("import-log.txt"))
    return {
        "rows": export.rows,
        "seconds": seconds,
        "verify_s": verify_s,
        "idle_mb": idle,
        "import_mb": imported,
        "peak_mb": own_peak_mb(),
        "export_mb": sum(each.size_bytes for each in export.files) / 1e6,
        "log_mb": log / 1e6,
    }


def _line(context: str, told: dict[str, float]) -> str:
    return (
        f"{datetime.now(UTC):%H:%M:%S}  lane {context}: {told['rows']:,.0f} rows in {told['seconds']:.1f} s, "
        f"{told['rows'] / told['seconds']:,.0f} rows/s; every row verified in {told['verify_s']:.1f} s; "
        f"memory {told['idle_mb']:.0f} MB before, {told['import_mb']:.0f} MB import, {told['peak_mb']:.0f} MB at most; "
        f"export {told['export_mb']:.0f} MB, log {told['log_mb']:.0f} MB"
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_inside(sys.argv[1], Path(sys.argv[2]))) + "\n")
