"""Faults of phase 4: in what is imported, on the way, and in production afterwards."""

from __future__ import annotations

import json

from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.faults.phase1 import an_export_cut_short
from tests_selftest.alarms.faults.phase3 import (
    a_row_of_production_goes,
    a_trigger_refuses_rows,
    an_orphan_in_production,
    somebody_adds_a_field,
)
from tests_selftest.alarms.hands import Hands


def the_plan_is_edited(hands: Hands) -> None:
    """The import plan is edited on disk."""
    path = hands.migration / "import-plan.json"
    content = json.loads(path.read_text())
    content["policy"] = "update"
    path.write_text(json.dumps(content))


def the_token_is_refused(hands: Hands) -> None:
    """Production's administrator is suspended."""
    hands.sql("UPDATE directus_users SET status = 'suspended' WHERE token = %s", hands.environment["ADMIN_TOKEN"])


def an_imported_row_goes(hands: Hands) -> None:
    """An imported row is deleted by SQL."""
    hands.sql("DELETE FROM amendments WHERE id = (SELECT max(id) FROM amendments WHERE id NOT IN"
              " (SELECT replaces FROM amendments WHERE replaces IS NOT NULL))")  # fmt: skip


def a_character_changes(hands: Hands) -> None:
    """One character of an imported row is another one."""
    hands.sql("UPDATE amendments SET title = title || '.' WHERE id = (SELECT max(id) FROM amendments)")


def a_sequence_falls_behind(hands: Hands) -> None:
    """The sequence of a key begins again at 1."""
    hands.sql("SELECT setval(pg_get_serial_sequence('import_notices', 'id'), 1, false)")


ALARMS = (
    Alarm("4.1.1", an_export_cut_short, "MIG-411"),
    Alarm("4.1.A1", an_export_cut_short, "MIG-411", red=("4.1.A1", "4.1.A2")),
    Alarm("4.1.A5", the_plan_is_edited, "MIG-612"),
    Alarm("4.2.1", the_token_is_refused, "HTTP-401"),
    Alarm("4.2.2", a_trigger_refuses_rows, "HTTP-400"),
    Alarm("4.2.5", an_imported_row_goes, "MIG-423"),
    Alarm("4.3.1", an_imported_row_goes, "MIG-433"),
    Alarm("4.3.2", a_character_changes, "MIG-434", before="4.3.1"),
    Alarm("4.3.4", an_orphan_in_production, "MIG-552"),
    Alarm("4.3.5", a_trigger_refuses_rows, "MIG-542"),
    Alarm("4.3.6", a_sequence_falls_behind, "MIG-437"),
    Alarm("4.3.A2", a_row_of_production_goes, "MIG-345"),
    Alarm("4.3.A8", somebody_adds_a_field, "MIG-350"),
)
