"""Findings as one message: what happened comes first, so that its first line is the reason."""

from __future__ import annotations

from fixtures.model.finding import Finding, format_findings


def findings(count: int) -> list[Finding]:
    return [Finding(f"MIG-{number}", f"Row {number} is lost.", do="restore it") for number in range(1, count + 1)]


def test_none_is_no_message() -> None:
    assert format_findings([]) == ""


def test_one_is_told_without_a_count() -> None:
    assert format_findings(findings(1)) == "MIG-1 Row 1 is lost.\n  do        restore it"


def test_of_several_the_count_comes_last_with_what_was_left_out() -> None:
    assert format_findings(findings(2)).splitlines()[-1] == "2 findings"
    lines = format_findings(findings(5)).splitlines()
    assert lines[0] == "MIG-1 Row 1 is lost."
    assert lines[2] == "MIG-2 Row 2 is lost."
    assert lines[4] == "MIG-3 Row 3 is lost."
    assert lines[-1] == "5 findings, 2 of them only in the evidence"
