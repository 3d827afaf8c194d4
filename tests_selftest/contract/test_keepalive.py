"""Our connections answer, and fail, as httpx' own transport does: that one is the oracle here."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.systems.failure import InDoubt, Unreachable
from fixtures.systems.http.keepalive import Client, KeepAliveTransport
from fixtures.systems.http.transport import RetryPolicy, Transport

LIMITS = httpx.Limits(max_connections=4, keepalive_expiry=2.0)
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nwhole"


class RawServer:
    """
    Sends the same bytes to each request; closes after them when *ends*.

    Attributes:
        connections: How many were opened.
        requests: What arrived, head and body.
    """

    def __init__(self, answer: bytes, *, ends: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._answer, self._ends, self._tls = answer, ends, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.disconnect()

    def disconnect(self) -> None:
        """Closes every connection, as a server does with idle ones."""
        for each in self.open:
            with suppress(OSError):  # it may be closed already
                each.shutdown(socket.SHUT_RDWR)
        self.open.clear()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                connection = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            except ssl.SSLError:
                continue
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        held = b""
        try:
            while piece := connection.recv(65536):
                held += piece
                head, found, body = held.partition(b"\r\n\r\n")
                if not found or not _complete(head.lower(), body):
                    continue
                self.requests.append(held)
                held = b""
                connection.sendall(self._answer)
                if self._ends:
                    connection.shutdown(socket.SHUT_RDWR)
                    connection.close()
                    return
        except OSError:
            return


def _complete(head: bytes, body: bytes) -> bool:
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) == int(line.partition(b":")[2])
    return True


@contextmanager
def client(transport: httpx.BaseTransport) -> Iterator[httpx.Client]:
    with Client(transport=transport, timeout=httpx.Timeout(0.5), trust_env=False) as made:
        yield made


def outcome(transport: httpx.BaseTransport, answer: bytes, method: str, *, ends: bool) -> object:
    """Status, headers and body of an answer, or the type of the error."""
    with RawServer(answer, ends=ends) as server, client(transport) as asking:
        try:
            response = asking.request(method, f"http://127.0.0.1:{server.port}/a?b=c", headers={"X": "y"})
        except httpx.TransportError as error:
            return type(error)
        return response.status_code, response.reason_phrase, response.headers.multi_items(), response.content


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (WHOLE, False),
        (WHOLE, True),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", True),
        (b"HTTP/1.0 200 OK\r\nX: \xe9\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nold", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"whole"), True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + WHOLE, False),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE, False),
        (b"", True),
        (b"", False),
        (b"HTTP/1.1 200 OK\r\nContent-Le", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nlate", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwho", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nwhole\r\n0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n  b\t\r\nY:\r\nContent-Length:0 \r\n\r\n", False),
        (b"HTTP/1.1 200 OK\nX: a\nContent-Length: 0\n\n", False),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nab", True),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 abc\r\n\r\n", False),
        (b"SSH-2.0-OpenSSH_9\r\n", True),
    ],
    ids=lambda value: str(value)[-40:],
)  # fmt: skip
def test_each_answer_ends_as_with_httpx(answer: bytes, ends: bool, method: str) -> None:
    expected = outcome(httpx.HTTPTransport(limits=LIMITS), answer, method, ends=ends)
    assert outcome(KeepAliveTransport(LIMITS), answer, method, ends=ends) == expected


def test_a_request_arrives_as_httpx_sends_it() -> None:
    """The same bytes: with a body, with a file, and in chunks when its length is not known."""
    sent: list[list[bytes]] = []
    for transport in (httpx.HTTPTransport(limits=LIMITS), KeepAliveTransport(LIMITS)):
        with RawServer(WHOLE) as server, client(transport) as asking:
            url = f"http://127.0.0.1:{server.port}/items/ä?filter={{}}"
            asking.post(url, json={"a": "é"})
            asking.post(
                url,
                files={"file": ("a.txt", b"bytes", "text/plain")},
                headers={"Content-Type": "multipart/form-data; boundary=x"},
            )
            asking.post(url, content=iter([b"one", b"", b"two"]))
            sent.append([each.replace(str(server.port).encode(), b"PORT") for each in server.requests])
    assert [len(each) for each in sent] == [3, 3]
    assert sent[0] == sent[1]


@pytest.mark.parametrize("url", ["http://a.example/items/a", "https://a.example:1/ä b?x=1#y", "/items/a"])
@pytest.mark.parametrize("cookies", [{}, {"session": "s"}], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"params": {}},
        {"params": {"limit": 1, "page": None, "search": "ä &", "deep": True}},
        {"params": {"limit": 1}, "headers": {"accept": "text/plain", "X": "y"}},
        {"json": {"a": 1}},
        {"data": {"a": "1"}, "params": {"limit": 1}},
        {"content": b""},
        {"timeout": 3.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("given", [{}, {"key": "k"}], ids=str)
@pytest.mark.parametrize("method", ["get", "POST"])
def test_a_request_is_made_as_httpx_makes_it(
    method: str, given: dict[str, str], options: dict[str, Any], cookies: dict[str, str], url: str
) -> None:
    made: list[object] = []
    for kind in (httpx.Client, Client):
        settings: dict[str, Any] = {"base_url": "http://base.example", "headers": {"Accept": "a/b"}, "timeout": 7.0}
        with kind(**settings, params=given, transport=KeepAliveTransport(LIMITS)) as asking:
            asking.cookies.update(cookies)
            request = asking.build_request(method, url, **options)
            made.append((request.method, request.url, request.headers.raw, request.read(), request.extensions))
    assert made[0] == made[1]


def test_a_connection_is_used_again_until_it_is_closed_or_old() -> None:
    limits = httpx.Limits(max_connections=4, keepalive_expiry=0.3)
    with RawServer(WHOLE) as server, client(KeepAliveTransport(limits)) as asking:
        url = f"http://127.0.0.1:{server.port}/"
        assert [asking.get(url).status_code for _ in range(3)] == [200] * 3
        assert server.connections == 1
        server.disconnect()
        time.sleep(0.05)
        assert asking.get(url).status_code == 200
        assert server.connections == 2
        time.sleep(0.4)
        assert asking.get(url).status_code == 200
        assert server.connections == 3
    closing = WHOLE.replace(b"Content-Type", b"Connection: close\r\nContent-Type")
    with RawServer(closing, ends=True) as server, client(KeepAliveTransport(LIMITS)) as asking:
        assert [asking.get(f"http://127.0.0.1:{server.port}/").content for _ in range(2)] == [b"whole"] * 2


def test_a_body_that_is_not_read_to_its_end_leaves_no_connection_behind() -> None:
    with RawServer(WHOLE) as server, client(KeepAliveTransport(LIMITS)) as asking:
        url = f"http://127.0.0.1:{server.port}/"
        with asking.stream("GET", url):
            pass
        assert asking.get(url).content == b"whole"
        assert server.connections == 2


def test_one_request_too_many_waits_its_turn() -> None:
    limits = httpx.Limits(max_connections=1, keepalive_expiry=2.0)
    with RawServer(WHOLE) as server, client(KeepAliveTransport(limits)) as asking:
        url = f"http://127.0.0.1:{server.port}/"
        with asking.stream("GET", url), pytest.raises(httpx.PoolTimeout):
            asking.get(url)
        assert asking.get(url).status_code == 200


def test_nobody_there_is_a_connect_error() -> None:
    with RawServer(WHOLE) as server:
        port = server.port
    with client(KeepAliveTransport(LIMITS)) as asking, pytest.raises(httpx.ConnectError):
        asking.get(f"http://127.0.0.1:{port}/")


def test_half_an_answer_to_a_write_is_in_doubt_and_to_a_read_is_no_answer() -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut"
    with (
        RawServer(cut, ends=True) as server,
        Transport(
            f"http://127.0.0.1:{server.port}",
            system="production Directus",
            retry_policy=RetryPolicy(tries=2),
            sleep=lambda _: None,
        ) as transport,
    ):
        with pytest.raises(InDoubt):
            transport.json("POST", "/items/a", json={})
        assert len(server.requests) == 1
        with pytest.raises(Unreachable):
            transport.json("GET", "/items/a")
        assert len(server.requests) == 3


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with RawServer(WHOLE, tls=tls) as server:
        with client(KeepAliveTransport(LIMITS)) as asking, pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
            asking.get(f"https://localhost:{server.port}/")
        assert server.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with client(KeepAliveTransport(LIMITS)) as asking:
            assert asking.get(f"https://localhost:{server.port}/").content == b"whole"
            # Its name is another one.
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
                asking.get(f"https://127.0.0.1:{server.port}/")
