"""No process outlives the world: the supervisor against real processes, in seconds."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.process.supervise import Supervisor, free_port, marked

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="death signals and /proc are Linux")

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PATH": os.environ["PATH"]}
DEADLINE_S = 10.0


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor(f"selftest-{os.getpid()}-{time.monotonic_ns()}")
    yield supervisor
    supervisor.stop_all()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def becomes(condition: object, wanted: object) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + DEADLINE_S
    while condition() != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition() == wanted)


def pid_in(path: Path) -> int:
    assert becomes(lambda: path.is_file() and path.read_text().strip().isdigit(), True), f"{path.name} was not written"
    return int(path.read_text())


def test_output_and_return_code_are_those_of_the_command(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.start("talk", ["sh", "-c", "echo $WORD; exit 3"], env={**ENVIRONMENT, "WORD": "porch"},
                             cwd=tmp_path, log=tmp_path / "log")  # fmt: skip
    assert child.wait(DEADLINE_S) == 3
    assert (tmp_path / "log").read_text() == "porch\n"
    assert not child.running


def test_a_command_that_does_not_exist_says_so_in_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.start("ghost", ["no-such-command"], env=ENVIRONMENT, cwd=tmp_path, log=tmp_path / "log")
    assert child.wait(DEADLINE_S) == 127
    assert "cannot start no-such-command" in child.tail()


NICED = """
import os, pwd, sys
from pathlib import Path
from fixtures.process.supervise import Account, Supervisor

os.nice(7)
nobody = pwd.getpwnam("nobody")
other = Account("nobody", nobody.pw_uid, nobody.pw_gid) if os.geteuid() == 0 else None
supervisor = Supervisor(f"niced-{os.getpid()}")
argv = ["/bin/sh", "-c", "nice; cat /proc/self/autogroup 2>/dev/null; true"]
for name, account in (("own", None), ("other", other)):
    child = supervisor.start(name, argv, env={"PATH": os.environ["PATH"]}, cwd=Path("/"), log=Path(sys.argv[1]) / name,
                             account=account)
    child.wait(10)
supervisor.stop_all()
"""


def test_what_a_niced_holder_starts_is_niced_as_a_whole_session(tmp_path: Path) -> None:
    """Whoever it runs as. Where Linux weighs sessions, the niceness of the process alone would mean nothing."""
    subprocess.run([sys.executable, "-c", NICED, str(tmp_path)], cwd=ROOT, check=True, timeout=60)
    for name in ("own", "other"):
        own, *session = (tmp_path / name).read_text().split()
        assert int(own) >= 7
        assert session[-1:] == ([own] if Path("/proc/self/autogroup").exists() else [])


def test_stop_ends_the_whole_group_even_when_it_ignores_the_request(supervisor: Supervisor, tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 300 & echo $! > grandchild; wait; wait"
    child = supervisor.start("deaf", ["sh", "-c", script], env=ENVIRONMENT, cwd=tmp_path, log=tmp_path / "log")
    grandchild = pid_in(tmp_path / "grandchild")
    supervisor.stop(child, grace_s=0.2)
    assert not child.running
    assert becomes(lambda: alive(grandchild), False)


def test_stop_finds_a_process_that_left_the_group(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.start("leaver", ["sh", "-c", "setsid sh -c 'echo $$ > runaway; exec sleep 300' & sleep 300"],
                             env=ENVIRONMENT, cwd=tmp_path, log=tmp_path / "log")  # fmt: skip
    runaway = pid_in(tmp_path / "runaway")
    assert os.getpgid(runaway) != child.pid
    supervisor.stop(child, grace_s=1)
    assert becomes(lambda: alive(runaway), False)


def test_the_rest_of_a_group_goes_when_its_leader_ends(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.start("brief", ["sh", "-c", "sleep 300 & echo $! > left"], env=ENVIRONMENT,
                             cwd=tmp_path, log=tmp_path / "log")  # fmt: skip
    assert child.wait(DEADLINE_S) == 0
    assert becomes(lambda: alive(pid_in(tmp_path / "left")), False)


def test_stop_all_leaves_nothing_and_refuses_to_start_more(supervisor: Supervisor, tmp_path: Path) -> None:
    for number in range(3):
        supervisor.start(f"n{number}", ["sleep", "300"], env=ENVIRONMENT, cwd=tmp_path, log=tmp_path / "log")
    # A process that is just becoming another program shows no environment for a moment.
    assert becomes(lambda: len(marked(f"WORLD_ID={supervisor.world_id}")) == 3, True)
    supervisor.stop_all()
    assert marked(f"WORLD_ID={supervisor.world_id}") == []
    with pytest.raises(RuntimeError, match="is being stopped"):
        supervisor.start("late", ["sleep", "300"], env=ENVIRONMENT, cwd=tmp_path, log=tmp_path / "log")


def test_a_child_outlives_the_thread_that_asked_for_it(supervisor: Supervisor, tmp_path: Path) -> None:
    """The kernel ties a death signal to the thread that forked, not to the process."""
    import threading

    pids: list[int] = []
    thread = threading.Thread(
        target=lambda: pids.append(
            supervisor.start("asked", ["sleep", "300"], env=ENVIRONMENT, cwd=tmp_path, log=tmp_path / "log").pid
        )
    )
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert alive(pids[0])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: signal.Signals(number).name)
def test_no_process_survives_its_killed_holder(number: signal.Signals, tmp_path: Path) -> None:
    world = f"selftest-{os.getpid()}-{number}"
    holder_code = textwrap.dedent(
        f"""
        import os, time
        from pathlib import Path
        from fixtures.process.supervise import Supervisor
        supervisor, here = Supervisor({world!r}), Path({str(tmp_path)!r})
        environment = {{"PATH": os.environ["PATH"]}}
        for script in ("sleep 300 & echo $! > child; wait",
                       "setsid sh -c 'echo $$ > runaway; exec sleep 300' & wait; sleep 300"):
            supervisor.start("n", ["sh", "-c", script], env=environment, cwd=here, log=here / "log")
        time.sleep(300)
        """
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", holder_code], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        pids = [pid_in(tmp_path / "child"), pid_in(tmp_path / "runaway")]
        assert all(map(alive, pids))
    finally:
        holder.send_signal(number)
        holder.wait(DEADLINE_S)
    assert becomes(lambda: [pid for pid in pids if alive(pid)], [])
    assert becomes(lambda: marked(f"WORLD_ID={world}"), [])


def test_a_free_port_can_be_bound_and_is_not_handed_out_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", ports[0]))
        listener.listen()
        assert free_port(ports[0]) != ports[0]
    assert free_port(ports[0]) == ports[0]
