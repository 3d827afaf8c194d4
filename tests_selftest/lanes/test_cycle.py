"""A circle of required references on a real Directus: impossible over the API, one statement in lane sql."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.rows import order
from fixtures.checks.rows.profile import profiles
from fixtures.model.fingerprint import Fingerprint
from fixtures.model.imports import Conflict, ConflictKind
from fixtures.model.snapshot import Snapshot
from fixtures.operations.imports import classify, import_log
from fixtures.operations.preservation.existing_rows import InitialRows
from fixtures.operations.verification import verify
from fixtures.world.seed.rest import SeedError
from tests_selftest.kills.content import digests
from tests_selftest.lanes import cycle
from tests_selftest.lanes.cycle import PAIR, member, pairs, threes
from tests_selftest.lanes.project import Migration, Project

Rows = Mapping[str, Sequence[dict[str, Any]]]
Importing = Callable[..., Migration]


@pytest.fixture(scope="module")
def snapshot(started: Project) -> Snapshot:
    return cycle.build(started)


@pytest.fixture
def importing(project: Project, snapshot: Snapshot, tmp_path: Path) -> Iterator[Importing]:
    """What makes a migration of some rows; the circles begin empty, and end so."""
    cycle.empty(project)
    yield lambda rows, **more: Migration(project, tmp_path, rows, **{"lane": "sql", "snapshot": snapshot, **more})
    cycle.empty(project)


def there(project: Project, *names: str) -> dict[str, list[str]]:
    return {name: sorted(key for (key,) in project.ask(f"SELECT id::text FROM {name}")) for name in names}


def keys(rows: Rows) -> dict[str, list[str]]:
    return {name: sorted(str(row["id"]) for row in each) for name, each in rows.items()}


@pytest.mark.usefixtures("importing")
def test_no_row_can_be_the_first_over_the_api(project: Project) -> None:
    for body in ({"name": "a"}, {"name": "a", "chair": member(1)}):
        with pytest.raises(SeedError):
            project.rest.post("/items/boards", body)
    deferrable = "SELECT count(*), bool_or(condeferrable) FROM pg_constraint WHERE contype = 'f' AND conrelid = "
    assert project.ask(f"{deferrable}'boards'::regclass") == [(1, False)]


def test_lane_api_refuses_the_circle_before_anything_is_written(
    project: Project, snapshot: Snapshot, importing: Importing
) -> None:
    with pytest.raises(order.RequiredCycle, match=r"MIG-136[\s\S]*IMPORT_LANE=sql"):
        order.plan(profiles(snapshot))
    before = digests(project.url.reveal())
    planned = order.plan(profiles(snapshot), lane="sql")
    migration = importing(pairs(1))
    migration.lane = "api"
    with pytest.raises(order.RequiredCycle, match="boards → members"):
        migration.run(order=planned)
    assert digests(project.url.reveal()) == before


def test_what_goes_in_together_is_planned_together(snapshot: Snapshot) -> None:
    planned = order.plan(profiles(snapshot), lane="sql")
    assert planned.cycles == (("boards", "members"), ("companies", "offices", "persons"))
    assert [each for each in planned.deferred if each.startswith("companies")] == ["companies.flagship"]
    assert order.parents_after_children(planned, profiles(snapshot)) == []


@pytest.mark.parametrize("rows", [pairs(1, 2, 3), threes(1, 2, 3), pairs(*range(1, 6001))], ids=["2", "3", "12,000"])
def test_all_rows_arrive_a_second_import_writes_nothing_and_verification_passes(
    project: Project, importing: Importing, tmp_path: Path, rows: Rows
) -> None:
    migration = importing(rows)
    result = migration.run()
    assert result.refusals == ()
    assert result.created == sum(map(len, rows.values()))
    assert there(project, *rows) == keys(rows)
    assert import_log.tally(tmp_path / "import-log.txt")[import_log.CREATED] == result.created
    before = digests(project.url.reveal())
    again = migration.run()
    assert (again.created, again.updated, again.completed, again.skipped) == (0, 0, 0, result.created)
    assert digests(project.url.reveal()) == before
    import_set = migration.import_set()
    nothing = InitialRows(Fingerprint(import_set.export.exported_at, "", (), {}), tmp_path)
    verified = verify.rows(project.operator, project.url, import_set, nothing, (), progress=lambda *_: None)
    assert {each.collection: (each.equal, each.differing) for each in verified if each.collection in rows} == {
        name: (len(each), 0) for name, each in rows.items()
    }


def test_a_serial_goes_on_behind_the_rows_that_came(project: Project, importing: Importing) -> None:
    importing(pairs(41)).run()
    assert project.ask("SELECT nextval(pg_get_serial_sequence('boards', 'id'))") == [(42,)]


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "a reference to nothing": ("members", {"board": 99}, "FOREIGN_KEY"),
    "the other way round": ("boards", {"chair": member(99)}, "FOREIGN_KEY"),
    "no reference": ("members", {"board": None}, "CONTAINS_NULL_VALUES"),
    "a number that is none": ("members", {"board": "seven"}, "NOT_A_ROW"),
    "a value that is taken": ("boards", {"name": "board 1"}, "RECORD_NOT_UNIQUE"),
}


@pytest.mark.parametrize("standing", [False, True], ids=["empty tables", "rows there"])
@pytest.mark.parametrize("bad", BAD)
def test_a_broken_row_leaves_with_its_partners_and_the_others_arrive(
    project: Project, importing: Importing, tmp_path: Path, bad: str, standing: bool
) -> None:
    collection, broken, code = BAD[bad]
    if standing:
        importing(pairs(7)).run()
    rows = pairs(1, 2, 3)
    rows[collection][1].update(broken)
    result = importing(rows).run()
    refused = {(each.collection, each.key): each.code for each in result.refusals}
    assert refused.keys() == {("boards", "2"), ("members", member(2))}
    assert refused[collection, str(rows[collection][1]["id"])] == code
    good = pairs(1, 3, 7) if standing else pairs(1, 3)
    assert there(project, *PAIR) == keys(good)
    assert import_log.tally(tmp_path / "import-log.txt")[import_log.REFUSED] == 2
    assert all(each.accounted == each.in_file for each in result.outcomes)


@pytest.mark.parametrize(
    ("collection", "broken"), [("offices", {"keeper": member(99)}), ("persons", {"mentor": member(99)})]
)
def test_the_dry_run_names_the_rows_the_import_refuses(
    project: Project, importing: Importing, collection: str, broken: dict[str, Any]
) -> None:
    rows = threes(1, 2)
    rows[collection][1].update(broken)
    migration = importing(rows)
    foreseen = {
        (e.collection, e.key)
        for e in classify.classify_collections(project.operator, migration.import_set(), library=()).refusals
    }
    assert {(each.collection, each.key) for each in migration.run().refusals} == foreseen
    assert len(foreseen) == 8


def test_what_hangs_on_a_broken_row_leaves_all_around_the_circle_and_the_other_ring_arrives(
    project: Project, importing: Importing
) -> None:
    one, other = threes(1, 2, 3), threes(4, 5)
    one["offices"][0]["code"] = "too long for this column"
    rows = {name: [*one[name], *other[name]] for name in one}
    result = importing(rows).run()
    assert {(each.collection, each.key) for each in result.refusals} == {
        (name, key) for name, each in keys(one).items() for key in each
    }
    assert there(project, *other) == keys(other)


def test_a_column_outside_of_the_circle_that_closes_a_wider_one_leads_back_in(
    project: Project, importing: Importing
) -> None:
    rows = threes(1, 2)
    rows["companies"][0]["flagship"] = 99
    result = importing(rows).run()
    assert {each.collection for each in result.refusals} == set(rows)
    assert there(project, *rows) == {name: [] for name in rows}
    assert importing(threes(1, 2)).run().completed == 2
    assert project.ask("SELECT id, flagship FROM companies ORDER BY 1") == [(1, 1), (2, 2)]


def test_rows_production_has_under_another_key_keep_it_and_the_circle_is_led_to_them(
    project: Project, importing: Importing
) -> None:
    theirs = pairs(7)
    theirs["boards"][0]["name"], theirs["members"][0]["email"] = "board 1", "1@example.org"
    importing(theirs).run()
    rows = pairs(1, 2)
    rows["members"].append({"id": member(3), "email": "3@example.org", "board": 1})
    migration = importing(rows)
    foreseen = classify.classify_collections(project.operator, migration.import_set(), library=())
    result = migration.run()
    natural_key_matches = {
        Conflict("boards", "1", ConflictKind.NATURAL_KEY_MATCH, ("name",), "7"),
        Conflict("members", member(1), ConflictKind.NATURAL_KEY_MATCH, ("email",), member(7)),
    }
    assert set(result.conflicts) == natural_key_matches
    assert {
        match for each in foreseen.by_collection.values() for match in each.natural_key_matches
    } == natural_key_matches
    assert result.created == sum(len(each.create) for each in foreseen.by_collection.values()) == 3
    assert project.ask("SELECT board FROM members WHERE id = %s", member(3)) == [(7,)]
    assert there(project, "boards") == {"boards": ["2", "7"]}


@pytest.mark.parametrize("policy", ["keep", "update"])
def test_a_row_production_has_otherwise_is_kept_or_becomes_a_part_of_the_circle(
    project: Project, importing: Importing, policy: str
) -> None:
    importing(pairs(1)).run()
    project.ask("UPDATE members SET email = 'edited'")
    rows = pairs(1, 2)
    rows["members"][0]["email"], rows["members"][0]["board"] = "edited", 2
    result = importing(rows, policies=policy).run()
    assert (result.created, result.updated) == (2, 1 if policy == "update" else 0)
    assert project.ask("SELECT board FROM members WHERE id = %s", member(1)) == [(2 if policy == "update" else 1,)]


def test_nothing_of_a_circle_stays_when_something_breaks_later(
    project: Project, importing: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(project.url.reveal())
    monkeypatch.setattr("fixtures.operations.lane_sql.accounting.outcome", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        importing(pairs(1, 2)).run()
    assert digests(project.url.reveal()) == before
