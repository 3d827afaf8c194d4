"""One world for the tests that tell a migration and for those that spoil it afterwards: a boot and a run less."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from fixtures.model import secret
from fixtures.world.compact_exports import COMPACT_EXPORTS
from tests_selftest.world.held import ROWS, HeldWorld, gone, hold

ONE_WORLD = ("tests_selftest/world/test_rehearsal.py", "tests_selftest/chaos/test_final_checks.py")

STANDING_BACK = 5
"""Niceness of what runs beside the story, which is the longest: what takes a core from it makes everything longer."""

# Only here: what `make rehearsal` and the other commands of the Makefile start is Directus as npm brings it.
os.environ.setdefault(COMPACT_EXPORTS, "1")

# How long an example takes to draw says how busy the machine is, and nothing of what is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """A file to a worker, and the two that share a world to one: a whole migration less."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return ONE_WORLD[0] if file in ONE_WORLD else str(file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    """Stands in for --dist, whose groups (loadgroup) pytest-xdist 3.8 does not keep under pytest 9.2."""
    return Scheduling(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """From its first test outside of the story on, a worker and all it starts stand back."""
    beside = "PYTEST_XDIST_WORKER" in os.environ and not item.nodeid.startswith(ONE_WORLD)
    if beside and os.getpriority(os.PRIO_PROCESS, 0) < STANDING_BACK:
        os.setpriority(os.PRIO_PROCESS, 0, STANDING_BACK)


@pytest.fixture(autouse=True)
def secrets_of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test calls a secret is not masked in the next one."""
    monkeypatch.setattr(secret, "_forms", secret._forms)


@pytest.fixture(scope="session")
def held_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldWorld]:
    """A world held open on which nothing has happened yet, or the story of tests_selftest/world/test_rehearsal.py."""
    folder = tmp_path_factory.mktemp("held")
    held = hold(folder / "world", folder / "reports", rows=ROWS)
    yield held
    held.stop()
    assert gone(held.ready["world"]) == []
