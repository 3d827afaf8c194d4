"""On a real Directus: one object of each kind is made, and each is named; no table of Directus is overlooked."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from fixtures.checks.directus_configuration import comparison
from fixtures.model.directus_configuration import KINDS, OTHER_TABLES
from fixtures.model.secret import Secret
from fixtures.operations.source import directus_configuration
from fixtures.systems import directus
from fixtures.systems.directus import DirectusObserver
from tests_selftest.lanes.project import TOKEN, Project

ADA, ROLE, POLICY, FLOW, OPERATION, DASHBOARD, DEPLOYMENT = (str(uuid.UUID(int=n << 64)) for n in range(1, 8))
DELETED = (
    "deployment_projects", "deployments", "extensions", "versions", "shares", "notifications", "comments",
    "translations", "presets", "panels", "dashboards", "permissions", "access", "users", "roles", "policies",
)  # fmt: skip


@pytest.fixture
def observer(project: Project) -> Iterator[DirectusObserver]:
    """The project as 1.3 and 3.1 read it."""
    before = {name: project.ask(f"SELECT id::text FROM directus_{name}") for name in DELETED}
    with directus.connect(project.running.url, Secret(TOKEN), system="local Directus", read_only=True) as transport:
        yield DirectusObserver(transport)
    project.rest.patch("/settings", {"public_note": None})
    project.ask("DELETE FROM directus_flows")
    for name in DELETED:
        kept = [key for (key,) in before[name]]
        project.ask(f"DELETE FROM directus_{name} WHERE NOT id::text = ANY(%s)", kept)
    project.rest.post("/utils/cache/clear?system", {})


def make_one_of_each(project: Project) -> None:
    """One object of every kind; by SQL where Directus would call another host or need a setting of the collection."""
    rest = project.rest
    public = project.ask('SELECT policy FROM directus_access WHERE role IS NULL AND "user" IS NULL')[0][0]
    rest.post("/roles", {"id": ROLE, "name": "Surveyor"})
    rest.post("/policies", {"id": POLICY, "name": "Surveying", "app_access": True, "admin_access": False})
    rest.post("/access", {"role": ROLE, "policy": POLICY})
    rest.post("/permissions", {"policy": POLICY, "collection": "articles", "action": "update", "fields": ["title"]})
    rest.post("/permissions", {"policy": str(public), "collection": "articles", "action": "read", "fields": ["*"]})
    rest.post("/users", {"id": ADA, "email": "ada@example.org", "role": ROLE, "status": "active"})
    rest.post("/flows", {"id": FLOW, "name": "Tell the board", "trigger": "manual", "options": {"collections": []}})
    options = {"url": "https://example.org", "headers": [{"header": "Authorization", "value": "Bearer s3cret-of-flow"}]}
    rest.post("/operations", {"id": OPERATION, "flow": FLOW, "key": "post", "type": "request", "name": "Post",
                              "position_x": 1, "position_y": 1, "options": options})  # fmt: skip
    rest.post("/dashboards", {"id": DASHBOARD, "name": "Permits"})
    rest.post("/panels", {"dashboard": DASHBOARD, "name": "This week", "type": "label", "position_x": 1,
                          "position_y": 1, "width": 4, "height": 4})  # fmt: skip
    rest.post("/presets", {"role": ROLE, "collection": "articles", "bookmark": "Mine", "layout": "tabular"})
    rest.post("/translations", {"key": "greeting", "language": "de-DE", "value": "Hallo"})
    rest.patch("/settings", {"public_note": "Closed on Mondays"})
    rest.post("/items/articles", {"id": 7, "slug": "seven"})
    rest.post("/comments", {"collection": "articles", "item": "7", "comment": "Right?"})
    rest.post("/shares", {"collection": "articles", "item": "7", "name": "Board", "role": ROLE})
    rest.post("/notifications", {"recipient": ADA, "subject": "Hello"})
    new = str(uuid.uuid4())
    project.ask(
        "INSERT INTO directus_extensions (id, enabled, folder, source) VALUES (%s, true, 'stars', 'local')", new
    )
    project.ask(
        "INSERT INTO directus_versions (id, key, name, collection, item, hash, delta)"
        " VALUES (%s, 'draft', 'Draft', 'articles', '7', 'h', %s)", new, json.dumps({"title": "New"})
    )  # fmt: skip
    project.ask("INSERT INTO directus_deployments (id, provider, credentials) VALUES (%s, 'vercel', 'x')", DEPLOYMENT)
    project.ask(
        "INSERT INTO directus_deployment_projects (id, deployment, external_id, name) VALUES (%s, %s, 'e', 'site')",
        new, DEPLOYMENT,
    )  # fmt: skip


def test_one_of_each_kind_on_one_side_is_named(project: Project, observer: DirectusObserver) -> None:
    """The state before is production's, the state after is local's."""
    production = directus_configuration.observe(observer)
    make_one_of_each(project)
    local = directus_configuration.observe(observer)

    found = directus_configuration.compare(local, production)

    assert {each.kind: each.only_local for each in found.kinds} == {
        "roles": ("Surveyor",),
        "policies": ("Surveying",),
        "permissions": ("Public · articles · read", "Surveying · articles · update"),
        "access": ("Surveyor · Surveying",),
        "users": ("ada@example.org",),
        "flows": ("Tell the board",),
        "operations": ("Tell the board · post",),
        "dashboards": ("Permits",),
        "panels": ("Permits · This week",),
        "presets": ("Surveyor · articles · Mine",),
        "translations": ("greeting · de-DE",),
        "settings": ("public_note",),
        "extensions": ("stars",),
        "versions": ("articles/7 · draft",),
        "comments": ("articles/7 · admin@example.org · #f8745aeeb34d",),
        "shares": ("Board · articles/7",),
        "notifications": ("ada@example.org · Hello",),
        "deployments": ("vercel",),
        "deployment_projects": ("vercel · site",),
    }
    assert {(each.only_production, each.differing, each.not_compared) for each in found.kinds} == {((), (), "")}
    for each in found.kinds:
        in_table = project.ask(f"SELECT count(*) FROM directus_{each.kind}")[0][0]
        assert each.kind == "settings" or each.local == in_table, each.kind
    assert found.closed_to_visitors == {"read": ("articles",)}
    assert len(comparison.closed_to_visitors(["articles"], local, production)) == 1
    assert comparison.closed_to_visitors(["articles"], production, local) == []
    assert "s3cret-of-flow" not in repr(local)
    again = directus_configuration.compare(directus_configuration.observe(observer), local)
    assert all((each.only_local, each.differing) == ((), ()) for each in again.kinds)


def test_every_table_of_directus_is_compared_or_has_its_reason(project: Project) -> None:
    found = project.ask(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'directus\\_%%'"
    )
    assert {name for (name,) in found} == {each.table for each in KINDS} | OTHER_TABLES.keys()
