"""What a fault has at hand: databases, Directus, working copies, the emulated platform; no client of the suite."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg

_ANSWER_S = 30.0


class Hands:
    """
    Those of somebody who may do everything.

    Attributes:
        environment: What the suite is configured with, by variable.
        reports: The folder of the ledger and of all runs.
    """

    def __init__(self, ready: Mapping[str, Any], reports: Path) -> None:
        self._ready = ready
        self.environment: Mapping[str, str] = ready["environment"]
        self.reports = reports

    # --- databases --------------------------------------------------------------------------------------------------

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """In production's database, as its superuser."""
        server, _, _ = self.environment["SCRATCH_DATABASE_URL"].rpartition("/")
        return _asked(f"{server}/{self._ready['production_database']}", statement, values)

    def local_sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """In local's database, as its owner."""
        return _asked(self.environment["LOCAL_DATABASE_URL"], statement, values)

    # --- Directus ---------------------------------------------------------------------------------------------------

    def rest(self, method: str, path: str, body: object = None) -> Any:
        """One request to production as its administrator; the `data` of the answer."""
        return _requested(self.environment["DIRECTUS_URL"], self.environment["ADMIN_TOKEN"], method, path, body)

    def local_rest(self, method: str, path: str, body: object = None) -> Any:
        """The same to local."""
        url, token = self.environment["LOCAL_DIRECTUS_URL"], self.environment["LOCAL_ADMIN_TOKEN"]
        return _requested(url, token, method, path, body)

    def clear_cache(self) -> None:
        """Production's Directus reads its database anew."""
        self.rest("POST", "/utils/cache/clear?system=true")

    # --- platform ---------------------------------------------------------------------------------------------------

    def render(self, method: str, path: str, body: object = None) -> Any:
        """One request to the emulated Render; the whole answer."""
        return _answered(self.environment["RENDER_API_URL"], self.environment["RENDER_API_KEY"], method, path, body)

    def control(self, method: str, path: str, body: object = None) -> Any:
        """One request to the back door of the emulators, see `fixtures/world/control.py`."""
        return _answered(self._ready["control"], "", method, f"/{path}", body)

    # --- files ------------------------------------------------------------------------------------------------------

    @property
    def frontend(self) -> Path:
        return Path(self.environment["FRONTEND_REPO"])

    @property
    def backend(self) -> Path:
        return Path(self.environment["BACKEND_REPO"])

    @property
    def migration(self) -> Path:
        """Where the export and the documents are."""
        return self.backend / "migration"

    def git(self, folder: Path, *arguments: str) -> str:
        """One command of git in a working copy; what it printed."""
        identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        done = subprocess.run(
            ["git", "-C", str(folder), *identity, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def evidence(self, group: str, name: str) -> Path:
        """The newest file of a group's evidence, by the beginning of its name."""
        found = sorted(self.reports.glob(f"run-*/{group}/{name}*"), key=lambda path: path.stat().st_mtime)
        return found[-1]


def _asked(url: str, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def _requested(url: str, token: str, method: str, path: str, body: object) -> Any:
    answer = _answered(url, token, method, path, body)
    return answer.get("data") if isinstance(answer, dict) else answer


def _answered(url: str, token: str, method: str, path: str, body: object) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{url}{path}", data=data, method=method, headers={"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urlopen(request, timeout=_ANSWER_S) as answer:
            text = answer.read()
    except HTTPError as error:
        raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:300]!r}") from None
    return json.loads(text) if text else None
