"""What CARRY plans: what production lacks, under production's ids, and no more power for anybody than was asked for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.checks.directus_configuration import carrying, comparison, credentials, naming
from fixtures.checks.directus_configuration.carried_objects import Planned, Sides, with_objects
from fixtures.model.carry import KINDS, CarryChoice, EmptiedOption, KindPlan, LeftOut, parse_carry
from fixtures.settings import ConfigurationError, Target, load

Rows = dict[str, list[dict[str, Any]]]
ALL = ",".join(KINDS)


def key(side: str, number: int) -> str:
    return f"{'a' if side == 'local' else 'b'}{number:07x}-0000-4000-8000-000000000000"


def base(side: str) -> Rows:
    """What every Directus has: an administrator with role and policy, and the policy of everybody."""
    admin_role, admin_policy, public, ada = (key(side, n) for n in range(1, 5))
    found: Rows = {
        kind: [] for kind in ("permissions", "translations", "presets", "dashboards", "panels", "flows", "operations")
    }
    return found | {
        "roles": [{"id": admin_role, "name": "Administrator", "parent": None}],
        "policies": [
            {"id": admin_policy, "name": "Administrator", "admin_access": True, "app_access": True},
            {"id": public, "name": "$t:public_label", "admin_access": False, "app_access": False},
        ],
        "access": [
            {"id": key(side, 5), "role": admin_role, "user": None, "policy": admin_policy, "sort": 1},
            {"id": key(side, 6), "role": None, "user": None, "policy": public, "sort": 1},
        ],
        "users": [{"id": ada, "email": "ada@example.org"}],
    }


LOCAL, THERE = base("local"), base("production")
PUBLIC, PUBLIC_THERE = key("local", 3), key("production", 3)
ADMIN, ADMIN_THERE = key("local", 2), key("production", 2)
ADA, ADA_THERE = key("local", 4), key("production", 4)


def with_rows(rows: Rows, **more: list[dict[str, Any]]) -> Rows:
    return {kind: [*rows.get(kind, []), *more.get(kind, [])] for kind in {**rows, **more}}


def planned(choice: str, local: Rows, production: Rows = THERE, **sides: Any) -> Planned:
    given: dict[str, Any] = {"users": {ADA: ADA_THERE}, "collections": {"articles", "pages"}, **sides}
    return carrying.make_plan(parse_carry(choice), Sides(local=local, production=production, **given))


def of_kind(found: Planned, kind: str) -> KindPlan:
    (one,) = [each for each in found.plan.kinds if each.kind == kind]
    return one


def body(found: Planned, kind: str, number: int = 0) -> Mapping[str, Any]:
    return [each.body for each in found.objects if each.kind == kind][number]


def reasons(found: Planned, kind: str) -> dict[str, str]:
    return {each.key: each.reason for each in of_kind(found, kind).left_out}


def permission(number: int, policy: str, collection: str = "articles", action: str = "read") -> dict[str, Any]:
    return {"id": number, "policy": policy, "collection": collection, "action": action, "fields": ["*"]}


# --- the setting ------------------------------------------------------------------------------------------------------


def test_kinds_are_read_in_the_order_in_which_they_are_made() -> None:
    found = parse_carry("flows, permissions,policies=Editor,policies=Ops Team")
    assert found == CarryChoice(("permissions", "flows"), ("Editor", "Ops Team"))
    assert str(found) == "permissions,flows,policies=Editor,policies=Ops Team"
    assert found.takes("operations")
    assert not found.takes("panels")
    assert not parse_carry("")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flows,rules", "expected some of roles, policies, access, permissions, .*found 'rules'"),
        ("operations", "operations come with flows"),
        ("users", "users are invited"),
        ("settings", "what it has is never changed"),
        ("flows,flows", "flows is given twice"),
        ("roles=Editor", "only a policy is named"),
        ("policies=", "only a policy is named"),
    ],
)
def test_what_is_no_kind_is_refused_with_those_there_are(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_carry(text)


def test_a_wrong_kind_is_an_error_of_the_settings() -> None:
    with pytest.raises(ConfigurationError, match="CARRY is malformed: expected some of roles, policies"):
        load(Target.STAGING, {"CARRY": "rules"}, source=".env.staging")


def test_nothing_is_planned_unless_it_is_asked_for() -> None:
    found = planned("", with_rows(LOCAL, permissions=[permission(1, PUBLIC)]))
    assert (found.objects, found.plan.kinds, found.plan.to_create) == ((), (), 0)
    asked = planned("translations", with_rows(LOCAL, permissions=[permission(1, PUBLIC)]))
    assert [each.kind for each in asked.plan.kinds] == ["translations"]
    assert asked.objects == ()


# --- what production lacks, and what it has ---------------------------------------------------------------------------


def test_a_permission_of_everybody_goes_to_productions_policy_of_everybody() -> None:
    local = with_rows(LOCAL, permissions=[permission(7, PUBLIC), permission(8, PUBLIC, "pages", "create")])
    found = planned("permissions", local)
    assert of_kind(found, "permissions").create == ("Public · articles · read", "Public · pages · create")
    assert body(found, "permissions") == {
        "policy": PUBLIC_THERE, "collection": "articles", "action": "read", "fields": ["*"]
    }  # fmt: skip
    assert found.plan.visitors == {"create": ("pages",), "read": ("articles",)}


def test_what_production_has_under_the_same_key_stays_whatever_its_values() -> None:
    local = with_rows(
        LOCAL,
        permissions=[permission(7, PUBLIC)],
        flows=[{"id": key("local", 20), "name": "Notify", "status": "active", "operation": key("local", 21)}],
        operations=[{"id": key("local", 21), "flow": key("local", 20), "key": "mail", "type": "mail"}],
    )
    production = with_rows(
        THERE,
        permissions=[{**permission(1, PUBLIC_THERE), "fields": ["title"]}],
        flows=[{"id": key("production", 20), "name": "Notify", "status": "inactive"}],
    )
    found = planned("permissions,flows", local, production)
    assert found.objects == ()
    assert of_kind(found, "permissions").own == ("Public · articles · read",)
    assert of_kind(found, "flows").own == ("Notify",)
    assert of_kind(found, "operations").own == ("Notify · mail",)
    assert found.plan.visitors == {}


def test_an_object_keeps_its_uuid_unless_it_is_taken_and_references_follow() -> None:
    taken = key("local", 30)
    local = with_rows(
        LOCAL,
        roles=[{"id": taken, "name": "Surveyor", "parent": None}],
        policies=[{"id": key("local", 31), "name": "Surveying", "admin_access": False, "app_access": False}],
        access=[{"id": key("local", 32), "role": taken, "user": None, "policy": key("local", 31), "sort": 2}],
    )
    production = with_rows(THERE, roles=[{"id": taken, "name": "Another", "parent": None}])
    found = planned("roles,policies,access", local, production)
    made = body(found, "roles")["id"]
    assert uuid.UUID(made)
    assert made != taken
    assert body(found, "policies")["id"] == key("local", 31)
    assert body(found, "access")["role"] == made
    assert planned("roles,policies,access", local, production).objects == found.objects


def test_users_are_those_production_has_by_email_or_by_user_map() -> None:
    presets = [
        {"id": 1, "user": ADA, "role": None, "collection": "articles", "bookmark": "Mine"},
        {"id": 2, "user": key("local", 40), "role": None, "collection": "articles", "bookmark": "Theirs"},
    ]
    local = with_rows(LOCAL, presets=presets, users=[{"id": key("local", 40), "email": "gone@example.org"}])
    there = with_rows(THERE, users=[{"id": key("production", 41), "email": "chief@example.org"}])
    found = planned("presets", local, there)
    assert of_kind(found, "presets").create == ("ada@example.org · articles · Mine",)
    assert body(found, "presets")["user"] == ADA_THERE
    assert reasons(found, "presets") == {
        "gone@example.org · articles · Theirs": "production does not have the user gone@example.org"
    }
    mapped = planned("presets", local, there, users={ADA: ADA_THERE, key("local", 40): key("production", 41)})
    assert "chief@example.org · articles · Theirs" in of_kind(mapped, "presets").create
    has_it = with_rows(there, presets=[{**presets[1], "id": 9, "user": key("production", 41)}])
    again = planned("presets", local, has_it, users={ADA: ADA_THERE, key("local", 40): key("production", 41)})
    assert of_kind(again, "presets").own == ("chief@example.org · articles · Theirs",)


def test_ids_inside_of_json_become_productions() -> None:
    rule = {"_or": [{"editor": {"_eq": ADA}}, {"topic": {"_in": [key("local", 50), key("local", 51)]}}]}
    local = with_rows(LOCAL, permissions=[{**permission(1, PUBLIC), "permissions": rule}])
    found = planned("permissions", local, row_keys={key("local", 50): key("production", 50)})
    assert body(found, "permissions")["permissions"] == {
        "_or": [{"editor": {"_eq": ADA_THERE}}, {"topic": {"_in": [key("production", 50), key("local", 51)]}}]
    }


def test_what_is_about_a_collection_production_lacks_is_left_out() -> None:
    local = with_rows(
        LOCAL,
        permissions=[permission(1, PUBLIC, "secrets"), permission(2, PUBLIC, "directus_files")],
        presets=[{"id": 1, "user": None, "role": None, "collection": "secrets", "bookmark": None}],
    )
    found = planned("permissions,presets", local)
    assert reasons(found, "permissions") == {"Public · secrets · read": 'production has no collection "secrets"'}
    assert of_kind(found, "permissions").create == ("Public · directus_files · read",)
    assert of_kind(found, "presets").create == ()


def test_a_kind_production_does_not_show_is_left_out() -> None:
    there = {kind: rows for kind, rows in THERE.items() if kind != "permissions"}
    found = planned("permissions", with_rows(LOCAL, permissions=[permission(1, PUBLIC)]), there)
    assert reasons(found, "permissions") == {"Public · articles · read": "production does not show its permissions"}


def test_visitors_may_read_what_will_be_carried() -> None:
    local = with_rows(LOCAL, permissions=[permission(1, PUBLIC), permission(2, PUBLIC, "pages")])

    def stops(production: naming.Rows) -> list[str]:
        ours, theirs = (naming.describe(rows, system="", observed_at=datetime.now(UTC)) for rows in (local, production))
        return [each.expected for each in comparison.closed_to_visitors(["articles", "pages"], ours, theirs)]

    found = planned("permissions", local, collections={"articles"})
    assert stops(THERE) == ["read on articles, pages"]
    assert stops(with_objects(THERE, found.to_create)) == ["read on pages"]


# --- no power by accident ---------------------------------------------------------------------------------------------


EDITING: dict[str, Any] = {"id": key("local", 60), "name": "Editing", "admin_access": False, "app_access": True}
OPS: dict[str, Any] = {"id": key("local", 61), "name": "Ops", "admin_access": True, "app_access": True}
READING: dict[str, Any] = {"id": key("local", 62), "name": "Reading", "admin_access": False, "app_access": False}
EDITOR: dict[str, Any] = {"id": key("local", 63), "name": "Editor", "parent": None}


def test_a_policy_that_gives_app_or_admin_access_is_carried_only_by_name() -> None:
    local = with_rows(LOCAL, policies=[EDITING, OPS, READING], permissions=[permission(1, EDITING["id"])])
    found = planned("policies,permissions", local)
    assert of_kind(found, "policies").create == ("Reading",)
    assert of_kind(found, "policies").own == ("Administrator", "Public")
    assert reasons(found, "policies") == {
        "Editing": 'the policy "Editing" gives access to the app: CARRY=…,policies=Editing allows it',
        "Ops": 'the policy "Ops" gives administration: CARRY=…,policies=Ops allows it',
    }
    assert reasons(found, "permissions") == {"Editing · articles · read": 'the policy "Editing" is left out'}
    named = planned("permissions,policies=Editing,policies=Opps", local)
    assert of_kind(named, "policies").create == ("Editing",)
    assert of_kind(named, "permissions").create == ("Editing · articles · read",)
    assert reasons(named, "policies") == {"Opps": "CARRY names it, and local has no policy of this name"}


def test_a_right_of_some_people_does_not_become_everybodys_by_a_name() -> None:
    reviewing = {**READING, "name": "Reviewing"}
    local = with_rows(LOCAL, policies=[reviewing], permissions=[permission(1, READING["id"])])
    there = with_rows(
        THERE,
        policies=[{**reviewing, "id": key("production", 62)}],
        access=[{**bind(70, key("production", 62)), "id": key("production", 70)}],
    )
    found = planned("policies,permissions", local, there)
    assert reasons(found, "policies") == {
        "Reviewing": "of both sides' policies of this name, one is everybody's and the other is not"
    }
    assert reasons(found, "permissions") == {"Reviewing · articles · read": 'the policy "Reviewing" is left out'}
    bound = with_rows(local, access=[bind(71, READING["id"])])
    assert of_kind(planned("policies,permissions", bound, there), "policies").own[-1] == "Reviewing"


def test_a_permission_of_a_policy_that_is_not_carried_is_left_out_and_says_so() -> None:
    local = with_rows(LOCAL, policies=[READING], permissions=[permission(1, READING["id"])])
    assert reasons(planned("permissions", local), "permissions") == {
        "Reading · articles · read": 'production does not have the policy "Reading", and CARRY does not take policies'
    }


def test_who_may_write_access_control_may_become_an_administrator() -> None:
    rights = [
        permission(1, READING["id"], "directus_users", "update"),
        permission(2, READING["id"], "directus_users", "read"),
        permission(3, PUBLIC, "directus_access", "create"),
        permission(4, READING["id"], "directus_files", "create"),
    ]
    local = with_rows(LOCAL, policies=[READING], permissions=rights)
    found = planned("policies,permissions", local)
    assert reasons(found, "permissions") == {
        "Reading · directus_users · update": "it leads to administration: CARRY=…,policies=Reading allows it",
        "Public · directus_access · create": "without a login nobody may create in directus_access",
    }
    assert len(of_kind(found, "permissions").create) == 2
    named = planned("policies,permissions,policies=Reading,policies=Public", local)
    assert list(reasons(named, "permissions")) == ["Public · directus_access · create"]


def bind(number: int, policy: str, *, role: str | None = None, user: str | None = None) -> dict[str, Any]:
    return {"id": key("local", number), "role": role, "user": user, "policy": policy, "sort": 1}


def test_administration_is_bound_to_nobody_that_production_has() -> None:
    local = with_rows(
        LOCAL,
        roles=[EDITOR, {"id": key("local", 64), "name": "Chief", "parent": None}],
        policies=[OPS],
        access=[
            bind(70, OPS["id"]),
            bind(71, OPS["id"], user=ADA),
            bind(72, OPS["id"], role=EDITOR["id"]),
            bind(73, ADMIN, role=EDITOR["id"]),
            bind(74, OPS["id"], role=key("local", 64)),
        ],
    )
    there = with_rows(THERE, roles=[{"id": key("production", 63), "name": "Editor", "parent": None}])
    found = planned("roles,policies,access,policies=Ops", local, there)
    never = "administration is never given to a role or user that production has"
    assert reasons(found, "access") == {
        "Editor · Administrator": never,
        "Editor · Ops": never,
        "ada@example.org · Ops": never,
        "everybody · Ops": "such a policy is never bound to everybody",
    }
    assert of_kind(found, "access").create == ("Chief · Ops",)
    unnamed = planned("roles,policies,access", local, there)
    assert reasons(unnamed, "access")["Chief · Ops"] == 'the policy "Ops" is left out'


def test_a_binding_of_productions_own_app_policy_needs_its_name() -> None:
    local = with_rows(LOCAL, roles=[EDITOR], policies=[EDITING], access=[bind(70, EDITING["id"], role=EDITOR["id"])])
    there = with_rows(THERE, policies=[{**EDITING, "id": key("production", 60)}])
    assert list(reasons(planned("roles,access", local, there), "access")) == ["Editor · Editing"]
    found = planned("roles,access,policies=Editing", local, there)
    assert body(found, "access")["policy"] == key("production", 60)


def test_a_role_that_would_inherit_administration_is_left_out() -> None:
    local = with_rows(
        LOCAL,
        roles=[
            {**EDITOR, "parent": key("local", 1)},
            {"id": key("local", 65), "name": "Author", "parent": EDITOR["id"]},
        ],
    )
    assert reasons(planned("roles", local), "roles") == {
        "Editor": "it would inherit administration from its parent",
        "Author": 'the role "Editor" is left out',
    }


# --- flows ------------------------------------------------------------------------------------------------------------


def a_flow(number: int, name: str, *operations: dict[str, Any], **more: Any) -> Rows:
    """A flow whose operations follow each other."""
    ids = [key("local", number + 1 + n) for n in range(len(operations))]
    chain = [
        {"id": one, "flow": key("local", number), "key": f"step_{n}", "type": "log", "resolve": following, **given}
        for n, (one, following, given) in enumerate(zip(ids, [*ids[1:], None], operations, strict=False))
    ]
    flow = {"id": key("local", number), "name": name, "status": "active", "operation": ids[0] if ids else None, **more}
    return {"flows": [flow], "operations": chain}


def test_flows_arrive_inactive_and_what_is_referred_to_comes_first() -> None:
    found = planned("flows", with_rows(LOCAL, **a_flow(100, "Notify", {}, {}, {}, trigger="event")))
    assert body(found, "flows") == {
        "id": key("local", 100), "name": "Notify", "status": "inactive", "trigger": "event",
        "operation": key("local", 101),
    }  # fmt: skip
    assert [each.key for each in found.objects] == ["Notify", "Notify · step_2", "Notify · step_1", "Notify · step_0"]
    assert [each.body["resolve"] for each in found.objects[1:]] == [None, key("local", 103), key("local", 102)]


def test_a_flow_falls_with_an_operation_and_with_a_flow_it_starts() -> None:
    missing = a_flow(100, "Archive", {"options": {"collection": "attic"}}, {})
    starts = a_flow(200, "Nightly", {"type": "trigger", "options": {"flow": key("local", 100)}})
    listens = a_flow(300, "Listen", options={"collections": ["articles", "attic"]})
    templated = a_flow(400, "Any", {"options": {"collection": "{{$trigger.collection}}"}})
    local = LOCAL
    for each in (missing, starts, listens, templated):
        local = with_rows(local, **each)
    found = planned("flows", local)
    assert of_kind(found, "flows").create == ("Any",)
    assert reasons(found, "flows") == {
        "Archive": 'its operation step_0: production has no collection "attic"',
        "Listen": 'production has no collection "attic"',
        "Nightly": 'its operation step_0: the flow "Archive" is left out',
    }
    assert of_kind(found, "operations").create == ("Any · step_0",)


def test_operations_that_follow_each_other_in_a_circle_are_left_out() -> None:
    rows = a_flow(100, "Round", {}, {"resolve": key("local", 101)})
    found = planned("flows", with_rows(LOCAL, **rows))
    assert found.objects == ()
    assert "circle" in reasons(found, "flows")["Round"]


def test_panels_come_with_their_dashboard() -> None:
    board, other = key("local", 80), key("local", 81)
    local = with_rows(
        LOCAL,
        dashboards=[{"id": board, "name": "Traffic"}, {"id": other, "name": "Permits"}],
        panels=[
            {"id": key("local", 82), "dashboard": board, "name": "Visits", "options": {"collection": "articles"}},
            {"id": key("local", 83), "dashboard": board, "name": "Attic", "options": {"collection": "attic"}},
            {"id": key("local", 84), "dashboard": other, "name": "New"},
        ],
    )
    there = with_rows(THERE, dashboards=[{"id": key("production", 81), "name": "Permits"}])
    found = planned("dashboards", local, there)
    assert of_kind(found, "dashboards").create == ("Traffic",)
    assert of_kind(found, "panels").create == ("Traffic · Visits",)
    assert of_kind(found, "panels").own == ("Permits · New",)
    assert list(reasons(found, "panels")) == ["Traffic · Attic"]


# --- continuing -------------------------------------------------------------------------------------------------------


def test_what_this_migration_made_is_not_productions_own() -> None:
    rows = a_flow(100, "Notify", {})
    local = with_rows(LOCAL, permissions=[permission(1, PUBLIC), permission(2, PUBLIC, "pages")], **rows)
    first = planned("permissions,flows", local)
    there = with_rows(THERE, flows=[dict(body(first, "flows"))], permissions=[{**body(first, "permissions"), "id": 5}])
    sent = {"flows": {key("local", 100): key("local", 100)}, "permissions": {"1": None, "2": None}}
    found = planned("permissions,flows", local, there, sent=sent)
    assert of_kind(found, "flows").arrived == ("Notify",)
    assert of_kind(found, "operations").create == ("Notify · step_0",)
    assert of_kind(found, "permissions").arrived == ("Public · articles · read",)
    assert of_kind(found, "permissions").create == ("Public · pages · read",)
    assert {each.key: each.production_id for each in found.objects if each.production_id} == {
        "Notify": key("local", 100),
        "Public · articles · read": "5",
    }


def test_another_value_under_the_key_that_was_about_to_be_sent_is_somebody_elses() -> None:
    local = with_rows(LOCAL, permissions=[permission(1, PUBLIC)])
    there = with_rows(THERE, permissions=[{**permission(5, PUBLIC_THERE), "fields": ["title"]}])
    found = planned("permissions", local, there, sent={"permissions": {"1": None}})
    assert (of_kind(found, "permissions").own, found.objects) == (("Public · articles · read",), ())


# --- credentials ------------------------------------------------------------------------------------------------------


WEBHOOK = "https://hooks.slack.com/services/" + "T0AAAAAAA/B0AAAAAAA/" + "Zq8vK2mX4nR7tY1wP5sD9fGh"


def emptied(options: Any) -> tuple[Any, list[str]]:
    row, places = credentials.without_credentials("operations", "Notify · post", {"id": "x", "options": options})
    return row["options"], [each.place.removeprefix("options") for each in places]


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({"headers": [{"header": "Authorization", "value": "Bearer abc"}]}, [".headers[0].value"]),
        ({"headers": [{"header": "X-Api-Key", "value": "17"}]}, [".headers[0].value"]),
        ({"headers": [{"header": "Cookie", "value": "sid=1"}]}, [".headers[0].value"]),
        ({"url": "https://ada:pw@example.org/in"}, [".url"]),
        ({"url": "https://example.org/in?api_key=0123"}, [".url"]),
        ({"url": WEBHOOK}, [".url"]),
        ({"password": "hunter"}, [".password"]),
        ({"smtp": {"accessToken": "x1"}}, [".smtp.accessToken"]),
        ({"auth": {"user": "ada", "pass": "x"}}, [".auth.pass", ".auth.user"]),
        ({"pin": 4, "token": 1234}, [".token"]),
        ({"code": "const n = 1;\nconst apiKey = 'sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc';\n"}, [".code"]),
    ],
)
def test_a_credential_is_emptied_and_named(options: Any, places: list[str]) -> None:
    clean, found = emptied(options)
    assert found == places
    again, left = emptied(clean)
    assert (again, left) == (clean, [])


@pytest.mark.parametrize(
    "options",
    [
        {"headers": [{"header": "Authorization", "value": "Bearer {{$env.API_TOKEN}}"}]},
        {"headers": [{"header": "Content-Type", "value": "application/json"}]},
        {"token": "{{ $env.TOKEN }}"},
        {"url": "https://example.org/in?token={{$env.TOKEN}}&page=2"},
        {"collection": "articles", "key": ["1", "2"], "query": {"filter": {"id": {"_eq": key("local", 1)}}}},
        {"subject": "Your password", "body": "Reset your password: https://example.org/reset"},
        {"flow": key("local", 100), "payload": "{{$last}}"},
        {"code": "module.exports = async function (data) {\n  return { total: data.items.length };\n};\n"},
    ],
)
def test_what_is_none_stays(options: Any) -> None:
    assert emptied(options) == (options, [])


def test_only_credentials_of_what_is_made_are_told() -> None:
    told = [EmptiedOption("operations", f"{name} · step_0", "options.url") for name in ("Notify", "Own")]
    local = with_rows(with_rows(LOCAL, **a_flow(100, "Notify", {})), **a_flow(200, "Own", {}))
    there = with_rows(THERE, flows=[{"id": key("production", 9), "name": "Own"}])
    found = planned("flows", local, there, emptied=told)
    assert [str(each) for each in found.plan.emptied] == ["operation Notify · step_0, options.url"]
    assert LeftOut("x", "y") not in of_kind(found, "flows").left_out
