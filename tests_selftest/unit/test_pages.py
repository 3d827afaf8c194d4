"""A page that shows too little, too much, nothing, or something else is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.checks.site.pages import console_errors, display_problems, failed_actions, missing_screenshots
from fixtures.model.visit import FormAction, PageVisit
from fixtures.operations.site.page_visit import is_retryable

GOOD = PageVisit("/#/a", "A", "a", 60, 75, 75, 3, (), (), (), 100.0, expected_count=60)


def test_a_good_page_is_left_alone() -> None:
    assert display_problems([GOOD]) == []
    assert console_errors([GOOD]) == []


def test_a_page_without_a_list_is_not_counted() -> None:
    assert display_problems([replace(GOOD, shown=-1, expected_count=-1, declared_count=-1, api_count=-1)]) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"problem": "its heading is wrong"}, "MIG-511"),
        ({"declared_count": 74}, "MIG-512"),
        ({"shown": 59}, "MIG-512"),
        ({"shown": 0, "declared_count": 0, "api_count": 0, "expected_count": 0}, "MIG-512"),
        ({"declared_count": -1, "shown": 10}, "MIG-512"),
        ({"broken": ("http://x/1.png",)}, "MIG-513"),
        ({"wrong": ("a 1 does not show title",)}, "MIG-517"),
        ({"files": 2, "unavailable": ("id",)}, "MIG-518"),
    ],
)
def test_each_fault_of_a_page_is_seen(changed: dict[str, Any], code: str) -> None:
    assert [finding.code for finding in display_problems([replace(GOOD, **changed)])] == [code]


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ({}, False),
        ({"broken": ("http://x/1.png",)}, True),
        ({"problem": "the site says: try again"}, True),
        ({"broken": ("http://x/1.png",), "failures": ("GET http://x/1.png 503",)}, True),
        ({"failures": ("GET http://x/items/a net::ERR_CONNECTION_RESET",)}, True),
        ({"problem": "the site says: forbidden", "failures": ("GET http://x/items/a 403",)}, False),
        ({"broken": ("http://x/1.png",), "failures": ("GET http://x/1.png 500",)}, False),
        ({"failures": ("GET http://x/items/a 503", "GET http://x/items/b 403")}, False),
    ],
)
def test_a_page_is_opened_again_unless_it_was_refused_something_for_good(changed: dict[str, Any], again: bool) -> None:
    assert is_retryable(replace(GOOD, **changed)) == again


def test_a_page_that_must_have_pictures_and_has_none_is_seen() -> None:
    assert [f.code for f in missing_screenshots([replace(GOOD, images=0)], ["/#/a"])] == ["MIG-514"]
    assert missing_screenshots([GOOD], ["/#/a"]) == []


def test_console_errors_and_failed_requests_are_noise_on_pages_and_in_deeds() -> None:
    loud = replace(GOOD, console=("TypeError: x",), failures=("GET /items/a 403",))
    action = FormAction("sign in", done=True, observed="", console=("boom",))
    assert [finding.code for finding in console_errors([loud, action])] == ["MIG-515", "MIG-515"]


def test_what_could_not_be_done_is_told_with_where_it_got_stuck() -> None:
    (finding,) = failed_actions(
        [FormAction("a", done=True, observed=""), FormAction("b", done=False, observed="step 3: no such element")]
    )
    assert finding.code == "MIG-516"
    assert "step 3" in finding.observed
