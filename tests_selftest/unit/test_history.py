"""What a ledger says about the course of a migration: time at work, failures and when the same line passed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.report import line_results

BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    minutes: Iterator[int] = iter(range(1000))
    made = Ledger(
        tmp_path / "l.jsonl",
        run="run-1",
        inputs="i",
        suite="s",
        clock=lambda: BEGAN + timedelta(minutes=next(minutes)),
    )
    made.add(Kind.OPENED, "migration")
    return made


def verdict(ledger: Ledger, subject: str, how: str, message: str = "") -> None:
    ledger.add(Kind.VERDICT, subject, verdict=how, seconds=30.0, said=[], message=message)


def test_time_at_work_is_that_of_the_lines_and_not_of_the_clock(ledger: Ledger) -> None:
    verdict(ledger, "1.1.1", "passed")
    verdict(ledger, "5.1.1", "passed")
    assert line_results.time_in_lines(ledger.current) == timedelta(minutes=1)
    assert ledger.opened_at == BEGAN
    assert ledger.span_since("1.1.1") == (BEGAN + timedelta(minutes=1), BEGAN + timedelta(minutes=2))
    assert ledger.span_since("9.9.9") == (BEGAN, BEGAN + timedelta(minutes=2))


def test_a_trouble_names_its_first_finding_and_when_it_was_settled(ledger: Ledger) -> None:
    verdict(ledger, "5.1.A1", "failed", "MIG-512 The page shows too few.\n  where  there\nMIG-513 b\n2 findings")
    verdict(ledger, "5.1.A1", "passed")
    verdict(ledger, "5.2.A1", "in doubt", "RND-1 lost")
    first, second = line_results.failed_verdicts(ledger.current)
    assert first.message == "MIG-512 The page shows too few."
    assert first.passed_at == BEGAN + timedelta(minutes=2)
    assert second.passed_at is None


def test_a_second_failure_does_not_settle_the_first_one(ledger: Ledger) -> None:
    verdict(ledger, "5.1.A1", "failed", "x")
    verdict(ledger, "5.1.A1", "failed", "x")
    verdict(ledger, "5.1.A1", "passed")
    assert [each.passed_at for each in line_results.failed_verdicts(ledger.current)] == [
        BEGAN + timedelta(minutes=3)
    ] * 2


def test_lines_that_did_not_pass_are_named(ledger: Ledger) -> None:
    verdict(ledger, "5.1.1", "passed")
    verdict(ledger, "5.1.2", "failed")
    assert ledger.unpassed(["5.1.1", "5.1.2", "5.1.3"]) == ["5.1.2", "5.1.3"]


def test_a_new_migration_begins_with_a_clean_sheet(ledger: Ledger) -> None:
    verdict(ledger, "5.1.1", "failed", "x")
    ledger.add(Kind.CLOSED, "migration")
    ledger.add(Kind.OPENED, "migration")
    assert line_results.failed_verdicts(ledger.current) == ()
