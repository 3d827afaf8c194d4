"""Values that differ only in what REST does not tell, on a real Directus: conflicts in both lanes, never equal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.rows.profile import profiles
from fixtures.model.export import CollectionCount, DataExport, Inventory
from fixtures.model.field_types import field_type
from fixtures.model.imports import ConflictKind
from fixtures.operations.imports import finer_values
from fixtures.operations.source import data_export, inexact
from tests_selftest.lanes.project import Migration, Project, column, serial

NAME = "readings"
FINER = {
    "at": ("'2024-03-10 02:30:00.123456+00'", "'2024-03-10 02:30:00.123999+00'"),
    "local": ("'2024-03-10 02:30:00.25'", "'2024-03-10 02:30:00.75'"),
    "extra": ("""'{"n":9007199254740993}'""", """'{"n":9007199254740992}'"""),
    "again": ("""'[{"b":1,"b":2}]'""", """'[{"b":2}]'"""),
    "level": ("'Infinity'", "'NaN'"),
    "address": ("'10.0.0.1'", "'10.0.0.2'"),
    "secret": ("'one'", "'two'"),
}


@pytest.fixture
def readings(project: Project) -> Iterator[Project]:
    """A collection of which REST tells no difference."""
    fields = [
        serial(), column("name"), column("at", "timestamp"), column("local", "dateTime"),
        column("extra", "json", special="cast-json"), column("again", "json", special="cast-json"),
        column("level", "float"), column("secret", special="conceal"),
    ]  # fmt: skip
    project.rest.post("/collections", {"collection": NAME, "schema": {}, "meta": {}, "fields": fields})
    project.ask(f"ALTER TABLE {NAME} ADD COLUMN address inet")
    project.operator.clear_cache()
    project.rest.patch(f"/fields/{NAME}/address", {"meta": {"interface": "input"}})
    try:
        yield project
    finally:
        project.rest.delete(f"/collections/{NAME}")


def migration(project: Project, folder: Path, lane: str, **more: Any) -> Migration:
    """An export of what production holds now, by SQL."""
    snapshot = project.snapshot_with(NAME)
    found = Migration(project, folder, {}, lane=lane, snapshot=snapshot, **more)
    profile = next(each for each in profiles(snapshot) if each.name == NAME)
    inventory = Inventory(datetime.now(UTC), (profile,), (CollectionCount(NAME, 2, 2),))
    (file,) = data_export.export_data(
        inventory, project.operator, folder, lambda *_: None, schema=snapshot, database=project.url
    ).files
    found.files = tuple(sorted(
        (file, *(each for each in found.files if each.collection != NAME)), key=lambda each: each.collection,
    ))  # fmt: skip
    return found


def fill(project: Project, place: int) -> None:
    values = ", ".join(pair[place] for pair in FINER.values())
    project.ask(f"INSERT INTO {NAME} (name, {', '.join(FINER)}) VALUES ('a', {values}), ('b', {values})")


@pytest.mark.parametrize("lane", ["api", "sql"])
@pytest.mark.parametrize("name", FINER)
def test_a_value_that_is_equal_over_rest_only_is_a_conflict(
    readings: Project, tmp_path: Path, lane: str, name: str
) -> None:
    fill(readings, 0)
    again = migration(readings, tmp_path, lane, policies="keep")
    readings.ask(f"UPDATE {NAME} SET {name} = {FINER[name][1]} WHERE id = 2")
    result = again.run()
    assert [(each.key, each.kind, each.columns) for each in result.conflicts] == [("2", ConflictKind.EDITED, (name,))]
    (outcome,) = (each for each in result.outcomes if each.collection == NAME)
    assert (outcome.created, outcome.identical, outcome.conflicts, outcome.refused) == (0, 1, 1, 0)


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_the_same_values_are_no_conflict_and_a_second_run_brings_nothing(
    readings: Project, tmp_path: Path, lane: str
) -> None:
    fill(readings, 0)
    first = migration(readings, tmp_path, lane)
    readings.ask(f"TRUNCATE {NAME} RESTART IDENTITY")
    assert first.run().created == 2
    held = readings.ask(f"SELECT t::text FROM {NAME} t ORDER BY id")
    again = first.run()
    assert (again.created, again.conflicts, again.refusals) == (0, (), ())
    assert readings.ask(f"SELECT t::text FROM {NAME} t ORDER BY id") == held


def test_a_value_somebody_changed_since_is_not_set_back(readings: Project, tmp_path: Path) -> None:
    """A row of ours that somebody edited is a conflict or stays as it is; what REST does not take is set once."""
    fill(readings, 0)
    first = migration(readings, tmp_path, "api")
    readings.ask(f"TRUNCATE {NAME} RESTART IDENTITY")
    first.run()
    readings.ask(f"UPDATE {NAME} SET address = '10.9.9.9' WHERE id = 1")
    first.run()
    assert readings.ask(f"SELECT address::text FROM {NAME} WHERE id = 1") == [("10.9.9.9/32",)]


@pytest.mark.parametrize(("mine", "theirs"), [('{"a":1}', '{"a":true}'), ('{"a":1.5}', '{"a":"1.5"}')])
def test_a_number_equals_only_a_number(mine: str, theirs: str) -> None:
    kind = field_type("json", "json")
    one, other = (finer_values.decoded(f'{{"v":{text}}}'.encode())["v"] for text in (mine, theirs))
    assert not finer_values._same(kind, one, other)
    assert finer_values._same(kind, one, one)
    repeated = finer_values.decoded(b'{"v":[{"a":1,"a":2.0}]}')["v"]
    assert not finer_values._same(kind, repeated, finer_values.decoded(b'{"v":[{"a":2}]}')["v"])
    assert finer_values._same(kind, repeated, finer_values.decoded(b'{"v":[{"a":1,"a":2}]}')["v"])
    assert finer_values._same(kind, {"a": 2}, finer_values.decoded(b'{"a":2.0}'))


def test_lane_api_refuses_to_update_what_rest_does_not_take(readings: Project, tmp_path: Path) -> None:
    fill(readings, 0)
    again = migration(readings, tmp_path, "api", policies="update")
    readings.ask(f"UPDATE {NAME} SET at = {FINER['at'][1]} WHERE id = 2")
    (refusal,) = again.run().refusals
    assert (refusal.collection, refusal.key, refusal.code) == (NAME, "2", "ROUNDED")
    assert "IMPORT_LANE=sql" in refusal.message


def test_a_timestamp_no_directus_reads_is_named_before_anything_is_written(readings: Project, tmp_path: Path) -> None:
    fill(readings, 0)
    readings.ask(f"UPDATE {NAME} SET at = 'infinity' WHERE id = 2")
    assert readings.operator.ask(f"/items/{NAME}", params={"limit": -1}).status == 500
    found = migration(readings, tmp_path, "sql")
    (stop,) = inexact.unreadable(DataExport(datetime.now(UTC), found.files))
    assert (stop.code, f'"{NAME}.at" · 1 row' in stop.where) == ("MIG-129", True)


def test_half_of_a_surrogate_pair_in_json_is_named_before_anything_is_written(
    readings: Project, tmp_path: Path
) -> None:
    whole = ('{"a":"\\ud83d\\ude00"}', '{"a":"\\\\ud83d"}', '{"a":"\\u00e9"}', '{"\\\\\\ud83d\\ude00":1}')
    halves = ('{"a":"\\ud83d"}', '{"a":"\\uDE00\\ud83d"}', '{"a":"\\\\\\uD83D"}', '["\\ud83d\\\\\\ude00"]')
    fill(readings, 0)
    for text, count in (*((each, {}) for each in whole), *((each, {"extra": 1}) for each in halves)):
        readings.ask(f"UPDATE {NAME} SET extra = %s::json WHERE id = 2", text)
        found = migration(readings, tmp_path, "sql")
        (file,) = [each for each in found.files if each.collection == NAME]
        assert file.halved == count, text
        stops = inexact.unreadable(DataExport(datetime.now(UTC), found.files))
        assert [each.code for each in stops] == ["MIG-128"] * len(count)


def test_a_row_updated_under_another_key_gets_its_own_values_and_not_those_of_a_third(
    readings: Project, tmp_path: Path
) -> None:
    """Production's row 2 is the export's row 1, by its name; the export's row 2 is another one."""
    readings.rest.patch(f"/fields/{NAME}/name", {"schema": {"is_unique": True}})
    fill(readings, 0)
    readings.ask(f"UPDATE {NAME} SET at = '2020-01-01 00:00:00.000002+00' WHERE id = 2")
    first = migration(readings, tmp_path, "api", policies="update")
    readings.ask(f"DELETE FROM {NAME}")
    readings.ask(f"INSERT INTO {NAME} (id, name) VALUES (2, 'a')")
    first.run()
    compared = [each for each in FINER if each != "again"]  # where keys change, rows are decoded: see limits.md
    columns = ", ".join(("name", *(f"{each}::text" for each in compared)))
    wanted = ", ".join(["'a'", *(f"t.{each}::text" for each in compared)])
    held = readings.ask(f"SELECT {columns} FROM {NAME} WHERE id = 2")
    readings.ask(f"DELETE FROM {NAME}")
    fill(readings, 0)
    assert held == readings.ask(f"SELECT {wanted} FROM {NAME} t LIMIT 1")


@pytest.mark.parametrize("lane", ["api", "sql"])
@pytest.mark.parametrize(("name", "mine", "typed"), [("level", "1.5", "NaN"), ("extra", '{"a":1}', "null")])
def test_a_value_rest_gives_as_null_that_somebody_set_in_a_new_column_is_kept(
    readings: Project, tmp_path: Path, lane: str, name: str, mine: str, typed: str
) -> None:
    fill(readings, 0)
    readings.ask(f"UPDATE {NAME} SET {name} = '{mine}'")
    again = migration(readings, tmp_path, lane, policies="keep")
    readings.ask(
        f"UPDATE {NAME} SET {name} = CASE id WHEN 2 THEN '{typed}'::{'json' if name == 'extra' else 'real'} END"
    )
    result = again.run(new_columns=frozenset({f"{NAME}.{name}"}))
    assert readings.ask(f"SELECT {name}::text FROM {NAME} ORDER BY id") == [(mine,), (typed,)]
    assert [(each.key, each.columns) for each in result.conflicts] == [("2", (name,))]


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_a_row_of_another_key_that_is_equal_over_rest_only_is_a_conflict(
    readings: Project, tmp_path: Path, lane: str
) -> None:
    """Recognised by its name; the second one differs in microseconds."""
    readings.rest.patch(f"/fields/{NAME}/name", {"schema": {"is_unique": True}})
    fill(readings, 0)
    readings.ask(f"UPDATE {NAME} SET again = NULL")  # where keys change, rows are decoded: see limits.md
    found = migration(readings, tmp_path, lane, policies="keep")
    readings.ask(f"UPDATE {NAME} SET id = id + 100")
    readings.ask(f"UPDATE {NAME} SET at = {FINER['at'][1]} WHERE id = 102")
    conflicts = {(each.key, each.production_key): each.kind for each in found.run().conflicts}
    assert conflicts == {("1", "101"): ConflictKind.NATURAL_KEY_MATCH, ("2", "102"): ConflictKind.UNIQUE_VALUE_TAKEN}
