"""Names of constraints and indexes, as Directus 11.17.4's own functions gave them."""

from __future__ import annotations

import pytest

from fixtures.checks.schema.index_names import index_name

GIVEN = {
    ("unique", "pages", "slug"): "pages_slug_unique",
    ("unique", "my-table", "F"): "my_table_f_unique",
    ("unique", "a" * 40, "Some_Long_field_name_here"): "a" * 40 + "_so__641405d8_unique",
    ("index", "Über-Tabelle.x" * 5, "feld"): "über_tabelle_x" * 3 + "üb__7fefa25f_index",
}


@pytest.mark.parametrize("named", GIVEN)
def test_a_name_is_the_one_directus_gives(named: tuple[str, str, str]) -> None:
    assert index_name(*named) == GIVEN[named]
