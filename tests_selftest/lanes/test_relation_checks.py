"""References are followed through the API both ways, however many rows a row has, and beside what the columns hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fixtures.model.rows import RelationCheck
from fixtures.operations.source import production_rows
from fixtures.operations.verification import chosen_references, relation_checks
from fixtures.systems.directus import DirectusObserver
from fixtures.systems.failure import IncompleteRead
from fixtures.systems.postgres import references
from tests_selftest.lanes.project import Migration, Project

CHILDREN = 150
"""More than the hundred Directus shows within a row by itself."""


@pytest.fixture
def nested(project: Project) -> Iterator[Project]:
    """Articles show their comments; one has very many, one a single one, one none."""
    # By SQL, before the field that makes Directus read its relations anew: a PATCH of a relation that was made without
    # anything said about it ends Directus 11.17.4 itself.
    project.ask(
        "INSERT INTO directus_relations (many_collection, many_field, one_collection, one_field)"
        " VALUES ('comments', 'article', 'articles', 'comments')"
    )
    project.rest.post("/fields/articles", {"field": "comments", "type": "alias", "meta": {"special": ["o2m"]}})
    snapshot, project.snapshot = project.snapshot, project.operator.snapshot()
    project.rest.post("/items/articles", [{"id": key, "slug": f"a-{key}"} for key in (1, 2, 3)])
    rows = [{"id": number, "article": 2} for number in range(1, CHILDREN + 1)]
    project.rest.post("/items/comments", [*rows, {"id": CHILDREN + 1, "article": 3}])
    project.rest.post("/items/blocks", [{"id": 1, "collection": "articles", "item": "3"}])
    yield project
    project.snapshot = snapshot
    project.ask("DELETE FROM directus_relations WHERE many_collection = 'comments' AND many_field = 'article'")
    project.transport.json("DELETE", "/fields/articles/comments")


def read(
    project: Project, folder: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
) -> dict[str, RelationCheck]:
    import_set = Migration(project, folder, rows or {}, lane="sql").import_set()
    observer = DirectusObserver(project.transport)
    held = observer.counts(import_set.order.collections)
    return {
        each.relation: each
        for each in relation_checks.check_relations(observer, project.url, import_set, held, lambda *_: None)
    }


@pytest.mark.parametrize(
    ("name", "number"),
    [("MAX_CHILDREN", 100_000), ("MAX_NESTED_ROWS", 3), ("MAX_CHILDREN", 20)],
    ids=["within", "one by one", "as a list"],
)
def test_every_reference_is_followed_both_ways(
    nested: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    monkeypatch.setattr(relation_checks, name, number)
    found = read(nested, tmp_path)
    assert (found["articles.comments"].kind, found["articles.comments"].read) == ("O2M", CHILDREN + 1)
    assert (found["comments.article"].kind, found["comments.article"].read) == ("M2O", CHILDREN + 1)
    assert (found["blocks.item:articles"].kind, found["blocks.item:articles"].read) == ("M2A", 1)
    assert [each for each in found.values() if each.broken] == []


@pytest.mark.parametrize("alone", [100_000, 20])
def test_a_reference_that_leads_elsewhere_is_named(
    nested: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: int
) -> None:
    """Seen by telling another truth of the columns than the API knows."""
    monkeypatch.setattr(relation_checks, "MAX_CHILDREN", alone)
    columns, children = references.columns, references.children

    def another_parent(*given: Any, **named: Any) -> Iterator[tuple[str | None, ...]]:
        for key, *values in columns(*given, **named):
            yield ("999" if key == "7" and named["where"] else key), *("1" if key == "7" else v for v in values)

    def another_child(*given: Any, **named: Any) -> Iterator[tuple[str | None, ...]]:
        return ((parent, "999" if child == "7" else child) for parent, child in children(*given, **named))

    monkeypatch.setattr(references, "columns", lambda *a, where=None, **n: another_parent(*a, where=where, **n))
    monkeypatch.setattr(references, "children", another_child)
    found = read(nested, tmp_path)
    assert found["comments.article"].broken == ("7 → expected 1, observed 2",)
    assert found["articles.comments"].broken == (f"2 → expected {CHILDREN} rows, observed {CHILDREN}",)


def test_rows_that_come_while_they_are_read_are_said(
    nested: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = references.columns
    monkeypatch.setattr(references, "columns", lambda *given, **named: list(columns(*given, **named))[1:])
    with pytest.raises(IncompleteRead, match="MIG-439"):
        read(nested, tmp_path)


def test_beside_millions_of_rows_the_exported_ones_are_followed(
    nested: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comments 3 and 151 were exported; the other 149 are production's own, too many to be read."""
    rows = {"comments": [{"id": 3, "article": 2}, {"id": CHILDREN + 1, "article": 3}]}
    monkeypatch.setattr(production_rows, "READABLE", 20)
    monkeypatch.setattr(production_rows, "READ_WHOLE", 20)
    monkeypatch.setattr(chosen_references, "MAX_FOLLOWED", 20)
    found = read(nested, tmp_path, rows)
    assert (found["comments.article"].read, found["comments.article"].broken) == (2, ())
    assert (found["articles.comments"].read, found["articles.comments"].broken) == (2, ())


@pytest.mark.parametrize("wrong", ["", "1"])
def test_of_many_rows_some_at_even_distances_are_followed(
    nested: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setattr(chosen_references, "MAX_FOLLOWED", 50)
    columns = references.columns

    def told(*given: Any, **named: Any) -> Iterator[tuple[str | None, ...]]:
        for key, *values in columns(*given, **named):
            yield key, *(wrong if key == "5" and wrong else value for value in values)

    monkeypatch.setattr(references, "columns", told)
    found = read(nested, tmp_path)
    chosen = references.keys(nested.url, "comments", key="id", step=4)
    assert (chosen[:2], chosen[-1], len(chosen)) == (["1", "5"], "149", 38)
    assert (found["comments.article"].read, found["articles.comments"].read) == (38, 38)
    up, down = found["comments.article"].broken, found["articles.comments"].broken
    assert up == (("5 → expected 1, observed 2",) if wrong else ())
    both = ("2 → expected 37 rows, observed 38", "1 → expected 1 rows, observed 0")
    assert down == (both if wrong else ())


def test_an_exported_row_that_leads_elsewhere_is_named(
    nested: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = references.columns

    def another_parent(*given: Any, **named: Any) -> Iterator[tuple[str | None, ...]]:
        for key, *values in columns(*given, **named):
            yield key, *("1" if key == "3" else value for value in values)

    monkeypatch.setattr(references, "columns", another_parent)
    monkeypatch.setattr(production_rows, "READABLE", 20)
    monkeypatch.setattr(production_rows, "READ_WHOLE", 20)
    monkeypatch.setattr(chosen_references, "MAX_FOLLOWED", 20)
    found = read(nested, tmp_path, {"comments": [{"id": 3, "article": 2}, {"id": CHILDREN + 1, "article": 3}]})
    assert found["comments.article"].broken == ("3 → expected 1, observed 2",)
    assert found["articles.comments"].broken == ("1 → expected 1 rows, observed 0",)


def test_a_key_of_fixed_length_is_read_with_its_blanks_as_rest_gives_it(nested: Project) -> None:
    """Of char(n), a cast to text takes the blanks away."""
    nested.ask("CREATE TABLE coded (code char(6) PRIMARY KEY, upper char(6) REFERENCES coded)")
    try:
        nested.ask("INSERT INTO coded VALUES ('a', NULL), ('b', 'a')")
        rows = list(references.columns(nested.url, "coded", key="code", columns=["upper"]))
        pairs = list(
            references.children(
                nested.url, parent="coded", parent_key="code", child="coded", child_key="code", column="upper"
            )
        )
    finally:
        nested.ask("DROP TABLE coded")
    assert rows == [("a     ", None), ("b     ", "a     ")]
    assert pairs == [("a     ", "b     "), ("b     ", None)]
