"""
The whole runbook on a real world, with accidents on the way: one story, told in the order it happens.

A world is held open; real `pytest phases/` processes act on it as target staging. Each of the five checkpoints is
made to fail by a real fault and must block everything behind it; the fault is taken away and the same command goes on;
at the end production is looked at without any code of the suite.
"""

from __future__ import annotations

import html
import json
import subprocess
import time
import tomllib
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, get_type_hints

import pyrage
import pytest

from fixtures import runbook
from fixtures.model.secret import Secret
from fixtures.settings import Settings, variables
from tests_selftest.world import leak_scan, settings_recorder
from tests_selftest.world.held import ROWS, RUN_DEADLINE_S, HeldWorld, Run, kill_group

Table = dict[str, dict[str, Any]]

LINES_AND_GATES = len(runbook.lines()) + len(runbook.GROUPS)

COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY 1, 2"
)

# The longest first, so that two cores end together.
pytestmark = pytest.mark.order("first")


@pytest.fixture(scope="module")
def world(held_world: HeldWorld) -> HeldWorld:
    return held_world


@pytest.fixture(scope="module")
def before(world: HeldWorld) -> dict[str, Table]:
    """Every row production holds before anything happens, by table and key."""
    return {table: rows(world, table) for table in tables(world)}


def tables(world: HeldWorld) -> list[str]:
    """Production's own tables: what Directus keeps for itself is not content."""
    query = (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'directus\\_%' ORDER BY 1"
    )
    return [name for (name,) in world.sql(query)]


def rows(world: HeldWorld, table: str) -> Table:
    """Every row of a table as Postgres' own JSON, by its key."""
    key = world.sql(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) "
        "WHERE i.indisprimary AND i.indrelid = %s::regclass",
        f'public."{table}"',
    )[0][0]
    return {str(k): row for k, row in world.sql(f'SELECT "{key}", to_jsonb(t) FROM "{table}" t')}


def pushes_to(world: HeldWorld) -> int:
    """How many pushes the git server, which was asked for something, has seen since its traffic was last forgotten."""
    return int(world.control("GET", "traffic")["git"].get("receive-pack", 0))


def tenths(height: float) -> float:
    """A height as somebody signed that it may be rounded."""
    return float(Decimal(str(height)).quantize(Decimal("0.1"), ROUND_HALF_UP))


def blocked_behind(group: str) -> int:
    """Lines and gates that cannot run while this group's gate is closed, its own gate not counted."""
    return sum(len(runbook.lines_of(each)) + 1 for each in runbook.downstream(group))


def assert_stopped_at(run: Run, group: str, *, because: str = "") -> None:
    """The line stopped at this gate: exit 1, everything behind it blocked, nothing behind it passed."""
    assert run.code == 1, run
    assert run.outcomes.get("failed", 0) + run.outcomes.get("in doubt", 0) >= 1, run
    assert run.outcomes["blocked"] >= blocked_behind(group) + 1, run
    assert f"BLOCKED by gate {group}" in run.text, run
    assert because in run.text, run


def test_phase_3_alone_on_a_new_target_is_blocked_with_exit_6_and_says_why(world: HeldWorld) -> None:
    run = world.run("-m", "phase3")
    assert run.code == 6, run
    assert "passed" not in run.outcomes
    assert "BLOCKED by gate 1.4" in run.text


def test_a_dry_run_sends_no_write_counted_at_the_servers(world: HeldWorld, before: dict[str, Table]) -> None:
    world.control("DELETE", "traffic")
    run = world.run("--dry-run")
    traffic = world.control("GET", "traffic")
    assert run.code == 0, run
    assert run.outcomes["planned"] > 0
    assert run.outcomes["not reached"] > 0
    assert traffic["directus"]["GET"] > 20, "the servers counted nothing, so this proves nothing"
    writes = [(each["method"], each["path"]) for system in traffic.values() for each in system.get("writes", [])]
    # Counted by method, so Directus' comparison of two schemas is among them; it changes nothing.
    assert set(writes) <= {("POST", "/schema/diff")}
    assert {table: rows(world, table) for table in before} == before


def test_checkpoint_1_a_backup_that_was_cut_short_stops_everything_before_the_push(world: HeldWorld) -> None:
    world.control("POST", "faults", {"fault": "export_truncated", "times": 100})
    run = world.run()
    world.control("DELETE", "faults")
    assert_stopped_at(run, "1.4")
    assert pushes_to(world) == 0


def test_checkpoint_2_a_site_with_a_broken_script_is_deployed_but_not_let_through(world: HeldWorld) -> None:
    script = Path(world.environment["FRONTEND_REPO"]) / "src" / "main.js"
    good = script.read_text()
    script.write_text(good + "\nthrow new Error('sabotaged: the page breaks after it was built');\n")
    run = world.run()
    script.write_text(good)
    assert_stopped_at(run, "2.3", because="sabotaged")


def test_checkpoint_3_a_database_that_refuses_new_tables_stops_the_line_at_the_apply(world: HeldWorld) -> None:
    world.sql("CREATE FUNCTION sabotage() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'sabotaged'; END$$")
    world.sql(
        "CREATE EVENT TRIGGER sabotage ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION sabotage()"
    )
    existing = tables(world)
    run = world.run()
    world.sql("DROP EVENT TRIGGER sabotage")
    world.sql("DROP FUNCTION sabotage()")
    assert_stopped_at(run, "3.3")
    assert tables(world) == existing, "a refused apply left something behind"


PLAN_AND_APPLY = ("-k", "test_3_1 or test_3_2 or test_3_3")
HEIGHTS = "SELECT code, max_height FROM zoning_districts"


def test_a_change_that_rounds_stops_the_line_before_anything_is_sent_while_nobody_signed_for_it(
    world: HeldWorld,
) -> None:
    heights, existing = world.sql(HEIGHTS), world.sql(COLUMNS)
    world.control("DELETE", "traffic")
    run = world.run(*PLAN_AND_APPLY, WAIVERS="")
    assert run.code == 1, run
    assert 'SC131 4 values that would be cut, rounded or refused block the change of "zoning_districts' in run.text, run
    assert "BLOCKED by gate 3.2" in run.text
    writes = [(each["method"], each["path"]) for each in world.control("GET", "traffic")["directus"]["writes"]]
    assert set(writes) == {("POST", "/schema/diff")}
    assert (world.sql(HEIGHTS), world.sql(COLUMNS)) == (heights, existing)


def test_with_the_waiver_the_same_command_rounds_what_was_signed_for_and_tells_whose_word_it_was(
    world: HeldWorld, before: dict[str, Table]
) -> None:
    run = world.run(*PLAN_AND_APPLY)
    assert run.code == 0, run
    assert {str(code): float(height) for code, height in world.sql(HEIGHTS) if height is not None} == {
        code: tenths(row["max_height"]) for code, row in before["zoning_districts"].items()
    }
    (waiver,) = tomllib.loads(Path(world.environment["WAIVERS"]).read_text(encoding="utf-8"))["waiver"]
    assert (waiver["code"], waiver["object"]) == ("SC131", "zoning_districts.max_height")
    page = html.unescape((world.reports / "latest.html").read_text(encoding="utf-8"))
    for told in ("lossy", "SC131", "4 values that would be cut, rounded or refused", waiver["who"], waiver["reason"]):
        assert told in page, told


def test_checkpoint_4_a_constraint_lost_after_the_apply_is_found_before_any_row_is_imported(world: HeldWorld) -> None:
    (name,) = world.sql("SELECT conname FROM pg_constraint WHERE contype = 'u' AND conrelid = 'amendments'::regclass")[
        0
    ]
    world.sql(f'ALTER TABLE amendments DROP CONSTRAINT "{name}"')
    run = world.run("--lf")
    world.sql(f'ALTER TABLE amendments ADD CONSTRAINT "{name}" UNIQUE (number)')
    assert_stopped_at(run, "3.4")
    assert world.sql("SELECT count(*) FROM amendments") == [(0,)]


READ_BY_VISITORS = """
    collection = 'amendments' AND action = 'read'
    AND policy IN (SELECT policy FROM directus_access WHERE role IS NULL AND "user" IS NULL)
"""


def test_a_right_of_visitors_that_is_taken_away_after_the_schema_stops_before_the_import(world: HeldWorld) -> None:
    assert world.run("--lf", "-k", "test_3_4").code == 0
    ((taken,),) = world.sql(f"DELETE FROM directus_permissions p WHERE {READ_BY_VISITORS} RETURNING to_jsonb(p)")
    run = world.run("--lf", "-k", "test_4_1")
    carried = world.run("--lf", "-k", "test_4_1", CARRY="permissions")
    restored = "SELECT * FROM jsonb_populate_record(NULL::directus_permissions, %s::jsonb)"
    world.sql(f"INSERT INTO directus_permissions {restored}", json.dumps(taken))
    assert run.code == 1, run
    assert "MIG-428" in run.text, run
    assert "read on amendments" in run.text, run
    assert carried.code == 0, carried  # local grants it, so it will be there before the rows
    assert world.sql("SELECT count(*) FROM amendments") == [(0,)]


IMPORT = ("--lf", "-k", "test_3_4 or test_4_1 or test_4_2")


def arrived(world: HeldWorld) -> int:
    """Rows and files of which the suite has noted that production has them."""
    notes = [
        json.loads(line)
        for file in (world.reports / "ledger").glob("*.import.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.endswith("}")  # the last one may be half written
    ]
    return sum(len(note.get("arrived", ())) for note in notes)


def test_an_import_that_is_killed_half_way_is_finished_by_the_same_command(world: HeldWorld) -> None:
    suite, deadline = world.begin(*IMPORT), time.monotonic() + RUN_DEADLINE_S
    while arrived(world) < ROWS / 10 and suite.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    kill_group(suite)
    half_way = arrived(world)
    assert 0 < half_way < ROWS / 2, "the kill came before the import or after it"
    finished = world.run(*IMPORT)
    assert finished.code == 0, finished
    assert arrived(world) > half_way


def test_checkpoint_5_a_row_lost_after_the_import_is_found_before_anyone_is_told(world: HeldWorld) -> None:
    lost = world.sql(
        "DELETE FROM definitions_translations WHERE id = (SELECT max(id) FROM definitions_translations) RETURNING id"
    )
    assert len(lost) == 1
    run = world.run("--lf")
    assert_stopped_at(run, "4.3")
    assert world.control("GET", "mailbox") == []


def test_the_phases_that_are_left_bring_the_migration_to_its_end(world: HeldWorld) -> None:
    """By their names alone: what the phases before them have passed is remembered."""
    left = sum(len(runbook.lines_of(group.id)) + 1 for group in runbook.GROUPS if group.id >= "4")
    run = world.run("-m", "phase4 or phase5 or phase6")
    assert run.code == 0, run
    assert run.outcomes == {"passed": left, "deselected": LINES_AND_GATES - left}
    assert len(world.control("GET", "mailbox")) == 1


def test_the_flow_that_would_have_noticed_the_import_never_ran_and_listens_again(
    world: HeldWorld, before: dict[str, Table]
) -> None:
    """The canary of the seed: it writes a notice for every definition and every use that comes while it is active."""
    assert rows(world, "import_notices") == before["import_notices"]
    assert world.sql("SELECT count(*) FROM directus_activity WHERE action = 'run'") == [(0,)]
    assert world.sql("SELECT count(*) FROM directus_notifications") == [(0,)]
    assert world.sql("SELECT status FROM directus_flows") == [("active",)]


def test_stamps_are_those_of_the_export(world: HeldWorld) -> None:
    """Who made a definition and when, by SQL and the file alone; authors have another id here and the same e-mail."""
    file = Path(world.environment["BACKEND_REPO"]) / "migration" / "data" / "definitions.json"
    people = json.loads((file.parents[1] / "people.json").read_text(encoding="utf-8"))
    emails = dict(world.sql("SELECT id::text, email FROM directus_users"))
    query = """SELECT id::text, user_created::text,
                      to_char(date_created AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') FROM definitions"""
    there = {key: (emails.get(author), made) for key, author, made in world.sql(query)}
    exported = {
        row["id"]: (people.get(row["user_created"]), row["date_created"])
        for row in json.loads(file.read_text(encoding="utf-8"))
    }
    alike = [key for key, stamps in exported.items() if there.get(key) == stamps]
    assert len(alike) > 50
    created = world.sql("SELECT item FROM directus_activity WHERE collection = 'definitions' AND action = 'create'")
    imported = {key for (key,) in created} & set(exported)  # scratch rows were made and deleted too
    assert imported
    assert imported <= set(alike)


def test_every_exported_row_is_in_production_or_accounted_for(world: HeldWorld) -> None:
    """An independent look: the exported files on one side, Postgres on the other, none of the suite's code between."""
    data = Path(world.environment["BACKEND_REPO"]) / "migration" / "data"
    keys = {"zoning_districts": "code", "languages": "code"}
    examined, missing = 0, []
    for file in sorted(data.glob("*.json")):
        table = file.stem
        if table.startswith("directus_") or table not in tables(world):
            continue
        there = rows(world, table)
        for row in json.loads(file.read_text(encoding="utf-8")):
            examined += 1
            if str(row[keys.get(table, "id")]) not in there:
                missing.append((table, row))
    assert examined >= ROWS
    # Two definitions exist in production under another key; theirs is the only reason not to be there.
    assert {table for table, _ in missing} <= {"definitions"}, missing[:3]
    terms = {row["term"] for row in rows(world, "definitions").values()}
    assert len(missing) == 2
    assert all(row["term"] in terms for _, row in missing)


def test_rows_that_were_in_production_before_are_there_unchanged_but_for_what_was_signed_for(
    world: HeldWorld, before: dict[str, Table]
) -> None:
    examined = rounded = 0
    for table, kept in before.items():
        now = rows(world, table)
        for key, row in kept.items():
            examined += 1
            assert key in now, f"{table} {key} is gone"
            # Every column it had has the value it had; new columns may have been added.
            signed = {"max_height": tenths(row["max_height"])} if table == "zoning_districts" else {}
            assert {column: now[key].get(column) for column in row} == {**row, **signed}, f"{table} {key} changed"
            rounded += bool(signed) and signed["max_height"] != row["max_height"]
    assert examined > 100
    assert rounded == 4


def test_the_suite_looked_for_those_rows_again_and_says_the_same(world: HeldWorld) -> None:
    """After each step that writes, in the run that brought the migration to its end; out of an encrypted dump."""
    looks = [json.loads(file.read_text(encoding="utf-8")) for file in world.reports.glob("run-*/*/RowComparison.json")]
    assert looks
    rewritten = {"name": "zoning_districts.max_height", "was": "numeric(6,2)", "now": "numeric(6,1)"}
    assert [look["rewritten"] for look in looks] == [[rewritten]] * len(looks)
    whole = [look for look in looks if not look["unexplained"]]
    assert len(whole) >= 4


def test_backups_are_sealed_and_open_with_the_key_of_the_world_alone(world: HeldWorld) -> None:
    """By pyrage and pg_restore, without the suite's code; as they lie on the disk no program of Postgres reads them."""
    backups = sorted((Path(world.environment["BACKEND_REPO"]) / "backups").glob("*.dump*"))
    encrypted = [file for file in backups if file.name.endswith(".dump.age")]
    assert [file for file in backups if ".dump.age" not in file.name] == []
    argv = [str(Path(world.environment["PG_BIN_DIR"]) / "pg_restore"), "--list"]
    assert subprocess.run([*argv, str(encrypted[-1])], capture_output=True, check=False).returncode != 0
    key = pyrage.x25519.Identity.from_str(world.environment["BACKUP_KEY"])
    opened = subprocess.run(
        argv, input=pyrage.decrypt(encrypted[-1].read_bytes(), [key]), capture_output=True, check=True
    )
    assert b"TABLE DATA public zoning_districts" in opened.stdout
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(encrypted[-1].read_bytes(), [pyrage.x25519.Identity.generate()])


def test_the_whole_line_once_more_passes_every_line_and_changes_nothing(world: HeldWorld, tmp_path: Path) -> None:
    first = {table: rows(world, table) for table in tables(world)}
    schema = world.sql(COLUMNS)
    files = world.sql("SELECT id, filename_disk, filesize FROM directus_files ORDER BY id")
    world.control("DELETE", "traffic")
    used = tmp_path / "settings.json"
    run = world.run("-p", settings_recorder.__name__, **{settings_recorder.OUTPUT: str(used)})
    assert run.code == 0, run
    read = json.loads(used.read_text())
    assert (read["site_map"], read["api_p95_ms"], read["user_map"]) == ("2.3", "5.2", "4.1")
    assert settings_recorder.too_early(read) == {}, "a verdict would count although what it rests on was changed"
    assert run.outcomes == {"passed": LINES_AND_GATES}
    assert any("report.html" in line for line in run.text.splitlines()[-6:]), run
    assert {table: rows(world, table) for table in tables(world)} == first
    assert world.sql(COLUMNS) == schema
    assert world.sql("SELECT id, filename_disk, filesize FROM directus_files ORDER BY id") == files
    assert pushes_to(world) == 0


def test_no_secret_stands_in_any_report_ledger_or_file_of_the_migration(world: HeldWorld) -> None:
    declared = {each.name for each in variables() if get_type_hints(Settings)[each.field] is Secret}
    secrets = {name: world.environment[name] for name in declared if world.environment.get(name)}
    assert {"ADMIN_TOKEN", "NOTIFY_WEBHOOK_URL"} <= declared == secrets.keys()
    backend = Path(world.environment["BACKEND_REPO"])
    folders = [world.reports, backend / "migration"]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    files += backend.parent.glob("migration-archive-*.tar.gz")
    assert len(files) > 50
    assert {".html", ".json", ".jsonl", ".md", ".log", ".gz", ".ics", ".patch"} <= {file.suffix for file in files}
    assert leak_scan.leaks(files, secrets) == []
