"""Errors and warnings in logs are seen, expected noise is not, and an empty log is no clean log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fixtures.checks.site import logs
from fixtures.model.deployment import Interval
from fixtures.model.health import LogLine

AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def line(message: str, level: str = "info") -> LogLine:
    return LogLine("udo-backend", AT, level, "app", message)


LIVE = line("==> Your service is live 🎉")


def codes(*lines: LogLine) -> list[str]:
    return [
        finding.code for finding in logs.findings(lines, required_text=logs.SERVICE_LIVE_TEXT, resource="udo-backend")
    ]


def test_a_clean_log_with_its_landmark_has_no_findings() -> None:
    assert codes(line("Server started at http://0.0.0.0:10000"), LIVE) == []


def test_an_empty_log_proves_nothing() -> None:
    assert codes() == ["MIG-231"]
    assert codes(line("Server started")) == ["MIG-231"]


@pytest.mark.parametrize(
    "bad",
    [
        line("something broke", "error"),
        line("going down", "critical"),
        line("TypeError: x is not a function"),
        line("connect ECONNREFUSED 127.0.0.1:5432"),
        line("UnhandledPromiseRejection: no"),
        line("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
    ],
    ids=lambda bad: bad.message[:20],
)
def test_an_error_is_seen_whatever_its_label(bad: LogLine) -> None:
    assert codes(bad, LIVE) == ["MIG-232"]


def test_a_warning_is_seen() -> None:
    assert codes(line("slow query", "warning"), LIVE) == ["MIG-233"]


@pytest.mark.parametrize(
    "text", ["npm warn deprecated x@1", "(node:7) ExperimentalWarning: y", "==> Exited with status 143"]
)
def test_expected_noise_is_not_a_finding(text: str) -> None:
    assert codes(line(text, "error"), LIVE) == []


def test_every_expected_line_has_a_reason() -> None:
    assert all(len(reason) > 20 for _, reason in logs.EXPECTED)


def test_what_a_refused_write_of_ours_provoked_is_known_and_what_came_later_is_not() -> None:
    during, after = line("Failed to create", "error"), replace(line("boom", "error"), at=AT + timedelta(seconds=9))
    refused = Interval("3.3.2", AT - timedelta(seconds=1), AT + timedelta(seconds=2))
    assert logs.exclude_spans([during, after], [refused]) == [after]
