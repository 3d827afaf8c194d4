"""Reads are repeated, writes are sent once, a read-only connection sends none, and no message holds a secret."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from fixtures.model.secret import Secret
from fixtures.systems import webhook
from fixtures.systems.failure import InDoubt, Refused, Unreachable, WriteRefused
from fixtures.systems.http.transport import Exchange, RetryPolicy, Transport
from tests_selftest.contract.scripted_server import Reply, Request, ScriptedServer

TOKEN = "tok-3f9c5d-never-shown"
BUSY = Reply(503, {"errors": [{"message": "Under pressure.", "extensions": {"code": "SERVICE_UNAVAILABLE"}}]})


class Naps:
    """Stands in for sleeping: remembers how long it was asked to."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def one_by_one(*replies: Reply) -> Callable[[Request, int], Reply]:
    return lambda _, before: replies[min(before, len(replies) - 1)]


def speaking(
    server: ScriptedServer, naps: Naps | None = None, *, read_only: bool = False, answer_s: float = 5.0, tries: int = 4
) -> AbstractContextManager[Transport]:
    return Transport(
        server.url,
        system="production Directus",
        token=Secret(TOKEN),
        read_only=read_only,
        known_reads=[("POST", "/schema/diff")],
        answer_s=answer_s,
        retry_policy=RetryPolicy(tries=tries, ceiling_s=30),
        sleep=naps or Naps(),
    )


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_is_repeated(status: int) -> None:
    """Two refusals for the moment, then the answer."""
    naps = Naps()
    with (
        ScriptedServer(one_by_one(Reply(status), Reply(status), Reply(200, {"data": 1}))) as server,
        speaking(server, naps) as transport,
    ):
        assert transport.json("GET", "/items/a") == {"data": 1}
        assert transport.sent["GET"] == 3
    assert naps.taken == [0.5, 1.0]


def test_a_known_read_is_repeated_too() -> None:
    """POST /schema/diff changes nothing, so it may be sent again."""
    with ScriptedServer(one_by_one(BUSY, Reply(204))) as server, speaking(server) as transport:
        assert transport.json("POST", "/schema/diff", json={}) is None
    assert server.sent("POST") == 2


def test_retry_after_is_obeyed() -> None:
    """The server's own wish decides the pause."""
    naps = Naps()
    with (
        ScriptedServer(one_by_one(Reply(429, headers={"Retry-After": "7"}), Reply(200, {}))) as server,
        speaking(server, naps) as transport,
    ):
        transport.json("GET", "/server/ping")
    assert naps.taken == [7.0]


def test_a_window_that_is_about_to_end_is_not_asked_at_once_until_all_tries_are_gone() -> None:
    """Render tells whole seconds: its last half second is "0", and a whole window is "60"."""
    naps = Naps()
    full = [Reply(429, headers={"Retry-After": seconds}) for seconds in ("60", "0", "0")]
    with (
        ScriptedServer(one_by_one(*full, Reply(200, {"data": 1}))) as server,
        Transport(server.url, system="Render", sleep=naps) as transport,
    ):
        assert transport.json("GET", "/services") == {"data": 1}
    assert naps.taken == [60.0, 1.0, 2.0]


def test_retry_after_beyond_the_ceiling_is_said_not_waited() -> None:
    """An hour is not waited for; the refusal names it."""
    naps = Naps()
    with (
        ScriptedServer(one_by_one(Reply(429, headers={"Retry-After": "3600"}))) as server,
        speaking(server, naps) as transport,
        pytest.raises(Refused) as refusal,
    ):
        transport.json("GET", "/server/ping")
    assert (naps.taken, refusal.value.status, refusal.value.retry_after_s) == ([], 429, 3600.0)


def test_a_read_gives_up() -> None:
    """After its tries the last answer counts."""
    with (
        ScriptedServer(one_by_one(BUSY)) as server,
        speaking(server, tries=3) as transport,
        pytest.raises(Refused, match="Under pressure") as refusal,
    ):
        transport.json("GET", "/items/a")
    assert (server.sent("GET"), refusal.value.code) == (3, "SERVICE_UNAVAILABLE")


def test_a_dropped_read_is_repeated() -> None:
    """A connection that breaks under a read is made again."""
    with (
        ScriptedServer(one_by_one(Reply(drop=True), Reply(200, {"data": []}))) as server,
        speaking(server) as transport,
    ):
        assert transport.json("GET", "/items/a") == {"data": []}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_write_is_sent_once(method: str) -> None:
    """503 to a write is a refusal, not an invitation."""
    with ScriptedServer(one_by_one(BUSY)) as server, speaking(server) as transport, pytest.raises(Refused):
        transport.json(method, "/items/a", json={})
    assert len(server.requests) == 1


def test_a_dropped_answer_to_a_write_is_in_doubt() -> None:
    """It may have been done; the message says to look first."""
    with (
        ScriptedServer(one_by_one(Reply(drop=True))) as server,
        speaking(server) as transport,
        pytest.raises(InDoubt, match="in doubt") as doubt,
    ):
        transport.json("POST", "/schema/apply", json={})
    assert len(server.requests) == 1
    assert (doubt.value.method, doubt.value.path) == ("POST", "/schema/apply")


def test_a_late_answer_to_a_write_is_in_doubt() -> None:
    """A timeout on our side says nothing about the other side."""
    release = threading.Event()

    def slow(_: Request, __: int) -> Reply:
        release.wait(5)
        return Reply(200, {})

    with ScriptedServer(slow) as server, speaking(server, answer_s=0.2) as transport:
        with pytest.raises(InDoubt, match="no answer within"):
            transport.json("POST", "/items/a", json={})
        release.set()


@pytest.mark.parametrize("status", [502, 504])
def test_a_proxy_that_lost_the_answer_to_a_write_leaves_doubt(status: int) -> None:
    """The gateway does not know either."""
    with (
        ScriptedServer(one_by_one(Reply(status))) as server,
        speaking(server) as transport,
        pytest.raises(InDoubt, match=f"a proxy answered {status}"),
    ):
        transport.json("POST", "/items/a", json={})


def test_nobody_there_is_not_in_doubt() -> None:
    """Where no connection is made, nothing can have been done, not even by a write."""
    with ScriptedServer(one_by_one(Reply())) as server:
        url = server.url
    with (
        Transport(url, system="local Directus", sleep=Naps()) as transport,
        pytest.raises(Unreachable, match="nothing was changed"),
    ):
        transport.json("POST", "/items/a", json={})


@pytest.mark.parametrize(("method", "path"), [("POST", "/items/a"), ("DELETE", "/items/a/1"), ("POST", "/auth/login")])
def test_a_read_only_connection_sends_no_write(method: str, path: str) -> None:
    """It is stopped here; the server hears nothing."""
    with (
        ScriptedServer(one_by_one(Reply(200, {}))) as server,
        speaking(server, read_only=True) as transport,
        pytest.raises(WriteRefused, match="only reads"),
    ):
        transport.json(method, path, json={})
    assert server.requests == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/a"), ("SEARCH", "/items/a"), ("POST", "/schema/diff")])
def test_a_read_only_connection_sends_reads(method: str, path: str) -> None:
    """Known reads pass, whatever their method."""
    with ScriptedServer(one_by_one(Reply(200, {"data": 1}))) as server, speaking(server, read_only=True) as transport:
        assert transport.json(method, path)["data"] == 1


def test_a_read_follows_a_redirect_and_leaves_the_token_at_home() -> None:
    """As a download of an export may be sent to another host."""
    with ScriptedServer(one_by_one(Reply(200, {"data": 1}))) as other:
        moved = Reply(302, None, {"Location": other.url.replace("127.0.0.1", "localhost") + "/elsewhere"})
        with ScriptedServer(one_by_one(moved)) as server, speaking(server) as transport:
            assert transport.json("GET", "/backup") == {"data": 1}
    assert "Authorization" in server.requests[0].headers
    assert "Authorization" not in other.requests[0].headers


def test_a_write_is_not_sent_elsewhere() -> None:
    """A moved address is said, not followed: it would arrive as a GET and look like success."""
    moved = Reply(301, None, {"Location": "/elsewhere"})
    with (
        ScriptedServer(one_by_one(moved)) as server,
        speaking(server) as transport,
        pytest.raises(Refused, match="redirects to"),
    ):
        transport.json("POST", "/items/a", json={})
    assert len(server.requests) == 1


def test_ask_gives_the_status_as_it_is() -> None:
    """For tests of an API an error status is an observation."""
    forbidden = Reply(403, {"errors": [{"message": "No permission.", "extensions": {"code": "FORBIDDEN"}}]})
    with ScriptedServer(one_by_one(forbidden)) as server, speaking(server) as transport:
        answer = transport.ask("GET", "/items/inquiries")
    assert (answer.status, answer.code, answer.message) == (403, "FORBIDDEN", "No permission.")
    assert answer.duration_ms > 0


def test_what_is_timed_is_sent_once_each_and_counted_whatever_its_status() -> None:
    """A refusal for the moment is no sample, and is not repeated."""
    naps = Naps()
    told: list[Exchange] = []
    with (
        ScriptedServer(one_by_one(Reply(200, {"data": 1}), BUSY, Reply(404), Reply(200, "no json"))) as server,
        Transport(server.url, system="local Directus", on_exchange=told.append, sleep=naps) as transport,
    ):
        answers = transport.timed("/items/a", params={"limit": 2}, times=4)
    assert [(each.method, each.path, each.status) for each in answers] == [
        ("GET", "/items/a", status) for status in (200, 503, 404, 200)
    ]
    assert all(each.duration_ms > 0 for each in answers)
    assert told == answers
    assert naps.taken == []
    assert server.sent("GET") == 4


def test_every_exchange_is_reported() -> None:
    """Also the ones that failed, so that what was sent can be counted and shown."""
    seen: list[Exchange] = []
    with (
        ScriptedServer(one_by_one(Reply(drop=True), Reply(200, {}))) as server,
        Transport(server.url, system="x", on_exchange=seen.append, sleep=Naps()) as transport,
    ):
        transport.json("GET", "/a")
    assert [(each.method, each.path, each.status) for each in seen] == [("GET", "/a", 0), ("GET", "/a", 200)]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, {"errors": [{"message": f"bad token {TOKEN}", "extensions": {"code": "INVALID_CREDENTIALS"}}]}),
        Reply(401, f"Unauthorized {TOKEN}\n".encode()),
        Reply(500, {"message": f"failed for Bearer {TOKEN}"}),
        Reply(drop=True),
        Reply(502),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_message_holds_the_token(reply: Reply, method: str) -> None:
    """Not the exception's text, not its repr, not what it carries as words; nor the query of the address."""
    with ScriptedServer(one_by_one(reply)) as server, speaking(server, tries=2) as transport:
        assert TOKEN not in repr(transport)
        with pytest.raises((Refused, InDoubt, Unreachable)) as failure:
            transport.json(method, "/items/a?access_token=" + TOKEN, params={"filter": '{"email":"a@b.org"}'})
    texts = [str(failure.value), repr(failure.value), str(failure.value.finding), getattr(failure.value, "message", "")]
    assert all(TOKEN not in text and "a@b.org" not in text for text in texts)
    assert failure.value.__cause__ is None


def test_the_webhook_path_is_never_shown() -> None:
    """The address of a webhook is its credential."""
    with (
        ScriptedServer(one_by_one(Reply(404, b"no_service /hooks/T01/B02/verysecret"))) as server,
        pytest.raises(Refused) as failure,
    ):
        webhook.notify(Secret(f"{server.url}/hooks/T01/B02/verysecret"), "The migration is done.")
    assert "verysecret" not in str(failure.value)
    assert server.requests[0].path == "/hooks/T01/B02/verysecret"
    assert b"The migration is done." in server.requests[0].body
