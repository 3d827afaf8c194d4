"""Rows arrive once or are named, whatever the server answers: a refusal, no answer, "busy", somebody else's row."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from fixtures.model.finding import Finding
from fixtures.operations.imports.import_log import COMPLETED, CREATED, REFUSED, ImportLog, tally
from fixtures.operations.imports.journal import Journal
from fixtures.operations.lane_api import sending
from fixtures.operations.lane_api.batches import make_batches
from fixtures.operations.lane_api.sending import BatchResults, Change, Observed, Sender
from fixtures.process.slots import ANSWERS_BEFORE_WIDENING, RequestWindow
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.failure import InDoubt, Refused

FINDING = Finding(code="T", sentence="t", where="t", meaning="t", do="t")
Rule = Callable[["Server", list[dict[str, Any]]], None]


class Server:
    """A production in memory: a request is one transaction, and a rule may answer in its place."""

    page_size = 1000

    def __init__(self, rule: Rule | None = None) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.requests: list[int] = []
        self.at_once = self.most_at_once = 0
        self._rule = rule or (lambda *_: None)
        self._lock = threading.Lock()

    def create_encoded(self, _: str, body: bytes, __: Sequence[str], *, key: str) -> None:
        sent = json.loads(body)
        assert all(key in row for row in sent)
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            with self._lock:
                self.requests.append(len(sent))
                self._rule(self, sent)
                self.keep(sent)
        finally:
            with self._lock:
                self.at_once -= 1

    def keep(self, sent: Sequence[Mapping[str, Any]]) -> None:
        if any(str(row["id"]) in self.rows for row in sent):
            raise refusal(400, "RECORD_NOT_UNIQUE")
        self.rows.update({str(row["id"]): dict(row) for row in sent})

    def items(self, _: str, **asked: Any) -> Iterator[dict[str, Any]]:
        (wanted,) = (each["_in"] for each in asked["filter"].values())
        yield from (row for key, row in self.rows.items() if key in wanted)

    def ping(self) -> bool:
        return True


def refusal(status: int, code: str, *, after: float | None = None) -> Refused:
    return Refused(FINDING, status=status, code=code, message=code, retry_after_s=after)


def lost() -> InDoubt:
    return InDoubt(FINDING, method="POST", path="", reason="cut")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAUSE_S", 0.001)
    monkeypatch.setattr(sending, "MIN_BYTES", 500)


def send(server: Server, tmp_path: Path, count: int = 450) -> tuple[BatchResults, Journal, Sender]:
    journal = Journal(tmp_path / "journal")
    rows = [{"id": number, "text": "x"} for number in range(1, count + 1)]
    delivery = BatchResults()
    with (
        ImportLog(tmp_path / "log", run="r") as log,
        Sender(cast("DirectusOperator", server), journal, log) as sender,
    ):
        batches = make_batches(rows, key="id", convert=lambda row: row, limits=sender.limits)
        sender.create(delivery, "t", batches, key="id", serial=True)
        delivery.wait()
    assert tally(tmp_path / "log")[CREATED] == len(delivery.created)
    assert tally(tmp_path / "log")[REFUSED] == len(delivery.refused)
    return delivery, journal, sender


def test_everything_arrives_once_in_parcels_side_by_side(tmp_path: Path) -> None:
    server = Server()
    delivery, journal, _ = send(server, tmp_path)
    assert sorted(server.requests) == [50, 100, 100, 100, 100]
    assert server.most_at_once <= sending.MAX_CONCURRENT_REQUESTS
    assert set(delivery.created) == set(server.rows) == journal.sent_keys["t"] == journal.created_keys["t"]


class SlowFirst(Server):
    """The batch with the first row takes its time; what was there when the last row came is remembered."""

    def create_encoded(self, name: str, body: bytes, keys: Sequence[str], *, key: str) -> None:
        if "1" in keys:
            time.sleep(0.1)
        if "450" in keys:
            self.there_before_the_last = len(self.rows)
        super().create_encoded(name, body, keys, key=key)


def test_the_highest_key_travels_last_so_that_the_sequence_ends_above_it(tmp_path: Path) -> None:
    server = SlowFirst()
    send(server, tmp_path)
    assert server.there_before_the_last == 400


def test_the_highest_key_does_not_travel_when_a_parcel_before_it_was_stopped(tmp_path: Path) -> None:
    def cut(_: Server, sent: list[dict[str, Any]]) -> None:
        if sent[0]["id"] == 1:
            raise lost()

    server = Server(cut)
    with pytest.raises(InDoubt):
        send(server, tmp_path)
    assert "450" not in server.rows


def test_the_guilty_rows_are_named_and_all_others_arrive(tmp_path: Path) -> None:
    def bad(_: Server, sent: list[dict[str, Any]]) -> None:
        if any(row["id"] in {7, 333} for row in sent):
            raise refusal(400, "VALUE_TOO_LONG")

    delivery, journal, _ = send(Server(bad), tmp_path)
    assert sorted((each.key, each.code) for each in delivery.refused) == [
        ("333", "VALUE_TOO_LONG"),
        ("7", "VALUE_TOO_LONG"),
    ]
    assert len(delivery.created) == 448
    assert {"7", "333"} & journal.sent_keys["t"] == set()


@pytest.mark.parametrize("arrived", [True, False])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(tmp_path: Path, arrived: bool) -> None:
    cut: list[int] = []

    def once(server: Server, sent: list[dict[str, Any]]) -> None:
        if len(cut) < 3:
            cut.append(1)
            if arrived:
                server.keep(sent)
            raise lost()

    server = Server(once)
    delivery, _, _ = send(server, tmp_path)
    assert (len(server.rows), len(delivery.created), delivery.refused) == (450, 450, [])
    assert len(server.requests) == (5 if arrived else 8)


def test_a_server_that_takes_less_is_asked_for_less_after_the_first_refusal(tmp_path: Path) -> None:
    """100 rows are 2.5 kB here; a server that takes half of that says so a few times, not for every batch."""
    refused: list[int] = []

    def small(_: Server, sent: list[dict[str, Any]]) -> None:
        if len(sent) > 60:
            refused.append(len(sent))
            raise refusal(400, "INVALID_PAYLOAD: request entity too large")

    server = Server(small)
    delivery, _, sender = send(server, tmp_path, 4000)
    assert (len(server.rows), delivery.refused) == (4000, [])
    # Those under way and those made in advance were as large; the batches are forty.
    assert len(refused) <= 2 * (sending.MAX_CONCURRENT_REQUESTS + sending.MAX_QUEUED_BATCHES)
    assert sender.limits().bytes < 2_500


def test_a_row_somebody_made_meanwhile_is_theirs(tmp_path: Path) -> None:
    server = Server()
    server.rows["42"] = {"id": 42, "text": "a visitor's"}
    delivery, journal, _ = send(server, tmp_path)
    assert [(each.key, each.code) for each in delivery.refused] == [("42", "RECORD_NOT_UNIQUE")]
    assert server.rows["42"]["text"] == "a visitor's"
    assert "42" not in journal.sent_keys["t"]


def test_a_busy_server_gets_one_request_at_a_time_for_a_while_and_everything_arrives(tmp_path: Path) -> None:
    said: list[int] = []

    def busy(*_: object) -> None:
        if len(said) < 9:  # longer than the tries of a lost answer
            said.append(1)
            raise refusal(503 if len(said) % 2 else 429, "UNDER_PRESSURE", after=0.001)

    server = Server(busy)
    delivery, _, sender = send(server, tmp_path)
    assert (len(server.rows), delivery.refused) == (450, [])
    assert sender._slots.width == 1


def test_a_server_that_stays_away_stops_the_import_and_the_journal_knows_what_was_sent(tmp_path: Path) -> None:
    def gone(*_: object) -> None:
        raise lost()

    with pytest.raises(InDoubt):
        send(Server(gone), tmp_path)
    assert len(Journal(tmp_path / "journal").sent_keys["t"]) >= 100


def test_places_grow_again_slowly_and_never_above_the_most() -> None:
    slots = RequestWindow(3)
    slots.throttled()
    slots.throttled()
    slots.throttled()
    assert slots.width == 1
    for _ in range(ANSWERS_BEFORE_WIDENING):
        slots.answered()
    assert slots.width == 2
    for _ in range(5 * ANSWERS_BEFORE_WIDENING):
        slots.answered()
    assert slots.width == 3


class Changing(Server):
    """A production whose rows are changed; *rule* may answer in place of each request."""

    def update_encoded(self, _: str, body: bytes, __: Sequence[str], *, key: str) -> None:
        sent = json.loads(body)
        self.requests.append(len(sent))
        self._rule(self, sent)
        self.rows.update({str(row[key]): row for row in sent})


def change(server: Changing, tmp_path: Path) -> tuple[BatchResults, list[str], list[str]]:
    """Text "new" in 30 rows: the outcome, and the keys journaled before and after."""
    sending_, arrived = list[str](), list[str]()

    def observe(keys: Sequence[str]) -> Observed:
        text = {key: server.rows.get(key, {}).get("text") for key in keys}
        there = {key for key in keys if text[key] == "new"}
        return Observed(there, {key for key in keys if text[key] not in {"old", "new"}})

    server.rows = {str(number): {"id": number, "text": "old"} for number in range(1, 31)}
    results, rows = BatchResults(), [{"id": number, "text": "new"} for number in range(1, 31)]
    how = Change("id", COMPLETED, observe, sending_.extend, arrived.extend)
    with (
        ImportLog(tmp_path / "log", run="r") as log,
        Sender(cast("DirectusOperator", server), Journal(tmp_path / "journal"), log) as sender,
    ):
        batches = make_batches(rows, key="id", convert=lambda row: row, limits=sender.limits)
        sender.change(results, "t", batches, how)
        results.wait()
    assert tally(tmp_path / "log")[COMPLETED] == len(results.created)
    return results, sending_, arrived


@pytest.mark.parametrize(("arrives", "requests"), [(True, [30]), (False, [30, 30])])
def test_after_a_lost_answer_only_what_did_not_arrive_is_set_again(
    tmp_path: Path, arrives: bool, requests: list[int]
) -> None:
    cut: list[int] = []

    def once(server: Server, sent: list[dict[str, Any]]) -> None:
        if not cut:
            cut.append(1)
            if arrives:
                server.rows.update({str(row["id"]): row for row in sent})
            raise lost()

    server = Changing(once)
    results, _, arrived = change(server, tmp_path)
    assert (server.requests, results.refused) == (requests, [])
    assert sorted(results.created) == sorted(arrived) == sorted(server.rows)


def test_what_somebody_changed_while_an_answer_was_lost_stays(tmp_path: Path) -> None:
    cut: list[int] = []

    def once(server: Server, _: object) -> None:
        if not cut:
            cut.append(1)
            server.rows["7"] = {"id": 7, "text": "a person's"}
            raise lost()

    server = Changing(once)
    results, before, arrived = change(server, tmp_path)
    assert [(each.key, each.code) for each in results.refused] == [("7", "CHANGED_MEANWHILE")]
    assert server.rows["7"]["text"] == "a person's"
    assert len(results.created) == 29
    assert "7" in before
    assert "7" not in arrived


def test_an_error_inside_the_server_is_in_doubt_too(tmp_path: Path) -> None:
    """500: the database's answer may have been lost, and the values are there."""
    cut: list[int] = []

    def once(server: Server, sent: list[dict[str, Any]]) -> None:
        if not cut:
            cut.append(1)
            server.rows.update({str(row["id"]): row for row in sent})
            raise refusal(500, "INTERNAL_SERVER_ERROR")

    server = Changing(once)
    results, _, arrived = change(server, tmp_path)
    assert (server.requests, results.refused, len(arrived)) == ([30], [], 30)
