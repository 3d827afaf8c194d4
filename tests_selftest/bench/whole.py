"""
`make scale`: every phase of the runbook at a tenth of the rows and at all of them; time, memory, and what is left.

Each run is `pytest phases/ --target rehearsal --rows N` in a process of its own, in a world begun anew, as a person
would type it. Memory is that of this one process, not of the systems made for the rehearsal; seconds are those the
ledger keeps of every line.

Before that, an older commit and this tree are run in turn at fewer rows, and the suite's own processor time is compared
task group by task group (see `plugin/processor_time.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from fixtures import runbook
from fixtures.model.ids import Subject
from tests_selftest.bench.memory import high_water_mb

ROOT = Path(__file__).resolve().parents[2]
ROWS = 200_000
MOST_MB = 300
MOST_REPORT_MB = 5.0
ALLOWANCE = 1.5
"""How much longer a row may take among ten times as many: more would not be linear."""

BUDGETS = {"API_P95_MS": "10000", "PAGE_LOAD_MS": "30000"}
"""
Of 5.2, in milliseconds: how fast a Directus on the same two cores answers with so many rows is not measured here.
Asked for all fields of a chapter, it reads the keys of all of its sections, thousands of them in a large rehearsal.
"""

PHASES = tuple(runbook.PHASES)
_LOOK_EVERY_S = 0.1
_SLOWEST = 5

BASELINE = "65e0dd8"
"""The commit whose processor time is the measure."""

COMPARED_ROWS = 60_000
COMPARED_GROUPS = ("1.3", "5.3")
"""First and last task group of the comparison."""

MOST_OF_BASELINE = 0.6
_PLUGIN = Path(__file__).parent / "plugin"
_GROUP = re.compile(r"test_(\d)_(\d)_")


@dataclass
class Told:
    """
    One run.

    Attributes:
        lines: Seconds of each line of the runbook.
        seconds: From the command to its end; also the systems booted, the databases filled.
        peak_mb: The most the suite's process ever held.
        report_mb: Size of the page.
        processor: Seconds of the suite's own processor time (user + system) by task group, "4.2".
    """

    rows: int
    ended: int
    lines: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    peak_mb: float = 0.0
    report_mb: float = 0.0
    processor: dict[str, float] = field(default_factory=dict)

    @property
    def phases(self) -> dict[int, float]:
        """Seconds by phase."""
        found: dict[int, float] = defaultdict(float)
        for line, seconds in self.lines.items():
            found[Subject.parse(line).phase] += seconds
        return found

    @property
    def groups(self) -> dict[str, float]:
        """Seconds by task group, "4.2"."""
        found: dict[str, float] = defaultdict(float)
        for line, seconds in self.lines.items():
            found[Subject.parse(line).group] += seconds
        return found

    @property
    def worked_s(self) -> float:
        return sum(self.lines.values())


def main(arguments: list[str]) -> int:
    """0 when every line passed at both sizes, and memory, report and time are within their limits."""
    parser = argparse.ArgumentParser(prog="python -m tests_selftest.bench.whole", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--lane", choices=["sql", "api"], default="sql")
    parser.add_argument("--only", action="store_true", help="not the tenth, so nothing is said about linearity")
    parser.add_argument("--baseline", default=BASELINE, help="the commit to compare with; '' for none")
    parser.add_argument("--rounds", type=int, default=1, help="of the comparison: baseline and this tree in turn")
    parser.add_argument("--compared-rows", type=int, default=COMPARED_ROWS)
    parser.add_argument("--comparison-only", action="store_true")
    asked = parser.parse_args(arguments)
    good = []
    if asked.baseline:
        good.append(_faster(asked.baseline, asked.compared_rows, asked.lane, asked.rounds))
    if asked.comparison_only or not all(good):
        return 0 if all(good) else 1
    sizes = [asked.rows] if asked.only else [asked.rows // 10, asked.rows]
    found = []
    for rows in sizes:
        found.append(measured(ROOT, rows, asked.lane))
        say(_line(found[-1]))
        if found[-1].ended != 0:
            return 1
    say(_table(found))
    good += [verdict(*each) for each in _limits(found)]
    return 0 if all(good) else 1


def _limits(found: list[Told]) -> Iterator[tuple[str, float, float, str]]:
    """What is measured against what: words, value, limit, unit."""
    yield "memory of the suite's process", max(each.peak_mb for each in found), MOST_MB, "MB"
    yield "the report", max(each.report_mb for each in found), MOST_REPORT_MB, "MB"
    if len(found) > 1:
        few, many = found[0], found[-1]
        slower = (many.worked_s / many.rows) / (few.worked_s / few.rows)
        yield "a row among ten times as many takes", slower, ALLOWANCE, "× as long"


def _faster(commit: str, rows: int, lane: str, rounds: int) -> bool:
    """Whether this tree takes little enough processor time; both are run in turn, and the best of each is compared."""
    runs: dict[Path, list[Told]] = {}
    with checked_out(commit) as baseline:
        for tree in (baseline, ROOT) * rounds:
            runs.setdefault(tree, []).append(measured(tree, rows, lane))
            say(f"{commit if tree == baseline else 'this tree'}: {_line(runs[tree][-1])}")
            if runs[tree][-1].ended != 0:
                return False
        before, now = (min(runs[tree], key=_compared) for tree in (baseline, ROOT))
    say(_processor_table(before, now, commit))
    first, last = COMPARED_GROUPS
    words = f"suite's own processor time {first} to {last}, {rows:,} rows, lane {lane}"
    return verdict(words, _compared(now) / _compared(before), MOST_OF_BASELINE, f"× that of {commit}")


def _compared(told: Told) -> float:
    """Processor seconds of the groups that are compared."""
    return sum(seconds for group, seconds in told.processor.items() if _is_compared(group))


def _is_compared(group: str) -> bool:
    return COMPARED_GROUPS[0] <= group <= COMPARED_GROUPS[1]


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A commit of this repository in a temporary folder, with the environment and the toolchain of this tree."""
    place = Path(tempfile.mkdtemp(prefix="baseline-"))
    tree = place / "tree"
    try:
        for argv in (["clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(tree)],
                     ["-C", str(tree), "checkout", "--quiet", commit]):  # fmt: skip
            subprocess.run(["git", *argv], check=True)
        for name in (".venv", ".toolchain"):
            (tree / name).symlink_to((ROOT / name).resolve())
        yield tree
    finally:
        shutil.rmtree(place, ignore_errors=True)


def measured(tree: Path, rows: int, lane: str, *, prepared: Callable[[Path], None] | None = None) -> Told:
    """
    One whole run of the suite in *tree*, watched from outside.

    Args:
        prepared: Called with the folder of the world, to make one there before the run; without it the run makes one.
    """
    place = Path(tempfile.mkdtemp(prefix="scale-"))
    world, reports = place / "world", place / "reports"
    argv = [sys.executable, "-m", "pytest", "phases/", "--target", "rehearsal", "--rows", str(rows)]
    argv += ["--world", str(world), "--runs", str(reports), "-q", "-p", "processor_time"]
    used = place / "processor_time.jsonl"
    plugin = {"PYTHONPATH": str(_PLUGIN), "PROCESSOR_TIME_FILE": str(used)}
    try:
        if prepared is not None:
            prepared(world)
        began = time.monotonic()
        with (place / "output.txt").open("wb") as output:
            process = subprocess.Popen(
                argv,
                cwd=tree,
                env={**os.environ, **BUDGETS, **plugin, "IMPORT_LANE": lane},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            told = Told(rows, 0)
            watching = threading.Thread(target=_watch, args=(process, told))
            watching.start()
            told.ended = process.wait()
            watching.join()
        told.seconds = time.monotonic() - began
        told.lines = _seconds(reports / "ledger")
        told.processor = _processor_time(used)
        page = reports / "latest.html"
        told.report_mb = page.stat().st_size / 1e6 if page.exists() else 0.0
        if told.ended:
            say((place / "output.txt").read_text("utf-8", "replace")[-4000:])
        return told
    finally:
        subprocess.run([sys.executable, "-m", "fixtures.world", "remove", "--root", str(world)], cwd=tree, check=False)
        shutil.rmtree(place, ignore_errors=True)


def _watch(process: subprocess.Popen[bytes], told: Told) -> None:
    """What the process holds, looked at until it ends: the highest the kernel knows of, or the highest seen."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        told.peak_mb = max(told.peak_mb, _held_mb(process.pid, status))
        time.sleep(_LOOK_EVERY_S)


def _held_mb(pid: int, status: Path) -> float:
    if not Path("/proc").is_dir():
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
        return int(said.split()[0]) / 1e3 if said.split() else 0.0
    try:
        return high_water_mb(status.read_text())
    except OSError:  # it has just ended
        return 0.0


def _seconds(ledger: Path) -> dict[str, float]:
    """Seconds of every line, by the ledger."""
    found: dict[str, float] = {}
    for path in ledger.glob("*.jsonl"):
        if path.name.endswith(".import.jsonl"):
            continue
        for text in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(text)
            if entry["kind"] == "verdict":
                found[entry["subject"]] = float(entry["facts"].get("seconds") or 0.0)
    return found


def _processor_time(path: Path) -> dict[str, float]:
    """Processor seconds by task group, by what the plugin wrote after every test."""
    found: dict[str, float] = defaultdict(float)
    before = 0.0
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        entry = json.loads(text)
        group = _GROUP.search(entry["test"])
        found[f"{group[1]}.{group[2]}" if group else "other"] += entry["seconds"] - before
        before = entry["seconds"]
    return dict(found)


def _processor_table(before: Told, now: Told, commit: str) -> str:
    """Processor seconds of both by task group; those that are compared are marked."""
    lines = [f"{'processor time':<16}{commit:>12}{'this tree':>12}"]
    for group in sorted({*before.processor, *now.processor}):
        mark = "·" if _is_compared(group) else " "
        lines.append(
            f"{group:<6}{mark:<10}{before.processor.get(group, 0):>10.2f} s{now.processor.get(group, 0):>10.2f} s"
        )
    lines.append(f"{'all marked':<16}{_compared(before):>10.2f} s{_compared(now):>10.2f} s")
    return "\n".join(lines)


def _line(told: Told) -> str:
    result = "every line passed" if told.ended == 0 else f"ended with {told.ended}"
    return (
        f"{datetime.now(UTC):%H:%M:%S}  {told.rows:,} rows: {result} in {told.seconds:.0f} s,"
        f" {told.worked_s:.0f} s of them in the phases; memory {told.peak_mb:.0f} MB, report {told.report_mb:.2f} MB"
    )


def _table(found: list[Told]) -> str:
    """Seconds by phase at each size, and the lines that took longest at the last."""
    lines = ["phase " + "".join(f"{f'{each.rows:,} rows':>18}" for each in found)]
    lines += [f"{phase:<6}" + "".join(f"{each.phases[phase]:>16.1f} s" for each in found) for phase in PHASES]
    slowest = sorted(found[-1].lines.items(), key=lambda each: each[1], reverse=True)[:_SLOWEST]
    moved = ("4.2", "4.3", "5.3")
    told = (f"{group} {found[-1].groups[group]:.1f} s" for group in moved)
    lines.append(f"of them, import and what verifies it: {', '.join(told)}")
    lines.append("longest: " + ", ".join(f"{line} {seconds:.0f} s" for line, seconds in slowest))
    return "\n".join(lines)


def verdict(words: str, value: float, most: float, unit: str) -> bool:
    good = value <= most
    say(f"{'PASS' if good else 'FAIL'}  {words}: {value:.2f} {unit} (at most {most:g})")
    return good


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
