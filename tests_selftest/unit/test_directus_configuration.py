"""What people made beside data model and rows is compared by natural key, whatever the ids; nothing is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from fixtures.checks.directus_configuration import comparison, naming
from fixtures.model.directus_configuration import KINDS, OTHER_TABLES, Configuration, ConfigurationComparison

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
Rows = dict[str, list[dict[str, Any]]]


def key(side: str, number: int) -> str:
    """A uuid of one side."""
    return f"{'a' if side == 'local' else 'b'}{number:07x}-0000-4000-8000-000000000000"


def both_have(side: str) -> Rows:
    """One object of each kind as Directus gives it; the ids and stamps differ from side to side."""
    role, policy, public, user, flow, operation, dashboard, panel, deployment = (key(side, n) for n in range(1, 10))
    stamps = {"date_created": f"2026-01-0{1 if side == 'local' else 2}", "user_created": user}
    own = 1 if side == "local" else 70
    return {
        "roles": [{"id": role, "name": "Editor", "parent": None, "users": [user], "policies": [own]}],
        "policies": [
            {"id": public, "name": "$t:public_label", "admin_access": False},
            {"id": policy, "name": "Editors", "admin_access": False, "permissions": [own]},
        ],
        "permissions": [
            {"id": own, "policy": policy, "collection": "sections", "action": "update", "fields": ["*"]},
            {"id": own + 1, "policy": public, "collection": "sections", "action": "read", "fields": ["*"]},
        ],
        "access": [
            {"id": key(side, 20), "role": role, "user": None, "policy": policy, "sort": own},
            {"id": key(side, 21), "role": None, "user": None, "policy": public, "sort": own},
        ],
        "users": [{"id": user, "email": "Ada@example.org", "role": role, "status": "active"}],
        "flows": [{"id": flow, "name": "Notify", "status": "active", "operation": operation, **stamps}],
        "operations": [
            {"id": operation, "flow": flow, "key": "mail", "type": "trigger", "options": {"flow": flow}, **stamps}
        ],
        "dashboards": [{"id": dashboard, "name": "Traffic", "panels": [panel], **stamps}],
        "panels": [{"id": panel, "dashboard": dashboard, "name": "Visits", "type": "metric", **stamps}],
        "presets": [
            {"id": own, "user": user, "role": None, "collection": "sections", "bookmark": None, "layout": "tabular"}
        ],
        "translations": [{"id": key(side, 30), "key": "greeting", "language": "de-DE", "value": "Hallo"}],
        "settings": [{"id": 1, "project_name": "City", "project_id": key(side, 31), "public_note": None}],
        "extensions": [
            {
                "id": key(side, 32),
                "meta": {"id": key(side, 32), "folder": "stars", "enabled": True},
                "schema": {"name": "stars", "path": f"/{side}/stars", "version": "1.0.0"},
            }
        ],
        "versions": [{"id": key(side, 33), "collection": "sections", "item": "7", "key": "draft", "delta": {"t": 1}}],
        "comments": [{"id": key(side, 34), "collection": "sections", "item": "7", "comment": "Right?", **stamps}],
        "shares": [{"id": key(side, 35), "name": "Board", "collection": "sections", "item": "7", "times_used": own}],
        "notifications": [{"id": own, "recipient": user, "subject": "Hello", "timestamp": stamps["date_created"]}],
        "deployments": [{"id": deployment, "provider": "vercel", "credentials": f"**{own}", "projects": []}],
        "deployment_projects": [{"id": key(side, 36), "deployment": deployment, "name": "site", "external_id": own}],
    }


NAMES = {
    "roles": "Editor",
    "policies": "Editors",
    "permissions": "Editors · sections · update",
    "access": "Editor · Editors",
    "users": "ada@example.org",
    "flows": "Notify",
    "operations": "Notify · mail",
    "dashboards": "Traffic",
    "panels": "Traffic · Visits",
    "presets": "ada@example.org · sections · default view",
    "translations": "greeting · de-DE",
    "settings": "project_name",
    "extensions": "stars",
    "versions": "sections/7 · draft",
    "comments": "sections/7 · ada@example.org · #f8745aeeb34d",
    "shares": "Board · sections/7",
    "notifications": "ada@example.org · Hello",
    "deployments": "vercel",
    "deployment_projects": "vercel · site",
}
"""The natural key of the object of each kind that is not everybody's."""

CHANGES: Mapping[str, dict[str, Any]] = {
    "roles": {"description": "writes"},
    "policies": {"app_access": True},
    "permissions": {"fields": ["title"]},
    "users": {"status": "suspended"},
    "flows": {"options": {"scope": ["items.create"]}},
    "operations": {"type": "mail"},
    "dashboards": {"note": "daily"},
    "panels": {"width": 12},
    "presets": {"layout": "cards"},
    "translations": {"value": "Servus"},
    "settings": {"project_name": "Town"},
    "extensions": {"schema": {"name": "stars", "path": "/production/stars", "version": "2.0.0"}},
    "versions": {"delta": {"t": 2}},
    "shares": {"role": key("local", 1)},
    "notifications": {"message": "Hi"},
    "deployments": {"options": {"team": "x"}},
    "deployment_projects": {"url": "https://example.org"},
}
"""A change of each kind that has values beside its key."""


def described(rows: Mapping[str, Sequence[Mapping[str, Any]]], side: str, **not_read: str) -> Configuration:
    return naming.describe(rows, system=side, observed_at=NOW, not_read=not_read)


def compared(local: Rows, production: Rows) -> ConfigurationComparison:
    return comparison.compare(described(local, "local"), described(production, "production"), compared_at=NOW)


def others(rows: Rows, kind: str) -> Rows:
    """The rows without the object of this kind that NAMES names."""
    unnamed = [row for row in rows[kind] if row.get("name") == "$t:public_label"]
    if kind in {"permissions", "access"}:
        unnamed = rows[kind][1:]
    return {**rows, kind: unnamed if kind != "settings" else [{"id": 1, "project_name": None}]}


def test_every_kind_has_a_case() -> None:
    names = {each.name for each in KINDS}
    assert names == NAMES.keys() == both_have("local").keys()
    assert names - CHANGES.keys() == {"access", "comments"}
    assert {each.table for each in KINDS}.isdisjoint(OTHER_TABLES)


def test_the_same_objects_under_other_ids_are_the_same() -> None:
    found = compared(both_have("local"), both_have("production"))
    assert [(each.only_local, each.only_production, each.differing) for each in found.kinds] == [((), (), ())] * 19
    assert {each.kind: (each.local, each.production) for each in found.kinds} == {
        **dict.fromkeys(NAMES, (1, 1)),
        **dict.fromkeys(("policies", "permissions", "access"), (2, 2)),
    }
    assert found.closed_to_visitors == {}
    assert comparison.summarize(found) == [
        "Production has all 22 roles, permissions, flows, presets and the like that local has."
    ]


@pytest.mark.parametrize("kind", NAMES)
def test_what_local_alone_has_is_named(kind: str) -> None:
    local, production = both_have("local"), others(both_have("production"), kind)
    (entry,) = [each for each in compared(local, production).kinds if each.kind == kind]
    assert entry.only_local == (NAMES[kind],)
    assert entry.only_production == ()
    (entry,) = [each for each in compared(production, local).kinds if each.kind == kind]
    assert (entry.only_local, entry.only_production) == ((), (NAMES[kind],))


@pytest.mark.parametrize("kind", CHANGES)
def test_another_value_is_named_with_its_field_and_never_kept(kind: str) -> None:
    local, production = both_have("local"), both_have("production")
    here, there = local[kind][0 if kind != "policies" else 1], production[kind][0 if kind != "policies" else 1]
    here |= {**dict.fromkeys(CHANGES[kind]), **here}
    there |= CHANGES[kind]
    found = compared(local, production)
    (entry,) = [each for each in found.kinds if each.kind == kind]
    field = "version" if kind == "extensions" else next(iter(CHANGES[kind]))
    assert [(each.key, each.fields) for each in entry.differing] == [(NAMES[kind], (field,))]
    assert (entry.only_local, entry.only_production) == ((), ())
    assert "Servus" not in repr(described(production, "production")) + repr(found)


def test_the_natural_keys_of_rows_are_those_that_are_compared() -> None:
    """Of every kind as Directus gives it, extensions with their nested name."""
    found = naming.natural_keys(both_have("local"))
    assert {kind: [key for key, _ in named if key == NAMES[kind]] for kind, named in found.items()} == {
        kind: [name] for kind, name in NAMES.items() if kind != "settings"
    }


def test_two_objects_of_one_name_are_two() -> None:
    local, production = both_have("local"), both_have("production")
    local["flows"].append({**local["flows"][0], "id": key("local", 90), "status": "inactive"})
    (entry,) = [each for each in compared(local, production).kinds if each.kind == "flows"]
    assert (entry.local, entry.production, entry.only_local, entry.differing) == (2, 1, ("Notify",), ())


def test_a_field_only_a_newer_directus_has_is_no_difference() -> None:
    local, production = both_have("local"), both_have("production")
    production["flows"][0]["logs_retention"] = 30
    (entry,) = [each for each in compared(local, production).kinds if each.kind == "flows"]
    assert entry.differing == ()


def test_a_list_that_is_not_there_is_not_compared_and_no_difference() -> None:
    there = both_have("production")
    del there["deployments"]
    reason = "Directus 11.9.0 has no /deployments"
    found = comparison.compare(
        described(both_have("local"), "local"), described(there, "production", deployments=reason), compared_at=NOW
    )
    (entry,) = [each for each in found.kinds if each.kind == "deployments"]
    assert (entry.local, entry.only_local) == (1, ())
    assert entry.not_compared == f"production: {reason}"
    assert f"Not compared: deployments (production: {reason})." in comparison.summarize(found)


def test_the_policy_of_everybody_is_known_by_its_binding_and_not_by_its_name() -> None:
    local, production = both_have("local"), both_have("production")
    production["policies"][0]["name"] = "Visitors"
    found = compared(local, production)
    assert [each.kind for each in found.missing] == []
    assert [(each.kind, each.differing[0].key) for each in found.differing] == [("policies", "Public")]


def public_reads(rows: Rows, *collections: str, action: str = "read") -> Rows:
    public = rows["access"][1]["policy"]
    more = [{"id": 100 + n, "policy": public, "collection": c, "action": action} for n, c in enumerate(collections)]
    return {**rows, "permissions": [*rows["permissions"], *more]}


def test_what_visitors_may_not_do_is_said_with_its_collections() -> None:
    local = public_reads(public_reads(both_have("local"), "amendments", "boards"), "inquiries", action="create")
    found = compared(local, both_have("production"))
    assert found.closed_to_visitors == {"create": ("inquiries",), "read": ("amendments", "boards")}
    assert comparison.summarize(found) == [
        "Not carried: local has and production has not 3 permissions.",
        "Visitors may not create 1 collection that local's visitors may: inquiries.",
        "Visitors may not read 2 collections that local's visitors may: amendments, boards.",
    ]
    assert comparison.summarize(found, planned=False)[0] == (
        "Local has and production has not 3 permissions; 4.1 plans what CARRY takes over of it."
    )


def stops(shown: Sequence[str], local: Rows, production: Rows, *, with_files: bool = False) -> list[str]:
    findings = comparison.closed_to_visitors(
        shown, described(local, "local"), described(production, "production"), with_files=with_files
    )
    assert {each.code for each in findings} <= {"MIG-428"}
    return [f"{each.expected}; {each.observed}" for each in findings]


def test_a_collection_of_the_site_that_visitors_may_not_read_stops_the_import() -> None:
    local, production = public_reads(both_have("local"), "amendments"), both_have("production")
    assert stops(["sections"], local, production) == []
    assert stops(["sections", "amendments"], local, production) == [
        "read on amendments; no such permission; local grants all of them"
    ]
    assert stops(["boards", "sections", "amendments"], local, production) == [
        "read on boards, amendments; no such permission; local does not grant boards either"
    ]
    assert stops(["sections", "amendments"], local, public_reads(production, "amendments")) == []


def test_an_update_granted_to_everybody_does_not_stand_for_reading() -> None:
    production = public_reads(both_have("production"), "amendments", action="update")
    assert len(stops(["amendments"], both_have("local"), production)) == 1


def test_a_permission_of_editors_is_none_of_visitors() -> None:
    production = both_have("production")
    production["permissions"].append(
        {"id": 99, "policy": production["policies"][1]["id"], "collection": "amendments", "action": "read"}
    )
    assert len(stops(["amendments"], both_have("local"), production)) == 1


def test_a_site_with_pictures_needs_the_files_that_local_opens() -> None:
    local, production = both_have("local"), both_have("production")
    assert stops(["sections"], local, production, with_files=True) == []
    opened = public_reads(local, "directus_files")
    assert len(stops(["sections"], opened, production, with_files=True)) == 1
    assert stops(["sections"], opened, production) == []


def test_a_public_policy_with_administration_opens_everything() -> None:
    production = both_have("production")
    production["policies"][0]["admin_access"] = True
    assert stops(["amendments"], both_have("local"), production) == []


def test_rights_that_could_not_be_read_stop_nothing_and_are_said() -> None:
    there = both_have("production")
    del there["permissions"]
    unread = described(there, "production", permissions="403 FORBIDDEN")
    assert comparison.closed_to_visitors(["amendments"], described(both_have("local"), "local"), unread) == []
    found = comparison.compare(described(both_have("local"), "local"), unread, compared_at=NOW)
    assert found.closed_to_visitors == {}
    assert "Not compared: permissions (production: 403 FORBIDDEN)." in comparison.summarize(found)


def test_what_visitors_may_change_or_see_stops_the_import_as_5_1_would_afterwards() -> None:
    production = public_reads(both_have("production"), "amendments", action="update")
    production = public_reads(public_reads(production, "sections", action="delete"), "inquiries")

    def stops_at(rows: Rows, **not_read: str) -> list[str]:
        names = ["amendments", "sections", "inquiries", "boards"]
        findings = comparison.open_to_visitors(names, ["inquiries"], described(rows, "production", **not_read))
        assert {each.code for each in findings} <= {"MIG-543"}
        return [each.sentence for each in findings]

    assert stops_at(production) == [
        "Visitors may update amendments without signing in.",
        "Visitors may delete sections without signing in.",
        "Visitors may read inquiries without signing in.",
    ]
    assert stops_at(both_have("production")) == []
    assert stops_at(production, permissions="403") == []
