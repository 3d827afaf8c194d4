"""Columns of the library: which the API carries, which refer to other rows, and which texts mean one value."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.checks.rows import library_columns
from fixtures.checks.rows.library_columns import same_text
from fixtures.model.snapshot import Snapshot

FILES = "directus_files"


def field(name: str, kind: str = "string", *special: str, **schema: Any) -> dict[str, Any]:
    return {
        "collection": FILES,
        "field": name,
        "type": kind,
        "schema": {"name": name, **schema},
        "meta": {"special": [*special]},
    }


LOCAL = Snapshot(
    {
        "fields": [
            field("credit"), field("pin", "string", "conceal"), field("code", "hash", "hash"),
            field("made_by", "uuid", "user-created"), field("made_on", "timestamp", "date-created"),
            field("category", "uuid", "m2o"), field("both", is_generated=True),
            {**field("articles", "alias", "o2m"), "schema": None},
        ],
        "relations": [{"collection": FILES, "field": "category", "related_collection": "categories"}],
    }
)  # fmt: skip


def test_what_is_generated_or_no_column_is_never_set_and_the_api_carries_less() -> None:
    own = ["category", "code", "credit", "made_by", "made_on", "pin"]
    assert sorted(library_columns.own_columns(LOCAL, FILES)) == own
    assert sorted(library_columns.over_rest(LOCAL, FILES)) == ["credit"]
    assert library_columns.references(LOCAL, FILES) == {"category": "categories", "made_by": "directus_users"}
    assert library_columns.own_columns(LOCAL, "directus_folders") == {}


@pytest.mark.parametrize(
    ("mine", "theirs", "postgres", "same"),
    [
        ("a", "a", "text", True),
        ("a", "A", "text", False),
        (None, "", "text", False),
        (None, None, "json", True),
        ('{"a": 1, "b":[true]}', '{"b": [true],"a":1}', "json", True),
        ('{"a": 1}', '{"a": true}', "json", False),
        ('{"a": 1}', '{"a": "1"}', "json", False),
        ('{"a": 9007199254740993}', '{"a": 9007199254740992}', "json", False),
        ('{"a": 1.10}', '{"a": 1.1}', "jsonb", True),
        ('{"a": 1e400}', '{"a": 1e401}', "json", False),
        ('{"a": 1, "a": 2}', '{"a": 2}', "json", False),
        ("[1, 2]", "[2, 1]", "json", False),
        ("null", None, "json", False),
        ("1.50", "1.5", "numeric", True),
        ("1.50", "1.51", "numeric", False),
        ("NaN", "NaN", "numeric", True),
        ("2026-01-02 03:04:05.000001+00", "2026-01-02 03:04:05+00", "timestamp with time zone", False),
    ],
)
def test_two_texts_of_postgres_mean_one_value(mine: str | None, theirs: str | None, postgres: str, same: bool) -> None:
    assert same_text(mine, theirs, postgres) is same
