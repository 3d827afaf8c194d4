"""
`make rehearsal-rollback`: forward, back and forward again in one world, and how long each took.

What production is before and after is asked of `pg_dump` and of the disk, not of the suite: two dumps as text, equal
to the last byte, owners, grants, sequences, users and permissions included. The time the rollback took stands in every
later report's second block.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg

from tests_selftest.world.held import ROOT, HeldWorld, Run, hold

WORLD = ROOT / ".world-rollback"
LET_IN_WITHIN_S = 130.0
_OF_ONE_DUMP = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)
"""Lines with a random word in them, new in each dump; pg_dump 17.6 and later."""


ELSEWHERE = """
    CREATE SCHEMA audit; GRANT USAGE ON SCHEMA audit TO PUBLIC;
    CREATE TABLE audit.log (id serial, said text, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE audit.log_2025 PARTITION OF audit.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO audit.log (said, at) SELECT 'line ' || n, '2025-05-05' FROM generate_series(1, 500) n;
    CREATE VIEW audit.newest AS SELECT * FROM audit.log ORDER BY id DESC LIMIT 9;
    GRANT SELECT ON ALL TABLES IN SCHEMA audit TO PUBLIC; GRANT SELECT ON ALL SEQUENCES IN SCHEMA audit TO PUBLIC;
    SELECT lo_from_bytea(4001, convert_to(repeat('plan ', 1000000), 'UTF8'));
    GRANT SELECT ON LARGE OBJECT 4001 TO PUBLIC
"""
"""What somebody else keeps in production's database, who lets its role read it and nothing more."""

_DERIVED = re.compile(r"__|^directus-health-file$")
"""Pictures Directus made smaller because somebody looked, and what its health check writes: made again at will."""


@dataclass(frozen=True)
class Look:
    """Production as two witnesses have it: the text of a dump, and the library's files by name with their hashes."""

    dump: str
    files: dict[str, str]

    def differs(self, other: Look) -> list[str]:
        """Where two looks differ, in words; empty when to the last byte they do not."""
        found = []
        if self.dump != other.dump:
            was, now = set(self.dump.splitlines()), set(other.dump.splitlines())
            found += [f"- {line[:160]}" for line in sorted(was - now)[:5]]
            found += [f"+ {line[:160]}" for line in sorted(now - was)[:5]] or ["the order of lines"]
        found += [f"file {name}" for name, _ in sorted(self.files.items() ^ other.files.items())[:5]]
        return found


def look(world: HeldWorld, folder: Path, url: str = "") -> Look:
    """Production now, the whole of it; or another database of its cluster, and the same files."""
    program = Path(world.environment["PG_BIN_DIR"]) / "pg_dump"
    argv = [str(program), f"--dbname={url or world.superuser_url}"]
    text = subprocess.run(argv, capture_output=True, check=True, text=True, timeout=120).stdout
    disk = folder / "disk"
    files = {
        str(file.relative_to(disk)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in disk.rglob("*")
        if file.is_file() and not _DERIVED.search(file.name)
    }
    return Look(_OF_ONE_DUMP.sub("", text), files)


def live_commits(world: HeldWorld) -> dict[str, str]:
    """By service, the commit that serves, as Render's API says it."""
    found = {}
    for name in ("RENDER_FRONTEND_SERVICE", "RENDER_BACKEND_SERVICE"):
        service = ask_render(world, f"/services?name={world.environment[name]}")[0]["service"]["id"]
        deploys = [each["deploy"] for each in ask_render(world, f"/services/{service}/deploys?limit=50")]
        found[world.environment[name]] = next(d["commit"]["id"] for d in deploys if d["status"] == "live")
    return found


def ask_render(world: HeldWorld, path: str, body: dict[str, str] | None = None, *, method: str = "") -> Any:
    """
    What Render's API answers; with a body, to a POST of it unless another method is named.

    Asked again when its limit per minute lets us: whoever looks on shares it with the suite.
    """
    data = json.dumps(body).encode() if body is not None else None
    chosen = method or ("POST" if data else "GET")
    request = Request(world.environment["RENDER_API_URL"] + path, data=data, method=chosen)
    request.add_header("Authorization", f"Bearer {world.environment['RENDER_API_KEY']}")
    request.add_header("Content-Type", "application/json")
    deadline = time.monotonic() + LET_IN_WITHIN_S
    while True:
        try:
            with urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except HTTPError as refused:  # 429: it was not looked at, so nothing was done
            if refused.code != HTTPStatus.TOO_MANY_REQUESTS or time.monotonic() > deadline:
                raise
            time.sleep(1 + float(refused.headers.get("Retry-After", 0)))


def known_to_the_planner(url: str) -> bool:
    """Whether Postgres has statistics of the files' and the users' values."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'").fetchall()
    return {"directus_files", "directus_users"} <= {str(name) for (name,) in rows}


def measured(reports: Path) -> dict[str, Any]:
    """The facts of the newest rollback in the ledgers: seconds, parts, rows."""
    ends = [
        json.loads(line)
        for ledger in (reports / "ledger").glob("????????????.jsonl")
        for line in ledger.read_text(encoding="utf-8").splitlines()
        if '"rolled back"' in line and '"closed"' in line
    ]
    return dict(max(ends, key=lambda entry: str(entry["time"]))["facts"])


def remove(world: Path) -> None:
    """Nothing is left of a world, if there was one."""
    if world.exists():
        argv = [sys.executable, "-m", "fixtures.world", "remove", "--root", str(world)]
        subprocess.run(argv, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        shutil.rmtree(world, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """0 when it went there, back and there again, and production was in between what it had been."""
    from tests_selftest.world import into_a_new_one  # which is made of what stands here

    parser = argparse.ArgumentParser(prog="python -m tests_selftest.world.rollback_round_trip", description=__doc__)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--runs", type=Path, default=ROOT / "reports")
    parser.add_argument("--world", type=Path, default=WORLD)
    parser.add_argument("--new-database", action="store_true", help="back into a new database, the old one kept")
    asked = parser.parse_args(arguments)
    if asked.world.exists():
        subprocess.run(
            [sys.executable, "-m", "fixtures.world", "remove", "--root", str(asked.world)], check=True, cwd=ROOT
        )
    world = hold(asked.world, asked.runs, rows=asked.rows)
    try:
        legs = into_a_new_one.there_and_back if asked.new_database else _there_and_back
        return legs(world, asked.world, asked.runs)
    finally:
        world.stop()
        subprocess.run(
            [sys.executable, "-m", "fixtures.world", "remove", "--root", str(asked.world)], check=True, cwd=ROOT
        )
        shutil.rmtree(asked.world, ignore_errors=True)


def _there_and_back(world: HeldWorld, folder: Path, runs: Path) -> int:
    world.sql(ELSEWHERE)
    world.sql("SELECT lo_create(4002)")
    stopped = timed("forward", world, "STOPPED at 1.4", code=1, what="a large object that cannot be read")
    if stopped is None or "MIG-163" not in stopped.text or "large object 4002" not in stopped.text:
        return wrong("the large object is not named before the backup", str(stopped))
    world.sql("SELECT lo_unlink(4002)")
    before, commits = look(world, folder), live_commits(world)
    went = timed("forward", world, "GO")
    if went is None:
        return 1
    there = live_commits(world)
    if look(world, folder) == before or there == commits:
        return wrong("the migration changed nothing, so there was nothing to go back from")
    back = timed("back", world, "ROLLED BACK", "-m", "rollback")
    if back is None:
        return 1
    say(f"         {on_the_way(runs)}")
    differences = look(world, folder).differs(before)
    if differences or live_commits(world) != commits:
        return wrong("production is not what it was:", *differences, f"{live_commits(world)} {commits}")
    say(f"         equal: {len(before.dump):,} characters of pg_dump and {len(before.files)} files, to the last byte;"
         f" {' and '.join(f'{name} {commit[:12]}' for name, commit in commits.items())} serve again")  # fmt: skip
    if not known_to_the_planner(world.superuser_url):
        return wrong("the planner has no statistics of what was restored")
    if timed("back", world, "ROLLED BACK", "-m", "rollback", what="a second time does nothing") is None:
        return 1
    if look(world, folder) != before:
        return wrong("the second rollback changed something")
    again = timed("forward", world, "GO")
    if again is None or live_commits(world) != there:
        return 1
    return 0


def on_the_way(runs: Path) -> str:
    """How long the newest rollback took, as the suite measured it, and by which method."""
    facts = measured(runs)
    parts = " · ".join(
        f"{_PARTS[name]} {seconds} s" for name, seconds in dict(facts["parts"]).items() if name in _PARTS
    )
    return f"{facts['seconds']} s on the way ({facts['method']} database): {parts}"


_PARTS = {"R.1": "questions", "R.3": "code", "R.4": "files", "R.5": "database and restart", "R.6": "looking"}


def timed(
    name: str, world: HeldWorld, wanted: str, *arguments: str, what: str = "", code: int = 0, **variables: str
) -> Run | None:
    """One run that must end with *code* and a line that begins with *wanted*; None, and the run printed, otherwise."""
    began = time.monotonic()
    run = world.run(*arguments, **variables)
    said = next((line for line in run.text.splitlines() if line.startswith(wanted)), "")
    say(f"{name:<8} {said[:150] or 'WRONG'}{f' ({what})' if what else ''}   {time.monotonic() - began:.0f} s")
    if run.code == code and said:
        return run
    say(str(run))
    return None


def wrong(*lines: str) -> int:
    """1, and why."""
    say("WRONG    " + lines[0], *lines[1:])
    return 1


def say(*lines: str) -> None:
    """Print, at once."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
