"""Errors and warnings in logs are seen, expected noise is not, and an empty log is no clean log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fixtures.checks.site import failure_words, logs
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


FAILED = {
    "npm error code ERESOLVE": "npm",
    'npm ERR! Missing script: "build"': "npm",
    ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile"': "pnpm",
    " ELIFECYCLE  Command failed with exit code 1.": "pnpm",
    "error Command failed with exit code 2.": "Yarn",
    "src/main.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.": "TypeScript",
    "error during build:": "Vite",
    '[vite]: Rollup failed to resolve import "x" from "/src/main.js".': "Vite",
    '✘ [ERROR] Could not resolve "./missing.js"': "esbuild",
    "Module not found: Can't resolve './missing'": "esbuild",
    "Failed to compile.": "esbuild",
    "node:internal/modules: Cannot find module '/opt/app/dist/server.js'": "Node",
    "      throw er; // Unhandled 'error' event": "Node",
    "request to https://example.org failed, reason: getaddrinfo ENOTFOUND example.org": "libuv",
    "connect ETIMEDOUT 10.0.0.7:5432": "libuv",
    "EACCES: permission denied, mkdir '/data/uploads'": "libuv",
    'psql: error: connection to server failed: FATAL:  password authentication failed for user "udo"': "Postgres",
    '2026-01-01 10:00:00 UTC [7] ERROR:  relation "chapters" does not exist': "Postgres",
    "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute": "Postgres",
    'update "articles" set "title" = $1 - permission denied for table articles': "Postgres",
    "curl: (7) Failed to connect to localhost port 8055: Connection refused": "libpq",
    "bash: line 1: vite: command not found": "shells",
    "sh: 1: vite: not found": "shells",
    "cp: error writing 'dist/a': No space left on device": "shells",
    "Killed": "shells",
    "==> Exited with status 1 while running your code.": "Render",
    "==> Build failed 😞": "Render",
    "RangeError: Maximum call stack size exceeded": "Node",
    "<--- JS stacktrace ---> JavaScript heap out of memory": "V8",
}
FINE = (
    "found 0 vulnerabilities", "No errors found.", "dist/assets/error-3f2a.js   1.2 kB", "✓ built in 1.20s",
    "GET /items/articles?filter[title][_eq]=error 200", "LOG:  checkpoint complete", "src/pages/not-found.html",
    "Found 0 errors. Watching for file changes.", "added 212 packages, and audited 213 packages in 4s",
    "==> Build successful 🎉", "==> Exited with status 0", "==> No open ports detected, continuing to scan...",
    '{"level":30,"time":1,"req":{"url":"/items/logs?search=permission denied"},"msg":"request completed"}',
    "[10:00:00.000] INFO: GET /items/notes?search=connection refused 200 4ms",
)  # fmt: skip


@pytest.mark.parametrize("text", FAILED)
def test_the_words_of_failure_of_each_tool_are_seen_and_have_a_source(text: str) -> None:
    assert codes(line(text), LIVE) == ["MIG-232"]
    assert FAILED[text] in failure_words.said_by(text)


@pytest.mark.parametrize("text", FINE)
def test_ordinary_lines_of_the_same_tools_are_none(text: str) -> None:
    assert codes(line(text), LIVE) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"level":60,"time":1,"msg":"boom"}', "MIG-232"),
        ('{"level":50,"time":1,"msg":"Could not send mail"}', "MIG-232"),
        ('{"level":40,"time":1,"msg":"Redis is slow"}', "MIG-233"),
        ("[10:00:00.000] FATAL: no", "MIG-232"),
        ("[10:00:00.000] ERROR: Could not send mail", "MIG-232"),
        ("[10:00:00] WARN: Redis is slow", "MIG-233"),
    ],
)
def test_directus_own_level_counts_where_render_guessed_another(text: str, code: str) -> None:
    assert codes(line(text, "info"), LIVE) == [code]
    assert codes(line(text, ""), LIVE) == [code]


def test_every_word_of_failure_has_its_case_here() -> None:
    for each in failure_words.TABLE:
        assert [text for text in FAILED if each.pattern.search(text)], each


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
