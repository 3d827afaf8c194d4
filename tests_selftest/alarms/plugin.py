"""
A pytest plugin for `make alarms`: does one fault to the rehearsal at the moment before a line of the runbook runs.

It is given on pytest's command line (`-p tests_selftest.alarms.plugin`); ALARM names the fault, and the file ALARM_SAID
holds "done" afterwards, or why it could not be done.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest

from fixtures.plugins.session import current_session
from tests_selftest.alarms.hands import Hands
from tests_selftest.alarms.table import named

NAME, SAID = "ALARM", "ALARM_SAID"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    alarm, said = named(os.environ[NAME]), Path(os.environ[SAID])
    mark = item.get_closest_marker("runbook")
    if mark is None or str(mark.args[0]) != alarm.moment or said.exists():
        return
    session = current_session(item.config)
    if session.world is None:
        raise RuntimeError("alarms are rung in a rehearsal only")
    try:
        alarm.fault(Hands(session.world.ready, session.reports))
        said.write_text("done", encoding="utf-8")
    except Exception:  # noqa: BLE001 - whatever it is, it is told
        said.write_text(traceback.format_exc(), encoding="utf-8")
        pytest.exit(f"the fault could not be done: {alarm.name}", returncode=3)
