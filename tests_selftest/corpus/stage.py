"""One real Directus and its database, put back to the same beginning in a fraction of a second before every edit."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from fixtures.embedded_postgres.home import home_for, postgres_binaries, remove_home
from fixtures.model.secret import Secret
from fixtures.process.supervise import Supervisor, free_port
from fixtures.world import directus, toolchain
from fixtures.world.postgres import Cluster
from fixtures.world.progress import no_progress
from fixtures.world.seed.rest import Rest
from tests_selftest.corpus import production

TOKEN = "corpus-administrator"
DATABASE, PRISTINE = "corpus", "corpus_pristine"
_RESET_S = 30.0


@dataclass
class Production:
    """The running instance; `reset` makes it what it was."""

    url: str
    cluster: Cluster

    @property
    def database_url(self) -> Secret:
        return Secret(self.cluster.superuser_url_of(DATABASE))

    def reset(self) -> None:
        """Put the database back, whatever an edit did to it, and wait until Directus sees it so."""
        self.cluster.drop_database(DATABASE)
        self.cluster.create_database(DATABASE, "corpus", PRISTINE)
        self.forget()

    def forget(self) -> None:
        """Let Directus forget its schema; after a reset its connections are dead, so first answers may be errors."""
        deadline = time.monotonic() + _RESET_S
        last = "nothing asked"
        with self.client() as client:
            while time.monotonic() < deadline:
                try:
                    answer = client.post("/utils/cache/clear", params={"system": ""})
                    last = f"{answer.status_code} {answer.text[:200]}"
                    if answer.is_success and client.get("/schema/snapshot").is_success:
                        return
                except httpx.TransportError as error:
                    last = repr(error)
                time.sleep(0.05)
        raise AssertionError(f"Directus did not come back within {_RESET_S:.0f} s: {last}")

    def snapshot(self) -> dict[str, Any]:
        """The schema as Directus exports it."""
        with self.client() as client:
            return dict(client.get("/schema/snapshot").raise_for_status().json()["data"])

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """An independent look, or an accident."""
        with psycopg.connect(self.database_url.reveal(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def staged(folder: Path) -> Iterator[Production]:
    """A production of the corpus, begun in *folder* and gone afterwards."""
    supervisor = Supervisor(f"corpus-{os.getpid()}-{time.monotonic_ns()}")
    tools = toolchain.ensure(toolchain.CACHE, supervisor=supervisor, progress=no_progress)
    binaries = postgres_binaries()
    home = home_for(folder, binaries)
    try:
        cluster = Cluster.start(
            home, supervisor=supervisor, binaries=binaries, superuser_password="postgres", log=folder / "postgres.log"
        )  # fmt: skip
        cluster.create_role("corpus", "corpus")
        cluster.create_database(DATABASE, "corpus")
        store = directus.Store(DATABASE, "corpus", "corpus", folder / "files")
        environment = directus.settings(cluster, store, tools, key="corpus", secret="s" * 32, serve_app=False)
        bootstrapped = directus.bootstrap(
            tools, environment, supervisor=supervisor, folder=folder, log=folder / "bootstrap.log",
            email="admin@example.org", password="corpus", token=TOKEN,
        )  # fmt: skip
        directus.await_end(bootstrapped)
        running = directus.start(
            "corpus", tools, environment, supervisor=supervisor, folder=folder, log=folder / "directus.log",
            port=free_port(),
        )  # fmt: skip
        directus.await_ready(running, token=TOKEN)
        with Rest(running.url, TOKEN) as rest:
            production.build(rest)
        stage = Production(running.url, cluster)
        stage.sql(production.ROWS)
        stage.sql("ALTER VIEW author_names OWNER TO corpus; ALTER TABLE hidden_things OWNER TO corpus")
        _keep(stage)
        yield stage
    finally:
        supervisor.stop_all()
        remove_home(home)


def _keep(stage: Production) -> None:
    """A copy to go back to; Postgres copies only a database nobody is connected to."""
    with psycopg.connect(stage.cluster.superuser_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {DATABASE} RENAME TO {PRISTINE}") if _alone(connection) else None
    stage.reset()


def _alone(connection: psycopg.Connection[Any]) -> bool:
    connection.execute(f"ALTER DATABASE {DATABASE} WITH ALLOW_CONNECTIONS false")
    connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [DATABASE])
    deadline = time.monotonic() + _RESET_S
    while time.monotonic() < deadline:
        if not connection.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", [DATABASE]).fetchone():
            return True
        time.sleep(0.02)
    raise AssertionError("somebody stays connected to the database of the corpus")
