"""The judge of `make untidy` sees a difference of every kind, and one database is migrated and judged as a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests_selftest.untidy import generator
from tests_selftest.untidy.design import Design, Table
from tests_selftest.untidy.judge import Difference, compare, read
from tests_selftest.untidy.kinds import KINDS
from tests_selftest.untidy.stage import BEFORE, PASSWORD, PRISTINE, ROLE, Stage, run, staged
from tests_selftest.untidy.trial import GOOD, Fate, minimise, says, trial

OTHERS, THINGS = Table("others"), Table("things")
COLUMNS = {
    "moment": "timestamp with fractions",
    "tree": "json 12345678901234567890", "gone": "json null", "twice": "json repeated key",
    "real_number": "float infinity", "words": "empty text", "made": "generated stored", "short": "unique",
    "quick": "index by hand", "parent": "m2o", "small": "CHECK", "noise": "trigger that changes", "seen": "view",
    "count": "integer", "state": "default text", "licence": "custom column of files",
    "unmarked": "json, special null", "computed": "generated, not configured",
}  # fmt: skip
"""The object of each feature, and its kind."""
OWN = (
    "CREATE TABLE shop (id serial PRIMARY KEY, price numeric, name text UNIQUE)",
    "CREATE INDEX shop_price ON shop (price)",
    "INSERT INTO shop (price, name) VALUES (1.50, 'a'), (2, 'b')",
    "ALTER TABLE things ADD COLUMN own text DEFAULT 'x'",
    "INSERT INTO things (id, title, short) VALUES (77, 'own', 'own')",
    "SELECT setval('things_id_seq', 77)",
)

PLANTED = {
    "type": ("ALTER TABLE things ALTER count TYPE bigint", "things.count", "type"),
    "length": ("ALTER TABLE things ALTER words TYPE varchar(300)", "things.words", "type"),
    "default": ("ALTER TABLE things ALTER state SET DEFAULT 'other'", "things.state", "default"),
    "no default": ("ALTER TABLE things ALTER state DROP DEFAULT", "things.state", "default"),
    "not null": ("ALTER TABLE others ALTER title SET NOT NULL", "others.title", "not null"),
    "expression": ("ALTER TABLE things ALTER made SET EXPRESSION AS (lower(title))", "things.made", "default"),
    "no longer generated": ("ALTER TABLE things ALTER made DROP EXPRESSION", "things.made", "generated"),
    "unique": ("ALTER TABLE things DROP CONSTRAINT things_short_unique", "things.things_short_unique", "index"),
    "index": ("DROP INDEX hand_quick", "things.hand_quick", "index"),
    "another index": (
        "DROP INDEX hand_quick; CREATE INDEX hand_quick ON things (quick) WHERE quick <> ''",
        "things.hand_quick",
        "index",
    ),
    "foreign key": (
        "ALTER TABLE things DROP CONSTRAINT things_parent_foreign", "things.things_parent_foreign", "foreign key",
    ),
    "another rule": (
        "ALTER TABLE things DROP CONSTRAINT things_parent_foreign, ADD CONSTRAINT things_parent_foreign"
        " FOREIGN KEY (parent) REFERENCES others (id) ON DELETE CASCADE", "things.things_parent_foreign", "foreign key",
    ),
    "check": ("ALTER TABLE things DROP CONSTRAINT hand_small", "things.hand_small", "check"),
    "trigger": ("DROP TRIGGER noise ON things", "things.noise", "trigger"),
    "view": ("DROP VIEW seen", "seen", "table"),
    "row": ("DELETE FROM things WHERE id = 2", "things", "row"),
    "key": ("ALTER TABLE others DROP CONSTRAINT others_pkey CASCADE", "others", "key"),
    "column": ("ALTER TABLE things DROP count", "things.count", "column"),
    "table": ("DROP TABLE others CASCADE", "others", "table"),
    "a microsecond": ("UPDATE things SET moment = moment + '1 microsecond' WHERE id = 1", "things.moment", "value"),
    "a digit of JSON": ("UPDATE things SET tree = '{\"n\":12345678901234567000}' WHERE id = 1", "things.tree", "value"),
    "JSON null": ("UPDATE things SET gone = NULL", "things.gone", "value"),
    "a repeated key": ("UPDATE things SET twice = '{\"a\":2}' WHERE id = 1", "things.twice", "value"),
    "infinity": ("UPDATE things SET real_number = NULL WHERE real_number = 'Infinity'", "things.real_number", "value"),
    "a blank": ("UPDATE things SET words = '' WHERE words = ' '", "things.words", "value"),
    "a reference": ("UPDATE things SET parent = NULL WHERE id = 1", "things.parent", "value"),
    "a file's own column": ("UPDATE directus_files SET licence = NULL", "directus_files.licence", "value"),
    "a file's description": ("UPDATE directus_files SET description = NULL", "directus_files.description", "value"),
    "the sequence": ("SELECT setval('others_id_seq', 2)", "others.id", "sequence"),
    "the configuration": (
        "UPDATE directus_fields SET special = NULL WHERE field = 'tree'", "things.tree", "configuration",
    ),
    "own table": ("DROP TABLE shop", "shop", "lost table"),
    "own column": ("ALTER TABLE things DROP own", "things.own", "lost column"),
    "own default": ("ALTER TABLE things ALTER own DROP DEFAULT", "things.own", "lost default"),
    "own row": ("DELETE FROM things WHERE id = 77", "things", "lost row"),
    "own value": ("UPDATE shop SET price = 1.5 WHERE id = 1", "shop.price", "lost value"),
    "own index": ("DROP INDEX shop_price", "shop.shop_price", "lost index"),
    "own unique": ("ALTER TABLE shop DROP CONSTRAINT shop_name_key", "shop.shop_name_key", "lost index"),
}  # fmt: skip

SAMPLE = (
    ("csv edges", "blank"), ("control characters", "older"), ("numeric(30,10)", "older"),
    ("bigInteger limits", "grown"),
    ("generated stored", "blank"), ("interval", "blank"), ("unique by hand", "blank"), ("untracked table", "blank"),
    ("composite unique", "blank"), ("custom column of files", "older"), ("trigger that changes", "blank"),
    ("trigger that swallows", "older"), ("default gen_random_uuid()", "grown"),
)  # fmt: skip
"""Of what `make untidy` runs."""
FORMS = (
    ("varchar without length", "older", "sql"), ("unique deferrable", "older", "sql"), ("CHECK", "older", "sql"),
    ("default text with a quote", "older", "sql"), ("identity beside the key", "older", "sql"),
    ("years BC and 10000", "older", "api"), ("json order and blanks", "older", "api"),
    ("date-updated", "grown", "sql"), ("date-created", "grown", "api"), ("dateTime with fractions", "grown", "api"),
    ("json exponent", "grown", "api"), ("json null", "grown", "api"), ("float infinity", "grown", "api"),
    ("default now()", "grown", "api"), ("default CURRENT_TIMESTAMP", "grown", "sql"), ("default json", "grown", "sql"),
    ("date infinity", "older", "api"), ("json text in quotes", "older", "api"),
)  # fmt: skip
"""Where production is not blank: kind, production and lane."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with staged() as running:
        yield running


@pytest.fixture(scope="module")
def found(stage: Stage) -> Callable[..., list[Difference]]:
    """What the judge finds of a production that has all of local, things of its own, and *planted*."""
    features = [KINDS[kind].make(THINGS, name, OTHERS) for name, kind in COLUMNS.items()]
    design = Design((OTHERS, THINGS), tuple(features))
    stage.begin(design.sql("local"), [*design.sql("local"), *OWN])
    pristine = read(stage.cluster.url(PRISTINE, ROLE, PASSWORD))
    local, before = read(stage.local.database_url), read(stage.before_url)

    def judged(planted: str) -> list[Difference]:
        stage.cluster.drop_database(stage.production.name)
        stage.cluster.create_database(stage.production.name, ROLE, BEFORE)
        run(stage.production.database_url, [planted])
        return compare(local, before, read(stage.production.database_url), pristine)

    return judged


def test_equal_databases_have_no_difference(found: Callable[..., list[Difference]]) -> None:
    assert found("SELECT 1") == []
    # An index of another name is the same index.
    assert {each.what for each in found("ALTER INDEX hand_quick RENAME TO things_quick_index")} == set()


@pytest.mark.parametrize("name", PLANTED)
def test_the_judge_finds_a_planted_difference(found: Callable[..., list[Difference]], name: str) -> None:
    statement, place, what = PLANTED[name]
    seen = found(statement)
    assert (place, what) in {(each.place, each.what) for each in seen}, seen


@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        ("UPDATE directus_fields SET special = 'cast-json' WHERE field = 'unmarked'", [("things.unmarked", True)]),
        ("UPDATE directus_fields SET special = 'cast-csv' WHERE field = 'unmarked'", [("things.unmarked", False)]),
        ("UPDATE directus_fields SET special = 'cast-json' WHERE field = 'words'", [("things.words", False)]),
        ("ALTER TABLE things DROP computed", [("things.computed", True)]),
        ("ALTER TABLE things DROP made", [("things.made", False)]),
    ],
)
def test_what_loses_nothing_and_is_no_part_of_a_schema_needs_a_name_only(
    found: Callable[..., list[Difference]], planted: str, expected: list[tuple[str, bool]]
) -> None:
    """The mark of JSON on a JSON field, and a column that is computed and that Directus does not know."""
    seen = [each for each in found(planted) if each.what in {"configuration", "column"}]
    assert [(each.place, each.outside) for each in seen] == expected


def test_what_directus_carries_is_carried(stage: Stage) -> None:
    """Fewer rows and columns in production, and nothing untidy: every line passes, and the judge finds nothing."""
    others, things = Table("others", shared=3), Table("things", key="uuid", shared=2)
    kinds = ("string", "text", "integer", "decimal", "boolean", "json", "csv", "unique", "NOT NULL", "index", "m2o")
    made = [KINDS[kind].make(things, f"plain_{place}", others) for place, kind in enumerate(kinds)]
    features = tuple(replace(each, production=place % 2 == 0) for place, each in enumerate(made))
    seen = trial(stage, Design((others, things), features))
    assert seen.fate is Fate.CARRIED, seen.why


@pytest.mark.parametrize("lane", ["sql", "api"])
def test_a_key_of_fixed_length_is_one_key_in_every_comparison(stage: Stage, lane: str) -> None:
    """REST gives its blanks; Postgres' cast to text takes them away."""
    others, things = Table("others", shared=2), Table("things", key="char(8)", shared=2)
    kinds = ("dateTime with fractions", "json 2^53", "float infinity", "m2o")
    made = [KINDS[kind].make(things, f"u{place}", others) for place, kind in enumerate(kinds)]
    seen = trial(stage, Design((others, things), tuple(replace(each, production=True) for each in made), lane))
    assert seen.fate is Fate.CARRIED, seen.why


@pytest.mark.parametrize(("kind", "production"), SAMPLE)
def test_a_sample_is_carried_or_refused_by_name(stage: Stage, kind: str, production: str) -> None:
    seen = trial(stage, generator.alone(KINDS[kind], production, "sql"))
    assert seen.fate in GOOD, f"{seen.fate}: {seen.why}"


def test_the_same_number_is_the_same_database() -> None:
    for number in (0, generator.FIRST_RANDOM, generator.FIRST_RANDOM + 7):
        once, again = generator.design(number), generator.design(number)
        assert once.sql("local") == again.sql("local")
        assert once.sql("production") == again.sql("production")


def test_a_failing_design_is_made_small() -> None:
    """Of many features the one that fails is left, on the one table that it needs."""
    design = next(
        found for found in map(generator.design, range(generator.FIRST_RANDOM, 99_999)) if len(found.features) > 8
    )
    chosen = design.features[3]
    smallest = minimise(design, lambda candidate: chosen in candidate.features)
    assert smallest.features == (chosen,)
    assert {table.name for table in smallest.tables} <= {chosen.collection, *chosen.needs, design.tables[0].name}


def test_a_name_is_said_only_as_a_word() -> None:
    assert says('the field "things.u1x" is', "u1x")
    assert not says("u1xy and hand-u1x", "u1x")


@pytest.mark.parametrize(("kind", "production", "lane"), FORMS)
def test_what_production_has_already_is_carried_in_either_lane(
    stage: Stage, kind: str, production: str, lane: str
) -> None:
    seen = trial(stage, generator.alone(KINDS[kind], production, lane))
    assert seen.fate is Fate.CARRIED, f"{seen.fate}: {seen.why}"
