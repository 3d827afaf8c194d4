"""
Two doors in the way to production, for HTTP and for Postgres: they count what passes and can be shut at any moment.

Each passing is announced three times, `before` it is let through, `during` (it was let through, no answer yet) and
`after` (the answer is here and not yet handed on); whoever listens may do harm then, or ask for the connection to be
cut. So a lost answer, a request that never arrived and an answer that came too late can be made at will.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import select
import socket
import struct
import threading
from collections.abc import Callable
from enum import StrEnum


class Moment(StrEnum):
    """Where a passing is."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


Listener = Callable[[int, Moment, str], bool]
"""Told the number of the passing, its moment and what it is; True asks to cut the connection there."""

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "proxy-connection", "upgrade"}


class Gate:
    """What both doors have in common: a counter, somebody who listens, and an address."""

    def __init__(self) -> None:
        self.listener: Listener = lambda _number, _moment, _what: False
        self.passed = 0
        self._lock = threading.Lock()

    def reset(self, listener: Listener | None = None) -> None:
        """Count from one again, for this listener."""
        with self._lock:
            self.passed = 0
            self.listener = listener or (lambda _number, _moment, _what: False)

    def next(self) -> int:
        with self._lock:
            self.passed += 1
            return self.passed


class HttpGate(Gate):
    """Every request to the server at *port*, one by one."""

    def __init__(self, port: int, upstream_s: float = 60.0) -> None:
        super().__init__()
        gate = self

        class Door(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer leaves in one piece; in two it waits 40 ms for the kernel's acknowledgement

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                number, what = gate.next(), f"{self.command} {self.path.partition('?')[0]}"
                if gate.listener(number, Moment.BEFORE, what):
                    return self._cut()
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=upstream_s)
                try:
                    headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
                    upstream.request(self.command, self.path, body or None, headers)
                    cut = gate.listener(number, Moment.DURING, what)
                    if cut:
                        self._cut()
                    answer = upstream.getresponse()
                    content = answer.read()
                    if cut:
                        return None  # it came too late: nobody is there any more
                    if gate.listener(number, Moment.AFTER, what):
                        return self._cut()
                    self._hand_on(answer, content)
                except (OSError, http.client.HTTPException):
                    self._cut()  # the server is gone, so is the answer
                finally:
                    upstream.close()
                return None

            do_GET = do_POST = do_PATCH = do_DELETE = do_SEARCH = do_PUT = _pass  # noqa: N815 - the library's names

            def _hand_on(self, answer: http.client.HTTPResponse, content: bytes) -> None:
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP_BY_HOP | {"content-length"}:
                        self.send_header(name, value)
                if answer.status not in {204, 304}:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

            def _cut(self) -> None:
                self.close_connection = True
                cut(self.connection)

            def log_message(self, *_: object) -> None:
                """Silent: what passes is told to the listener."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A connection that was cut is what this is for."""

        self._server = Server(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class PostgresGate(Gate):
    """Every piece a client sends to the Postgres at *port*; a piece is what one read of the socket gives."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._upstream = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream), timeout=10)
        except OSError:
            return cut(client)
        server.settimeout(None)
        waiting = 0  # the passing whose answer is still to come
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if client in ready:
                    piece = client.recv(1 << 16)
                    if not piece:
                        return None
                    waiting = self.next()
                    if self.listener(waiting, Moment.BEFORE, "postgres"):
                        return None
                    server.sendall(piece)
                    if self.listener(waiting, Moment.DURING, "postgres"):
                        return None
                if server in ready:
                    piece = server.recv(1 << 16)
                    if not piece:
                        return None
                    if waiting and self.listener(waiting, Moment.AFTER, "postgres"):
                        return None
                    waiting = 0
                    client.sendall(piece)
        except OSError:
            return None
        finally:
            cut(client)
            cut(server)


def cut(connection: socket.socket) -> None:
    """End a connection as a broken line does: reset, without a goodbye."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.close()
