"""
One point: a command is begun, harmed at one moment, and given again until it ends well; what is there then?

Moments are chosen by event (the nth request or piece of SQL, before, during or after it) and by time, all from one
seed, so that a point that fails can be repeated alone.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from fixtures.world import directus
from tests_selftest.kills.content import differing
from tests_selftest.kills.gate import Moment
from tests_selftest.kills.kill_world import Ended, Ground, Suite

MOST_RUNS = 5
QUIET_S = 30.0


class Fault(StrEnum):
    """What is done to the migration."""

    SUITE = "kill -9 suite"
    DIRECTUS = "kill -9 Directus"
    POSTGRES = "kill -9 Postgres"
    BACKEND = "kill -9 a backend"
    SESSIONS = "sessions dropped"
    CUT = "connection cut"


class By(StrEnum):
    """What tells the moment."""

    HTTP = "request"
    POSTGRES = "piece of SQL"
    TIME = "s"


@dataclass(frozen=True)
class Task:
    """
    A command, and what may be there when it has ended.

    Attributes:
        state: The state of the ground it begins from.
        between: Whether content that is neither before nor after may be seen while it has not ended well; an import
            may stop half way, an apply may not.
    """

    name: str
    state: str
    lines: tuple[str, ...]
    ignoring: tuple[str, ...] = ()
    sequences: bool = True
    between: bool = True


@dataclass(frozen=True)
class Undisturbed:
    """
    The command without any harm: how much passes, how long it takes, and the content before and after.

    Attributes:
        writes: Numbers of the requests that write.
    """

    http: int
    postgres: int
    seconds: float
    before: dict[str, str]
    after: dict[str, str]
    writes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Point:
    """
    When and how one run is harmed.

    Attributes:
        late_s: With Moment.DURING, how long the server has been at work on it by then.
        again: The second run is harmed too.
    """

    number: int
    fault: Fault
    by: By
    at: float
    moment: Moment
    late_s: float = 0.0
    again: bool = False

    def __str__(self) -> str:
        where = f"{self.at:.2f} s" if self.by is By.TIME else f"{self.moment} {self.by} {self.at:.0f}"
        where += f" +{self.late_s * 1000:.0f} ms" if self.late_s else ""
        return f"{self.fault}, {where}{', twice' if self.again else ''}"


@dataclass(frozen=True)
class Outcome:
    """
    How one point ended.

    Attributes:
        hit: What was passing when the harm was done; empty when the command had ended before.
        runs: Each process, in order.
        wrong: What is not as in an undisturbed run; empty when all is well.
    """

    point: Point
    hit: str
    runs: tuple[Ended, ...]
    wrong: tuple[str, ...]
    seconds: float

    @property
    def well(self) -> bool:
        return not self.wrong

    def __str__(self) -> str:
        codes = " ".join("killed" if run.code < 0 else str(run.code) for run in self.runs)
        verdict = "equal" if self.well else f"WRONG: {'; '.join(self.wrong)}"
        return f"{self.point.number:>3}  {self.point!s:<52} {self.hit or 'not reached':<34.34} {codes:<16} {verdict}"


def undisturbed(ground: Ground, task: Task, *, times: int = 2) -> Undisturbed:
    """
    The command run undisturbed, more than once if asked: every point must end as it does.

    Raises:
        AssertionError: it fails undisturbed, or two undisturbed runs differ, so that nothing could be proven by it.
    """
    seen = []
    for _ in range(times):
        ground.go_back(task.state)
        before = _content(ground, task)
        writes: list[int] = []
        ground.http.reset(partial(_note_writes, writes))
        ended = ground.run(task.lines)
        assert ended.well, ended.said
        seen.append(Undisturbed(ground.http.passed, ground.postgres.passed, ended.seconds, before,
                                _content(ground, task), tuple(writes)))  # fmt: skip
    first, second = seen[0], seen[-1]
    assert first.before == second.before
    assert first.after == second.after, f"two undisturbed runs differ in {differing(first.after, second.after)}"
    assert first.before != first.after, "the command changes nothing"
    return replace(first, seconds=min(first.seconds, second.seconds))


def _note_writes(writes: list[int], number: int, moment: Moment, what: str) -> bool:
    if moment is Moment.BEFORE and what.split()[0] in {"POST", "PATCH", "DELETE"}:
        writes.append(number)
    return False


def points(peace: Undisturbed, *, count: int, seed: int, faults: Sequence[Fault] = tuple(Fault)) -> Iterator[Point]:
    """That many points over the whole run, every fault in its turn."""
    dice = random.Random(seed)
    # Where much passes through SQL, as in lane sql, it is harmed there as often as at its requests.
    share = peace.postgres / (peace.http + peace.postgres)
    for number in range(1, count + 1):
        fault = faults[number % len(faults)]
        by = By.TIME if dice.random() < 0.25 and fault is not Fault.CUT else By.HTTP
        if by is By.HTTP and dice.random() < share:
            by = By.POSTGRES
        most = {By.HTTP: peace.http, By.POSTGRES: peace.postgres, By.TIME: 0}[by]
        writes = peace.writes if by is By.HTTP and dice.random() < 0.4 else ()
        at = (
            dice.choice(writes)
            if writes
            else dice.uniform(0.15, 0.85) * peace.seconds
            if by is By.TIME
            else dice.randint(1, most)
        )
        moment = dice.choice(list(Moment))
        late_s = dice.choice([0.0, dice.uniform(0, 0.03), dice.uniform(0, 0.3)]) if moment is Moment.DURING else 0.0
        yield Point(number, fault, by, at, moment, late_s, again=dice.random() < 0.2)


def tried(ground: Ground, task: Task, peace: Undisturbed, point: Point) -> Outcome:
    """One point from its state to its end."""
    began = time.monotonic()
    ground.go_back(task.state)
    runs: list[Ended] = []
    wrong: list[str] = []
    hit = ""
    while len(runs) < MOST_RUNS:
        harm = len(runs) == 0 or (point.again and len(runs) == 1)
        suite, seen = _run(ground, task, point) if harm else (ground.begin(task.lines), [])
        runs.append(suite.ended())
        hit = hit or (seen[0] if seen else "")
        ground.http.reset()
        ground.postgres.reset()
        _recovered(ground)
        if runs[-1].well:
            break
        if not task.between:
            _settled(ground, task, peace)
            left = _content(ground, task)
            if left not in (peace.before, peace.after):
                wrong.append(f"between: {', '.join(differing(peace.after, left)[:4])}")
    if not runs[-1].well:
        wrong.append(f"never ended well: {runs[-1].said[:300]}")
    wrong += [f"other content in {name}" for name in differing(peace.after, _content(ground, task))[:5]]
    wrong += [f"{path.name} is left" for path in (ground.reports / "ledger").glob("*.flows.json")]
    return Outcome(replace(point), hit, tuple(runs), tuple(wrong), round(time.monotonic() - began, 1))


def _run(ground: Ground, task: Task, point: Point) -> tuple[Suite, list[str]]:
    """The command, with harm on its way; what was passing when it was done is in the list once it is done."""
    seen: list[str] = []
    once = threading.Lock()
    ready = threading.Event()
    suite: list[Suite] = []

    def listen(number: int, moment: Moment, what: str) -> bool:
        if number != point.at or moment is not point.moment or not once.acquire(blocking=False):
            return False
        seen.append(what)
        ready.wait(5)
        time.sleep(point.late_s)  # let the server work on it for this long
        _harm(ground, suite[0], point.fault)()
        # A dead suite reads no answer, and a cut is a cut; after any other harm the request meets what is left.
        return point.fault is Fault.CUT or (point.fault is Fault.SUITE and moment is Moment.BEFORE)

    if point.by is By.HTTP:
        ground.http.reset(listen)
    elif point.by is By.POSTGRES:
        ground.postgres.reset(listen)
    suite.append(ground.begin(task.lines))
    ready.set()
    if point.by is By.TIME:

        def strike() -> None:
            if suite[0].process.poll() is None:
                seen.append(f"after {ground.http.passed} requests, {ground.postgres.passed} pieces")
                _harm(ground, suite[0], point.fault)()

        timer = threading.Timer(point.at, strike)
        timer.daemon = True
        timer.start()
    return suite[0], seen


def _harm(ground: Ground, suite: Suite, fault: Fault) -> Callable[[], None]:
    return {
        Fault.SUITE: suite.kill,
        Fault.DIRECTUS: ground.kill_directus,
        Fault.POSTGRES: ground.kill_postgres,
        Fault.BACKEND: ground.kill_backend,
        Fault.SESSIONS: ground.end_sessions,
        Fault.CUT: lambda: None,
    }[fault]


def _recovered(ground: Ground) -> None:
    """Whoever gives the command again has seen that the systems are back."""
    ground.revive_postgres()
    ground.revive_directus()
    directus.await_ready(ground.directus, token=ground.token["production"])


def _settled(ground: Ground, task: Task, peace: Undisturbed) -> None:
    """A request that was cut off may still be at work; it ends, one way or the other."""
    deadline = time.monotonic() + QUIET_S
    while ground.busy() and time.monotonic() < deadline:
        time.sleep(0.05)
    del task, peace


def _content(ground: Ground, task: Task) -> dict[str, str]:
    found = ground.content(ignoring=task.ignoring)
    return found if task.sequences else {k: v for k, v in found.items() if not k.startswith("sequence ")}
