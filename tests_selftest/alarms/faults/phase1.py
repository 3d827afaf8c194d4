"""Faults of phase 1: in the changes, the schema, the export, the backup."""

from __future__ import annotations

import json

from tests_selftest.alarms.alarm import Alarm
from tests_selftest.alarms.hands import Hands

_KEY = "rnd_" + "Qx7Zp2Lm9Vt4Bk8Wd3Nf6"
"""Looks like a credential and is none."""


def a_credential_in_the_frontend(hands: Hands) -> None:
    """Somebody writes a credential into a file of the frontend."""
    (hands.frontend / "deploy.ts").write_text(f'export const apiKey = "{_KEY}";\n')


def a_credential_in_the_backend(hands: Hands) -> None:
    """Somebody writes a credential into a file of the backend."""
    (hands.backend / "deploy.yaml").write_text(f"api_key: {_KEY}\n")


def an_entry_leaves_gitignore(hands: Hands) -> None:
    """The frontend's .gitignore no longer names .env."""
    path = hands.frontend / ".gitignore"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith(".env")))


def a_change_after_the_review(hands: Hands) -> None:
    """A file is added to the frontend after its changes were reviewed."""
    (hands.frontend / "late.md").write_text("One more page.\n")


def a_late_credential(hands: Hands) -> None:
    """A credential is added after the review."""
    a_credential_in_the_frontend(hands)


def another_branch(hands: Hands) -> None:
    """The frontend's working copy is on a branch Render does not deploy."""
    hands.git(hands.frontend, "checkout", "-q", "-b", "draft")


def a_relation_that_leads_nowhere(hands: Hands) -> None:
    """A relation of local names a collection that is not there."""
    hands.local_sql(
        "UPDATE directus_relations SET one_collection = 'nowhere' WHERE id ="
        " (SELECT min(id) FROM directus_relations WHERE one_collection NOT LIKE 'directus%')"
    )


def a_field_after_the_export(hands: Hands) -> None:
    """A field is added to local after its schema was exported."""
    hands.local_rest("POST", "/fields/chapters", {"field": "subtitle", "type": "string", "meta": {}})


def a_file_loses_its_bytes(hands: Hands) -> None:
    """A file of local's library is gone from its disk."""
    ((key,),) = hands.local_sql("SELECT min(id::text) FROM directus_files")
    hands.local_sql("UPDATE directus_files SET filename_disk = 'gone.bin' WHERE id = %s", key)


def an_export_cut_short(hands: Hands) -> None:
    """The exported file of a collection loses its second half."""
    path = hands.migration / "data" / "sections.json"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def exported_bytes_change(hands: Hands) -> None:
    """One exported file of the library is overwritten on disk."""
    path = next(each for each in sorted((hands.migration / "files").iterdir()) if each.name != "inventory.json")
    path.write_bytes(b"other bytes")


def a_row_after_the_export(hands: Hands) -> None:
    """Somebody adds a row to local after the export."""
    hands.local_rest("POST", "/items/chapters", {"number": "99", "title": "Late", "slug": "late"})


def children_before_parents(hands: Hands) -> None:
    """The order of the import is turned round by hand."""
    path = hands.evidence("1.3", "ImportOrder")
    content = json.loads(path.read_text())
    content["collections"] = content["collections"][::-1]
    path.write_text(json.dumps(content))


def a_table_that_may_not_be_read(hands: Hands) -> None:
    """A table of production belongs to somebody else and may not be read."""
    hands.sql("ALTER TABLE import_notices OWNER TO postgres")
    hands.sql("REVOKE ALL ON import_notices FROM PUBLIC")


def the_dump_is_gone(hands: Hands) -> None:
    """The dump is deleted from the disk."""
    for path in (hands.backend / "backups").glob("*.dump.age"):
        path.unlink()


def a_byte_of_the_dump(hands: Hands) -> None:
    """One byte of the dump is another one."""
    path = next(iter(sorted((hands.backend / "backups").glob("*.dump.age"))))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


ALARMS = (
    Alarm("1.1.1", a_credential_in_the_frontend, "MIG-108"),
    Alarm("1.1.2", a_credential_in_the_backend, "MIG-108"),
    Alarm("1.1.3", an_entry_leaves_gitignore, "MIG-103"),
    Alarm("1.1.A1", a_change_after_the_review, "MIG-106"),
    Alarm("1.1.A2", a_late_credential, "MIG-108"),
    Alarm("1.1.A3", an_entry_leaves_gitignore, "MIG-103"),
    Alarm("1.1.A4", another_branch, "MIG-107"),
    Alarm("1.2.4", a_relation_that_leads_nowhere, "MIG-122", before="1.2.2"),
    Alarm("1.2.A3", a_field_after_the_export, "MIG-121"),
    Alarm("1.3.2", a_file_loses_its_bytes, "MIG-134"),
    Alarm("1.3.3", an_export_cut_short, "MIG-411"),
    Alarm("1.3.A1", exported_bytes_change, "MIG-133"),
    Alarm("1.3.A2", a_row_after_the_export, "MIG-131"),
    Alarm("1.3.A3", children_before_parents, "MIG-010"),
    Alarm("1.4.4", a_table_that_may_not_be_read, "MIG-163"),
    Alarm("1.4.A1", the_dump_is_gone, "MIG-150"),
    Alarm("1.4.A1", a_byte_of_the_dump, "MIG-158"),
)
