"""On a real Directus: what the policies of an account allow is what its token can do."""

from __future__ import annotations

import uuid

import httpx

from fixtures.model.secret import Secret
from fixtures.operations.scratch_rows import access
from fixtures.operations.scratch_rows.access import Person
from fixtures.systems import directus
from tests_selftest.lanes.project import Project

BY_NAME = {"visitor": None, "reader": "Reader", "without a role": None}


def test_a_right_of_everybody_is_one_of_accounts_without_a_role_alone(project: Project) -> None:
    """An account with a role does not have it: Directus answers 403."""
    rest = project.rest
    public = project.ask('SELECT policy FROM directus_access WHERE role IS NULL AND "user" IS NULL')[0][0]
    right = rest.post("/permissions", {"policy": str(public), "collection": "articles", "action": "read"})["id"]
    role = rest.post("/roles", {"name": "Reader"})["id"]
    tokens = {name: uuid.uuid4().hex for name in BY_NAME if name != "visitor"}
    for number, (name, token) in enumerate(tokens.items()):
        body = {"email": f"p{number}@example.org", "token": token, "status": "active"}
        rest.post("/users", {**body, "role": role if BY_NAME[name] else None})
    people, answered = [], {}
    for name in BY_NAME:
        headers = {"Authorization": f"Bearer {tokens[name]}"} if name in tokens else {}
        answered[name] = httpx.get(f"{project.running.url}/items/articles", headers=headers, timeout=30).status_code
        transport = directus.connect(
            project.running.url, Secret(tokens[name]) if name in tokens else None, system=name, read_only=True
        )
        people.append(Person(name, transport, None))  # type: ignore[arg-type]
    granted = access.grants(project.operator, people)
    project.ask("DELETE FROM directus_permissions WHERE id = %s", right)
    project.ask("DELETE FROM directus_users WHERE role = %s", role)
    project.ask("DELETE FROM directus_roles WHERE id = %s", role)
    rest.post("/utils/cache/clear?system", {})
    assert answered == {"visitor": 200, "reader": 403, "without a role": 200}
    assert {each.person: each.may("read", "articles") for each in granted} == {
        name: status == 200 for name, status in answered.items()
    }
