"""A script of a newer pg_restore plays on an older server, without the one line that server does not know."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from fixtures.systems.postgres.restore import execute_script

SCRIPT = b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nCREATE TABLE t (id int);\n"


class Older:
    """A session with a server of this version, as far as a script without rows needs one."""

    def __init__(self, version: int) -> None:
        self.info = SimpleNamespace(server_version=version)
        self.said = b""

    def execute(self, text: bytes) -> None:
        self.said += text


@pytest.mark.parametrize(("version", "known"), [(16_00_09, False), (17_00_00, True), (18_00_04, True)])
def test_a_setting_the_server_does_not_know_is_not_set(version: int, known: bool) -> None:
    session = Older(version)
    execute_script(cast(psycopg.Connection[Any], session), io.BytesIO(SCRIPT))
    assert (b"transaction_timeout" in session.said) is known
    assert b"CREATE TABLE t" in session.said
