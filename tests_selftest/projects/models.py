"""The projects, by name; `fixtures.world up --content tests_selftest.projects.models:NAME` makes a world of one."""

from __future__ import annotations

import os
from pathlib import Path

from tests_selftest.projects import configuration, shapes
from tests_selftest.projects.project import GeneratedProject, SnapshotProject

SNAPSHOT_VARIABLE = "PROJECT_SNAPSHOT"

_BIO = """
[[waiver]]
code = "NOT_CARRIED"
object = "directus_users.bio"
reason = "the authors write it again in production"
who = "Head of the help centre"
expires = {expires}
"""

CMS = GeneratedProject("cms", shapes.cms())
"""A site with 24 collections: pages of blocks, translations, a tree, singletons, validation, app-only rules."""

AGENCY = GeneratedProject("agency", shapes.agency(), configured=True, environment={"CARRY": configuration.CARRY})
"""76 collections: an any-relation to 15 of them, nested translations, many references; and what CARRY takes over."""

TRANSLATED = GeneratedProject(
    "translated",
    shapes.cms(translated=True),
    production=shapes.cms(blocks=(1, 2, 3, 5, 7)),
    environment={"CONFLICT_POLICY": "keep"},
)
"""The CMS with translations of posts and of every block; production has it without them and with fewer blocks."""

SHOP = GeneratedProject(
    "shop",
    shapes.shop(),
    production=shapes.shop_in_production(),
    listening=("orders",),
    environment={"CONFLICT_POLICY": "keep", "FLOW_POLICY": "pause"},
)
"""A shop that went live earlier: edits, orders, files, a column and a collection of production's own, a flow."""

HELP_CENTRE = GeneratedProject(
    "help-centre",
    shapes.help_centre(grown=True),
    production=shapes.help_centre(grown=False),
    listening=("articles", "feedback"),
    waivers=_BIO,
    environment={"CONFLICT_POLICY": "keep", "FLOW_POLICY": "pause"},
)
"""A help centre: trees, translations, related articles, validation, fields on people and files, flows that listen.

What people wrote about themselves is left behind by waiver, and what is written about a file comes with it."""

CONFIGURED = ("AGENCY",)
"""Those in which CARRY takes over what people made beside data model and rows."""

NAMES = ("CMS", "TRANSLATED", "SHOP", "HELP_CENTRE", "AGENCY")


def __getattr__(name: str) -> SnapshotProject:
    """`SNAPSHOT` is the project whose snapshot the variable PROJECT_SNAPSHOT names."""
    if name != "SNAPSHOT":
        raise AttributeError(name)
    path = Path(os.environ[SNAPSHOT_VARIABLE])
    return SnapshotProject(path.stem, path)
