"""
A sample of `make corpus` and `make drift`: risky edits and changes behind a plan's back, on a real Directus.

The whole is run by those two; here stands one edit of each class, and one injury of each place.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests_selftest.corpus import drift, edits_structure, edits_values, look
from tests_selftest.corpus.judge import judge
from tests_selftest.corpus.stage import Production, staged

EDITS = {edit.name: edit for edit in (*edits_values.EDITS, *edits_structure.EDITS)}
INJURIES = dict(drift.injuries())

SAMPLE = (
    "decimal scale 4 → 1 over digits",
    "varchar 255 → 10, every value fits",
    "varchar 100 under a view",
    "unique over duplicates",
    "the snapshot lacks a meta key of a table",
    "two columns dropped, one signed for",
)
INJURED = {
    "row 1: short of 11": "MIG-335",
    "a value in the column signed away": "MIG-335",
    "in the database: a view": "MIG-336",
    "in the data model: a note": "MIG-331",
}


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with staged(tmp_path_factory.mktemp("corpus")) as running:
        yield running


@pytest.fixture(scope="module")
def beginning(production: Production) -> tuple[dict[str, object], look.Content]:
    return production.snapshot(), look.content(production)


@pytest.mark.parametrize("name", SAMPLE)
def test_an_edit_is_what_the_corpus_says(
    production: Production, beginning: tuple[dict[str, object], look.Content], name: str
) -> None:
    assert judge(production, EDITS[name], *beginning).wrong == ()


def test_what_changed_behind_the_plan_is_noticed(production: Production) -> None:
    production.reset()
    made = drift.reviewed(production)
    assert {name: drift.noticed(production, made, INJURIES[name]) for name in INJURED} == INJURED


def test_the_corpus_and_the_injuries_are_as_many_as_they_are_said_to_be() -> None:
    assert len(EDITS) >= 90
    assert len({edit.name for edit in EDITS.values()}) == len(EDITS)
    assert len(INJURIES) == 100
