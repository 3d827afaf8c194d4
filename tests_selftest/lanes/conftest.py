"""One Directus for all tests of the lanes; each begins with an empty one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests_selftest.lanes.project import Project


@pytest.fixture(scope="session")
def started() -> Iterator[Project]:
    """A running project."""
    project = Project()
    try:
        project.start()
        yield project
    finally:
        project.stop()


@pytest.fixture
def project(started: Project) -> Project:
    """A running project without rows."""
    started.empty()
    return started
