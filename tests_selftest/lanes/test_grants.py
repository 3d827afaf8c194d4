"""On a real Directus: what the policies of an account allow is what its token can do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fixtures.checks.rows.profile import profile
from fixtures.model.access import ADMINISTRATOR, Grants
from fixtures.model.secret import Secret
from fixtures.operations.scratch_rows import access
from fixtures.operations.scratch_rows.access import Person
from fixtures.operations.scratch_rows.scratch_values import ScratchValues
from fixtures.systems import directus
from fixtures.systems.directus import DirectusSandbox
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.lanes.project import TOKEN, Project

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


@pytest.fixture
def opened(project: Project) -> Iterator[Secret]:
    """The visitor may change and delete articles, an account may create them; the account's token."""
    rest, token = project.rest, uuid.uuid4().hex
    public = project.ask('SELECT policy FROM directus_access WHERE role IS NULL AND "user" IS NULL')[0][0]
    policy = rest.post("/policies", {"name": "Writes"})["id"]
    role = rest.post("/roles", {"name": "Writer"})["id"]
    rest.post("/users", {"email": "writer@example.org", "token": token, "status": "active", "role": role})
    rest.post("/access", {"policy": policy, "role": role})
    rights = [(str(public), "update"), (str(public), "delete"), (policy, "create")]
    ids = [
        rest.post("/permissions", {"policy": of, "collection": "articles", "action": action, "fields": ["*"]})["id"]
        for of, action in rights
    ]
    yield Secret(token)
    project.ask("DELETE FROM directus_permissions WHERE id = ANY(%s)", ids)
    project.ask("DELETE FROM directus_users WHERE role = %s", role)
    project.ask("DELETE FROM directus_roles WHERE id = %s", role)
    project.ask("DELETE FROM directus_policies WHERE id = %s", policy)
    rest.post("/utils/cache/clear?system", {})


def test_what_an_account_can_do_beyond_its_policies_is_found_and_leaves_no_row(
    project: Project, opened: Secret, tmp_path: Path
) -> None:
    """
    All accounts try at the same time. A row that one of them could create is deleted, though Directus does not
    give its key to an account that may not read it, and no other row is touched.
    """
    project.ask("INSERT INTO articles (title) VALUES ('theirs')")
    people, nobody_may = [], []
    tokens = {
        "visitor": None,
        "writer": opened,
        ADMINISTRATOR: Secret(TOKEN),
        "invalid token": Secret(uuid.uuid4().hex),
    }
    for name, token in tokens.items():
        transport = directus.connect(project.running.url, token, system=name, read_only=False)
        people.append(Person(name, transport, DirectusSandbox(transport, run="run-20261130T100000Z")))
        if name != "invalid token":
            nobody_may.append(Grants(name, admin=name == ADMINISTRATOR, allowed=frozenset()))
    snapshot, seen = project.snapshot_with(), PostgresObserver(project.url)
    chosen = [profile(snapshot, name) for name in ("articles", "comments")]
    with DirectusSandbox(
        project.transport, run="run-20261130T100000Z", journal=tmp_path / "journal", rows_exist=seen.rows_exist
    ) as sandbox:
        values = ScratchValues(snapshot, project.operator, sandbox.mark)
        calls = access.exercise(people, nobody_may, chosen, values, sandbox, lambda *_: None)
        assert sandbox.made == ()
    assert len(calls) == access.expected_calls(people, nobody_may, chosen) == 2 * 2 * 4 + 4 + 1
    assert [(call.verb, call.collection) for call in calls if call.who == ADMINISTRATOR] == [("read", "articles")]
    unknown = [(call.verb, call.collection) for call in calls if call.who == "invalid token" and call.status == 401]
    assert unknown == [(verb, "articles") for verb in ("read", "create", "update", "delete")]
    wrong = {(call.who, call.verb) for call in calls if call.collection == "articles" and not call.right}
    assert wrong == {("visitor", "update"), ("visitor", "delete"), ("writer", "create")}
    assert all(call.right for call in calls if call.collection == "comments")
    assert project.ask("SELECT title FROM articles") == [("theirs",)]
