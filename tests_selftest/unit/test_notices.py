"""Stakeholders are told once, told again only when the first answer was lost, and never for a look without changes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.finding import Finding
from fixtures.model.secret import Secret
from fixtures.operations.closing import notices
from fixtures.plugins.session import NO_WRITE_ERRORS
from fixtures.systems.failure import InDoubt
from fixtures.systems.http.transport import Answer

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ADDRESS = Secret("https://hooks.example.org/services/x")


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    ledger = Ledger(tmp_path / "ledger" / "l.jsonl", run="run-1", inputs="i", suite="s")
    ledger.add(Kind.OPENED, "migration")
    made = Evidence(tmp_path / "run-1", ledger, no_write_errors=NO_WRITE_ERRORS)
    made.begin(notices.SUBJECT)
    return made


class Hook:
    """A webhook that remembers what it took, and loses its first answers."""

    def __init__(self, *, accepted_loss: int = 0) -> None:
        self.taken: list[str] = []
        self._loses = accepted_loss

    def __call__(self, address: Secret, text: str) -> Answer:
        assert address
        if self._loses:
            self._loses -= 1
            raise InDoubt(Finding("HTT-102", "no answer"), method="POST", path="/", reason="lost")
        self.taken.append(text)
        return Answer(200, None, {}, 1.0)


def tell(evidence: Evidence, hook: Hook) -> None:
    notices.send_notice(evidence, ADDRESS, "The migration is complete.", now=lambda: NOW, send=hook)


def test_it_is_told_once_in_a_migration(evidence: Evidence) -> None:
    hook = Hook()
    assert notices.sent_notice(evidence, changed=True) is None
    tell(evidence, hook)
    notice = notices.sent_notice(evidence, changed=True)
    assert notice is not None
    assert notice.sent_at == NOW
    assert len(hook.taken) == 1


def test_a_lost_answer_leaves_nobody_told_and_the_next_notice_says_so(evidence: Evidence) -> None:
    hook = Hook(accepted_loss=1)
    with pytest.raises(InDoubt):
        tell(evidence, hook)
    assert notices.sent_notice(evidence, changed=True) is None
    tell(evidence, hook)
    assert notices.RESENT_HINT in hook.taken[-1]
    assert notices.sent_notice(evidence, changed=True) is not None


def test_a_later_look_without_changes_is_no_news_and_a_change_is(evidence: Evidence) -> None:
    tell(evidence, Hook())
    evidence.ledger.add(Kind.CLOSED, "migration")
    evidence.ledger.add(Kind.OPENED, "migration")
    before = notices.sent_notice(evidence, changed=False)
    assert before is not None
    assert before.sent_at == NOW
    assert notices.sent_notice(evidence, changed=True) is None


def test_without_an_address_nobody_is_told_and_that_is_a_finding() -> None:
    assert [finding.code for finding in notices.missing_address(Secret(""))] == ["MIG-622"]
    assert notices.missing_address(ADDRESS) == []
