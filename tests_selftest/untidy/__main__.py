"""
`make untidy`: databases as people make them, each migrated and compared by SQL; exit 1 when one is not as it should be.

    python -m tests_selftest.untidy [--count N] [--seed S] [--only NUMBER] [--kind TEXT] [--form TEXT] [--workers N]
        [--every-form] [--record FILE]
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests_selftest.untidy import generator, record, workers
from tests_selftest.untidy.trial import GOOD, Fate
from tests_selftest.untidy.workers import Result

COUNT, COMBINED = 0, 120
_SHOWN = 300
_CODE = re.compile(r"\b(?:[A-Z]{2,4}-|SC)\d{3}\b")


def main(arguments: list[str]) -> int:
    """Run the databases on *workers* stages; the exit code."""
    given = _arguments(arguments)
    wanted = _numbers(given)
    began, results = time.monotonic(), []
    for result in workers.results(wanted, given.workers, smallest=given.smallest):
        results.append(result)
        _say(_line(result))
        if given.record:
            record.add(given.record, result.number, result.fate, _code(result), result.line)
        if result.fate not in set(GOOD):
            said = " ".join(result.why.split())
            _say(f"         {said[-_SHOWN:] if result.fate == Fate.CRASH else said[:_SHOWN]}")
            if result.smallest:
                _say(f"         smallest: --only {result.number} with {'; '.join(result.smallest)}")
    _say(_table(results))
    failed = [each for each in results if each.fate not in set(GOOD)]
    _say(
        f"{len(results)} databases in {time.monotonic() - began:.0f} s: "
        f"{len(results) - len(failed)} as they should be, {len(failed)} not"
    )
    for each in failed if len(failed) <= _SHOWN else ():
        _say(f"  --only {each.number}: {each.fate}: {', '.join(each.smallest or each.kinds)} ({each.label})")
    return 1 if failed or len(results) < len(wanted) or not results else 0


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make untidy")
    parser.add_argument("--count", type=int, default=COUNT, help="how many; every kind alone and 120 combined if unset")
    parser.add_argument("--seed", type=int, default=0, help="another set of combinations")
    parser.add_argument("--only", type=int, default=None, help="one database by its number")
    parser.add_argument("--kind", default="", help="only kinds with this text, alone")
    parser.add_argument("--form", default="", help='only "blank", "older", "diverged", "lane api" …')
    parser.add_argument("--every-form", action="store_true", help="of every kind all six forms, not three")
    parser.add_argument("--record", type=Path, default=None, help="add what became of kinds alone to this table")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--smallest", action=argparse.BooleanOptionalAction, default=True, help="minimise what fails")
    return parser.parse_args(arguments)


def _numbers(given: argparse.Namespace) -> list[int]:
    if given.only is not None:
        return [given.only]
    first = generator.FIRST_RANDOM + given.seed
    alone = generator.numbers(both_lanes=given.every_form or bool(given.kind))
    if given.kind or given.form:
        return [
            number for number in alone
            if given.form in generator.design(number).label
            and any(given.kind in each.kind for each in generator.design(number).features)
        ]  # fmt: skip
    if not given.count:
        return [*alone, *range(first, first + COMBINED)]
    return [*alone[: given.count], *range(first, first + max(0, given.count - len(alone)))]


def _line(result: Result) -> str:
    code = _code(result)
    what = ", ".join(result.kinds) or "nothing untidy"
    return (
        f"{result.number:6} {result.fate:10} {result.line:6} {code:8}{result.seconds:5.1f} s  {what} ({result.label})"
    )


def _code(result: Result) -> str:
    """The first finding of a stop."""
    found = _CODE.search(result.why) if result.fate not in {Fate.CARRIED, Fate.NAMED, Fate.SILENT, Fate.CRASH} else None
    return found[0] if found else ""


def _table(results: Iterable[Result]) -> str:
    """Kind by kind, how often each fate was met."""
    counted: dict[str, Counter[str]] = {}
    fates = [each.value for each in Fate]
    for result in results:
        for kind in result.kinds or ("nothing untidy",):
            counted.setdefault(kind, Counter())[result.fate] += 1
    fates += sorted({fate for each in counted.values() for fate in each} - set(fates))
    head = f"| kind | {' | '.join(fates)} |\n|---|{'---:|' * len(fates)}"
    lines = [f"| {kind} | {' | '.join(str(each[fate] or '') for fate in fates)} |" for kind, each in counted.items()]
    return "\n".join([head, *lines])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
