"""A backup that cannot be used, and a service that does not serve what was delivered, are each found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fixtures.checks.backups import backup
from fixtures.checks.code import rollout
from fixtures.model.backup import Artefact
from fixtures.model.delivery import Delivery
from fixtures.model.deployment import Deploy, Interval
from fixtures.model.rollout import ReadableCollections, ServiceState

AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
DUMP = Artefact("pg_dump", "p.dump", "/b/p.dump", 100, "a" * 64, AT, 2)


def test_a_table_the_dump_does_not_list_is_found() -> None:
    assert [f.code for f in backup.missing_tables(DUMP, listed=["a"], tables=["a", "b"])] == ["MIG-141"]
    assert backup.missing_tables(DUMP, listed=["a", "b"], tables=["a", "b"]) == []


@pytest.mark.parametrize(
    ("restored", "codes"),
    [
        ({"a": 5, "b": 2}, []),
        ({"a": 6, "b": 2}, []),  # written while the dump was taken
        ({"a": 4, "b": 2}, ["MIG-142"]),
        ({"a": 5}, ["MIG-142"]),
        ({"a": 5, "b": 2, "c": 1}, ["MIG-142"]),
    ],
)
def test_a_restore_with_other_counts_is_found(restored: dict[str, int], codes: list[str]) -> None:
    findings = backup.row_count_mismatches(DUMP, restored, before={"a": 5, "b": 2}, after={"a": 7, "b": 2})
    assert [f.code for f in findings] == codes


def test_a_backup_of_another_database_is_found() -> None:
    assert backup.database_mismatch(expected="user a", observed="user a") == []
    assert [f.code for f in backup.database_mismatch(expected="user a", observed="none")] == ["MIG-144"]


def delivery(side: str, begin: int, end: int, run: str = "run-1") -> Delivery:
    deploy = Deploy("dep-1", "live", "new_commit", "c" * 40, AT, AT)
    span = Interval(side, AT + timedelta(seconds=begin), AT + timedelta(seconds=end))
    return Delivery(side, "o/r", "main", "c" * 40, "Deploy: x", deploy, "srv-1", "http://h", span, run, True)


STATE = ServiceState("backend", "udo-backend", "http://h", "c" * 40, AT, suspended=False, status=200)


@pytest.mark.parametrize(
    "change", [{"suspended": True}, {"commit": "d" * 40}, {"commit": ""}, {"status": 502}, {"status": 0}], ids=str
)
def test_a_service_that_does_not_serve_the_delivery_is_found(change: dict[str, Any]) -> None:
    delivered = {"backend": delivery("backend", 0, 10)}
    assert rollout.services_not_serving([STATE], delivered) == []
    assert [f.code for f in rollout.services_not_serving([replace(STATE, **change)], delivered)] == ["MIG-241"]


def test_deliveries_one_after_the_other_are_found() -> None:
    assert rollout.not_parallel([delivery("frontend", 0, 10), delivery("backend", 5, 20)]) == []
    assert [f.code for f in rollout.not_parallel([delivery("frontend", 0, 5), delivery("backend", 6, 9)])] == [
        "MIG-242"
    ]


def test_deliveries_of_two_runs_need_not_overlap() -> None:
    assert rollout.not_parallel([delivery("frontend", 0, 5), delivery("backend", 6, 9, run="run-2")]) == []


def test_a_wrong_status_is_found() -> None:
    assert rollout.unhealthy("/server/health", status=200, expected={200}) == []
    assert [f.code for f in rollout.unhealthy("/server/health", status=503, expected={200})] == ["MIG-243"]


def test_console_errors_failed_requests_and_a_bad_status_are_each_found() -> None:
    clean: dict[str, tuple[str, ...]] = {"console": (), "failures": ()}
    assert rollout.page_errors("Home", "http://h/", status=200, **clean) == []
    bad = rollout.page_errors("Home", "http://h/", console=["TypeError"], failures=["GET /x 403"], status=500)
    assert [f.code for f in bad] == ["MIG-244"] * 3


def test_a_page_may_ask_in_vain_only_for_collections_that_come_with_the_migration() -> None:
    asked = [
        "GET https://cms.example.org/items/posts 403",
        "GET https://cms.example.org/items/posts/7 403",
        "GET https://cms.example.org/items/pages 403",
        "GET https://cms.example.org/items/posts 500",
        "GET https://other.example.org/items/posts 403",
        "POST https://cms.example.org/items/posts 403",
    ]
    assert rollout.without_arriving(asked, ["posts"], directus_url="https://cms.example.org/") == asked[2:]


def test_a_collection_out_of_reach_is_found() -> None:
    found = ReadableCollections(rows={"a": 1}, closed={"b": 500})
    assert [(f.code, f.observed) for f in rollout.unreachable_collections(found, ["a", "b", "c"])] == [
        ("MIG-245", "status 500"),
        ("MIG-245", "not requested"),
    ]
