"""One world for the tests that tell a migration and for those that spoil it afterwards: a boot and a run less."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests_selftest.world.held import HeldWorld, gone, hold

ROWS = 900


@pytest.fixture(scope="session")
def held_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldWorld]:
    """A world held open on which nothing has happened yet, or the story of tests_selftest/world/test_rehearsal.py."""
    folder = tmp_path_factory.mktemp("held")
    held = hold(folder / "world", folder / "reports", rows=ROWS)
    yield held
    held.stop()
    assert gone(held.ready["world"]) == []
