"""Databases on several stages at once, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import queue
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests_selftest.untidy import generator
from tests_selftest.untidy.design import Design
from tests_selftest.untidy.stage import Stage, staged
from tests_selftest.untidy.trial import GOOD, minimise, trial

_END_S = 60.0
"""How long a worker may take to end its servers."""


@dataclass(frozen=True)
class Result:
    """What became of one database, and of the smallest one that fails like it."""

    number: int
    label: str
    kinds: tuple[str, ...]
    fate: str
    line: str
    why: str
    seconds: float
    smallest: tuple[str, ...] = ()


def results(wanted: Iterable[int], workers: int, *, smallest: bool) -> Iterable[Result]:
    """What became of each number, as they end; fewer when a worker is gone."""
    context = multiprocessing.get_context("spawn")
    todo: Any = context.Queue()
    done: Any = context.Queue()
    count = 0
    for number in wanted:
        todo.put(number)
        count += 1
    running = [
        context.Process(daemon=True, target=_work, args=(todo, done, smallest)) for _ in range(min(workers, count))
    ]
    for each in running:
        each.start()
    try:
        for _ in range(count):
            while True:
                try:
                    yield done.get(timeout=5)
                    break
                except queue.Empty:
                    if not any(each.is_alive() for each in running):
                        return
        for each in running:
            each.join(_END_S)
    finally:
        for each in running:
            each.terminate()


def _work(todo: Any, done: Any, smallest: bool) -> None:
    parent = multiprocessing.parent_process()
    with staged() as stage:
        while parent is None or parent.is_alive():
            try:
                number = todo.get(timeout=1)
            except queue.Empty:
                return
            try:
                done.put(_one(stage, number, smallest))
            except Exception as problem:  # noqa: BLE001 - the database itself could not be made: a failure of this tool
                said = "".join(traceback.format_exception(problem))
                done.put(Result(number, generator.design(number).label, (), "NOT MADE", "", said, 0.0))


def _one(stage: Stage, number: int, smallest: bool) -> Result:
    design = generator.design(number)
    seen = trial(stage, design)
    small: tuple[str, ...] = ()
    if smallest and seen.fate not in GOOD and number >= generator.FIRST_RANDOM:

        def fails(candidate: Design) -> bool:
            return trial(stage, candidate).fate is seen.fate

        least = minimise(design, fails)
        small = tuple(f"{each.kind} on {each.collection or 'its own'}" for each in least.features)
    kinds = tuple(dict.fromkeys(each.kind for each in design.untidy or design.features[:1]))
    if number >= generator.FIRST_RANDOM and not design.untidy:
        kinds = ()
    return Result(number, design.label, kinds, seen.fate, seen.line, seen.why, seen.seconds, small)
