"""The memory: survives a kill, refuses what was changed, never shows a secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fixtures.evidence import redact as redaction
from fixtures.evidence import store
from fixtures.evidence.ledger import ROLLED_BACK, Kind, Ledger, LedgerDamaged
from fixtures.evidence.redact import redact
from fixtures.evidence.store import Evidence, EvidenceMissing
from fixtures.model import secret as secrets
from fixtures.model.ids import GateId
from fixtures.model.secret import MASK, Secret
from fixtures.plugins.freshness import Freshness

BACKUP = GateId("gate 1.4")
NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    at: datetime
    counts: dict[str, int]
    names: tuple[str, ...] = ()


class Lost(Exception):
    """An answer that did not arrive."""


class SaidNo(Exception):
    """A refusal: nothing was done."""


def ledger(path: Path, *, at: datetime = NOON, dry: bool = False, inputs: str = "in") -> Ledger:
    return Ledger(path / "l.jsonl", run="run-1", inputs=inputs, suite="abc", dry=dry, clock=lambda: at)


def memory(path: Path) -> Evidence:
    Secret("hunter22")
    evidence = Evidence(path / "run-1", ledger(path), no_write_errors=(SaidNo,))
    evidence.begin("1.3.2")
    return evidence


def test_a_value_written_by_one_process_is_read_by_the_next_as_the_same_value(tmp_path: Path) -> None:
    seen = Seen(NOON, {"chapters": 12}, ("a", "b"))
    memory(tmp_path).write(seen)
    assert Evidence(tmp_path / "run-2", ledger(tmp_path)).read(Seen, of="1.3") == seen


def test_the_newest_value_counts_and_both_are_kept(tmp_path: Path) -> None:
    evidence = memory(tmp_path)
    first, second = evidence.write(Seen(NOON, {"n": 1})), evidence.write(Seen(NOON, {"n": 2}))
    assert first != second
    assert evidence.read(Seen, of="1.3").counts == {"n": 2}


def test_the_first_value_after_a_time_is_found_whatever_came_later(tmp_path: Path) -> None:
    minute = timedelta(minutes=1)
    for number in (1, 2, 3):
        evidence = Evidence(tmp_path / f"run-{number}", ledger(tmp_path, at=NOON + number * minute))
        evidence.begin("1.3.2")
        evidence.write(Seen(NOON, {"n": number}))
    for number in (1, 2, 3):
        assert evidence.read_first(Seen, of="1.3", since=NOON + number * minute).counts == {"n": number}
    assert evidence.read_first(Seen, of="1.3", since=NOON).counts == {"n": 1}
    with pytest.raises(EvidenceMissing) as missing:
        evidence.read_first(Seen, of="1.3", since=NOON + 4 * minute)
    assert missing.value.never_written


def test_evidence_that_was_changed_afterwards_is_refused(tmp_path: Path) -> None:
    evidence = memory(tmp_path)
    path = evidence.write(Seen(NOON, {"n": 1}))
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(EvidenceMissing, match="changed after it was written"):
        evidence.read(Seen, of="1.3")


def test_a_long_text_is_kept_in_pieces_line_by_line_without_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PORTION", 40)
    lines = [f"\u2705 created sections {number} hunter22\r\n" for number in range(30)]
    log = tmp_path / "import-log.txt"
    log.write_bytes("".join(lines).encode())
    evidence = memory(tmp_path)
    evidence.attach_text(log)
    kept = evidence.find("import-log.txt", of="1.3")
    assert kept.read_bytes() == "".join(lines).replace("hunter22", MASK).encode()


def test_evidence_of_another_version_of_the_suite_is_refused_not_guessed_at(tmp_path: Path) -> None:
    evidence = memory(tmp_path)
    evidence.write({"at": "2026-03-29T12:00:00Z"}, "Seen")
    with pytest.raises(EvidenceMissing, match="another version of this suite"):
        evidence.read(Seen, of="1.3")


def test_evidence_that_was_never_written_is_said_to_be_missing_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EvidenceMissing, match=r"MIG-010[\s\S]*never written[\s\S]*-m phase3"):
        memory(tmp_path).read(Seen, of="3.2")


def test_a_line_cut_short_by_a_kill_is_ignored_and_the_next_event_is_whole(tmp_path: Path) -> None:
    first = ledger(tmp_path)
    first.add(Kind.VERDICT, "1.1.1", verdict="passed")
    with first.path.open("a") as file:
        file.write('{"time": "2026-03-29T12:00:00+00:00", "kind": "verd')
    second = ledger(tmp_path)
    second.add(Kind.VERDICT, "1.1.2", verdict="failed")
    assert [entry.subject for entry in ledger(tmp_path).entries] == ["1.1.1", "1.1.2"]


def test_a_line_that_is_no_event_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").write_text('{"kind": "verdict"}\n')
    with pytest.raises(LedgerDamaged, match="MIG-002"):
        ledger(tmp_path)


def test_the_end_of_an_attempt_says_whether_it_happened_did_not_or_is_unknown(tmp_path: Path) -> None:
    evidence = memory(tmp_path)
    with evidence.attempt("3.3.2", plan="9f2c") as attempt:
        attempt.outcome = {"applied": "9f2c"}
    with pytest.raises(SaidNo), evidence.attempt("4.2.2"):
        raise SaidNo("no")
    with pytest.raises(Lost), evidence.attempt("2.1.4"):
        raise Lost("timeout")
    kinds = [(entry.kind, entry.subject) for entry in evidence.ledger.current]
    assert kinds == [
        (Kind.INTENT, "3.3.2"),
        (Kind.DONE, "3.3.2"),
        (Kind.INTENT, "4.2.2"),
        (Kind.REFUSED, "4.2.2"),
        (Kind.INTENT, "2.1.4"),
        (Kind.IN_DOUBT, "2.1.4"),
    ]
    assert [entry.subject for entry in evidence.ledger.in_doubt] == ["2.1.4"]


def test_a_fault_of_our_own_after_the_request_is_not_called_a_refusal(tmp_path: Path) -> None:
    evidence = memory(tmp_path)
    with pytest.raises(TypeError), evidence.attempt("3.3.2"):
        raise TypeError("after the request was sent")
    assert [entry.kind for entry in evidence.ledger.current] == [Kind.INTENT, Kind.IN_DOUBT]
    assert [entry.subject for entry in evidence.ledger.in_doubt] == ["3.3.2"]


def test_an_intent_without_an_end_is_unsettled_in_the_next_process(tmp_path: Path) -> None:
    ledger(tmp_path).add(Kind.INTENT, "3.3.2", plan="9f2c")
    assert [entry.facts for entry in ledger(tmp_path).in_doubt] == [{"plan": "9f2c"}]


def test_a_new_migration_forgets_the_verdicts_of_the_one_before(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.add(Kind.OPENED, "migration")
    book.add(Kind.VERDICT, "gate 1.1", verdict="passed")
    assert book.verdict("gate 1.1") is not None
    book.add(Kind.OPENED, "migration")
    assert book.verdict("gate 1.1") is None


def test_a_dry_run_and_a_real_run_do_not_see_each_other(tmp_path: Path) -> None:
    ledger(tmp_path).add(Kind.VERDICT, "gate 1.1", verdict="passed")
    dry = ledger(tmp_path, dry=True)
    assert dry.verdict("gate 1.1") is None
    dry.add(Kind.VERDICT, "gate 3.3", verdict="passed")
    assert ledger(tmp_path).verdict("gate 3.3") is None


def test_a_revoked_gate_is_closed_until_it_passes_again(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.add(Kind.VERDICT, "gate 3.3", verdict="passed")
    book.add(Kind.REVOKED, "gate 3.3")
    assert "has not passed" in str(Freshness(book, 60).blocking_reason(GateId("gate 3.3")))
    book.add(Kind.VERDICT, "gate 3.3", verdict="passed")
    assert Freshness(book, 60).blocking_reason(GateId("gate 3.3")) is None


def test_a_backup_grows_stale_until_the_first_write_and_never_after_it(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.add(Kind.VERDICT, "gate 1.4", verdict="passed")
    later = Freshness(book, 60, clock=lambda: NOON + timedelta(minutes=61))
    sooner = Freshness(book, 60, clock=lambda: NOON + timedelta(minutes=59))
    assert "61 minutes old" in str(later.blocking_reason(BACKUP))
    assert sooner.blocking_reason(BACKUP) is None
    book.add(Kind.INTENT, "2.1.4")
    assert later.blocking_reason(BACKUP) is None


@given(st.text(min_size=6, max_size=40).filter(lambda text: not text.isspace()), st.text(), st.text())
def test_a_secret_never_survives_redaction_wherever_it_stands(secret: str, before: str, after: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "_forms", ())
        Secret(secret)
        assert secret not in redact(before + secret + after).replace(MASK, "")


_PIECES = st.sampled_from(
    ["authorization: ", "COOK\u0131E=", "set-coo\u212aie': ", "bearer ", "to\u212aen=", "acce\u017f\u017f_token=",
     "rnd_", "ghp_", "github_pat_", "eyJ", "postgres://ada:", "a" * 22, ".", "@", " ", "='", "I", "K"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=9).map("".join))
@example("COOK\u0131E=aaa")
@example("author\u0131zat\u0131on: aaa")
def test_a_shape_is_looked_for_in_every_text_that_could_have_it(text: str) -> None:
    """The signs save time and nothing else: with every shape looked for in every text, the same is masked."""
    expected = text
    for _, shape in redaction._SHAPES:
        expected = shape.sub(lambda found: found.group("keep") + MASK, expected)
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://udo:hunter99@127.0.0.1:5432/udo",
        "Authorization: Bearer abcdefgh12345678",
        "{'authorization': 'Basic aHVudGVyMjI6aHVudGVyMjI='}",
        "GET /assets/1?access_token=abcdefgh12345678",
        "PGPASSWORD=hunter99 pg_dump",
        "token " + "ghp" + "_" + "a" * 36,
    ],
)
def test_what_is_shaped_like_a_credential_is_masked_although_nobody_named_it(text: str) -> None:
    masked = redact(text)
    assert MASK in masked
    assert not any(part in masked for part in ("hunter99", "abcdefgh12345678", "aHVudGVy", "a" * 36))


def test_derived_forms_of_a_known_secret_are_masked(tmp_path: Path) -> None:
    evidence = memory(tmp_path)
    evidence.note("header was eC1hY2Nlc3MtdG9rZW46aHVudGVyMjI=")
    path = evidence.attach("log.txt", "the token hunter22 was used")
    assert "aHVudGVyMjI" not in evidence.notes[0]
    assert "hunter22" not in path.read_text()


def test_a_mask_beside_a_quote_leaves_the_ledger_readable(tmp_path: Path) -> None:
    Secret("hunter22")
    book = Ledger(tmp_path / "l.jsonl", run="r", inputs="i", suite="s")
    book.add(Kind.VERDICT, "1.1.1", message='Authorization: Bearer hunter22" and token=hunter22\\')
    (entry,) = Ledger(tmp_path / "l.jsonl", run="r", inputs="i", suite="s").entries
    assert "hunter22" not in entry.facts["message"]


def test_going_back_means_the_newest_migration_that_changed_something(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.add(Kind.OPENED, "migration")
    book.add(Kind.INTENT, "3.3.2", plan="first")
    book.add(Kind.CLOSED, "migration")
    again = ledger(tmp_path)
    again.add(Kind.OPENED, "migration")  # a finished migration run again: it only looks
    again.add(Kind.INTENT, "4.2.2", create=0)
    again.add(Kind.CLOSED, "migration")
    back = Ledger(tmp_path / "l.jsonl", run="run-back", inputs="in", suite="abc")
    assert [entry.facts.get("plan") for entry in back.current if entry.kind is Kind.INTENT] == [None]
    back.begin_rollback()
    assert [entry.facts.get("plan") for entry in back.current if entry.kind is Kind.INTENT] == ["first"]
    back.add(Kind.INTENT, "R.5.1", transaction="7")
    back.add(Kind.CLOSED, "migration", outcome=ROLLED_BACK)
    assert [entry.subject for entry in back.current] == ["migration", "3.3.2", "migration", "R.5.1", "migration"]
    for later in (back, ledger(tmp_path)):
        later.begin_rollback()
        assert later.rolled_back is not None, "a second rollback does not go further"


def test_a_dry_look_at_the_way_back_leaves_no_trace_for_a_real_one(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.add(Kind.OPENED, "migration")
    book.add(Kind.INTENT, "3.3.2")
    dry = Ledger(tmp_path / "l.jsonl", run="run-dry", inputs="in", suite="abc", dry=True, reads_real_events=True)
    dry.begin_rollback()
    dry.add(Kind.VERDICT, "R.1.1", verdict="passed")
    assert [entry.subject for entry in dry.current] == ["migration", "3.3.2", "R.1.1"]
    assert [entry.subject for entry in ledger(tmp_path).current] == ["migration", "3.3.2"]
