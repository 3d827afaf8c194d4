"""
`make rehearsal-rollback ARGS=--new-database`: forward, back into a new database, and forward again from there.

The new database must be what production was, the old one what the migration had made of it, each to the last byte of
`pg_dump`; which of them the backend works on is told by what its API counts. Whoever then forgets to name the new one
is stopped before anything is written.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg
from psycopg import sql

from tests_selftest.world.held import HeldWorld
from tests_selftest.world.rollback_round_trip import (
    Look,
    ask_render,
    known_to_the_planner,
    live_commits,
    look,
    on_the_way,
    say,
    timed,
    wrong,
)

NAME = "udo-db-2"
READY_WITHIN_S = 30.0


OWN_SETTINGS = (
    "ALTER DATABASE {database} SET work_mem TO '7MB'",
    "ALTER DATABASE {database} SET app.jwt_secret TO 'shown-to-nobody'",
)
"""Of production's database; a new one's owner, who is no superuser, may set the first alone."""


def settings_unlike(url: str, runs: Path) -> str:
    """What is wrong with the new database's own settings, or with what the reports say of them."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
            " WHERE datname = current_database()"
        ).fetchall()
    if "work_mem=7MB" not in {setting for (setting,) in rows}:
        return f"work_mem is not set in the new database: {rows}"
    texts = [each.read_bytes() for each in runs.rglob("*") if each.is_file()]
    if any(b"shown-to-nobody" in text for text in texts):
        return "a value of a setting stands in a report"
    named = b"app.jwt_secret: this role may not set it"
    return "" if any(named in text for text in texts) else "no report names the setting that is not set"


def made(world: HeldWorld, name: str = NAME) -> dict[str, Any]:
    """A new, empty database on the emulated Render, as a person makes one on the dashboard."""
    old = ask_render(world, f"/postgres?name={world.environment['RENDER_POSTGRES']}")[0]["postgres"]
    asked = {"name": name, "ownerId": old["owner"]["id"], "plan": old["plan"], "version": old["version"]}
    found = ask_render(world, "/postgres", asked)
    deadline = time.monotonic() + READY_WITHIN_S
    while found["status"] != "available":
        if time.monotonic() > deadline:
            raise AssertionError(f"the new database is {found['status']} after {READY_WITHIN_S:.0f} s")
        time.sleep(0.1)
        found = ask_render(world, f"/postgres/{found['id']}")
    return dict(found)


def url_of(world: HeldWorld, database: dict[str, Any]) -> str:
    """Its address, for the cluster's superuser."""
    server, _, _ = world.environment["SCRATCH_DATABASE_URL"].rpartition("/")
    return f"{server}/{database['databaseName']}"


def as_before(world: HeldWorld, folder: Path, database: dict[str, Any]) -> Look:
    """The new database as text; its owner is another by design, and has the old one's name here."""
    now = look(world, folder, url_of(world, database))
    return replace(now, dump=now.dump.replace(database["databaseUser"], "udo_production"))


def there_and_back(world: HeldWorld, folder: Path, runs: Path) -> int:
    """0 when all of it came out as the first lines of this module say."""
    for each in OWN_SETTINGS:
        world.sql(each.format(database=world.production_database))
    before, commits = look(world, folder), live_commits(world)
    if timed("forward", world, "GO") is None:
        return 1
    migrated, there = look(world, folder), live_commits(world)
    if migrated == before or there == commits:
        return wrong("the migration changed nothing, so there was nothing to go back from")
    new = made(world)
    if timed("back", world, "ROLLED BACK", "-m", "rollback", ROLLBACK_POSTGRES=NAME) is None:
        return 1
    say(f"         {on_the_way(runs)}")
    found = differences(world, folder, new, before, migrated)
    if found or live_commits(world) != commits:
        return wrong("production is not what it was:", *found, f"{live_commits(world)} {commits}")
    if not known_to_the_planner(url_of(world, new)):
        return wrong("the planner has no statistics of what was restored")
    unlike = settings_unlike(url_of(world, new), runs)
    if unlike:
        return wrong(unlike)
    say(f"         equal: {len(before.dump):,} characters of pg_dump in {NAME}; {len(migrated.dump):,} in the old one,"
        f" which is as it was; {' and '.join(f'{name} {commit[:12]}' for name, commit in commits.items())} serve again",
        f"         the API counts {where_it_works(world, new)}")  # fmt: skip
    if timed("back", world, "ROLLED BACK", "-m", "rollback", what="again: nothing", ROLLBACK_POSTGRES=NAME) is None:
        return 1
    if differences(world, folder, new, before, migrated):
        return wrong("the second rollback changed something")
    stopped = timed("forward", world, "STOPPED at 1.4", code=1, what="the old database is named still")
    if stopped is None or "MIG-144" not in stopped.text or f"RENDER_POSTGRES={NAME}" not in stopped.text:
        return wrong("whoever names the old database is not told which one to name", str(stopped))
    again = timed("forward", world, "GO", RENDER_POSTGRES=NAME)
    return 0 if again is not None and live_commits(world) == there else 1


def differences(world: HeldWorld, folder: Path, new: dict[str, Any], before: Look, migrated: Look) -> list[str]:
    """What is not as it must be: the new database, the old one, the files of before, and no file nobody knows."""
    now, old = as_before(world, folder, new), look(world, folder)
    known = {**migrated.files, **before.files}
    files = [f"file {name}" for name, digest in sorted(now.files.items()) if known.get(name) != digest]
    files += [f"file {name} is gone" for name in sorted(known.keys() - now.files.keys())]
    found = replace(now, files=before.files).differs(before)
    return [*found, *(f"old: {each}" for each in replace(old, files=migrated.files).differs(migrated)), *files]


def where_it_works(world: HeldWorld, new: dict[str, Any]) -> str:
    """
    A table the two databases count otherwise, and that the API counts it as the new one does.

    Raises:
        AssertionError: it does not.
    """
    for table in ("definitions", "sections", "articles"):
        was, now = (_count(url, table) for url in (world.superuser_url, url_of(world, new)))
        if was != now:
            request = Request(f"{world.environment['DIRECTUS_URL']}/items/{table}?aggregate[count]=*")
            request.add_header("Authorization", f"Bearer {world.environment['ADMIN_TOKEN']}")
            with urlopen(request, timeout=20) as answer:
                said = int(json.loads(answer.read())["data"][0]["count"])
            if said != now:
                raise AssertionError(f"the API counts {said} {table}; the new database {now}, the old one {was}")
            return f"{said} {table}, as {NAME} does; the old database holds {was}"
    raise AssertionError("no table tells the two databases apart")


def _count(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert found is not None
    return int(found[0])
