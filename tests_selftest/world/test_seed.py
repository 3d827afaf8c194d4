"""What the seed gives: the same rows for a seed, references that hold, a production that is older and alive."""

from __future__ import annotations

import tomllib
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fixtures.checks.schema import waivers as waiver_checks
from fixtures.world import waivers
from fixtures.world.seed.fields import Side
from fixtures.world.seed.files import files
from fixtures.world.seed.history import FIRST_KEY, Production, production_rows
from fixtures.world.seed.rows import Row, Rows, local_rows
from fixtures.world.seed.schema import COLLECTIONS, RELATIONS, collections_of, columns_of

SEED, EDITOR = 7, "00000000-0000-4000-8000-000000000001"
KEYS = {one.name: one.fields[0].name for one in COLLECTIONS}
UNIQUE = [
    (one.name, column.name) for one in COLLECTIONS for column in one.fields if (column.schema or {}).get("is_unique")
]


@pytest.fixture(scope="module", params=[500, 3000, 20_000], ids="{} rows".format)
def local(request: pytest.FixtureRequest) -> Rows:
    return local_rows(SEED, request.param, editor=EDITOR)


@pytest.fixture(scope="module")
def production(local: Rows) -> Production:
    return production_rows(local, SEED)


def by_key(rows: Rows, collection: str) -> dict[object, Row]:
    return {row[KEYS[collection]]: row for row in rows.get(collection, [])}


def test_the_same_seed_gives_the_same_rows(local: Rows, request: pytest.FixtureRequest) -> None:
    total = request.node.callspec.params["local"]
    again, other = local_rows(SEED, total, editor=EDITOR), local_rows(SEED + 1, total, editor=EDITOR)
    assert again == local
    assert other != local


def test_the_number_of_rows_is_the_one_asked_for(local: Rows, request: pytest.FixtureRequest) -> None:
    asked = request.node.callspec.params["local"]
    assert abs(sum(map(len, local.values())) - asked) <= asked // 50


@pytest.mark.parametrize("side", ["local", "production"])
def test_every_row_has_only_columns_of_its_side(local: Rows, production: Production, side: Side) -> None:
    rows = local if side == "local" else production.rows
    seen = 0
    for collection in collections_of(side):
        for row in rows[collection.name]:
            assert set(row) <= set(columns_of(side, collection)), collection.name
            seen += 1
    assert seen == sum(map(len, rows.values()))


@pytest.mark.parametrize("side", ["local", "production"])
def test_every_reference_finds_its_row(local: Rows, production: Production, side: Side) -> None:
    rows = local if side == "local" else production.rows
    there = {name: set(by_key(rows, name)) for name in rows}
    there["directus_files"] = {one.id for one in files() if side in one.sides}
    there["directus_users"] = {EDITOR} if side == "local" else set()
    followed = 0
    for relation in RELATIONS:
        if relation.related is None or relation.collection not in rows or (side == "production" and relation.added):
            continue
        for row in rows[relation.collection]:
            if (value := row.get(relation.field)) is not None:
                assert value in there[relation.related], f"{relation.collection}.{relation.field}"
                followed += 1
    assert followed > 100


def test_every_block_of_an_amendment_finds_its_item(local: Rows) -> None:
    keys = {name: {str(key) for key in by_key(local, name)} for name in ("sections", "definitions", "documents")}
    assert all(block["item"] in keys[block["collection"]] for block in local["amendments_blocks"])
    assert {block["collection"] for block in local["amendments_blocks"]} == {"sections", "definitions", "documents"}


@pytest.mark.parametrize("side", ["local", "production"])
def test_keys_and_unique_values_occur_once(local: Rows, production: Production, side: Side) -> None:
    rows = local if side == "local" else production.rows
    for collection, column in [*KEYS.items(), *UNIQUE]:
        values = [row[column] for row in rows.get(collection, [])]
        assert len(values) == len(set(values)), f"{collection}.{column}"


def test_about_a_third_of_local_is_in_production_already(local: Rows, production: Production) -> None:
    same = 0
    for collection in collections_of("production"):
        known = by_key(local, collection.name)
        for row in production.rows[collection.name]:
            match = known.get(row[collection.fields[0].name])
            same += match is not None and all(match[name] == value for name, value in row.items())
    assert same == sum(production.same.values())
    assert 0.25 < same / sum(map(len, local.values())) < 0.40


def test_a_few_rows_were_edited_in_production(production: Production) -> None:
    assert set(production.edited) == {"sections", "definitions", "zoning_districts", "site_settings"}
    assert 5 <= sum(production.edited.values()) <= 12


def test_rows_only_in_production_collide_with_two_terms_and_nothing_else(local: Rows, production: Production) -> None:
    assert 20 <= sum(production.only.values()) <= 42
    collisions: Counter[str] = Counter()
    for collection, column in UNIQUE:
        known, mine = by_key(local, collection), {row[column] for row in local.get(collection, [])}
        for key, row in by_key(production.rows, collection).items():
            collisions[f"{collection}.{column}"] += key not in known and row[column] in mine
    assert +collisions == Counter({"definitions.term": 2})


def test_nothing_refers_to_the_two_definitions_production_knows_under_other_keys(
    local: Rows, production: Production
) -> None:
    theirs = {row["term"] for row in production.rows["definitions"] if row["id"] not in by_key(local, "definitions")}
    natural_key_matches = {row["id"] for row in local["definitions"] if row["term"] in theirs}
    assert len(natural_key_matches) == 2
    assert not natural_key_matches & {row["definitions_id"] for row in local["definitions_translations"]}
    assert not natural_key_matches & {row["item"] for row in local["amendments_blocks"]}


def test_keys_production_counted_up_are_beyond_local(local: Rows, production: Production) -> None:
    for collection in ("chapters", "sections", "districts_uses", "fee_schedule", "inquiries"):
        ours = by_key(local, collection)
        assert max(int(str(key)) for key in ours) < FIRST_KEY
        assert all(int(str(key)) > FIRST_KEY for key in by_key(production.rows, collection) if key not in ours)


def test_what_the_site_shows_is_never_empty(local: Rows, production: Production) -> None:
    for rows in (local, production.rows):
        published = {row["chapter"] for row in rows["sections"] if row["status"] == "published"}
        assert {row["id"] for row in rows["chapters"] if row["status"] == "published"} <= published
        assert {row["code"] for row in rows["zoning_districts"]} == {row["district"] for row in rows["districts_uses"]}
        assert any(row["map_image"] for row in rows["zoning_districts"])


def test_values_are_the_ones_migrations_stumble_over(local: Rows) -> None:
    assert any(int(row["max_units"]) > 2**53 for row in local["zoning_districts"])
    assert any(str(row["min_lot_area"]).endswith(".00") for row in local["zoning_districts"])
    assert any(row["code"].count("/") for row in local["zoning_districts"])
    assert {None, ""} < {row["body"] if not row["body"] else "text" for row in local["sections"]}
    assert any("," in (row["keywords"] or "") for row in local["sections"])
    assert any(row["parent"] for row in local["sections"])
    assert any(row["replaces"] for row in local["amendments"])
    assert {row["published_at"] for row in local["amendments"]} > {"2026-03-08 02:30:00"}


def test_four_values_would_be_rounded_and_somebody_signed_for_it(production: Production, tmp_path: Path) -> None:
    heights = [Decimal(str(row["max_height"])) for row in production.rows["zoning_districts"]]
    assert sum(height != round(height, 1) for height in heights) == 4
    today = date(2026, 11, 26)
    text = waivers.write_waivers(tmp_path, waivers.CITY, today=today).read_text(encoding="utf-8")
    (waiver,), findings = waiver_checks.read(tomllib.loads(text), file=waivers.NAME)
    assert findings == []
    assert waiver.object == waivers.OBJECT == "zoning_districts.max_height"
    assert waiver.expires > today
    assert waivers.write_waivers(tmp_path, waivers.CITY, today=waiver.expires).read_text(encoding="utf-8") == text
    later = waivers.write_waivers(tmp_path, waivers.CITY, today=waiver.expires + timedelta(days=1)).read_text(
        encoding="utf-8"
    )
    assert tomllib.loads(later)["waiver"][0]["expires"] > waiver.expires


def test_limits_of_an_unlicensed_directus_are_kept() -> None:
    assert len(COLLECTIONS) <= 25


def test_files_are_what_they_say_they_are() -> None:
    local = [one for one in files() if "local" in one.sides]
    production = [one for one in files() if "production" in one.sides]
    assert len(local) >= 12
    assert len(production) == 5
    assert sum(one.sides == ("local", "production") for one in files()) == 3
    starts = {"image/png": b"\x89PNG\r\n\x1a\n", "application/pdf": b"%PDF-"}
    assert all(one.content.startswith(starts[one.kind]) for one in files())
