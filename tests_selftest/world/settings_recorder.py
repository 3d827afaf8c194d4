"""
A pytest plugin: which setting is read first in which task group.

    python -m pytest -p tests_selftest.world.settings_recorder phases/ …      SETTINGS_FILE=/tmp/settings.json

Reads between two lines, for the report, are nobody's. `secrets` reads all of them to mask them, and `inputs` to compare
them; neither is a use.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from fixtures.settings import Settings, variables

OUTPUT = "SETTINGS_FILE"
"""Environment variable: the file that gets the first group of each setting, one JSON object."""

_FIELDS = frozenset(variable.field for variable in variables())
_WHOLE = ("secrets", "inputs")

_first: dict[str, str] = {}
_now: list[str] = [""]
_plain = Settings.__getattribute__


def _recorded(settings: Settings, name: str) -> Any:
    if name in _WHOLE:
        group, _now[0] = _now[0], ""
        try:
            return _plain(settings, name)
        finally:
            _now[0] = group
    if _now[0] and name in _FIELDS:
        _first[name] = min(_first.get(name, _now[0]), _now[0])
    return _plain(settings, name)


def too_early(first: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Of the settings that were read before the group they declare: (declared, read in)."""
    declared = {variable.field: variable.since for variable in variables() if variable.since}
    return {name: (declared[name], group) for name, group in first.items() if group < declared.get(name, "")}


def pytest_configure() -> None:
    Settings.__getattribute__ = _recorded  # type: ignore[assignment]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    from fixtures.plugins.gating import line_of  # imported earlier, pytest could not rewrite its assertions

    line = line_of(item)
    _now[0] = line.group if line else ""
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    _now[0] = ""
    return (yield)


def pytest_unconfigure() -> None:
    Settings.__getattribute__ = _plain  # type: ignore[method-assign]
    Path(os.environ[OUTPUT]).write_text(json.dumps(_first, indent=1, sort_keys=True), encoding="utf-8")
