"""The right answer to a filter, a sort and a search is computed without the server, and a wrong one is seen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks.rows import queries
from fixtures.checks.rows.queries import QueryCheck, answer_problems, query_checks
from fixtures.model.dataset import CollectionProfile
from fixtures.model.snapshot import Snapshot

TYPES = {"id": "integer", "status": "string", "amount": "decimal", "body": "text", "secret": "string"}
PROFILE = CollectionProfile("things", "id", "integer", singleton=False, columns=tuple(sorted(TYPES)))
SNAPSHOT = Snapshot(
    {
        "fields": [
            {
                "collection": "things",
                "field": name,
                "type": kind,
                "meta": {"special": ["conceal"] if name == "secret" else None},
            }
            for name, kind in TYPES.items()
        ]
    }
)
ROWS: list[dict[str, Any]] = [
    {"id": 1, "status": "draft", "amount": "10.00", "body": "Porches are allowed", "secret": "hiddenword"},
    {"id": 2, "status": "published", "amount": "9.50", "body": "no porch here", "secret": None},
    {"id": 3, "status": "published", "amount": None, "body": None, "secret": None},
    {"id": 4, "status": "published", "amount": "100.00", "body": "SHADY PORCHES", "secret": None},
]


def of(verb: str, rows: list[dict[str, Any]] = ROWS, page: int = 100) -> QueryCheck:
    return next(each for each in query_checks(PROFILE, SNAPSHOT, rows, rows, page=page) if each.verb == verb)


def test_the_filter_prefers_a_value_some_rows_share() -> None:
    question = of("filter")
    assert (question.column, question.value) == ("status", "published")
    assert question.keys == {"2", "3", "4"}


def test_numbers_are_sorted_as_numbers_and_nulls_come_first() -> None:
    question = of("sort", [{**row, "id": 1} for row in ROWS])
    assert question.column == "amount"
    assert question.order == ("null", "100.00", "10.00", "9.50")


def test_a_search_ignores_case_and_concealed_columns() -> None:
    question = of("search")
    assert question.value.casefold() == "porches"
    assert question.keys == {"1", "4"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"id": 2}, {"id": 3}], "1 rows missing, 0 too many"),
        ([{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}], "0 rows missing, 1 too many"),
        ([{"id": 2}, {"id": 2}, {"id": 3}, {"id": 4}], "came twice"),
        ([], "3 rows missing"),
    ],
)
def test_a_wrong_answer_to_a_filter_is_seen(rows: list[dict[str, Any]], words: str) -> None:
    assert words in answer_problems(of("filter"), rows, "id")


def test_a_wrong_order_is_seen_with_its_place() -> None:
    question = QueryCheck("sort", "things", "amount", "", order=("null", "100.00", "9.50"))
    rows: list[dict[str, Any]] = [{"id": 3, "amount": None}, {"id": 2, "amount": "9.50"}, {"id": 4, "amount": "100.00"}]
    assert "from row 2 on" in answer_problems(question, rows, "id")


def test_an_empty_collection_has_no_questions() -> None:
    assert [each.verb for each in query_checks(PROFILE, SNAPSHOT, [], [], page=10) if each.verb != "sort"] == []


@given(st.lists(st.integers(-1000, 1000), min_size=1, unique=True))
def test_the_right_order_is_always_accepted(numbers: list[int]) -> None:
    rows: list[dict[str, Any]] = [
        {"id": number, "status": "", "amount": None, "body": None, "secret": None} for number in numbers
    ]
    ordered = sorted(rows, key=lambda row: int(str(row["id"])), reverse=True)
    assert answer_problems(of("sort", rows, page=len(rows)), ordered, "id") == ""


SOME_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from([None, "", "draft", "null", "a,b", "ended"]),
            "amount": st.sampled_from([None, "9.50", "10.00", "-1"]),
            "body": st.sampled_from([None, "", "Porches", "no porch", "Straße or STRASSE", "allowed Porches"]),
            "secret": st.none(),
        }
    ),
    max_size=12,
)


@given(SOME_ROWS, st.integers(1, 6), st.integers(1, 5))
def test_rows_looked_at_together_give_the_answers_of_each(
    found: list[dict[str, Any]], page: int, together: int
) -> None:
    """Each expected answer is made here from all rows at once, whatever the query is."""
    rows = [{"id": number, **row} for number, row in enumerate(found, start=1)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(queries, "_BATCH", together)
        asked = {each.verb: each for each in query_checks(PROFILE, SNAPSHOT, rows, rows, page=page)}
    if "filter" in asked:
        column, value = asked["filter"].column, asked["filter"].value
        assert asked["filter"].keys == {str(row["id"]) for row in rows if str(row[column]) == value}
    if "search" in asked:
        word = asked["search"].value.casefold()
        assert asked["search"].keys == {
            str(row["id"]) for row in rows if word in f"{row['status']}\n{row['body']}".casefold()
        }
    assert ("filter" in asked) == bool(rows)
    column = asked["sort"].column
    numbers = sorted((Decimal(row[column]) for row in rows if row[column] is not None), reverse=True)
    nulls = [None for row in rows if row[column] is None]
    expected: list[Decimal | None] = [*nulls, *numbers]
    assert [None if text == "null" else Decimal(text) for text in asked["sort"].order] == expected[:page]


def test_a_collection_with_nothing_but_text_is_sorted_by_its_key_in_either_collation() -> None:
    profile = CollectionProfile("languages", "code", "string", singleton=False, columns=("code",))
    snapshot = Snapshot({"fields": [{"collection": "languages", "field": "code", "type": "string", "meta": None}]})
    rows = [{"code": code} for code in ("de", "Zulu", "es-US", "esp")]
    question = next(q for q in query_checks(profile, snapshot, rows, rows, page=10) if q.verb == "sort")
    assert answer_problems(question, [{"code": c} for c in ("esp", "es-US", "de", "Zulu")], "code") == ""
    assert answer_problems(question, [{"code": c} for c in ("Zulu", "es-US", "esp", "de")], "code") == ""
    assert answer_problems(question, [{"code": c} for c in ("de", "esp", "es-US", "Zulu")], "code") != ""
