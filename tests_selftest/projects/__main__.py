"""`make projects`: each project through the real phases, and its outcome compared by SQL; exit 1 when one is not GO."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from fixtures.model.story import OverallVerdict
from tests_selftest.projects import comparison, configuration, models

REPOSITORY = Path(__file__).resolve().parents[2]
_BOOT_S = 300
_VERDICTS = tuple(verdict.value for verdict in OverallVerdict)
# Rewritten by Directus at any time, or by a login.
_VOLATILE = ("last_access", "last_page")


@dataclass
class Course:
    """
    What became of one project.

    Attributes:
        runs: By name, the first and the last line of what a run said, and its seconds.
        wrong: What is not as it must be.
    """

    name: str
    runs: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Run the chosen projects; print a table; the exit code."""
    parser = argparse.ArgumentParser(prog="make projects", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(models.NAMES)}; all unless snapshots are given")
    parser.add_argument("--snapshots", type=Path, help="a folder of snapshots; each becomes local, production is blank")
    parser.add_argument("--keep", type=Path, help="a folder for worlds and reports, kept afterwards")
    parser.add_argument("--jobs", type=int, default=2, help="projects at a time (%(default)s)")
    asked = parser.parse_args()
    names = asked.names or (() if asked.snapshots else models.NAMES)
    chosen: list[tuple[str, str, dict[str, str]]] = [(name, f"{models.__name__}:{name}", {}) for name in names]
    for path in sorted(asked.snapshots.glob("*.json")) if asked.snapshots else ():
        content = f"{models.__name__}:SNAPSHOT"
        chosen.append((path.stem, content, {models.SNAPSHOT_VARIABLE: str(path.resolve())}))
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="projects-"))
    with ThreadPoolExecutor(asked.jobs) as pool:
        begun = [pool.submit(run_project, *project, folder / project[0]) for project in chosen]
    courses = [each.result() for each in begun]
    if not asked.keep:
        shutil.rmtree(folder, ignore_errors=True)
    bad = [course.name for course in courses if course.wrong]
    _say(f"{len(courses)} projects, {len(courses) - len(bad)} as they must be{': not ' if bad else ''}{', '.join(bad)}")
    return 1 if bad or not courses else 0


def run_project(name: str, content: str, variables: dict[str, str], folder: Path) -> Course:
    """Dry run, real run, the same again, comparison, rollback, comparison."""
    course = Course(name)
    environment = {**os.environ, **variables}
    world = folder / "world"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _up(world, environment, content) as ready:
            whole = comparison.read(_production(ready), own_tables=True)
            before = comparison.read(_production(ready), own_tables=False)
            was = configuration.read(_production(ready))
        dry = _phases(course, "dry run", folder, environment, "--dry-run")
        real = _phases(course, "real run", folder, environment)
        again = _phases(course, "the same again", folder, environment)
        with _up(world, environment) as ready:
            local = comparison.read(ready["environment"]["LOCAL_DATABASE_URL"], own_tables=False)
            after = comparison.read(_production(ready), own_tables=False)
            if name in models.CONFIGURED:
                there = [
                    configuration.read(url) for url in (ready["environment"]["LOCAL_DATABASE_URL"], _production(ready))
                ]
                course.wrong += configuration.differences(was, *there)
        course.wrong += comparison.missing(local, after, before) + comparison.lost(before, after)
        back = _phases(course, "rollback", folder, environment, "-m", "rollback")
        with _up(world, environment) as ready:
            restored = comparison.read(_production(ready), own_tables=True)
        course.wrong += _without_volatile(comparison.changed(whole, restored))
        for said, wanted in ((dry, ("REHEARSED",)), (real, ("GO",)), (again, ("GO",)), (back, ("ROLLED BACK",))):
            if not said.startswith(wanted):
                course.wrong.append(f"expected {' or '.join(wanted)}: {said}")
    finally:
        if world.exists():
            remove = [sys.executable, "-m", "fixtures.world", "remove", "--root", str(world)]
            subprocess.run(remove, cwd=REPOSITORY, check=True)
    _say(
        "\n".join([f"{name}", *(f"    {each}" for each in course.runs), *(f"    WRONG {w}" for w in course.wrong[:20])])
    )
    return course


def _phases(course: Course, what: str, folder: Path, environment: dict[str, str], *arguments: str) -> str:
    """The verdict line of one run of the phases."""
    began = time.monotonic()
    argv = [sys.executable, "-m", "pytest", "phases/", "--target", "rehearsal", "-q", "--no-header"]
    argv += ["--world", str(folder / "world"), "--runs", str(folder / "reports"), *arguments]
    done = subprocess.run(argv, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    (folder / f"{what.replace(' ', '-')}.log").write_text(done.stdout + done.stderr, "utf-8")
    verdict = next(
        (line for line in done.stdout.splitlines() if line.startswith(_VERDICTS)),
        f"no verdict, exit {done.returncode}",
    )
    course.runs.append(f"{what:15} {time.monotonic() - began:4.0f} s  {verdict[:160]}")
    return verdict


@contextmanager
def _up(world: Path, environment: dict[str, str], content: str = "") -> Iterator[dict[str, Any]]:
    """The world while it is up; what it said when it was ready."""
    argv = [sys.executable, "-m", "fixtures.world", "up", "--root", str(world)]
    argv += ["--content", content] if content else []
    process = subprocess.Popen(
        argv, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout or ():
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("event") == "failed":
                raise RuntimeError(f"{event['code']} {event['message']}")
            if event.get("event") == "ready":
                yield event
                break
        else:
            raise RuntimeError("the world ended before it was ready")
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait(_BOOT_S)


def _production(ready: dict[str, Any]) -> str:
    url = urlsplit(str(ready["environment"]["SCRATCH_DATABASE_URL"]))
    return urlunsplit(url._replace(path=f"/{ready['production_database']}"))


def _without_volatile(differences: list[str]) -> list[str]:
    return [each for each in differences if not any(f" {name}: " in each for name in _VOLATILE)]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
