"""Commands end or are ended, waits have a deadline and a last observation, and no message holds a secret."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from fixtures.process.command import CommandFailed, CommandTimedOut, inherited, run
from fixtures.process.waiting import WaitTimedOut, wait_until, wait_until_async

PATH = {"PATH": os.environ["PATH"]}


def python(*lines: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(lines)]


def test_a_command_is_its_output_and_code() -> None:
    """Standard input goes in; both outputs come back apart."""
    done = run(
        python("import sys", "print(sys.stdin.read().upper())", "print('aside', file=sys.stderr)"),
        env=PATH,
        timeout_s=20,
        stdin="hello",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "HELLO\n", "aside\n")
    assert done.duration_s > 0


def test_nothing_of_our_environment_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command knows only what it is given."""
    monkeypatch.setenv("NOT_FOR_YOU", "1")
    done = run(python("import os", "print('NOT_FOR_YOU' in os.environ)"), env=PATH, timeout_s=20)
    assert done.stdout == "False\n"


def test_the_environment_is_copied_while_a_thread_changes_it() -> None:
    """pytest takes its own name out of it after every test; a plain copy raises KeyError then."""
    ended = threading.Event()

    def change() -> None:
        while not ended.is_set():
            os.environ["COMES_AND_GOES"] = "1"
            del os.environ["COMES_AND_GOES"]

    thread = threading.Thread(target=change)
    thread.start()
    try:
        copies = [inherited(ADDED="yes") for _ in range(5000)]
    finally:
        ended.set()
        thread.join()
    assert {(copy["PATH"], copy["ADDED"]) for copy in copies} == {(os.environ["PATH"], "yes")}


def test_line_ends_of_the_output_are_kept() -> None:
    """A carriage return is part of what was said, not the end of a line."""
    lines = ("import sys", r"sys.stdout.buffer.write(b'a\rb\r\n\xff')")
    assert run(python(*lines), env=PATH, timeout_s=20).stdout == "a\rb\r\n\ufffd"
    exactly = run(python(*lines), env=PATH, timeout_s=20, errors="surrogateescape").stdout
    assert exactly == "a\rb\r\n\udcff"


def test_a_failure_says_its_last_words_without_secrets() -> None:
    """The tail of the output, the exit code, and "[redacted]" where the token was."""
    lines = ("import os, sys", "print('token is', os.environ['GIT_TOKEN'], file=sys.stderr)", "sys.exit(3)")
    with pytest.raises(CommandFailed, match="exit code 3") as failure:
        run(python(*lines), env={**PATH, "GIT_TOKEN": "ghp_0123456789"}, timeout_s=20)
    assert "token is [redacted]" in str(failure.value)
    assert "ghp_0123456789" not in str(failure.value)


def test_accepted_codes_are_answers() -> None:
    """`git diff --no-index` says "they differ" with 1."""
    assert run(python("raise SystemExit(1)"), env=PATH, timeout_s=20, accept=(0, 1)).returncode == 1


def test_a_program_that_is_not_there_is_a_failure() -> None:
    """With its name, not with a stack trace of the operating system."""
    with pytest.raises(CommandFailed, match="no-such-program"):
        run(["/nowhere/no-such-program"], env=PATH, timeout_s=5)


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """The whole group goes, and what it said until then is kept."""
    mark = tmp_path / "child"
    child = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = (
        "import subprocess, sys, time",
        "print('starting', flush=True)",
        f"subprocess.Popen([sys.executable, '-c', {child!r}])",
        "time.sleep(60)",
    )
    with pytest.raises(CommandTimedOut, match="starting"):
        run(python(*parent), env=PATH, timeout_s=2)
    pid = int(mark.read_text())
    state = wait_until(
        lambda: _state(pid), until=lambda s: s in {"", "Z"}, deadline_s=5, every_s=0.05, reason="the child is dead"
    )
    assert state in {"", "Z"}


def test_waiting_ends_with_the_observation_that_holds() -> None:
    """And tells each one on the way."""
    seen: list[int] = []
    numbers = iter(range(10))
    found = wait_until(
        lambda: next(numbers),
        until=lambda n: n == 3,
        deadline_s=60,
        every_s=5,
        reason="three",
        progress=lambda n, _: seen.append(n),
        sleep=lambda _: None,
    )
    assert (found, seen) == (3, [0, 1, 2, 3])


def test_waiting_too_long_says_what_was_seen_last() -> None:
    """One last look is taken at the deadline; the pauses never go beyond it."""
    now = [0.0]
    looks: list[float] = []

    def look() -> str:
        looks.append(now[0])
        return f"building at {now[0]:g}"

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(WaitTimedOut, match="building at 12") as failure:
        wait_until(
            look, until=lambda _: False, deadline_s=12, every_s=5, reason="live", clock=lambda: now[0], sleep=sleep
        )
    assert (looks, failure.value.last, failure.value.seconds) == ([0.0, 5.0, 10.0, 12.0], "building at 12", 12.0)


def test_what_the_observation_raises_passes_through() -> None:
    """A condition that has become impossible is not waited for."""
    started = time.monotonic()

    def gone() -> str:
        raise LookupError("the deploy was canceled")

    with pytest.raises(LookupError, match="canceled"):
        wait_until(gone, until=bool, deadline_s=60, every_s=5, reason="live")
    assert time.monotonic() - started < 5


def _state(pid: int) -> str:
    """One letter of the kernel for the process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_waiting_on_an_event_loop_lets_other_work_go_on() -> None:
    """The condition comes true by work that runs on the same loop; nobody else could do it."""

    async def story() -> tuple[int, str]:
        done: list[int] = []

        async def observe() -> int:
            return len(done)

        async def work() -> None:
            done.extend([1, 2, 3])

        task = asyncio.ensure_future(work())
        seen = await wait_until_async(observe, until=lambda n: n == 3, deadline_s=5, every_s=0.01, reason="three")
        await task
        with pytest.raises(WaitTimedOut, match="four") as late:
            await wait_until_async(observe, until=lambda n: n == 4, deadline_s=0.05, every_s=0.01, reason="four")
        return seen, str(late.value)

    seen, text = asyncio.run(story())
    assert seen == 3
    assert "last seen: 3" in text
