"""The commands that are harmed, with the number of points each is owed."""

from __future__ import annotations

from tests_selftest.kills.kill_world import APPLIED, IMPORTED
from tests_selftest.kills.points import Task

DIARY = ("directus_fields.id", "directus_relations.id")
"""Keys Directus counts up: an attempt that was rolled back has used some."""

TASKS: dict[str, tuple[Task, int, dict[str, str]]] = {
    "api": (Task("import, lane api", "import", IMPORTED), 50, {}),
    "sql": (Task("import, lane sql", "import", IMPORTED), 50, {"IMPORT_LANE": "sql"}),
    "apply": (Task("schema apply", "schema", APPLIED, ignoring=DIARY, sequences=False, between=False), 20, {}),
}
