"""What is near its limit, slow, stuck or reported is seen; what was not measured never passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fixtures.checks.site.health import (
    alert_findings,
    database_findings,
    is_own_statement,
    resource_findings,
    statements_unavailable,
)
from fixtures.model.health import Alert, DatabaseLoad, Metric, MetricStatus, Statement

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GOOD = Metric("backend", "memory", MetricStatus.MEASURED, 100.0, 200.0, 512.0, "bytes", 10)
CALM = DatabaseLoad(5, 100, 0.1, 0, 0, (Statement("SELECT 1", 10, 1.0, 5.0),), "pg_stat_statements")


def test_a_normal_value_is_left_alone() -> None:
    assert resource_findings([GOOD]) == []
    assert database_findings(CALM) == []
    assert statements_unavailable(CALM) == []


def test_a_static_site_has_no_memory_and_that_is_no_finding() -> None:
    assert resource_findings([Metric("site", "memory", MetricStatus.NOT_APPLICABLE)]) == []


@pytest.mark.parametrize(
    ("measure", "code"),
    [
        (Metric("backend", "cpu", MetricStatus.NOT_MEASURED), "MIG-524"),
        (replace(GOOD, limit=0.0), "MIG-524"),
        (replace(GOOD, peak=500.0), "MIG-525"),
    ],
)
def test_what_is_not_measured_or_near_its_limit_is_seen(measure: Metric, code: str) -> None:
    assert [finding.code for finding in resource_findings([measure])] == [code]


@pytest.mark.parametrize(
    ("query", "ours"),
    [
        ("/* directus-migration */ SELECT count(*) FROM sections", True),
        ('FETCH FORWARD $ FROM "directus-migration references"', True),
        ("COPY public.sections (id, title) TO stdout;", True),
        ('COPY public."all sections" (id, title) FROM stdin;', True),
        ("COPY public.sections\n(id, title) TO stdout", True),
        ("COPY public.sections TO STDOUT", False),
        ("COPY (SELECT * FROM sections ORDER BY random()) TO stdout", False),
        (" copy sections from stdin", False),
        ("select copy from sections where note = $", False),
        ("SELECT * FROM sections", False),
    ],
)
def test_statements_of_the_migration_itself_are_told_from_those_people_wait_for(query: str, ours: bool) -> None:
    assert is_own_statement(query) == ours


@pytest.mark.parametrize(
    ("load", "code"),
    [
        (replace(CALM, statements=(Statement("SELECT slow", 3, 700.0, 900.0),)), "MIG-526"),
        (replace(CALM, longest_s=31.0), "MIG-527"),
        (replace(CALM, waiting=1), "MIG-527"),
        (replace(CALM, idle_in_transaction=1), "MIG-527"),
        (replace(CALM, connections=90), "MIG-527"),
        (replace(CALM, timeouts=("canceling statement due to statement timeout",)), "MIG-527"),
    ],
)
def test_a_database_that_is_not_at_ease_is_seen(load: DatabaseLoad, code: str) -> None:
    assert [finding.code for finding in database_findings(load)] == [code]


def test_no_statement_known_is_not_no_slow_statement() -> None:
    assert [finding.code for finding in statements_unavailable(replace(CALM, statements=()))] == ["MIG-528"]


@pytest.mark.parametrize(
    "sign",
    [
        Alert("backend", "server_failed", NOW, "oomKilled"),
        Alert("backend", "deploy_ended", NOW, "{'deployStatus': 'failed'}"),
        Alert("backend", "suspended", None),
        Alert("db", "status recovery_in_progress", None),
        Alert("db", "maintenance scheduled", NOW),
        Alert("db", "expires", NOW + timedelta(days=3)),
    ],
)
def test_each_alarming_sign_is_an_alert(sign: Alert) -> None:
    assert [finding.code for finding in alert_findings([sign], now=NOW)] == ["MIG-529"]


@pytest.mark.parametrize(
    "sign",
    [
        Alert("backend", "deploy_ended", NOW, "{'deployStatus': 'succeeded'}"),
        Alert("backend", "server_available", NOW),
        Alert("db", "status available", None),
        Alert("db", "maintenance succeeded", NOW),
        Alert("db", "expires", NOW + timedelta(days=30)),
    ],
)
def test_history_is_no_alert(sign: Alert) -> None:
    assert alert_findings([sign], now=NOW) == []
