"""Lines in which a key may stand that is another one in production are told from those in which none does."""

from __future__ import annotations

import pytest

from fixtures.operations.lane_sql import copy_rows

ONE, OTHER = "1ca10000-0000-4000-8000-000000000001", "1ca10000-0000-4000-8000-000000000002"


@pytest.mark.parametrize(
    ("keys", "line", "concerned"),
    [
        ([ONE], f'{{"id": 1, "category": "{ONE}"}}', True),
        ([ONE], f'{{"body": "see /items/categories/{ONE.upper()}?x"}}', True),
        ([ONE], f'{{"body": "a{ONE}"}}', True),
        ([ONE], f'{{"id": 1, "category": "{OTHER}"}}', False),
        ([ONE], '{"id": 1, "category": null, "body": "50% of it, 5 %"}', False),
        ([ONE], '{"body": "/items/categories/1ca10000%2D0000"}', True),
        ([ONE], '{"body": "1ca10000\\\\u002d0000"}', True),
        (["5"], '{"body": "/items/sections/5"}', True),
        (["5"], '{"body": "/items/sections/6"}', False),
        (["N1-A", ONE], '{"district": "n1-a"}', True),
        (["N1-A", ONE], '{"district": "n2-a"}', False),
        (["é"], '{"district": "n2-a"}', True),
        (
            [f"{number:08x}{ONE[8:]}" for number in range(copy_rows.MAX_SEARCHED_KEYS)] + [ONE],
            f'{{"category": "{ONE}"}}',
            True,
        ),
        (
            [f"{number:08x}{ONE[8:]}" for number in range(copy_rows.MAX_SEARCHED_KEYS)] + [ONE],
            f'{{"category": "{OTHER}"}}',
            False,
        ),
        ([f"k{number}" for number in range(copy_rows.MAX_SEARCHED_KEYS + 1)], '{"district": "n2-a"}', True),
    ],
)
def test_a_line_is_rewritten_only_where_it_may_have_to_be(keys: list[str], line: str, concerned: bool) -> None:
    assert copy_rows._holding(keys)(line.encode()) == concerned
