"""The emulated address before a server that ends connections as it likes: no read is lost, no write sent twice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from fixtures.world.render.router import ProxiedRequest, ReverseProxy
from fixtures.world.render.store import Service
from fixtures.world.serving import Serving
from fixtures.world.traffic import Traffic


class Moody:
    """Answers the first request of each connection and keeps it open; ends it at the second, without a word."""

    def __init__(self) -> None:
        self.statement_seen: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            for first in (True, False):
                request = connection.recv(65536).decode()
                if not request:
                    return
                self.statement_seen.append(request.split(" ", 1)[0])
                if first:
                    body = b"" if self.statement_seen[-1] == "HEAD" else b"ok"
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)


@pytest.fixture
def moody() -> Iterator[Moody]:
    server = Moody()
    yield server
    server.close()


@pytest.fixture
def address(moody: Moody) -> Iterator[str]:
    service = Service(
        id="srv-1", name="moody", slug="moody", type="web_service", github="a/b", branch="main", system="directus",
        build_command="",
    )  # fmt: skip
    serving, noted = Serving(), list[ProxiedRequest]()
    proxy = ReverseProxy(service, traffic=Traffic(), noted=noted.append)
    proxy.upstream = moody.port
    yield f"http://127.0.0.1:{serving.serve(proxy.app)}/items/sections"
    serving.stop()


def test_a_read_on_a_connection_that_was_ended_is_sent_again(moody: Moody, address: str) -> None:
    assert [httpx.get(address, trust_env=False).text for _ in range(4)] == ["ok"] * 4
    assert len(moody.statement_seen) > 4, "no connection was kept, so none was ended"


def test_a_write_is_sent_once_on_a_connection_of_its_own(moody: Moody, address: str) -> None:
    assert httpx.get(address, trust_env=False).text == "ok"
    assert [httpx.post(address, json={}, trust_env=False).text for _ in range(3)] == ["ok"] * 3
    assert moody.statement_seen.count("POST") == 3


def test_a_head_has_the_length_and_no_body(address: str) -> None:
    answer = httpx.head(address, trust_env=False)
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "2", b"")
