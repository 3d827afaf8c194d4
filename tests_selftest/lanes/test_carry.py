"""
On a real Directus: CARRY makes what production lacks, equal column by column, and changes nothing it has.

What is made here first is local's; then it is deleted, and the same Directus is production. Compared by SQL alone.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.model.carry import FIELDS, RIGHTS, CarryResult, CarryVerification, EmptiedOption, parse_carry
from fixtures.model.directus_configuration import Kind
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.secret import Secret
from fixtures.operations.carry import apply, planning, verification
from fixtures.operations.carry.journal import CarryJournal
from fixtures.operations.carry.planning import CarryInputs
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.operations.source import configuration_export, directus_configuration
from fixtures.systems import directus
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.failure import InDoubt, Unreachable
from fixtures.systems.http import failures
from fixtures.systems.postgres.observer import PostgresObserver
from fixtures.world.progress import no_progress
from tests_selftest.lanes.project import TOKEN, Project

TABLES = ("operations", "flows", "panels", "dashboards", "presets", "translations", "permissions", "access", "roles",
          "policies")  # fmt: skip
EVERYTHING = "roles,policies,access,permissions,translations,presets,dashboards,flows,policies=Editing"
STAMPS = {"id", "date_created", "user_created"}
"""Directus' own: when and by whom a flow was made, and the numbers of permissions and presets."""

Table = dict[str, dict[str, Any]]


@pytest.fixture
def production(project: Project) -> Iterator[DirectusOperator]:
    """The project with the right to write; afterwards it is as it was."""
    before = {name: list(read(project, name)) for name in TABLES}
    with directus.connect(project.running.url, Secret(TOKEN), system="production", read_only=False) as transport:
        yield DirectusOperator(transport)
    delete_all_but(project, before)


def read(project: Project, name: str) -> Table:
    """The rows of a table of Directus by id, as JSON."""
    return {str(row["id"]): row for (row,) in project.ask(f"SELECT to_jsonb(t) FROM directus_{name} t")}


def read_all(project: Project) -> dict[str, Table]:
    return {name: read(project, name) for name in TABLES}


def delete_all_but(project: Project, kept: Mapping[str, Sequence[str] | Table]) -> None:
    project.ask("UPDATE directus_flows SET operation = NULL")
    project.ask("UPDATE directus_operations SET resolve = NULL, reject = NULL")
    for name in TABLES:
        project.ask(f"DELETE FROM directus_{name} WHERE NOT id::text = ANY(%s)", list(kept[name]))
    project.rest.post("/utils/cache/clear?system", {})


def key(number: int) -> str:
    return str(uuid.UUID(int=number << 64, version=4))


def fill(project: Project) -> None:
    """Local's configuration: rights, texts, views, a dashboard, and two flows, the second of which starts the first."""
    rest = project.rest
    public = str(project.ask('SELECT policy FROM directus_access WHERE role IS NULL AND "user" IS NULL')[0][0])
    admin = str(rest.get("/users/me")["id"])
    rest.post("/roles", [{"id": key(1), "name": "Staff"}, {"id": key(2), "name": "Editor", "parent": key(1)}])
    rest.post("/policies", [
        {"id": key(3), "name": "Editing", "app_access": True, "admin_access": False, "ip_access": ["127.0.0.1"]},
        {"id": key(4), "name": "Reading", "app_access": False, "admin_access": False},
    ])  # fmt: skip
    for role, policy in ((key(2), key(3)), (key(1), key(4))):
        rest.post("/access", {"role": role, "policy": policy, "sort": 2})
    rule = {"owner": {"_eq": admin}}
    rest.post("/permissions", [
        {"policy": public, "collection": "articles", "action": "read", "fields": ["id", "title"]},
        {"policy": public, "collection": "comments", "action": "read", "fields": ["*"]},
        {"policy": key(3), "collection": "articles", "action": "update", "fields": ["*"], "permissions": rule,
         "validation": {"title": {"_nempty": True}}, "presets": {"owner": "$CURRENT_USER"}},
    ])  # fmt: skip
    rest.post("/translations", [{"key": "hello", "language": "de-DE", "value": "Hallo"},
                                {"key": "hello", "language": "fr-FR", "value": "Bonjour"}])  # fmt: skip
    rest.post("/presets", [
        {"user": admin, "collection": "articles", "bookmark": "Mine", "layout": "tabular", "filter": rule,
         "layout_options": {"tabular": {"widths": {"title": 160}}}},
        {"role": key(2), "collection": "articles", "layout": "cards", "refresh_interval": 30},
    ])  # fmt: skip
    rest.post("/dashboards", {"id": key(5), "name": "Traffic", "color": "#ff0000"})
    rest.post("/panels", {"id": key(6), "dashboard": key(5), "name": "Visits", "type": "metric", "position_x": 1,
                          "position_y": 1, "width": 4, "height": 4, "options": {"collection": "articles"}})  # fmt: skip
    listen = {"type": "action", "scope": ["items.create"], "collections": ["articles"]}
    a_flow(rest, 10, "Notify", {"status": "active", "trigger": "event", "options": listen}, "log", "request", "log")
    a_flow(rest, 20, "Nightly", {"status": "inactive", "trigger": "schedule", "options": {"cron": "0 0 3 * * *"}},
           "trigger")  # fmt: skip
    rest.patch(f"/operations/{key(12)}", {"options": {
        "url": "https://example.org/in", "headers": [{"header": "Authorization", "value": "Bearer s3cret-of-flow"}],
    }})  # fmt: skip
    rest.patch(f"/operations/{key(21)}", {"options": {"flow": key(10), "payload": "{{$last}}"}})


def a_flow(rest: Any, number: int, name: str, values: dict[str, Any], *types: str) -> None:
    rest.post("/flows", {"id": key(number), "name": name, **values})
    for n in range(len(types), 0, -1):
        following = key(number + n + 1) if n < len(types) else None
        rest.post("/operations", {"id": key(number + n), "flow": key(number), "key": f"s{n}", "type": types[n - 1],
                                  "position_x": 1 + 18 * n, "position_y": 1, "resolve": following})  # fmt: skip
    rest.patch(f"/flows/{key(number)}", {"operation": key(number + 1)})


def own(project: Project) -> None:
    """What production has before: the same names with other values, and a role under a key that local uses."""
    project.rest.post("/translations", {"key": "hello", "language": "fr-FR", "value": "Salut"})
    project.rest.post("/roles", {"id": key(1), "name": "Somebody else's"})
    project.rest.post("/flows", {"name": "Production's", "status": "inactive"})


@dataclass
class Local:
    """Local as exported, and its tables; production is without it."""

    tables: dict[str, Table]
    rows: dict[str, list[dict[str, Any]]]
    emptied: tuple[EmptiedOption, ...]
    journal: Path

    def inputs(self) -> CarryInputs:
        """As a new run finds them."""
        return CarryInputs(parse_carry(EVERYTHING), self.rows, CarryJournal(self.journal), self.emptied)


@pytest.fixture
def local(project: Project, production: DirectusOperator, tmp_path: Path) -> Local:
    before = {name: list(read(project, name)) for name in TABLES}
    fill(project)
    rows = directus_configuration.read(production).rows
    exported = configuration_export.write_rows(tmp_path, rows)
    tables = read_all(project)
    delete_all_but(project, before)
    own(project)
    kept = configuration_export.read_rows(tmp_path, exported)
    return Local(tables, kept, exported.emptied, tmp_path / "target.carry.jsonl")


def carry_over(given: CarryInputs, production: DirectusOperator) -> CarryResult:
    """As 4.2 does, with the rows between."""
    return apply.carry_over(RIGHTS, given, production, no_progress) + apply.carry_over(
        apply.OTHERS, given, production, no_progress
    )


MADE = {"roles": 2, "policies": 2, "access": 2, "permissions": 3, "translations": 1, "presets": 2, "dashboards": 1,
        "panels": 1, "flows": 2, "operations": 4}  # fmt: skip


def assert_carried(project: Project, local: Local, before: Mapping[str, Table]) -> None:
    """Production has all of *before* as it was, and of local's what it lacked, value by value."""
    after = read_all(project)
    for name in TABLES:
        assert {one: after[name].get(one) for one in before[name]} == before[name], name
        new = {one: row for one, row in after[name].items() if one not in before[name]}
        assert len(new) == MADE[name], name
    # The role whose key production had taken got another one, and everything follows it.
    (staff,) = (one for one, row in after["roles"].items() if row["name"] == "Staff")
    assert staff != key(1)
    expected = json.loads(json.dumps(local.tables).replace(key(1), staff).replace("Bearer s3cret-of-flow", ""))
    for row in expected["flows"].values():
        row["status"] = "inactive"
    for name in TABLES:
        if name in {"permissions", "presets"}:
            wanted, found = ([content(row) for row in side[name].values()] for side in (expected, after))
            assert [row for row in wanted if row not in found] == [], name
        else:
            for one, row in expected[name].items():
                if row.get("language") != "fr-FR":
                    assert content(after[name][one]) == content(row), name


def content(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in STAMPS}


def visit(project: Project, path: str) -> int:
    """What a visitor without a login gets."""
    return httpx.get(project.running.url + path, timeout=30).status_code


def test_what_production_lacks_is_made_and_nothing_it_has_is_changed(
    project: Project, production: DirectusOperator, local: Local
) -> None:
    before, given = read_all(project), local.inputs()
    project.rest.post("/items/articles", {"id": 1, "slug": "one", "title": "One"})
    closed = visit(project, "/items/articles")
    plan = planning.plan(given, production, directus_configuration.read(production)).plan
    assert {each.kind: len(each.create) for each in plan.kinds} == MADE
    assert [str(each) for each in plan.emptied] == ["operation Notify · s2, options.headers[0].value"]

    made = carry_over(given, production)

    assert (made.created, made.refusals) == (MADE, ())
    assert_carried(project, local, before)
    assert (closed, visit(project, "/items/articles")) == (403, 200)
    assert carry_over(given, production) == carry_over(local.inputs(), production) == CarryResult()
    local.journal.unlink()
    assert carry_over(local.inputs(), production) == CarryResult()
    assert_carried(project, local, before)
    assert "s3cret-of-flow" not in json.dumps(local.rows)


class Lossy(DirectusOperator):
    """An operator whose request number *at* is lost: before it arrives, or its answer."""

    at, arrives, sent = 0, False, 0

    def create_configuration(self, kind: Kind, rows: Sequence[Mapping[str, Any]]) -> None:
        self.sent += 1
        if self.sent != self.at or self.arrives:
            super().create_configuration(kind, rows)
        if self.sent != self.at:
            return
        if self.arrives:
            raise InDoubt(
                failures.in_doubt(self.system, "POST", kind.path, "lost"), method="POST", path=kind.path, reason="lost"
            )
        raise Unreachable(failures.unreachable(self.system, self.url, "POST", kind.path, "lost", 1))


@pytest.mark.parametrize("arrives", [True, False], ids=["answer lost", "request lost"])
def test_wherever_it_ends_the_same_call_again_makes_the_rest_once(
    project: Project, production: DirectusOperator, local: Local, arrives: bool
) -> None:
    before = read_all(project)
    for at in range(1, len(MADE) + 1):
        local.journal.unlink(missing_ok=True)
        lossy = Lossy(project.transport)
        lossy.at, lossy.arrives = at, arrives
        with pytest.raises((InDoubt, Unreachable)):
            carry_over(local.inputs(), lossy)
        with local.journal.open("a") as file:
            file.write('{"kind": "flows", "se')  # the mark of a kill
        resumed = local.inputs()
        carry_over(resumed, production)
        assert_carried(project, local, before)
        assert {kind: len(objects) for kind, objects in resumed.journal.sent.items()} == MADE
        assert all(all(objects.values()) for objects in local.inputs().journal.sent.values())
        delete_all_but(project, before)


def test_what_production_does_not_take_is_named_and_the_rest_is_made(
    production: DirectusOperator, local: Local
) -> None:
    for row in local.rows["translations"]:
        row["value"] = None
    given = local.inputs()
    result = carry_over(given, production)
    assert [(each.collection, each.key) for each in result.refusals] == [("directus_translations", "hello · de-DE")]
    assert result.created == {name: number for name, number in MADE.items() if name != "translations"}
    assert given.journal.sent["translations"] == {}


def test_what_is_not_as_it_was_sent_is_named_and_what_people_changed_is_theirs(
    project: Project, production: DirectusOperator, local: Local
) -> None:
    given = local.inputs()
    carry_over(given, production)
    taken_at = project.ask("SELECT now()")[0][0]
    nothing = InitialRows(Fingerprint(taken_at, "", (), {}), local.journal.parent)

    def verified() -> CarryVerification:
        with PostgresObserver(project.url, system="production database") as database:
            described = directus_configuration.observe(production)
            return verification.verify(local.inputs(), described, nothing, production, database)[0]

    assert verified() == CarryVerification(equal=sum(MADE.values()))
    project.ask("UPDATE directus_permissions SET fields = '*' WHERE collection = 'articles' AND action = 'read'")
    project.ask("DELETE FROM directus_presets WHERE bookmark = 'Mine'")
    project.rest.patch(f"/flows/{key(20)}", {"status": "active"})
    found = verified()
    assert (found.equal, found.by_others) == (sum(MADE.values()) - 3, 1)
    assert [(each.table, each.key, each.observed) for each in found.differing] == [
        ("directus_permissions", "Public · articles · read", "fields"),
        ("directus_presets", "admin@example.org · articles · Mine", "it is not there"),
    ]
    assert [each.code for each in verification.findings_of(found)] == ["MIG-429", "MIG-429"]


def test_every_column_people_set_is_carried(project: Project) -> None:
    """A column that comes with a newer Directus is not lost without a word: it needs its place in FIELDS."""
    for name, fields in FIELDS.items():
        found = project.ask(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s", f"directus_{name}"
        )
        assert {each for (each,) in found} == {*fields} | ({each for (each,) in found} & STAMPS), name
