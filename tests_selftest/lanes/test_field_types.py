"""Every field type that SQL writes, on a real Directus: exported over REST, imported by lane sql, verified equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fixtures.checks.rows.profile import profiles
from fixtures.model.dataset import ExportedFile
from fixtures.model.export import CollectionCount, Inventory
from fixtures.model.field_types import FIELD_TYPES, field_type, of_field
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.imports import ImportResult
from fixtures.model.rows import CollectionVerification
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.operations.source import data_export
from fixtures.operations.verification import verify
from tests_selftest.lanes.project import Migration, Project, column, serial

NAME = "specimens"
Pair = tuple[str, str]
SPECIAL = {"csv": "cast-csv", "json": "cast-json", "boolean": "cast-boolean", "hash": "hash"}


@dataclass(frozen=True)
class Specimen:
    """
    Two values of a type, as SQL has them and as an export and REST have both.

    Attributes:
        finer: A value of which REST gives another one: in SQL, in the export, over REST; where there is none, REST is
            exact.
    """

    sql: tuple[str, str]
    rest: tuple[Any, Any]
    finer: tuple[str, str, Any] | None = None


A, B = "0aaaaaaa-0000-4000-8000-00000000000a", "0bbbbbbb-0000-4000-8000-00000000000b"
MOMENT = "2024-03-10 02:30:00"
SPECIMENS: dict[Pair, Specimen] = {
    ("string", "character varying"): Specimen((r"E'a\tb\\N\n\u2028'", "''"), ("a\tb\\N\n\u2028", "")),
    ("string", "character"): Specimen(("'a'", "'é'"), ("a", "é")),
    ("text", "text"): Specimen(("'null'", r"E'\\.'"), ("null", "\\.")),
    ("hash", "character varying"): Specimen(
        ("NULL", "NULL"), (None, None),
        finer=("'$argon2id$v=19'", '"$argon2id$v=19"', "$argon2id$v=19"),
    ),
    ("csv", "text"): Specimen((r"E'a,b\tc'", "''"), (["a", "b\tc"], [])),
    ("json", "json"): Specimen(
        ("""'{"n":1.5,"a":["\\\\"]}'""", "'\"text\"'"), ({"n": 1.5, "a": ["\\"]}, "text"),
        finer=("""'{"n":9007199254740993,"m":1.10}'""", '{"n":9007199254740993,"m":1.10}',
               {"n": 9007199254740992, "m": 1.1}),
    ),
    ("json", "jsonb"): Specimen(
        ("""'{"b": [true, null]}'""", "'[]'"), ({"b": [True, None]}, []),
        finer=("'null'", '{"$json":null}', None),
    ),
    ("integer", "integer"): Specimen(("-2147483648", "2147483647"), (-2147483648, 2147483647)),
    ("integer", "smallint"): Specimen(("-32768", "7"), (-32768, 7)),
    ("integer", "numeric"): Specimen(("12345678901234567890.10", "-0.5"), ("12345678901234567890.10", "-0.5")),
    ("bigInteger", "bigint"): Specimen(("9007199254740993", "-1"), ("9007199254740993", "-1")),
    ("decimal", "numeric"): Specimen(("99999.12345", "-0.5"), ("99999.12345", "-0.50000")),
    ("float", "real"): Specimen(("1.5", "1e6"), (1.5, 1000000), finer=("'-Infinity'", '"-Infinity"', None)),
    ("float", "double precision"): Specimen(
        ("0.30000000000000004", "1e300"), (0.30000000000000004, 1e300), finer=("'NaN'", '"NaN"', None),
    ),
    ("boolean", "boolean"): Specimen(("true", "false"), (True, False)),
    ("uuid", "uuid"): Specimen((f"'{A.upper()}'", f"'{B}'"), (A, B)),
    ("date", "date"): Specimen(("'2024-02-29'", "'0099-12-31'"), ("2024-02-29", "0099-12-31")),
    ("time", "time without time zone"): Specimen(("'23:59:59.123456'", "'00:00'"), ("23:59:59.123456", "00:00:00")),
    ("dateTime", "timestamp without time zone"): Specimen(
        (f"'{MOMENT}'", "'1999-12-31 23:59:59'"), ("2024-03-10T02:30:00", "1999-12-31T23:59:59"),
        finer=(f"'{MOMENT}.25'", '"2024-03-10T02:30:00.25"', "2024-03-10T02:30:00"),
    ),
    ("timestamp", "timestamp with time zone"): Specimen(
        (f"'{MOMENT}.123+00'", "'1999-12-31 23:59:59+02'"), ("2024-03-10T02:30:00.123Z", "1999-12-31T21:59:59.000Z"),
        finer=(f"'{MOMENT}.123456+00'", '"2024-03-10T02:30:00.123456Z"', "2024-03-10T02:30:00.123Z"),
    ),
    ("unknown", "uuid[]"): Specimen(
        ("NULL", "NULL"), (None, None), finer=(f"'[0:1]={{{A},{B}}}'", f'"[0:1]={{{A},{B}}}"', [A, B]),
    ),
    ("string", "interval"): Specimen(
        ("NULL", "NULL"), (None, None), finer=("'1 mon 2 days'", '"1 mon 2 days"', {"months": 1, "days": 2}),
    ),
    ("float", "money"): Specimen(("NULL", "NULL"), (None, None), finer=("1.5", '"$1.50"', "$1.50")),
    ("time", "time with time zone"): Specimen(
        ("NULL", "NULL"), (None, None), finer=("'12:00:00+02'", '"12:00:00+02"', "12:00:00+02"),
    ),
    ("unknown", "inet"): Specimen(
        ("NULL", "NULL"), (None, None), finer=("'10.0.0.1/8'", '"10.0.0.1/8"', "10.0.0.1/8"),
    ),
    ("unknown", "bytea"): Specimen(
        ("NULL", "NULL"), (None, None), finer=("'\\x00ff'", r'"\\x00ff"', {"type": "Buffer", "data": [0, 255]}),
    ),
    ("unknown", "int4range"): Specimen(("NULL", "NULL"), (None, None), finer=("'[1,5)'", '"[1,5)"', "[1,5)")),
}  # fmt: skip
UNTRIED = {
    ("text", "citext"), ("json", "text"), ("json", "character varying"), ("boolean", "bit"),
    ("timestamp", "timestamp without time zone"),
    ("dateTime", "timestamp with time zone"), ("geometry.Point", "point"), ("geometry.Polygon", "polygon"),
    ("unknown", "xml"), ("unknown", "point"), ("unknown", "polygon"),
}  # fmt: skip
COLUMNS = {pair: f"c{number}" for number, pair in enumerate(SPECIMENS)}


def case(pair: Pair) -> str:
    return " in ".join(pair)


@dataclass(frozen=True)
class Carried:
    """What became of two rows REST tells exactly, of one with finer values, and of one without values."""

    snapshot: Snapshot
    over_rest: list[dict[str, Any]]
    by_sql: list[bytes]
    by_rest: list[bytes]
    beyond_rest: Mapping[str, int]
    before: list[dict[Pair, Any]]
    after: list[dict[Pair, Any]]
    result: ImportResult
    verified: CollectionVerification
    changed: CollectionVerification


@pytest.fixture(scope="module", params=["sql", "api"])
def carried(
    started: Project, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Carried]:
    started.empty()
    try:
        yield _carried(started, tmp_path_factory.mktemp("carried"), request.param)
    finally:
        started.ask(f"DROP TABLE IF EXISTS {NAME}")
        started.ask("DELETE FROM directus_fields WHERE collection = %s", NAME)
        started.ask("DELETE FROM directus_collections WHERE collection = %s", NAME)
        started.operator.clear_cache()


def _carried(project: Project, folder: Path, lane: str) -> Carried:
    _make_table(project)
    snapshot = project.snapshot_with(NAME)
    for place in (0, 1):
        _insert(project, {pair: each.sql[place] for pair, each in SPECIMENS.items()})
    _insert(project, {pair: each.finer[0] if each.finer else each.sql[0] for pair, each in SPECIMENS.items()})
    _insert(project, {})
    before = _content(project)
    over_rest = list(project.operator.items(NAME, key="id", fields=list(COLUMNS.values())))

    migration = Migration(project, folder, {}, lane=lane, snapshot=snapshot)
    profile = next(each for each in profiles(snapshot) if each.name == NAME)
    _exported(project, snapshot, folder / "by_rest", None)
    exported = _exported(project, snapshot, folder, project.url)
    migration.files = tuple(sorted(
        (exported, *(each for each in migration.files if each.collection != NAME)), key=lambda f: f.collection,
    ))  # fmt: skip
    project.ask(f"TRUNCATE {NAME} RESTART IDENTITY")
    result = migration.run()
    after, verified = _content(project), _verified(migration)
    # Row 3 gets the values of row 2, where those are null it had another: in each column one value is another one.
    project.ask(f"UPDATE {NAME} a SET {', '.join(f'{c} = b.{c}' for c in COLUMNS.values())} FROM {NAME} b"
                " WHERE a.id = 3 AND b.id = 2")  # fmt: skip
    lines = [(folder / where / exported.path).read_bytes().splitlines()[1:-1] for where in (".", "by_rest")]
    assert profile.columns == tuple(sorted(("id", *COLUMNS.values())))
    return Carried(snapshot, over_rest, lines[0], lines[1], exported.beyond_rest, before, after, result, verified,
                   _verified(migration))  # fmt: skip


def _exported(project: Project, snapshot: Snapshot, folder: Path, database: Secret | None) -> ExportedFile:
    profile = next(each for each in profiles(snapshot) if each.name == NAME)
    inventory = Inventory(datetime.now(UTC), (profile,), (CollectionCount(NAME, 4, 4),))
    (file,) = data_export.export_data(
        inventory, project.operator, folder, lambda *_: None, schema=snapshot, database=database
    ).files
    return file


def _make_table(project: Project) -> None:
    made = {(each.directus, each.postgres) for each in FIELD_TYPES if each.creatable}
    fields = [column(name, kind[0], special=SPECIAL.get(kind[0], "")) for kind, name in COLUMNS.items() if kind in made]
    project.rest.post("/collections", {"collection": NAME, "schema": {}, "meta": {}, "fields": [serial(), *fields]})
    others = {name: kind for kind, name in COLUMNS.items() if kind not in made}
    for name, (_, postgres) in others.items():
        project.ask(f"ALTER TABLE {NAME} ADD COLUMN {name} {postgres}")
    project.operator.clear_cache()
    for name in others:
        project.rest.patch(f"/fields/{NAME}/{name}", {"meta": {"interface": "input"}})


def _insert(project: Project, values: dict[Pair, str]) -> None:
    names, literals = [COLUMNS[pair] for pair in values], list(values.values())
    row = f"({', '.join(names)}) VALUES ({', '.join(literals)})" if names else "DEFAULT VALUES"
    project.ask(f"INSERT INTO {NAME} {row}".replace("%", "%%"))


def _content(project: Project) -> list[dict[Pair, Any]]:
    """Every row as Postgres' own texts."""
    texts = ", ".join(f"{name}::text" for name in COLUMNS.values())
    return [dict(zip(COLUMNS, row, strict=True)) for row in project.ask(f"SELECT {texts} FROM {NAME} ORDER BY id")]


def _verified(migration: Migration) -> CollectionVerification:
    import_set, project = migration.import_set(), migration.project
    nothing = InitialRows(Fingerprint(import_set.export.exported_at, "", (), {}), migration.folder)
    found = verify.rows(project.operator, project.url, import_set, nothing, (), progress=lambda *_: None)
    return next(each for each in found if each.collection == NAME)


def test_every_type_sql_writes_has_its_case() -> None:
    """A type without an entry is one of those that travel as Postgres' own text; some stand for all of them."""
    written = {(each.directus, each.postgres) for each in FIELD_TYPES}
    assert written - set(SPECIMENS) == UNTRIED


@pytest.mark.parametrize("pair", SPECIMENS, ids=case)
def test_directus_tells_the_type_of_its_entry(carried: Carried, pair: Pair) -> None:
    field = carried.snapshot.fields[f"{NAME}.{COLUMNS[pair]}"]
    assert (field["type"], field["schema"]["data_type"]) == pair
    assert (of_field(field).form, of_field(field).directus) == (field_type(*pair).form, pair[0])


@pytest.mark.parametrize("pair", SPECIMENS, ids=case)
def test_rest_tells_a_value_as_its_entry_says(carried: Carried, pair: Pair) -> None:
    specimen, name = SPECIMENS[pair], COLUMNS[pair]
    told = [row[name] for row in carried.over_rest]
    assert told == [*specimen.rest, specimen.finer[2] if specimen.finer else specimen.rest[0], None]
    assert (field_type(*pair).rest_exact and pair[0] != "hash") == (specimen.finer is None)


@pytest.mark.parametrize("pair", SPECIMENS, ids=case)
def test_the_export_holds_the_value_of_the_column(carried: Carried, pair: Pair) -> None:
    specimen, name = SPECIMENS[pair], COLUMNS[pair]
    rows = [msgspec.json.decode(line.rstrip(b","), type=dict[str, msgspec.Raw]) for line in carried.by_sql]
    assert [msgspec.json.decode(row[name]) for row in (*rows[:2], rows[3])] == [*specimen.rest, None]
    if specimen.finer:
        assert bytes(rows[2][name]).decode() == specimen.finer[1]
    assert carried.beyond_rest.get(name, 0) == int(specimen.finer is not None)


def test_where_rest_is_exact_both_exports_are_the_same_bytes(carried: Carried) -> None:
    assert [carried.by_sql[place] for place in (0, 1, 3)] == [carried.by_rest[place] for place in (0, 1, 3)]


@pytest.mark.parametrize("pair", SPECIMENS, ids=case)
def test_a_value_arrives_as_it_was(carried: Carried, pair: Pair) -> None:
    assert [row[pair] for row in carried.after] == [row[pair] for row in carried.before]
    assert carried.after[2][pair] is not None


def test_all_rows_are_created_and_verified_equal(carried: Carried) -> None:
    (outcome,) = (each for each in carried.result.outcomes if each.collection == NAME)
    assert (outcome.created, outcome.refused) == (4, 0)
    assert (carried.verified.equal, carried.verified.different) == (4, ())


@pytest.mark.parametrize("pair", SPECIMENS, ids=case)
def test_another_value_is_seen_in_the_database_and_over_rest(carried: Carried, pair: Pair) -> None:
    different = {column for row in carried.changed.different if row.key == "3" for column in row.columns}
    told = of_field(carried.snapshot.fields[f"{NAME}.{COLUMNS[pair]}"]).told_by_rest
    assert COLUMNS[pair] in different
    beyond = COLUMNS[pair] in carried.beyond_rest
    assert (f"{COLUMNS[pair]}, over the API" in different) == (told and not beyond)
