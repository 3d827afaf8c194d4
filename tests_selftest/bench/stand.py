"""One real Directus with local's data model on a Postgres of its own, emptied before each measurement."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from fixtures.embedded_postgres.home import home_for, remove_home
from fixtures.model.secret import Secret
from fixtures.process.supervise import Supervisor, free_port
from fixtures.systems import directus as client
from fixtures.systems.directus import DirectusOperator
from fixtures.world import directus, toolchain
from fixtures.world.postgres import Cluster
from fixtures.world.progress import no_progress
from fixtures.world.seed import build
from fixtures.world.seed.city import CITY
from fixtures.world.seed.load import load
from fixtures.world.seed.rows import Rows
from tests_selftest.bench.files import WORKLOAD

DATABASE, ROLE, PASSWORD = "bench", "bench", "bench"
RECORDS = ("directus_activity", "directus_revisions")


class Stand:
    """Started once; `empty` before each measurement."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self.supervisor = Supervisor(f"bench-{os.getpid()}-{time.monotonic_ns()}")

    def start(self, parents: Rows) -> None:
        """
        Args:
            parents: Rows of the collections the workload refers to; they are there all the time.
        """
        tools = toolchain.ensure(toolchain.CACHE, supervisor=self.supervisor, progress=no_progress)
        self.home = home_for(self.folder, tools.pg_bin)
        self.cluster = Cluster.start(
            self.home, supervisor=self.supervisor, binaries=tools.pg_bin, superuser_password="postgres",
            log=self.folder / "postgres.log",
        )  # fmt: skip
        self.cluster.create_role(ROLE, PASSWORD)
        entry = build.ensure(
            7, 600, content=CITY, cluster=self.cluster, tools=tools, supervisor=self.supervisor, progress=no_progress
        )  # fmt: skip
        self.token = entry.person("local", "administrator").token
        store = directus.Store(DATABASE, ROLE, PASSWORD, self.folder / "files")
        self.cluster.create_database(DATABASE, ROLE)
        build.restore(entry, "local", cluster=self.cluster, store=store)
        with psycopg.connect(self.superuser_url) as connection:
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
                " AND relname NOT LIKE 'directus%' AND relname <> 'spatial_ref_sys'"
            ).fetchall()
            _truncate(connection, [str(name) for (name,) in tables])
        load(self.superuser_url, "local", parents, lambda *_: None)
        told = directus.settings(self.cluster, store, tools, key="bench", secret="bench" * 8, serve_app=False)
        self.running = directus.start(
            "directus bench", tools, told, supervisor=self.supervisor, folder=self.folder / "run",
            log=self.folder / "directus.log", port=free_port(),
        )  # fmt: skip
        directus.await_ready(self.running, token=self.token)
        self.transport = client.connect(
            self.running.url, Secret(self.token), system="production Directus", read_only=False
        )
        self.operator = DirectusOperator(self.transport)
        self.snapshot = self.operator.snapshot()
        self.people = [str(user["id"]) for user in self.operator.users()]

    def stop(self) -> None:
        """Nothing is left of it."""
        self.supervisor.stop_all()
        if hasattr(self, "home"):
            remove_home(self.home)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> Secret:
        """Of the database, with the right to write."""
        return Secret(self.cluster.url(DATABASE, ROLE, PASSWORD))

    @property
    def address(self) -> str:
        """Of Directus."""
        return self.running.url

    @property
    def superuser_url(self) -> str:
        return self.cluster.superuser_url_of(DATABASE)

    def empty(self) -> None:
        """The workload's tables and Directus' records of them without a row, and Postgres at rest."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            _truncate(connection, [*WORKLOAD, *RECORDS])
            connection.execute("CHECKPOINT")

    def count(self) -> int:
        """Rows of the workload there are now."""
        parts = [sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(name)) for name in WORKLOAD]
        with psycopg.connect(self.superuser_url) as connection:
            row = connection.execute(sql.SQL("SELECT {}").format(sql.SQL(" + ").join(parts))).fetchone()
        return int(row[0]) if row else 0


def _truncate(connection: psycopg.Connection[Any], tables: Sequence[str]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
