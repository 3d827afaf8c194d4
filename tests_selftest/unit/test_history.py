"""The course of a migration is told from its ledger: time at work, troubles and how they were settled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.operations.closing import history

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
    course = history.course(ledger)
    assert course.worked == timedelta(minutes=1)
    assert course.last_at - course.began_at == timedelta(minutes=2)
    assert course.seconds == {"1.1": 30.0, "5.1": 30.0}


def test_a_trouble_names_its_first_finding_and_when_it_was_settled(ledger: Ledger) -> None:
    verdict(ledger, "5.1.A1", "failed", "2 findings\nMIG-512 The page shows too few.")
    verdict(ledger, "5.1.A1", "passed")
    verdict(ledger, "5.2.A1", "in doubt", "RND-1 lost")
    first, second = history.course(ledger).interruptions
    assert first.message == "MIG-512 The page shows too few."
    assert first.settled_at == BEGAN + timedelta(minutes=2)
    assert second.settled_at is None


def test_lines_that_did_not_pass_are_named(ledger: Ledger) -> None:
    verdict(ledger, "5.1.1", "passed")
    verdict(ledger, "5.1.2", "failed")
    assert history.unpassed(ledger, ["5.1.1", "5.1.2", "5.1.3"]) == ["5.1.2", "5.1.3"]


def test_a_new_migration_begins_with_a_clean_sheet(ledger: Ledger) -> None:
    verdict(ledger, "5.1.1", "failed", "x")
    ledger.add(Kind.CLOSED, "migration")
    ledger.add(Kind.OPENED, "migration")
    assert history.course(ledger).interruptions == ()
