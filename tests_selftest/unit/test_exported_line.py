"""A line of an export is what the standard library writes, whichever encoder wrote it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fixtures.operations.source.data_export import row_to_json

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(codec="utf-8")))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)


@given(st.dictionaries(st.sampled_from("abcdef"), SCALARS | VALUES))
def test_each_row_is_written_as_the_standard_library_writes_it(row: dict[str, Any]) -> None:
    columns = tuple("fabcde")
    expected = json.dumps({column: row.get(column) for column in columns}, ensure_ascii=False, separators=(",", ":"))
    assert row_to_json(row, columns).decode("utf-8", "surrogatepass") == expected


def test_what_is_no_number_of_json_is_not_exported_as_null() -> None:
    assert row_to_json({"a": float("nan"), "b": 1e22}, ("a", "b")) == b'{"a":NaN,"b":1e+22}'
