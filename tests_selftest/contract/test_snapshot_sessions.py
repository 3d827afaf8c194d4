"""Sessions of one snapshot end also on a network that carries nothing any more, and one of them is enough."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from unittest import mock

import psycopg
import pytest

from fixtures.model.secret import Secret
from fixtures.process.waiting import wait_until
from fixtures.systems.failure import Refused
from fixtures.systems.postgres import snapshot_sessions
from fixtures.systems.postgres.session import connect
from fixtures.systems.postgres.snapshot_sessions import SnapshotSessions
from tests_selftest.contract.spare import spare

SOON_S = 10.0


@pytest.fixture
def database(server: Secret) -> Iterator[Secret]:
    with spare(server, "CREATE TABLE boards AS SELECT n AS id FROM generate_series(1, 10) n") as url:
        yield url


class Network:
    """Between a client and Postgres. Down, it carries nothing, in neither direction, and closes nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listening]
        self.port = self._listening.getsockname()[1]
        self.down = threading.Event()
        self.end = threading.Event()
        threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self) -> None:
        others: dict[socket.socket, socket.socket] = {}
        while not self.end.is_set():
            if self.down.wait(0.01):
                continue
            for ready in select.select([self._listening, *others], [], [], 0.05)[0]:
                if ready is self._listening:
                    client, back = self._listening.accept()[0], socket.create_connection(self._there)
                    self._sockets += [client, back]
                    others |= {client: back, back: client}
                    continue
                with contextlib.suppress(OSError):
                    if data := ready.recv(1 << 16):
                        others[ready].sendall(data)
                        continue
                    others[ready].shutdown(socket.SHUT_WR)
                del others[ready]
        for each in self._sockets:
            each.close()


@contextmanager
def through_a_network(url: Secret) -> Iterator[tuple[Network, Secret]]:
    parts = psycopg.conninfo.conninfo_to_dict(url.reveal())
    network = Network(str(parts["host"]), int(str(parts["port"])))
    try:
        yield network, Secret(psycopg.conninfo.make_conninfo(url.reveal(), host="127.0.0.1", port=network.port))
    finally:
        network.end.set()


def running(server: Secret, statement: str) -> int:
    with psycopg.connect(server.reveal()) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()", (f"%{statement}%",)
        ).fetchone()
    assert found is not None
    return int(found[0])


def test_sessions_end_on_a_dead_network(database: Secret, server: Secret) -> None:
    """No answer comes, not even to a cancel, and nothing is closed: as when packets are dropped."""
    with through_a_network(database) as (network, url):
        sessions = SnapshotSessions(url, system="test database")
        asked = sessions.ask_ahead("SELECT pg_sleep(20)")
        wait_until(
            lambda: running(server, "pg_sleep(20)"), until=bool, deadline_s=SOON_S, every_s=0.05, reason="it runs"
        )
        network.down.set()
        closing_ = threading.Thread(target=sessions.close, daemon=True)
        began = time.monotonic()
        with mock.patch.multiple(snapshot_sessions, CANCEL_WITHIN_S=1.0, CANCEL_TIMEOUT_S=0.3):
            closing_.start()
            closing_.join(SOON_S)
        ended, took = not closing_.is_alive(), time.monotonic() - began
    assert ended, "close waits for ever"
    assert took >= 1.0
    assert isinstance(asked.exception(), Refused)
    assert all(each.closed for each in sessions._all)


def test_a_statement_that_is_cancelled_keeps_its_connection_until_it_has_answered(
    database: Secret, server: Secret
) -> None:
    """Where the network is well, nothing is cut."""
    sessions = SnapshotSessions(database, system="test database")
    asked = sessions.ask_ahead("SELECT pg_sleep(20)")
    wait_until(lambda: running(server, "pg_sleep(20)"), until=bool, deadline_s=SOON_S, every_s=0.05, reason="it runs")
    with mock.patch.object(snapshot_sessions, "_cut") as cut:
        sessions.close()
    cut.assert_not_called()
    refusal = asked.exception()
    assert isinstance(refusal, Refused)
    assert refusal.code == "57014"


def test_one_session_is_enough_where_a_second_one_finds_no_snapshot(database: Secret) -> None:
    """As behind a pooler that leads it to a replica."""
    with closing(SnapshotSessions(database, system="test database")) as sessions:
        sessions.id = "00000003-0000FFFF-1"
        for _ in range(2):
            assert sessions.ask_each(["SELECT count(*) FROM public.boards"] * 3) == [[(10,)]] * 3
        assert len(sessions._all) == 1


def test_a_network_that_died_is_noticed_without_an_interrupt(database: Secret) -> None:
    """Within a minute, by the kernel's keepalives; its own wait two hours for the first."""
    idle: int = getattr(socket, "TCP_KEEPALIVE", 0) or socket.TCP_KEEPIDLE  # the first is macOS' name
    with (
        connect(database, system="test database", read_only=True) as connection,
        socket.socket(fileno=os.dup(connection.fileno())) as seen,
    ):
        assert seen.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        found = [seen.getsockopt(socket.IPPROTO_TCP, each) for each in (idle, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)]
    assert found[0] + found[1] * found[2] <= 60
