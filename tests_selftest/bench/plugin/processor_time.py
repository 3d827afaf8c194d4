"""
A pytest plugin for `make scale`: the process's own processor time at the end of every test, one JSON line each.

It is given on pytest's command line (`-p processor_time`, its folder on PYTHONPATH) and imports nothing of the suite,
so an older commit is measured in the same way. Seconds are user + system of this process with all of its threads,
by `getrusage(RUSAGE_SELF)`: programs the suite starts (pg_dump, git, node) and the world's systems are not in them.
What passes between two tests counts for the second.
"""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

OUTPUT = "PROCESSOR_TIME_FILE"
"""Environment variable: the file the lines are appended to."""


def processor_seconds() -> float:
    """User + system seconds of this process since it began, without its children."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def pytest_runtest_logfinish(nodeid: str) -> None:
    """Writes {"test": node id, "seconds": processor time of this process so far}."""
    line = json.dumps({"test": nodeid, "seconds": round(processor_seconds(), 3)})
    with Path(os.environ[OUTPUT]).open("a", encoding="utf-8") as output:
        output.write(f"{line}\n")
