"""A project as a world's content: its snapshot in local, and nothing or an older state in production."""

from __future__ import annotations

import json
import uuid
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures.world.content import RowsLoaded
from fixtures.world.seed import people as persons
from fixtures.world.seed.fields import Side
from fixtures.world.seed.people import Person
from fixtures.world.seed.rest import Rest
from fixtures.world.working_copies import BACKEND, Project
from tests_selftest.projects import configuration
from tests_selftest.projects.filling import describe, edit, fill
from tests_selftest.projects.frontend import ShownCollection, Site
from tests_selftest.projects.shapes import Shape

_SHOWN = 3
_HERE = Path(__file__).parent
FILES = tuple(str(uuid.UUID(int=number, version=4)) for number in range(1, 4))
_OWN_FILE = str(uuid.UUID(int=1000, version=4))
_OWN_FROM, _OWN_ROWS, _EDITED_EVERY = 1001, 3, 5


class _WithSite:
    """The repositories and the map that every project has: a plain site, and the rehearsal's backend."""

    site: Site

    @property
    def frontend(self) -> Project:
        return self.site.project

    @property
    def backend(self) -> Project:
        return BACKEND

    @property
    def site_map(self) -> Path:
        return self.site.map


@dataclass
class SnapshotProject(_WithSite):
    """
    A project of which a snapshot is known; production is blank.

    Attributes:
        path: The snapshot, as Directus exports it.
        rows_each: Rows a table.
    """

    name: str
    path: Path
    rows_each: int = 20
    waivers: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.snapshot: dict[str, Any] = json.loads(self.path.read_text("utf-8"))
        self.site = Site(self.name, shown_collections(self.snapshot))

    @property
    def sources(self) -> tuple[Path, ...]:
        return (self.path, *sorted(_HERE.rglob("*.py")))

    def create(self, rest: Rest, side: Side, people: Mapping[str, Person]) -> None:
        if side == "local":
            apply_snapshot(rest, self.snapshot)
            upload_files(rest)
        persons.create_access(rest, people, [one.collection for one in self.site.shown])

    def load(self, url: str, side: Side, *, seed: int, rows: int, loaded: RowsLoaded) -> None:
        if side == "local":
            single = [one["collection"] for one in self.snapshot["collections"] if one["meta"].get("singleton")]
            made = fill(url, rows=min(rows, self.rows_each), seed=seed, files=FILES, singletons=single)
            loaded("all collections", sum(made.values()), sum(made.values()))


@dataclass
class GeneratedProject(_WithSite):
    """
    A project of one of the shapes.

    Attributes:
        production: The shape production has; None when it is blank. It holds the same rows, of which people have
            edited some, rows and a file of its own, and an active flow for each of *listening*.
        listening: Collections of production whose new items start a flow.
        configured: Whether people have made roles, flows, presets and the like; see `configuration`.
    """

    name: str
    shape: Shape
    production: Shape | None = None
    listening: tuple[str, ...] = ()
    configured: bool = False
    rows_each: int = 20
    waivers: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        old = {one["collection"] for one in self.production.collections} if self.production else set()
        self.site = Site(self.name, shown_collections(as_snapshot(self.shape), old))

    @property
    def sources(self) -> tuple[Path, ...]:
        return (*sorted(_HERE.rglob("*.py")),)

    def create(self, rest: Rest, side: Side, people: Mapping[str, Person]) -> None:
        shape = self.shape if side == "local" else self.production
        if shape:
            _create(rest, shape)
            upload_files(rest)
        if side == "production" and shape:
            rest.upload({"id": _OWN_FILE, "title": "Only here"}, "own.txt", b"of production", "text/plain")
            for collection in self.listening:
                _create_flow(rest, collection)
        persons.create_access(rest, people, [one.collection for one in self.site.shown])
        if self.configured:
            tables = [one["collection"] for one in self.shape.collections if one.get("schema") is not None]
            configuration.create(rest, side, people, tables)

    def load(self, url: str, side: Side, *, seed: int, rows: int, loaded: RowsLoaded) -> None:
        shape = self.shape if side == "local" else self.production
        if not shape:
            return
        each = min(rows, self.rows_each)
        # An older state has the first half of the rows.
        made = fill(
            url, rows=each if side == "local" else each // 2, seed=seed, files=FILES, singletons=shape.singletons
        )
        if side == "local":
            describe(url, [(table, str(body["field"])) for table, body in shape.fields])
        if side == "production":
            edit(url, every=_EDITED_EVERY)
            own = fill(url, rows=_OWN_ROWS, seed=seed, files=[_OWN_FILE], singletons=shape.singletons, first=_OWN_FROM)
            made = {name: made[name] + own[name] for name in made}
        loaded("all collections", sum(made.values()), sum(made.values()))


def _create(rest: Rest, shape: Shape) -> None:
    for body in shape.collections:
        rest.post("/collections", body)
    for body in shape.relations:
        rest.post("/relations", body)
    for collection, body in shape.fields:
        rest.post(f"/fields/{collection}", body)


def _create_flow(rest: Rest, collection: str) -> None:
    """An active flow that is triggered by each new item of *collection* and writes to the log."""
    options = {"type": "action", "scope": ["items.create"], "collections": [collection]}
    flow = rest.post(
        "/flows", {"name": f"New in {collection}", "status": "active", "trigger": "event", "options": options}
    )["id"]
    operation = rest.post(
        "/operations",
        {"name": "Write to the log", "key": "log", "type": "log", "flow": flow, "position_x": 19, "position_y": 1,
         "options": {"message": "a new item"}},
    )["id"]  # fmt: skip
    rest.patch(f"/flows/{flow}", {"operation": operation})


def as_snapshot(shape: Shape) -> dict[str, Any]:
    """The collections and fields of a shape as a snapshot lists them."""
    fields = []
    for body in shape.collections:
        for each in body.get("fields", ()):
            schema = each["schema"] and {"is_primary_key": False, **each["schema"]}
            fields.append({**each, "collection": body["collection"], "schema": schema})
    return {"collections": list(shape.collections), "fields": fields}


def upload_files(rest: Rest) -> None:
    """Three small files with fixed keys, as people upload them."""
    for number, key in enumerate(FILES, start=1):
        rest.upload({"id": key, "title": f"File {number}"}, f"file-{number}.txt", b"text " * number, "text/plain")


def apply_snapshot(rest: Rest, snapshot: Mapping[str, Any]) -> None:
    """Make the data model of *snapshot* on an instance, by its own diff and apply, as of its own version."""
    running = rest.get("/schema/snapshot")
    wanted = {**snapshot, **{name: running[name] for name in ("version", "directus", "vendor")}}
    wanted.setdefault("systemFields", running.get("systemFields", []))
    for part in ("collections", "fields", "relations"):
        # A snapshot leaves the key out where there is no table or column; a null is refused.
        wanted[part] = [{k: v for k, v in one.items() if k != "schema" or v is not None} for one in wanted[part]]
    for one in wanted["collections"]:
        if "schema" in one:
            one["schema"] = {"name": one["schema"].get("name", one["collection"])}  # all that this version takes
    # Older versions had tables that are gone, for example directus_webhooks.
    own = {str(one["collection"]) for one in wanted["collections"]}
    wanted["relations"] = [one for one in wanted["relations"] if one["collection"] in own]
    diff = rest.post("/schema/diff?force=true", wanted)
    rest.post("/schema/apply", diff)


def shown_collections(snapshot: Mapping[str, Any], old: Container[str] = ()) -> tuple[ShownCollection, ...]:
    """The first collections that are lists of items with a text to read; *old* names what production has."""
    chosen = []
    for one in snapshot["collections"]:
        name = one["collection"]
        fields = [each for each in snapshot["fields"] if each["collection"] == name and each.get("schema")]
        texts = [each["field"] for each in fields if each["type"] == "string" and not each["schema"]["is_primary_key"]]
        key = next((each["field"] for each in fields if each["schema"]["is_primary_key"]), "")
        if one.get("schema") is not None and not one["meta"].get("singleton") and texts and key:
            chosen.append(ShownCollection(name, key, tuple(texts[:1]), "old" if name in old else "new"))
    return tuple(chosen[:_SHOWN])
