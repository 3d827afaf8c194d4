"""Errors and warnings in logs are seen, expected noise is not, and an empty log is no clean log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fixtures.checks.site import logs
from fixtures.model.deployment import Interval
from fixtures.model.health import LogLine, OwnError

NOTHING = logs.Explanations()
AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def line(message: str, level: str = "info") -> LogLine:
    return LogLine("udo-backend", AT, level, "app", message)


LIVE = line("==> Your service is live 🎉")


def codes(*lines: LogLine) -> list[str]:
    return [
        finding.code
        for finding in logs.findings(
            lines, required_text=logs.SERVICE_LIVE_TEXT, resource="udo-backend", explanations=NOTHING
        )
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
    "text",
    [
        "npm warn deprecated x@1",
        "(node:7) ExperimentalWarning: y",
        "==> Exited with status 143",
        '{"level":40,"time":1795999630451,"msg":"Extensions directory (/opt/render/extensions) is not readable!"}',
        "[10:00:00.000] WARN: Extensions directory (/opt/render/project/src/extensions) is not readable!",
        '{"level":40,"msg":"PostGIS isn\'t installed. Geometry type support will be limited."}',
        '{"level":40,"msg":"Collection \\"queue\\" doesn\'t have a primary key column and will be ignored"}',
    ],
)
def test_expected_noise_is_not_a_finding_and_is_told(text: str) -> None:
    noise = line(text, "error")
    assert codes(noise, LIVE) == []
    (sentence,) = logs.review([noise, noise], NOTHING).sentences
    assert sentence.startswith("2 log lines are no problem: ")


@pytest.mark.parametrize(
    "text",
    ["Upload directory (/opt/render/uploads) is not read/writeable!", "Couldn't load extensions", "Extensions loaded?"],
)
def test_a_warning_that_is_like_a_known_one_stays(text: str) -> None:
    assert codes(line(text, "warning"), LIVE) == ["MIG-233"]


def test_every_known_line_has_a_reason_and_a_source() -> None:
    assert all(len(known.reason) > 20 and known.source for known in logs.KNOWN)


def test_what_a_person_expects_is_explained_by_the_pattern() -> None:
    mail, other = line("Mail transport is not configured", "warning"), line("Mail was refused", "warning")
    expected = logs.Explanations(expected=["^Mail transport"])
    found = logs.review([mail, other], expected)
    assert found.warnings == (other,)
    assert found.sentences == ["1 log lines are no problem: EXPECTED_LOG_LINES has '^Mail transport'."]


def test_what_a_refused_write_of_ours_provoked_is_known_and_what_came_later_is_not() -> None:
    during, after = line("Failed to create", "error"), replace(line("boom", "error"), at=AT + timedelta(seconds=9))
    refused = Interval("3.3.2", AT - timedelta(seconds=1), AT + timedelta(seconds=2))
    found = logs.review([during, after], logs.Explanations(refused=[refused]))
    assert found.errors == (after,)
    assert sum(found.explained.values()) == 1


REFUSED = 'delete from "parents" where "id" in ($1) - update or delete on table "parents" violates foreign key "c"'
OWN = OwnError(Interval("DELETE /items/parents/7", AT, AT + timedelta(milliseconds=80)), REFUSED)


@pytest.mark.parametrize(
    "text",
    [
        '{"level":50,"err":{"type":"DatabaseError","message":"' + REFUSED.replace('"', '\\"') + '"}}',
        f"[15:00:00.020] ERROR: {REFUSED}",
        f"    error: {REFUSED}",
    ],
    ids=["raw", "pretty", "stack"],
)
def test_an_error_that_our_own_scratch_row_provoked_is_known_by_its_text_and_time(text: str) -> None:
    mine, later = line(text, "error"), replace(line(text, "error"), at=AT + timedelta(minutes=5))
    other = line(text.replace("parents", "people"), "error")
    found = logs.review([mine, later, other], logs.Explanations(own_errors=[OWN]))
    assert found.errors == (later, other)
    assert found.sentences == [
        "1 log lines are no problem: provoked by this suite on a scratch row: DELETE /items/parents/7."
    ]
