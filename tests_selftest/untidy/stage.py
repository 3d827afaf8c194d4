"""Two real Directus on two databases of one cluster, put back to the same beginning before every trial."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from fixtures.embedded_postgres.home import home_for, postgres_binaries, remove_home
from fixtures.process.supervise import Supervisor, free_port
from fixtures.world import directus, toolchain
from fixtures.world.postgres import Cluster
from fixtures.world.progress import no_progress

TOKEN = "2b" * 24
ROLE, PASSWORD = "untidy", "untidy"
PRISTINE, BEFORE = "pristine", "before"
_RESET_S = 30.0


@dataclass(frozen=True)
class Side:
    """One instance; its database has its name."""

    name: str
    url: str
    database_url: str
    files: Path

    def forget(self) -> None:
        """Let Directus forget its schema; after a reset its connections are dead, so first answers may be errors."""
        deadline, last = time.monotonic() + _RESET_S, "nothing asked"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    answer = client.post("/utils/cache/clear", params={"system": ""})
                    last = f"{answer.status_code} {answer.text[:200]}"
                    if answer.is_success and client.get("/schema/snapshot").is_success:
                        return
                except httpx.TransportError as error:
                    last = repr(error)
                time.sleep(0.05)
        raise AssertionError(f"{self.name}'s Directus did not come back within {_RESET_S:.0f} s: {last}")


@dataclass(frozen=True)
class Stage:
    """Both running instances and their cluster."""

    cluster: Cluster
    local: Side
    production: Side

    @property
    def before_url(self) -> str:
        """Production as it was when the trial began; nobody writes to it."""
        return self.cluster.url(BEFORE, ROLE, PASSWORD)

    def begin(self, local: Sequence[str], production: Sequence[str]) -> None:
        """Fill both databases anew with these statements; both Directus see them so."""
        for name in (self.local.name, self.production.name, BEFORE):
            self.cluster.drop_database(name)
        self._make(self.local.name, PRISTINE)
        run(self.local.database_url, local)
        self._make(BEFORE, PRISTINE)
        run(self.before_url, production)
        self._make(self.production.name, BEFORE)
        for side in (self.local, self.production):
            side.forget()

    def _make(self, name: str, template: str) -> None:
        deadline = time.monotonic() + _RESET_S
        while True:
            try:
                return self.cluster.create_database(name, ROLE, template)
            except psycopg.errors.ObjectInUse:  # a session that was closed a moment ago
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def run(url: str, statements: Sequence[str]) -> None:
    """Execute each statement in turn, all or nothing."""
    with psycopg.connect(url) as connection:
        for each in statements:
            try:
                connection.execute(each.encode())
            except psycopg.Error as error:
                error.add_note(each)
                raise


def ask(url: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), values or None).fetchall()


@contextmanager
def staged() -> Iterator[Stage]:
    """A stage of its own, gone afterwards."""
    supervisor = Supervisor(f"untidy-{os.getpid()}-{time.monotonic_ns()}")
    with tempfile.TemporaryDirectory(prefix="untidy-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        tools = toolchain.ensure(toolchain.CACHE, supervisor=supervisor, progress=no_progress)
        binaries = postgres_binaries()
        home = home_for(folder, binaries)
        try:
            cluster = Cluster.start(
                home, supervisor=supervisor, binaries=binaries, superuser_password="postgres",
                log=folder / "postgres.log", outlives_the_machine=False,
            )  # fmt: skip
            cluster.create_role(ROLE, PASSWORD)
            cluster.create_database(PRISTINE, ROLE)
            made = {}
            for side in (PRISTINE, "local", "production"):
                store = directus.Store(side, ROLE, PASSWORD, folder / f"{side}-files")
                store.files.mkdir()
                made[side] = directus.settings(cluster, store, tools, key=side, secret="s" * 32, serve_app=False)
            directus.await_end(
                directus.bootstrap(
                    tools, made[PRISTINE], supervisor=supervisor, folder=folder, log=folder / "bootstrap.log",
                    email="admin@example.org", password="admin", token=TOKEN,
                )
            )  # fmt: skip
            run(cluster.superuser_url_of(PRISTINE), ["CREATE EXTENSION IF NOT EXISTS vector"])
            running = {}
            for side in ("local", "production"):
                cluster.create_database(side, ROLE, PRISTINE)
                running[side] = directus.start(
                    f"directus {side}", tools, made[side], supervisor=supervisor, folder=folder / side,
                    log=folder / f"{side}.log", port=free_port(),
                )  # fmt: skip
            for each in running.values():
                directus.await_ready(each, token=TOKEN)
            yield Stage(
                cluster,
                *(
                    Side(side, running[side].url, cluster.url(side, ROLE, PASSWORD), folder / f"{side}-files")
                    for side in ("local", "production")
                ),
            )
        finally:
            supervisor.stop_all()
            remove_home(home)
