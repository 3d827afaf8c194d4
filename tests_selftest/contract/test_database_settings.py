"""Settings of a database and of roles in it go into a new database with the backup, by name and never shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pyrage
import pytest
from psycopg import sql

from fixtures.model.secret import Secret
from fixtures.operations.rollback import new_database, rollback_state, summaries
from fixtures.operations.rollback.new_database import NewDatabase
from fixtures.systems.postgres import database_settings
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.render import Connection
from tests_selftest.contract.spare import run, spare
from tests_selftest.contract.test_rollback_in_place import SCHEMA
from tests_selftest.contract.test_statistics_after_restore import migration

JWT = "s3cr\\et;\nALTER DATABASE other SET work_mem TO 'it''s mine';"
WANTED = {
    "": {
        "TimeZone": "UTC",
        "search_path": 'public, "My; x", "$user"',
        "work_mem": "64MB",
        "app.jwt_secret": JWT,
        "log_min_duration_statement": "7min",
    },
    "owner_then": {"statement_timeout": "93s"},
    "visitor": {"lock_timeout": "11s"},
}
OWN = {"statement_timeout": "93s", "idle_session_timeout": "1h", "search_path": '"Their\'s", public'}
"""Of the owner: in this database, and by ALTER ROLE … SET in every one of the old server."""


def settings_of(url: Secret) -> dict[str, dict[str, str]]:
    """By role, the database's own settings as Postgres keeps them."""
    with psycopg.connect(url.reveal()) as connection:
        rows = connection.execute(
            "SELECT coalesce(r.rolname, ''), each FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole,"
            " unnest(s.setconfig) AS each"
            " WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for role, text in rows:
        name, _, value = text.partition("=")
        found.setdefault(role, {})[name] = value
    return found


@contextmanager
def roles(server: Secret, *names: str) -> Iterator[None]:
    for name in names:
        run(server, f"DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN PASSWORD 'of {name}'")
    try:
        yield
    finally:
        for name in names:
            run(server, f"DROP ROLE IF EXISTS {name}")


def owned_by(server: Secret, url: Secret, role: str) -> Secret:
    """The address of that database for its new owner."""
    parts = psycopg.conninfo.conninfo_to_dict(url.reveal())
    with psycopg.connect(server.reveal(), autocommit=True) as connection:
        names = [sql.Identifier(str(each)) for each in (parts["dbname"], role)]
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(*names))
    return Secret(psycopg.conninfo.make_conninfo("", **{**parts, "user": role, "password": f"of {role}"}))


@pytest.fixture
def production(server: Secret) -> Iterator[Secret]:
    with roles(server, "owner_then", "owner_now", "visitor"), spare(server, "SELECT 1") as url:
        with psycopg.connect(url.reveal(), autocommit=True) as connection:
            here = sql.Identifier(connection.info.dbname)
            for role, wanted in WANTED.items():
                whose = sql.SQL("ROLE {} IN ").format(sql.Identifier(role)) if role else sql.SQL("")
                for name, value in wanted.items():
                    value_ = sql.SQL(value) if name == "search_path" else sql.Literal(value)
                    connection.execute(
                        sql.SQL("ALTER {}DATABASE {} SET {} TO {}").format(whose, here, sql.Identifier(name), value_)
                    )
        run(server, "ALTER ROLE owner_then SET statement_timeout TO '1s'")  # the database's own wins
        run(server, "ALTER ROLE owner_then SET idle_session_timeout TO '1h'")
        run(server, """ALTER ROLE owner_then SET search_path TO "Their's", public""")
        own = owned_by(server, url, "owner_then")
        run(own, SCHEMA)
        yield own


def new_one(url: Secret) -> NewDatabase:
    return NewDatabase("udo-db-2", Connection(url, url, Secret("")))


@pytest.mark.parametrize("encrypted", [False, True])
def test_who_may_sets_them_all_and_the_owners_are_the_new_owners(
    production: Secret, server: Secret, tools: PostgresTools, tmp_path: Path, encrypted: bool
) -> None:
    key = Secret(str(pyrage.x25519.Identity.generate())) if encrypted else Secret("")
    tools = PostgresTools(tools.pg_dump, tools.pg_restore, key)
    with spare(server, "SELECT 1") as empty:
        run(server, "ALTER ROLE owner_now SUPERUSER")
        new = new_one(owned_by(server, empty, "owner_now"))
        assert settings_of(empty) == {}
        with migration(production, server, tools, tmp_path, new) as steps:
            told = summaries.summarize_database(steps.restore_database())
            journal = steps.evidence.ledger.path.read_text() + "".join(
                each.read_text() for each in (tmp_path / "run-1").rglob("*.json")
            )
            run(server, "ALTER ROLE owner_now NOSUPERUSER")
            wanted = new_database.settings(steps._restoring(), rollback_state.recorded_point(steps.evidence), new)
            assert len(wanted) == 9
            assert database_settings.set_all(new.url, wanted, system="new database") == {}  # each is there already
        found = settings_of(empty)
    assert found == {"": WANTED[""], "owner_now": OWN, "visitor": WANTED["visitor"]}
    assert "app.jwt_secret" in told
    assert "statement_timeout of role owner_now" in told
    assert "NOT set" not in told
    assert "s3cr" not in f"{told}{journal}"
    assert "app.jwt_secret" in journal


def test_what_the_new_owner_may_not_set_is_named_with_the_reason(
    production: Secret, server: Secret, tools: PostgresTools, tmp_path: Path
) -> None:
    with spare(server, "SELECT 1") as empty:
        new = new_one(owned_by(server, empty, "owner_now"))
        with migration(production, server, tools, tmp_path, new) as steps:
            run(server, "DROP OWNED BY visitor; DROP ROLE visitor")
            done = steps.restore_database()
            assert steps.restore_database() == done
            rollback_state.end_migration(steps.evidence)
            end = steps.evidence.ledger.rolled_back
        found = settings_of(empty)
    assert set(found[""]) == {"TimeZone", "search_path", "work_mem"}
    assert found["owner_now"] == OWN
    assert done.unset == {
        "app.jwt_secret": "this role may not set it",
        "log_min_duration_statement": "this role may not set it",
        "lock_timeout of role visitor": "the server has no such role or setting",
    }
    assert end is not None
    assert end.facts["unset"] == list(done.unset)
    told = summaries.summarize_database(done)
    assert "3 of its settings are NOT set there (" in told
    assert f"pg_restore --create --file=- backups/{done.backup}" in told
    assert "s3cr" not in told


def test_a_value_the_server_refuses_is_not_shown(server: Secret) -> None:
    """Postgres' own words would quote it."""
    script = "ALTER DATABASE x SET statement_timeout TO 'tell-nobody';\n"
    with spare(server, "SELECT 1") as url:
        wanted = database_settings.in_script(script)
        reasons = database_settings.set_all(url, wanted, system="new database")
    assert reasons == {"statement_timeout": "the server does not take its value"}
    assert "tell-nobody" not in repr(wanted)
