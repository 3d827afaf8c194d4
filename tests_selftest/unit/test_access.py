"""An open door is seen, whoever left it open; a closed one where it must be open too."""

from __future__ import annotations

from fixtures.checks.site.access import (
    expected_statuses,
    unexpected_answers,
    unreadable_for_visitors,
    unsafe_permissions,
)
from fixtures.model.access import Grants
from fixtures.model.visit import ApiCall

VISITOR = Grants("visitor", admin=False, allowed=frozenset({"read chapters"}))


def test_right_answers_are_left_alone() -> None:
    assert unexpected_answers([ApiCall("visitor", "read", "inquiries", 403, (403,))]) == []


def test_somebody_let_through_is_told_apart_from_an_endpoint_that_fails() -> None:
    opened = ApiCall("viewer", "create", "chapters", 200, (403,))
    broken = ApiCall("administrator", "create", "chapters", 500, (200,), "INTERNAL_SERVER_ERROR")
    assert [finding.code for finding in unexpected_answers([opened, broken])] == ["MIG-541", "MIG-542"]


def test_a_right_status_with_a_wrong_body_is_wrong() -> None:
    call = ApiCall("administrator", "update", "chapters", 200, (200,), "not kept as sent: title")
    assert [finding.code for finding in unexpected_answers([call])] == ["MIG-542"]


def test_configured_carelessness_is_still_a_finding() -> None:
    open_to_all = Grants("visitor", admin=False, allowed=frozenset({"delete chapters", "read inquiries"}))
    assert unsafe_permissions([VISITOR], ["chapters", "inquiries"], ["inquiries"]) == []
    found = unsafe_permissions([open_to_all], ["chapters", "inquiries"], ["inquiries"])
    assert [finding.code for finding in found] == ["MIG-543", "MIG-543"]


def test_a_public_administrator_is_seen() -> None:
    assert unsafe_permissions([Grants("visitor", admin=True, allowed=frozenset())], ["chapters"], []) != []


def test_a_collection_the_site_shows_must_be_readable() -> None:
    assert unreadable_for_visitors(VISITOR, ["chapters"]) == []
    assert [finding.code for finding in unreadable_for_visitors(VISITOR, ["amendments"])] == ["MIG-544"]


def test_statuses_follow_directus() -> None:
    assert expected_statuses("delete", allowed=True) == (204,)
    assert expected_statuses("read", allowed=True) == (200,)
    assert expected_statuses("read", allowed=False) == (403,)
