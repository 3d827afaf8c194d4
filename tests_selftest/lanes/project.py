"""One real Directus on a Postgres of its own, with a data model in which an import can go wrong in every way."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from fixtures.checks.rows import order
from fixtures.checks.rows.profile import profiles
from fixtures.embedded_postgres.home import home_for, remove_home
from fixtures.model.conflict_policy import ConflictPolicies, parse_policies
from fixtures.model.dataset import ExportedFile
from fixtures.model.export import AssetFile, AssetInventory, DataExport
from fixtures.model.imports import ImportResult
from fixtures.model.key_map import KeyMap
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations.imports.import_log import ImportLog
from fixtures.operations.imports.import_set import ImportSet
from fixtures.operations.imports.journal import Journal
from fixtures.operations.lanes import LANES, ImportContext
from fixtures.process.files import sha256
from fixtures.process.supervise import Supervisor, free_port
from fixtures.systems import directus as client
from fixtures.systems.directus import DirectusObserver, DirectusOperator
from fixtures.world import directus, toolchain
from fixtures.world.postgres import Cluster
from fixtures.world.progress import no_progress
from fixtures.world.seed.rest import Rest

TOKEN, ROLE, PASSWORD = "1a" * 24, "lanes", "lanes"

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC"
)
"""Eight red pixels in a square, as PNG."""


class Killed(BaseException):
    """The run ends here, as by kill -9: nothing after this moment is done."""


def killed(*_: Any, **__: Any) -> None:
    """In place of a function before which the run is killed."""
    raise Killed


def column(name: str, kind: str = "string", *, special: str = "", **schema: Any) -> dict[str, Any]:
    """A field as Directus is told it."""
    meta: dict[str, Any] = {"special": [special] if special else None}
    return {"field": name, "type": kind, "schema": {"is_nullable": True, **schema}, "meta": meta}


def serial() -> dict[str, Any]:
    return {
        "field": "id", "type": "integer", "meta": {},
        "schema": {"is_primary_key": True, "has_auto_increment": True},
    }  # fmt: skip


def uuid_key() -> dict[str, Any]:
    return {
        "field": "id", "type": "uuid", "meta": {"special": ["uuid"]},
        "schema": {"is_primary_key": True, "length": 36},
    }  # fmt: skip


STAMPS = (
    column("user_created", "uuid", special="user-created"),
    column("date_created", "timestamp", special="date-created"),
    column("user_updated", "uuid", special="user-updated"),
    column("date_updated", "timestamp", special="date-updated"),
)
MODEL: dict[str, list[dict[str, Any]]] = {
    "categories": [uuid_key(), column("name", is_unique=True), column("parent", "uuid"), column("note")],
    "articles": [
        serial(), column("slug", is_unique=True), column("title", max_length=60), column("body", "text"),
        column("extra", "json"), column("category", "uuid"), column("owner", "uuid"), column("lead", "integer"),
        *STAMPS,
    ],
    "comments": [serial(), column("article", "integer", is_nullable=False), column("text", "text")],
    "blocks": [serial(), column("collection"), column("item")],
}  # fmt: skip
RELATIONS = (
    ("categories", "parent", "categories"),
    ("articles", "category", "categories"),
    ("articles", "owner", "directus_users"),
    ("articles", "user_created", "directus_users"),
    ("articles", "user_updated", "directus_users"),
    ("articles", "lead", "comments"),
    ("comments", "article", "articles"),
)


@dataclass
class Project:
    """A production that can be filled, emptied and imported into."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="lanes-")))
    serve_app: bool = False

    def start(self) -> None:
        self.supervisor = Supervisor(f"lanes-{os.getpid()}-{time.monotonic_ns()}")
        tools = toolchain.ensure(toolchain.CACHE, supervisor=self.supervisor, progress=no_progress)
        self.home = home_for(self.folder, tools.pg_bin)
        self.cluster = Cluster.start(
            self.home, supervisor=self.supervisor, binaries=tools.pg_bin, superuser_password="postgres",
            log=self.folder / "postgres.log",
        )  # fmt: skip
        self.cluster.create_role(ROLE, PASSWORD)
        self.cluster.create_database("lanes", ROLE)
        store = directus.Store("lanes", ROLE, PASSWORD, self.folder / "files")
        store.files.mkdir()
        told = directus.settings(self.cluster, store, tools, key="lanes", secret="lanes" * 8, serve_app=self.serve_app)
        directus.await_end(
            directus.bootstrap(
                tools, told, supervisor=self.supervisor, folder=self.folder / "run", log=self.folder / "bootstrap.log",
                email="admin@example.org", password="admin", token=TOKEN,
            )
        )  # fmt: skip
        self.running = directus.start(
            "directus lanes", tools, told, supervisor=self.supervisor, folder=self.folder / "run",
            log=self.folder / "directus.log", port=free_port(),
        )  # fmt: skip
        directus.await_ready(self.running, token=TOKEN)
        self.rest = Rest(self.running.url, TOKEN)
        for name, fields in MODEL.items():
            meta = {"accountability": "all"}
            self.rest.post("/collections", {"collection": name, "schema": {}, "meta": meta, "fields": fields})
        for child, name, parent in RELATIONS:
            self.rest.post("/relations", {"collection": child, "field": name, "related_collection": parent})
        any_of = {"one_collection_field": "collection", "one_allowed_collections": ["articles", "categories"]}
        self.rest.post("/relations", {"collection": "blocks", "field": "item", "meta": any_of})
        self.transport = client.connect(self.running.url, Secret(TOKEN), system="production Directus", read_only=False)
        self.operator = DirectusOperator(self.transport)
        self.snapshot = self.operator.snapshot()

    def stop(self) -> None:
        self.supervisor.stop_all()
        remove_home(self.home)

    @property
    def url(self) -> Secret:
        return Secret(self.cluster.url("lanes", ROLE, PASSWORD))

    def ask(self, query: str, *values: Any) -> list[Any]:
        """Rows of production by SQL, past every client of the suite."""
        with psycopg.connect(self.url.reveal()) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def empty(self) -> None:
        """No row of any collection, and nobody but the administrator."""
        self.ask(f"TRUNCATE {', '.join(MODEL)} RESTART IDENTITY CASCADE")
        self.ask("DELETE FROM directus_flows")
        self.ask("DELETE FROM directus_files")
        self.ask("DELETE FROM directus_users WHERE email <> 'admin@example.org'")

    def snapshot_with(self, *names: str) -> Snapshot:
        """The schema of the start, with *names* as they are now; other tests leave collections of theirs behind."""
        raw, now = dict(self.snapshot.raw), self.operator.snapshot().raw
        for part in ("collections", "fields", "relations"):
            kept = [each for each in self.snapshot.raw[part] if each["collection"] not in names]
            raw[part] = [*kept, *(each for each in now[part] if each["collection"] in names)]
        return Snapshot(raw)

    def person(self, email: str, key: str) -> str:
        self.rest.post("/users", {"id": key, "email": email})
        return key


def _asset(row: Mapping[str, Any]) -> AssetFile:
    digest = hashlib.sha256(PICTURE).hexdigest()
    return AssetFile(row["id"], f"files/{row['id']}", digest, len(PICTURE), row["filename_download"], row["type"])


@dataclass
class Migration:
    """An export of its own and what a migration remembers, against one project; `again` is the same command again."""

    project: Project
    folder: Path
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    people: Mapping[str, str] = field(default_factory=dict)
    policies: str = "stop"
    library: Sequence[Mapping[str, Any]] = ()
    lane: str = "api"
    snapshot: Snapshot | None = None

    def __post_init__(self) -> None:
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        (self.folder / "files").mkdir(exist_ok=True)
        for each in self.library:
            (self.folder / "files" / each["id"]).write_bytes(PICTURE)
        (self.folder / "files.json").write_text(json.dumps(list(self.library)))
        (self.folder / "folders.json").write_text("[]")
        self.wanted = self.snapshot or self.project.snapshot
        self.files = tuple(self._write(name) for name in sorted(self.wanted.tables))
        self.stamps = True
        self.reported: Counter[str] = Counter()

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "journal.jsonl")

    def import_set(self, **more: Any) -> ImportSet:
        """What group 1.3 would have exported; *more* replaces parts of it."""
        production = DirectusObserver(self.project.transport)
        policies: ConflictPolicies = parse_policies(self.policies)
        journal = self.journal
        parts: dict[str, Any] = {
            "folder": self.folder,
            "export": DataExport(datetime.now(UTC), self.files),
            "order": order.plan(profiles(self.wanted), lane=self.lane),
            "assets": AssetInventory(tuple(_asset(each) for each in self.library), {}, {}),
            "local_schema": self.wanted,
            "keys": KeyMap(users=dict(self.people)),
            "sent_keys": journal.sent_keys,
            "written": journal.written,
            "policies": policies,
            "people": frozenset(str(user["id"]) for user in production.users()),
        }
        return ImportSet(**{**parts, **more})

    def run(self, **more: Any) -> ImportResult:
        """The import, in its lane."""
        with ImportLog(self.folder / "import-log.txt", run="a run") as log:
            context = ImportContext(
                production=self.project.operator, database=self.project.url, journal=self.journal, log=log,
                progress=lambda *_: None, reported=self.reported, stamps=self.stamps,
            )  # fmt: skip
            result = LANES[self.lane](self.import_set(**more), context)
        self.reported.update({each.collection: each.created for each in result.outcomes})
        return result

    def _write(self, name: str) -> ExportedFile:
        profile = next(each for each in profiles(self.wanted) if each.name == name)
        rows = [{column: row.get(column) for column in profile.columns} for row in self.rows.get(name, ())]
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        path = self.folder / "data" / f"{name}.json"
        path.write_text(f"[\n{lines}\n]\n" if rows else "[]\n", encoding="utf-8")
        digest, size = sha256(path), path.stat().st_size
        return ExportedFile(name, f"data/{name}.json", len(rows), digest, size, "")
