"""A scratch value satisfies the validation of its field, or is said to be impossible."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fixtures.operations.scratch_rows.validation import Unsatisfiable, accepts, satisfying

NAME = "code"


def rule(**operators: Any) -> dict[str, Any]:
    return {"_and": [{NAME: {f"_{operator}": wanted}} for operator, wanted in operators.items()]}


SOLVED = {
    "no rule": (None, "mark", "mark"),
    "accepted as it is": (rule(nempty=True), "mark", "mark"),
    "equal": (rule(eq="yes"), "mark", "yes"),
    "one of": (rule(**{"in": ["a", "b"]}), "mark", "a"),
    "one of, but not the first": (rule(**{"in": ["a", "b"], "neq": "a"}), "mark", "b"),
    "begins, contains and ends": (rule(starts_with="<", contains="-", ends_with=">"), "mark", "<mark->"),
    "greater": (rule(gt=10), 1, 11),
    "between": (rule(between=[5, 7]), 1, 5),
    "above one and no multiple of it": (rule(gte=2, nin=[2, 3]), 1, 4),
    "later day": (rule(gt="2030-01-01"), "2025-01-01", "2030-01-02"),
    "an operator the server does not know": (rule(unknown="x"), "mark", "mark"),
    "a rule about another field, which is not sent": ({"_and": [{"other": {"_nnull": True}}]}, "mark", "mark"),
    "alternative": ({"_or": [{NAME: {"_eq": 3}}, {NAME: {"_gt": 8}}]}, 1, 3),
}
PATTERNS = {
    "postcode": "^[0-9]{5}$",
    "slug": "^[a-z0-9]+(?:-[a-z0-9]+)*$",
    "between slashes": "/^AB-\\d{3}$/",
    "e-mail": r"^[a-z]{3,8}@[a-z]{3,8}\.(com|org)$",
    "e-mail without blanks": r"^[^\s@]+@[^\s@]+$",
    "telephone": r"^\+?[0-9 ()-]{7,15}$",
}
IMPOSSIBLE = {
    "two values at once": rule(eq="a", neq="a"),
    "a variable": rule(gt="$NOW"),
    "an expression with flags, which the server takes for letters": rule(regex="/^AB-\\d{3}$/i"),
    "an expression that is none": rule(regex="["),
}


@pytest.mark.parametrize("case", SOLVED)
def test_a_value_is_found(case: str) -> None:
    rules, value, expected = SOLVED[case]
    assert satisfying(value, rules, NAME) == expected


@pytest.mark.parametrize("case", PATTERNS)
def test_a_text_is_made_from_the_regular_expression(case: str) -> None:
    found = satisfying("scratch-run", rule(regex=PATTERNS[case]), NAME, longest=64)
    assert re.search(PATTERNS[case].strip("/"), found)
    assert len(found) <= 64


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_cannot_be_satisfied_is_said(case: str) -> None:
    with pytest.raises(Unsatisfiable, match="validation"):
        satisfying("mark", IMPOSSIBLE[case], NAME)


def test_a_value_longer_than_its_column_is_no_solution() -> None:
    with pytest.raises(Unsatisfiable):
        satisfying("mark", rule(eq="much longer"), NAME, longest=4)


def test_a_value_that_cannot_be_compared_is_not_accepted() -> None:
    assert not accepts(rule(gt=1), NAME, "text")
    assert not accepts(rule(between=[1, 2]), NAME, None)


@pytest.mark.parametrize(
    "taken", [1, 2.5, "7", "1.50", "2026-01-01", "12:00:00", "2026-01-01T12:00:00", "a mark", True]
)
def test_a_value_that_is_taken_is_replaced_by_one_of_its_kind(taken: object) -> None:
    found = satisfying(taken, None, NAME, is_free=lambda value: value != taken)
    assert found != taken
    assert type(found) is type(taken) or taken == "7"
    assert len(str(found)) >= len(str(taken))


def test_no_value_is_used_when_all_are_taken() -> None:
    with pytest.raises(Unsatisfiable, match="must be unique"):
        satisfying(True, None, NAME, is_free=lambda _value: False)
