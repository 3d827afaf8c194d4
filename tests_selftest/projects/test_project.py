"""A help centre with an older production goes through the real phases: dry run, real run, again, rollback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests_selftest.projects.__main__ import run_project

# One test of minutes: begun last, it would keep one core busy when the others have nothing left.
pytestmark = pytest.mark.order("third")


def test_a_foreign_project_reaches_go_and_loses_nothing(tmp_path: Path) -> None:
    done = run_project("HELP_CENTRE", "tests_selftest.projects.models:HELP_CENTRE", {}, tmp_path / "HELP_CENTRE")
    assert done.wrong == []
    assert len(done.runs) == 4
