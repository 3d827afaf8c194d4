"""
A local and a production Directus on one Postgres, both gates before production, and states to go back to at will.

Real everything: the data of the seed, the data model of the rehearsal, the lines of `phases/` in a process of their
own. A reset is `CREATE DATABASE … TEMPLATE`, a tenth of a second, so that fifty points of a run can be tried.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from fixtures.embedded_postgres.home import home_for, remove_home
from fixtures.process.supervise import Supervisor, free_port
from fixtures.world import directus, toolchain, waivers
from fixtures.world.postgres import Cluster
from fixtures.world.progress import no_progress
from fixtures.world.seed import build
from fixtures.world.seed.city import CITY
from fixtures.world.seed.fields import Side
from tests_selftest.kills.content import digests
from tests_selftest.kills.gate import HttpGate, PostgresGate
from tests_selftest.kills.suite import CARRY_PLAN, FINGERPRINT, ROOT, Order

PRODUCTION = "ground_production"
ROLE, PASSWORD = "ground", "the ground"
EXPORTED = (FINGERPRINT, "1.2.1", "1.2.2", "1.3.1", "1.3.2", "1.3.4", "3.1.2", "3.1.3", "3.2.1", "3.2.2", "3.2.3")
APPLIED = ("3.3.2", "3.3.3")
PLANNED = ("4.1.2", CARRY_PLAN)
IMPORTED = ("4.2.2", "4.2.4", "4.2.5", "4.2.6", "4.2.A4")
SUITE_DEADLINE_S = 240.0


@dataclass(frozen=True)
class Ended:
    """One process of the suite that has ended: its code, the last line it printed, and how long it took."""

    code: int
    said: str
    seconds: float

    @property
    def well(self) -> bool:
        return self.code == 0


@dataclass
class Ground:
    """Everything between nothing and a production that waits for its schema or its rows; `start` it once."""

    rows: int = 600
    lane: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Databases, both instances and the gates."""
        self.folder = Path(tempfile.mkdtemp(prefix="kills-"))
        self.reports, self.logs = self.folder / "reports", self.folder / "logs"
        self.supervisor = Supervisor(f"kills-{os.getpid()}-{time.monotonic_ns()}")
        self.tools = toolchain.ensure(toolchain.CACHE, supervisor=self.supervisor, progress=no_progress)
        self.home = home_for(self.folder, self.tools.pg_bin)
        self._postgres_port: int | None = None
        self.cluster = self._start_postgres()
        self.cluster.create_role(ROLE, PASSWORD)
        entry = build.ensure(
            7,
            self.rows,
            content=CITY,
            cluster=self.cluster,
            tools=self.tools,
            supervisor=self.supervisor,
            progress=no_progress,
        )
        self.token = {side: entry.person(side, "administrator").token for side in build.SIDES}
        self.stores: dict[Side, directus.Store] = {
            "local": directus.Store("ground_local", ROLE, PASSWORD, self.folder / "files-local"),
            "production": directus.Store(PRODUCTION, ROLE, PASSWORD, self.folder / "files-production"),
        }

        def fill(side: Side) -> None:
            self.cluster.create_database(self.stores[side].database, ROLE)
            build.restore(entry, side, cluster=self.cluster, store=self.stores[side])

        with ThreadPoolExecutor() as pool:
            list(pool.map(fill, build.SIDES))
        self.production_port, self.local_port = free_port(), free_port()
        self.directus = self._start_directus("production", self.production_port)
        self._local = self._start_directus("local", self.local_port)
        for side, running in (("local", self._local), ("production", self.directus)):
            directus.await_ready(running, token=self.token["local" if side == "local" else "production"])
        self.http, self.postgres = HttpGate(self.production_port), PostgresGate(self.cluster.port)
        for name in ("backend", "frontend"):
            (self.folder / name / "migration").mkdir(parents=True)
        (self.folder / "site.toml").write_text("")

    def prepare(self) -> None:
        """Exported and planned (state "schema"), then applied and planned again (state "import")."""
        self._must(self.run(EXPORTED))
        self.freeze("schema")
        self._must(self.run(APPLIED))
        self._must(self.run(PLANNED))
        self.freeze("import")
        self.supervisor.stop(self._local.child)

    def stop(self) -> None:
        """Nothing is left of it."""
        self.http.stop()
        self.postgres.stop()
        self.supervisor.stop_all()
        remove_home(self.home)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- states -----------------------------------------------------------------------------------------------------

    def freeze(self, name: str) -> None:
        """Remember database, files and documents as they are now."""
        kept = self.folder / "states" / name
        kept.mkdir(parents=True)
        for what in ("files-production", "reports", "backend"):
            shutil.copytree(self.folder / what, kept / what)
        self._copy_database(PRODUCTION, f"state_{name}")

    def go_back(self, name: str) -> None:
        """Everything as it was in this state; production runs and knows its schema."""
        self.http.reset()
        self.postgres.reset()
        for what in ("files-production", "reports", "backend"):
            shutil.rmtree(self.folder / what, ignore_errors=True)
            shutil.copytree(self.folder / "states" / name / what, self.folder / what)
        if not self.cluster.child.running:
            self.revive_postgres()
        self._copy_database(f"state_{name}", PRODUCTION)
        if not self.directus.child.running:
            self.revive_directus()
        self.forget_caches()

    def content(self, *, ignoring: tuple[str, ...] = ()) -> dict[str, str]:
        """What production's database holds now."""
        return digests(self.cluster.superuser_url_of(PRODUCTION), ignoring=ignoring)

    def forget_caches(self) -> None:
        """Production has another database under the same name: its connections are dead and its schema may be old."""
        deadline, last = time.monotonic() + 30, ""
        headers = {"Authorization": f"Bearer {self.token['production']}"}
        with httpx.Client(base_url=self.directus.url, headers=headers, timeout=10, trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    answer = client.post("/utils/cache/clear", params={"system": ""})
                    last = f"{answer.status_code} {answer.text[:200]}"
                    if answer.status_code == 200 and client.get("/users/me").status_code == 200:
                        return
                except httpx.TransportError as error:
                    last = str(error)
                time.sleep(0.1)
        raise AssertionError(f"production did not come back within 30 s: {last}\n{self.directus.child.tail()}")

    # --- the suite --------------------------------------------------------------------------------------------------

    def order(self, lines: tuple[str, ...]) -> Order:
        """An order for these lines, through the gates."""
        environment = {
            **dict.fromkeys(("GITHUB_TOKEN", "RENDER_API_KEY", "RENDER_POSTGRES", "ROLLBACK_CONTACT"), "none"),
            **dict.fromkeys(("RENDER_FRONTEND_SERVICE", "RENDER_BACKEND_SERVICE"), "none"),
            **dict.fromkeys(("FRONTEND_GITHUB", "BACKEND_GITHUB"), "none/none"),
            **dict.fromkeys(("FRONTEND_REMOTE_URL", "BACKEND_REMOTE_URL"), "http://127.0.0.1:9/none"),
            "DIRECTUS_URL": self.http.url,
            "ADMIN_TOKEN": self.token["production"],
            "DIRECTUS_ADMIN_EMAIL": "admin@example.org",
            "DIRECTUS_ADMIN_PASSWORD": "none",
            "LOCAL_DIRECTUS_URL": self._local.url,
            "LOCAL_ADMIN_TOKEN": self.token["local"],
            "LOCAL_DATABASE_URL": self.cluster.url("ground_local", ROLE, PASSWORD),
            "FRONTEND_REPO": str(self.folder / "frontend"),
            "BACKEND_REPO": str(self.folder / "backend"),
            "SITE_MAP": str(self.folder / "site.toml"),
            "WAIVERS": str(waivers.write_waivers(self.folder, waivers.CITY, today=datetime.now(UTC).date())),
            "SCRATCH_DATABASE_URL": self.cluster.superuser_url,
            "PG_BIN_DIR": str(self.tools.pg_bin),
            "NODE_BIN": str(self.tools.node),
            "TARGET_ID": "ground",
            "CONFLICT_POLICY": "keep",
            "FLOW_POLICY": "pause",
            "POLL_S": "0.5",
            **self.lane,
        }
        url = f"postgresql://{ROLE}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.postgres.port}/{PRODUCTION}"
        return Order(lines, environment, str(self.reports), url)

    def begin(self, lines: tuple[str, ...]) -> Suite:
        """These lines of the runbook in a process of their own."""
        return Suite(self.order(lines).write(self.folder / "order.json"), self.logs / "suite.log")

    def run(self, lines: tuple[str, ...]) -> Ended:
        """These lines, to their end."""
        return self.begin(lines).ended()

    # --- harm -------------------------------------------------------------------------------------------------------

    def kill_directus(self) -> None:
        """kill -9, and start again at once, as a platform does."""
        self.directus.child.signal_group(signal.SIGKILL)
        self.directus.child.wait(10)
        threading.Thread(target=self.revive_directus, daemon=True).start()

    def revive_directus(self) -> None:
        with self._reviving:
            if not self.directus.child.running:
                self.supervisor.stop(self.directus.child)
                self.directus = self._start_directus("production", self.production_port)

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster, and start again at once; Postgres recovers from its log."""
        self.cluster.child.signal_group(signal.SIGKILL)
        self.cluster.child.wait(10)
        threading.Thread(target=self.revive_postgres, daemon=True).start()

    def revive_postgres(self) -> None:
        with self._reviving:
            if not self.cluster.child.running:
                self.supervisor.stop(self.cluster.child)
                self.cluster = self._start_postgres()

    def kill_backend(self) -> None:
        """kill -9 of one server process of production's database: Postgres throws everybody out and recovers."""
        for pid in self._backends()[:1]:
            os.kill(pid, signal.SIGKILL)

    def end_sessions(self) -> None:
        """Every connection to production's database is dropped."""
        with psycopg.connect(self.cluster.superuser_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [PRODUCTION]
            )

    def busy(self) -> bool:
        """Whether a transaction is under way in production's database."""
        with psycopg.connect(self.cluster.superuser_url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state <> 'idle'", [PRODUCTION]
            ).fetchone()
        return bool(row and row[0])

    _reviving = threading.Lock()

    def _backends(self) -> list[int]:
        with psycopg.connect(self.cluster.superuser_url) as connection:
            return [
                int(row[0])
                for row in connection.execute(
                    "SELECT pid FROM pg_stat_activity WHERE datname = %s ORDER BY state = 'active' DESC, pid",
                    [PRODUCTION],
                )
            ]

    # --- the parts --------------------------------------------------------------------------------------------------

    def _start_postgres(self) -> Cluster:
        cluster = Cluster.start(
            self.home, supervisor=self.supervisor, binaries=self.tools.pg_bin, superuser_password="postgres",
            log=self.logs / "postgres.log", preferred_port=self._postgres_port,
        )  # fmt: skip
        self._postgres_port = cluster.port
        return cluster

    def _start_directus(self, side: Side, port: int) -> directus.Running:
        told = directus.settings(
            self.cluster, self.stores[side], self.tools, key=side, secret=side * 8, serve_app=False
        )
        return directus.start(
            f"directus {side}", self.tools, told, supervisor=self.supervisor, folder=self.folder / f"run-{side}",
            log=self.logs / f"{side}.log", port=port,
        )  # fmt: skip

    def _copy_database(self, source: str, copy: str) -> None:
        self.cluster.drop_database(copy)
        with psycopg.connect(self.cluster.superuser_url, autocommit=True) as connection:
            # A template must have nobody in it, and Directus comes back at once.
            connection.execute(f'ALTER DATABASE "{source}" ALLOW_CONNECTIONS false')
            try:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source]
                )
                connection.execute(f'CREATE DATABASE "{copy}" OWNER "{ROLE}" TEMPLATE "{source}"')
            finally:
                connection.execute(f'ALTER DATABASE "{source}" ALLOW_CONNECTIONS true')

    def _must(self, ended: Ended) -> None:
        assert ended.well, f"{ended.said}\n{(self.logs / 'suite.log').read_text()[-3000:]}"


class Suite:
    """A running process of the suite."""

    def __init__(self, order: Path, log: Path) -> None:
        self._log = log
        self._began = time.monotonic()
        log.parent.mkdir(parents=True, exist_ok=True)
        self._from = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests_selftest.kills.suite", str(order)],
                cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()

    def ended(self, deadline_s: float = SUITE_DEADLINE_S) -> Ended:
        """How it ended; killed when it has not by then."""
        try:
            code = self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = -99
        text = self._log.read_bytes()[self._from :].decode("utf-8", "replace").strip()
        said = text.splitlines()[-1] if text else ""
        return Ended(code, said, round(time.monotonic() - self._began, 1))
