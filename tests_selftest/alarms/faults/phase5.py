"""Faults of phases 5 and 6: in production after a migration that succeeded, and in what is written about it."""

from __future__ import annotations

from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.faults.phase1 import the_dump_is_gone
from tests_selftest.alarms.faults.phase3 import (
    a_field_goes,
    a_row_of_production_goes,
    an_orphan_in_production,
    somebody_adds_a_field,
)
from tests_selftest.alarms.faults.phase4 import an_imported_row_goes
from tests_selftest.alarms.hands import Hands


def visitors_may_write(hands: Hands) -> None:
    """The public may delete rows of a collection."""
    ((policy,),) = hands.sql(
        'SELECT policy::text FROM directus_access WHERE role IS NULL AND "user" IS NULL ORDER BY sort LIMIT 1'
    )
    hands.rest(
        "POST", "/permissions", {"policy": policy, "collection": "chapters", "action": "delete", "fields": ["*"]}
    )


def a_character_of_before_changes(hands: Hands) -> None:
    """One character of a row production had before is another one."""
    hands.sql("UPDATE sections SET title = title || '.' WHERE id = (SELECT max(id) FROM sections)")


def an_impossible_date(hands: Hands) -> None:
    """A date of an imported row is in the year 9999."""
    hands.sql("UPDATE chapters SET effective_date = '9999-01-01' WHERE id = (SELECT max(id) FROM chapters)")


def misread_text(hands: Hands) -> None:
    """A text of an imported row was read in the wrong encoding."""
    hands.sql("UPDATE sections SET title = 'Ã¤lter' WHERE id = (SELECT max(id) FROM sections)")


def the_report_loses_a_chapter(hands: Hands) -> None:
    """The report loses its second half."""
    path = hands.migration / "MIGRATION_REPORT.md"
    text = path.read_text()
    path.write_text(text[: len(text) // 2])


def a_file_leaves_the_archive(hands: Hands) -> None:
    """The archive is overwritten."""
    for path in [*hands.backend.parent.glob("*.tar*"), *hands.backend.parent.glob("*.zip")]:
        path.write_bytes(b"")


def the_notes_lose_a_collection(hands: Hands) -> None:
    """The release notes lose what they say of a new collection."""
    for path in hands.migration.glob("*NOTES*"):
        path.write_text(path.read_text().replace("`amendments`", "`…`"))


def the_calendar_is_edited(hands: Hands) -> None:
    """An appointment leaves the calendar."""
    path = hands.migration / "monitoring.ics"
    path.write_bytes(path.read_bytes().replace(b"BEGIN:VEVENT", b"BEGIN:VTODO", 1))


def the_service_is_suspended(hands: Hands) -> None:
    """Render has suspended the backend."""
    services = hands.render("GET", "/services")
    backend = next(each["service"] for each in services if each["service"]["name"] == "udo-backend")
    hands.render("POST", f"/services/{backend['id']}/suspend")


ALARMS = (
    Alarm("5.1.A4", visitors_may_write, "MIG-543", before="5.1.5"),
    Alarm("5.1.A7", a_row_of_production_goes, "MIG-345"),
    Alarm("5.3.A1", a_field_goes, "MIG-341", before="5.3.1"),
    Alarm("5.3.A1", somebody_adds_a_field, "MIG-350"),
    Alarm("5.3.A2", an_imported_row_goes, "MIG-551", before="5.3.1"),
    Alarm("5.3.A3", an_orphan_in_production, "MIG-552", before="5.3.1", red=("5.3.A3", "5.3.A6")),
    Alarm("5.3.A4", misread_text, "MIG-535", before="5.3.1", red=("5.3.A4", "5.3.A6")),
    Alarm("5.3.A4", an_impossible_date, "MIG-533", before="5.3.1"),
    Alarm("5.3.A6", a_row_of_production_goes, "MIG-345"),
    Alarm("5.3.A6", a_character_of_before_changes, "MIG-345", before="5.3.1"),
    Alarm("6.1.4", the_dump_is_gone, "MIG-150"),
    Alarm("6.1.A1", the_report_loses_a_chapter, "MIG-611", red=("6.1.A1", "6.1.A2", "6.1.A3", "6.1.A4")),
    Alarm("6.2.A1", a_file_leaves_the_archive, "MIG-621"),
    Alarm("6.2.A3", the_notes_lose_a_collection, "MIG-613"),
    Alarm("6.2.A5", the_calendar_is_edited, "MIG-612"),
    Alarm("6.2.A6", the_service_is_suspended, "MIG-529"),
)
