"""Faults of phase 3: in production's schema, in the plan, in what was applied."""

from __future__ import annotations

import json
from pathlib import Path

from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.hands import Hands


def an_orphan_in_production(hands: Hands) -> None:
    """A row of production names a parent that is not there."""
    hands.sql(
        "SET session_replication_role = replica; UPDATE sections SET chapter = 999999"
        " WHERE id = (SELECT min(id) FROM sections)"
    )


def somebody_adds_a_field(hands: Hands) -> None:
    """Somebody adds a field to production."""
    hands.rest("POST", "/fields/definitions", {"field": "late", "type": "string", "meta": {}})


def a_part_is_malformed(hands: Hands) -> None:
    """The fields of production's exported schema become an object."""
    path = hands.migration / "schema-production.json"
    content = json.loads(path.read_text())
    content["fields"] = {}
    path.write_text(json.dumps(content))


def another_time_zone(hands: Hands) -> None:
    """Production's database keeps another time zone than UTC."""
    hands.sql("ALTER DATABASE udo_production SET timezone = 'Europe/Berlin'")


def a_check_in_local(hands: Hands) -> None:
    """Local's database has a CHECK that no snapshot holds."""
    hands.local_sql("ALTER TABLE chapters ADD CONSTRAINT numbered CHECK (number IS NOT NULL)")


def the_waiver_is_withdrawn(hands: Hands) -> None:
    """The waiver of the change that rounds values is withdrawn."""
    Path(hands.environment["WAIVERS"]).write_text("")


def a_constraint_goes(hands: Hands) -> None:
    """A foreign key of production is dropped behind Directus' back."""
    _drop_one(hands, "f")


def a_unique_goes(hands: Hands) -> None:
    """A unique constraint of production is dropped behind Directus' back."""
    _drop_one(hands, "u")


def a_trigger_refuses_rows(hands: Hands) -> None:
    """A trigger of production's database refuses every new row of a collection."""
    hands.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;"
        " CREATE TRIGGER refuse BEFORE INSERT ON amendments FOR EACH ROW EXECUTE FUNCTION refuse()"
    )


def the_apply_is_refused(hands: Hands) -> None:
    """Production answers the request that would change its schema with 503."""
    hands.control(
        "POST", "faults", {"fault": "answer_503", "system": "directus", "method": "POST", "path": "/schema/apply"}
    )


def a_collection_is_hidden(hands: Hands) -> None:
    """A new collection is hidden in production's app."""
    hands.rest("PATCH", "/collections/amendments", {"meta": {"hidden": True}})


def a_field_goes(hands: Hands) -> None:
    """A field that was applied is deleted in production."""
    hands.rest("DELETE", "/fields/amendments/hearing_time")


def a_column_goes(hands: Hands) -> None:
    """A column is dropped in production's database."""
    hands.sql("ALTER TABLE amendments DROP COLUMN hearing_time")
    hands.clear_cache()


def a_row_of_production_goes(hands: Hands) -> None:
    """A row production had before is deleted by SQL."""
    hands.sql("DELETE FROM import_notices WHERE id = (SELECT max(id) FROM import_notices)")


def _edit(path: Path, note: str) -> None:
    content = json.loads(path.read_text())
    content["collections"][0]["meta"]["note"] = note
    path.write_text(json.dumps(content))


def _drop_one(hands: Hands, kind: str) -> None:
    ((table, name),) = hands.sql(
        "SELECT c.conrelid::regclass::text, c.conname FROM pg_constraint c WHERE c.contype = %s"
        " AND c.conrelid::regclass::text IN ('amendments', 'sections', 'districts_uses', 'definitions')"
        " ORDER BY 1, 2 LIMIT 1",
        kind,
    )
    hands.sql(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


ALARMS = (
    Alarm("3.1.4", an_orphan_in_production, "MIG-552"),
    Alarm("3.1.A1", somebody_adds_a_field, "MIG-350"),
    Alarm("3.1.A3", a_part_is_malformed, "MIG-314"),
    Alarm("3.1.A4", another_time_zone, "MIG-313", before="3.1.1"),
    Alarm("3.2.1", a_check_in_local, "MIG-327"),
    Alarm("3.2.3", the_waiver_is_withdrawn, "SC131", before="3.2.2"),
    Alarm("3.2.A5", somebody_adds_a_field, "MIG-350"),
    Alarm("3.3.1", somebody_adds_a_field, "MIG-331"),
    Alarm("3.3.2", the_apply_is_refused, "HTTP-503"),
    Alarm("3.3.3", a_constraint_goes, "MIG-337"),
    Alarm("3.3.3", a_unique_goes, "MIG-337"),
    Alarm("3.3.A5", a_collection_is_hidden, "MIG-341", before="3.3.4", red=("3.3.A1", "3.3.A5")),
    Alarm("3.3.5", a_trigger_refuses_rows, "MIG-542"),
    Alarm("3.3.A5", a_field_goes, "MIG-341"),
    Alarm("3.4.2", a_field_goes, "MIG-341", before="3.4.1"),
    Alarm("3.4.3", a_column_goes, "MIG-344"),
    Alarm("3.4.5", a_constraint_goes, "MIG-343", before="3.4.4"),
    Alarm("3.4.6", an_orphan_in_production, "MIG-552"),
    Alarm("3.4.A5", a_row_of_production_goes, "MIG-345"),
    Alarm("3.4.A6", somebody_adds_a_field, "MIG-350"),
)
