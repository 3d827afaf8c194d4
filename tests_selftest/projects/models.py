"""The projects, by name; `fixtures.world up --content tests_selftest.projects.models:NAME` makes a world of one."""

from __future__ import annotations

import os
from pathlib import Path

from tests_selftest.projects import shapes
from tests_selftest.projects.project import GeneratedProject, SnapshotProject

SNAPSHOT_VARIABLE = "PROJECT_SNAPSHOT"

CMS = GeneratedProject("cms", shapes.cms())
"""A site with 24 collections: pages of blocks, translations, a tree, singletons, validation, app-only rules."""

AGENCY = GeneratedProject("agency", shapes.agency())
"""76 collections: an any-relation to 15 of them, nested translations, folders of collections, many references."""

NAMES = ("CMS", "AGENCY")


def __getattr__(name: str) -> SnapshotProject:
    """`SNAPSHOT` is the project whose snapshot the variable PROJECT_SNAPSHOT names."""
    if name != "SNAPSHOT":
        raise AttributeError(name)
    path = Path(os.environ[SNAPSHOT_VARIABLE])
    return SnapshotProject(path.stem, path)
