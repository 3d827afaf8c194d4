"""A command that is read from or written to while it runs ends well, fails with its words, or is killed in time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from fixtures.process.command import CommandFailed, CommandTimedOut
from fixtures.process.piped import reading, writing

ENV = {"PATH": os.environ["PATH"], "PGPASSWORD": "hunter2hunter2"}


def test_what_a_command_writes_is_read() -> None:
    with reading(["printf", "%s", "bytes"], env=ENV, timeout_s=10) as pipe:
        assert pipe.read() == b"bytes"


def test_a_command_is_given_its_input_and_says_its_output() -> None:
    with writing(["tr", "a-z", "A-Z"], env=ENV, timeout_s=10) as fed:
        fed.pipe.write(b"bytes")
    assert fed.stdout == "BYTES"


def test_one_that_has_read_enough_may_end_before_its_input() -> None:
    with writing(["head", "-c", "3"], env=ENV, timeout_s=10) as fed:
        for _ in range(1000):
            fed.pipe.write(b"x" * 100_000)
    assert fed.stdout == "xxx"


@pytest.mark.parametrize("way", [reading, writing])
def test_a_failure_is_told_in_its_own_words_without_secrets(way: Callable[..., AbstractContextManager[Any]]) -> None:
    script = 'echo "no such table, $PGPASSWORD" >&2; exit 3'
    with pytest.raises(CommandFailed, match="no such table") as failure:  # noqa: SIM117 - raised at the block's end
        with way(["sh", "-c", script], env=ENV, timeout_s=10):
            pass
    assert failure.value.completed.returncode == 3
    assert "hunter2" not in str(failure.value)


def test_a_command_that_does_not_exist_is_said() -> None:
    with pytest.raises(CommandFailed, match="/nowhere/pg_dump"), reading(["/nowhere/pg_dump"], env=ENV, timeout_s=1):
        pass


def test_one_that_hangs_is_killed_at_its_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(CommandTimedOut), reading(["sleep", "60"], env=ENV, timeout_s=0.3) as pipe:
        assert pipe.read() == b""
    assert time.monotonic() - began < 20


def test_when_the_block_raises_the_command_does_not_take_what_it_has_for_everything() -> None:
    """What pg_restore has of a damaged dump must not be committed because its input ended."""
    fed = None

    def feed() -> None:
        nonlocal fed
        with writing(["cat"], env=ENV, timeout_s=10) as fed:
            fed.pipe.write(b"half of it")
            raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        feed()
    assert fed is not None
    assert fed.stdout == ""
