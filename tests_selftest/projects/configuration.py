"""
What people made in a Directus beside data model and rows, and its own comparison: by SQL, with no code of the suite.

Local gets 400 permissions, 20 flows, 70 presets and more that production lacks, and some of which production has its
own under the same name. Objects are compared by names, since their ids differ from side to side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from fixtures.world.seed.fields import Side
from fixtures.world.seed.people import Person
from fixtures.world.seed.rest import Rest

CARRY = "roles,policies,access,permissions,translations,presets,dashboards,flows,policies=Team 0,policies=Team 1"
MADE = {
    "roles": 4, "policies": 6, "access": 6, "permissions": 400, "translations": 12, "presets": 70, "dashboards": 3,
    "panels": 34, "flows": 20, "operations": 38,
}  # fmt: skip
"""How many objects of each kind production gets."""

_ACTIONS = ("read", "create", "update", "delete")
_OWN_FLOW, _OWN_BOOKMARK, _OWN_TEXT = "Flow 20", "Everybody's", "text_12"
_PLACES = {"position_x": 1, "position_y": 1}


def create(rest: Rest, side: Side, people: Mapping[str, Person], collections: Sequence[str]) -> None:
    """Local's configuration, or what production has of its own; roles and policies of people are there already."""
    _create_own(rest, side, collections[0])
    if side == "local":
        _create_rights(rest, people, collections)
        _create_flows(rest, collections)
        _create_views(rest, people, collections)


def _create_own(rest: Rest, side: Side, collection: str) -> None:
    """Both sides have these under the same name, with other values."""
    flow = {"name": _OWN_FLOW, "status": "inactive", "trigger": "manual", "description": f"made in {side}"}
    made = rest.post("/flows", flow)["id"]
    rest.post("/operations", {"flow": made, "key": f"in_{side}", "type": "log", **_PLACES})
    rest.post("/presets", {"collection": collection, "bookmark": _OWN_BOOKMARK, "search": side})
    rest.post("/translations", {"key": _OWN_TEXT, "language": "en-US", "value": side})


def _create_rights(rest: Rest, people: Mapping[str, Person], collections: Sequence[str]) -> None:
    public = rest.get("/access", **{"filter[role][_null]": "true", "filter[user][_null]": "true"})[0]["policy"]
    editors = next(one["id"] for one in rest.get("/policies", limit="-1") if one["name"] == "Editor")
    roles = [rest.post("/roles", {"name": "Group 0", "icon": "group"})["id"]]
    roles += [rest.post("/roles", {"name": f"Group {n}", "parent": roles[0]})["id"] for n in range(1, 4)]
    policies = [
        rest.post("/policies", {"name": f"Team {n}", "app_access": n < 2, "admin_access": False, "enforce_tfa": n == 5})
        ["id"]
        for n in range(6)
    ]  # fmt: skip
    for number in range(4):
        rest.post("/access", {"role": roles[number], "policy": policies[number], "sort": number + 1})
    rest.post("/access", {"user": people["editor"].id, "policy": policies[4]})
    rest.post("/access", {"policy": policies[5]})
    known = {one["collection"] for one in rest.get("/permissions", limit="-1") if one["policy"] == public}
    wanted = [(public, name, "read") for name in collections if name not in known]
    wanted.append((editors, collections[-1], "update"))
    others = [
        (policy, name, action)
        for policy in policies
        for action in (_ACTIONS if policy != policies[5] else _ACTIONS[:1])  # everybody's
        for name in collections
    ]
    wanted += others[::4]
    # A key is a number here and a UUID there; Directus answers 400 to such a rule, so it is for policies of nobody yet.
    rule = {"_or": [{"id": {"_nnull": True}}, {"id": {"_eq": people["editor"].id}}]}
    bodies = [
        {
            "policy": policy,
            "collection": name,
            "action": action,
            "fields": ["*"] if number % 3 else ["id", "name"],
            "permissions": rule if number % 5 == 0 and policy in policies[:4] else {},
            "validation": {"name": {"_nempty": True}} if number % 7 == 0 else None,
            "presets": {"name": "new"} if action == "create" else None,
        }
        for number, (policy, name, action) in enumerate(wanted[: MADE["permissions"]])
    ]
    rest.post("/permissions", bodies)


def _create_flows(rest: Rest, collections: Sequence[str]) -> None:
    """20 flows with 38 operations: one starts the flow before it, one knows a password."""
    before = ""
    for number in range(MADE["flows"]):
        triggers: tuple[tuple[str, dict[str, Any]], ...] = (
            ("event", {"type": "action", "scope": ["items.create"], "collections": [collections[number]]}),
            ("schedule", {"cron": "0 3 * * *"}),
            ("operation", {}),
            ("manual", {"collections": [collections[number]], "location": "both"}),
        )
        trigger, options = triggers[number % 4]
        body = {"name": f"Flow {number:02}", "status": "active" if number % 2 == 0 else "inactive"}
        flow = rest.post("/flows", {**body, "trigger": trigger, "options": options, "accountability": "all"})["id"]
        steps: list[tuple[str, dict[str, Any]]] = [("item-read", {"collection": collections[number], "key": ["1"]})]
        if number < MADE["operations"] - MADE["flows"]:
            steps.append(("trigger", {"flow": before}) if number == 5 else ("log", {"message": "{{$last}}"}))
        if number == 7:
            header = {"header": "Authorization", "value": "Bearer of-local-alone-1"}
            steps[1] = ("request", {"url": "https://example.org", "headers": [header]})
        following = None
        for place in range(len(steps), 0, -1):
            kind, told = steps[place - 1]
            step = {"flow": flow, "key": f"step_{place}", "name": f"Step {place}", "type": kind, "options": told}
            step |= {"resolve": following, "position_x": 1 + 18 * place, "position_y": 1}
            following = rest.post("/operations", step)["id"]
        rest.patch(f"/flows/{flow}", {"operation": following})
        before = flow


def _create_views(rest: Rest, people: Mapping[str, Person], collections: Sequence[str]) -> None:
    role = next(one["id"] for one in rest.get("/roles", limit="-1") if one["name"] == "Group 1")
    whose: tuple[dict[str, Any], ...] = (
        {"user": people["editor"].id}, {"user": people["viewer"].id}, {"role": role}, {},
    )  # fmt: skip
    for number in range(MADE["presets"]):
        view: dict[str, Any] = {"collection": collections[number % len(collections)], "bookmark": f"View {number}"}
        view |= {"layout_query": {"tabular": {"sort": ["-id"]}}, "filter": {"_and": [{"id": {"_gt": number}}]}}
        rest.post("/presets", {**view, "layout": "tabular", **whose[number % 4]})
    texts = [("en-US", f"text_{n:02}") for n in range(6)] + [("de-DE", f"text_{n:02}") for n in range(6)]
    rest.post("/translations", [{"key": key, "language": one, "value": f"{key} {one}"} for one, key in texts])
    boards = [rest.post("/dashboards", {"name": f"Board {n}", "icon": "bolt"})["id"] for n in range(MADE["dashboards"])]
    for number in range(MADE["panels"]):
        shown = {"collection": collections[number], "function": "count", "field": "id"}
        panel = {"dashboard": boards[number % 3], "name": f"Panel {number}", "type": "metric", "options": shown}
        rest.post("/panels", {**panel, "width": 6, "height": 4, **_PLACES})


# --- the comparison ---------------------------------------------------------------------------------------------------

_POLICY = """CASE WHEN EXISTS (SELECT 1 FROM directus_access a WHERE a.policy = p.id AND a.role IS NULL
                 AND a."user" IS NULL AND p.name LIKE '$t:%%') THEN 'everybody' ELSE p.name END"""
_CONTENT = {
    "roles": """SELECT r.name, jsonb_build_array(r.icon, r.description, up.name)
        FROM directus_roles r LEFT JOIN directus_roles up ON up.id = r.parent""",
    "policies": f"""SELECT {_POLICY}, jsonb_build_array(icon, description, ip_access, enforce_tfa, admin_access,
        app_access) FROM directus_policies p""",
    "access": f"""SELECT concat_ws(' / ', r.name, u.email, {_POLICY}), to_jsonb(a.sort) FROM directus_access a
        JOIN directus_policies p ON p.id = a.policy LEFT JOIN directus_roles r ON r.id = a.role
        LEFT JOIN directus_users u ON u.id = a."user" """,
    "permissions": f"""SELECT concat_ws(' / ', {_POLICY}, x.collection, x.action),
        jsonb_build_array(x.permissions, x.validation, x.presets, x.fields)
        FROM directus_permissions x JOIN directus_policies p ON p.id = x.policy""",
    "translations": "SELECT concat_ws(' / ', key, language), to_jsonb(value) FROM directus_translations",
    "presets": """SELECT concat_ws(' / ', u.email, r.name, collection, bookmark), jsonb_build_array(search, layout,
        layout_query, layout_options, refresh_interval, filter, x.icon, color) FROM directus_presets x
        LEFT JOIN directus_roles r ON r.id = x.role LEFT JOIN directus_users u ON u.id = x."user" """,
    "dashboards": "SELECT name, jsonb_build_array(icon, note, color) FROM directus_dashboards",
    "panels": """SELECT concat_ws(' / ', d.name, x.name), jsonb_build_array(x.icon, x.color, show_header, x.note, type,
        position_x, position_y, width, height, options) FROM directus_panels x
        JOIN directus_dashboards d ON d.id = x.dashboard""",
    "flows": """SELECT f.name, jsonb_build_array(f.icon, color, description, trigger, accountability, f.options, o.key)
        FROM directus_flows f LEFT JOIN directus_operations o ON o.id = f.operation""",
    "operations": """SELECT concat_ws(' / ', f.name, o.key), jsonb_build_array(o.name, o.type, o.position_x,
        o.position_y, o.options, yes.key, no.key) FROM directus_operations o JOIN directus_flows f ON f.id = o.flow
        LEFT JOIN directus_operations yes ON yes.id = o.resolve
        LEFT JOIN directus_operations no ON no.id = o.reject""",
}
"""By kind, each object's name and its values, without an id."""
_CREATIONS = "SELECT collection, count(*) FROM directus_activity WHERE action = 'create' GROUP BY collection"


@dataclass(frozen=True)
class Configuration:
    """
    One database.

    Attributes:
        objects: By kind and name, the values as text; people are their e-mail addresses.
        rows: By kind and id, the whole row as text.
        creations: By kind, entries of `directus_activity` about a new object.
        active: Names of the active flows.
    """

    objects: dict[str, list[tuple[str, str]]]
    rows: dict[str, dict[str, str]]
    creations: Counter[str]
    active: frozenset[str]


def read(url: str) -> Configuration:
    """The configuration in the database at *url*."""
    with psycopg.connect(url) as connection:
        people = connection.execute("SELECT id::text, email FROM directus_users").fetchall()
        objects = {kind: _objects(connection, query, people) for kind, query in _CONTENT.items()}
        rows: dict[str, dict[str, str]] = {}
        for kind in _CONTENT:
            whole = connection.execute(f"SELECT id::text, to_jsonb(x)::text FROM directus_{kind} x".encode())
            rows[kind] = dict(whole.fetchall())
        made = connection.execute(_CREATIONS)
        active = connection.execute("SELECT name FROM directus_flows WHERE status = 'active'")
        return Configuration(objects, rows, Counter(dict(made.fetchall())), frozenset(name for (name,) in active))


def _objects(connection: Any, query: str, people: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    found = []
    for name, values in connection.execute(f"SELECT a, b::text FROM ({query}) AS q(a, b)".encode()):
        text = str(values)
        for key, email in people:
            text = text.replace(key, str(email))
        found.append((str(name), text))
    return found


def differences(before: Configuration, local: Configuration, after: Configuration) -> list[str]:
    """What is not as it must be after two runs: production's own as it was, local's once, nothing else."""
    wrong = []
    for kind, number in MADE.items():
        had, has = before.rows[kind], after.rows[kind]
        wrong += [f"directus_{kind} {key}: not as it was" for key, row in had.items() if has.get(key) != row]
        if len(has) - len(had) != number:
            wrong.append(f"directus_{kind}: {len(has) - len(had)} new objects, expected {number}")
        written = after.creations[f"directus_{kind}"] - before.creations[f"directus_{kind}"]
        if written != number and kind != "presets":  # of which Directus keeps no record
            wrong.append(f"directus_{kind}: {written} objects were written in two runs, expected {number}")
        names = {name for name, _ in before.objects[kind]}
        lacking = Counter(local.objects[kind]) - Counter(after.objects[kind])
        for name, values in lacking:
            is_own = name in names or name.startswith(_OWN_FLOW)
            is_emptied = "of-local-alone" in values and _emptied(name, values) in after.objects[kind]
            if not is_own and not is_emptied:
                wrong.append(f"directus_{kind} {name}: local has {values}")
    wrong += [f"the flow {name} is active" for name in sorted(after.active - before.active)]
    text = "".join(row for rows in after.rows.values() for row in rows.values())
    return wrong + (["a password of local is in production"] if "of-local-alone" in text else [])


def _emptied(name: str, values: str) -> tuple[str, str]:
    return name, values.replace("Bearer of-local-alone-1", "")
