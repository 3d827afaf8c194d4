"""docs/reference/types.md is the table of field types and the recorded run, and claims nothing else."""

from __future__ import annotations

from pathlib import Path

from fixtures.model.field_types import FIELD_TYPES
from tests_selftest.types_page import NOT_RUN, PAGE, page
from tests_selftest.untidy import generator, record
from tests_selftest.untidy.kinds import KINDS

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_the_tables_say() -> None:
    assert page() == TEXT, "run `make types`"


def test_every_kind_has_its_row_and_every_cell_what_was_recorded() -> None:
    seen = record.read(record.RECORDED)
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in TEXT.splitlines() if line.startswith("| ")}
    for kind in KINDS:
        cells = rows[kind].strip("| ").split(" | ")[1:]
        expected = [seen.get(kind, {}).get(form, NOT_RUN) for form in generator.FORMS]
        assert [cell for cell in cells if cell != "–"] == expected[: len([c for c in cells if c != "–"])], kind


def test_every_field_type_has_its_row() -> None:
    for each in FIELD_TYPES:
        assert f" | {each.postgres} | " in TEXT


def test_the_record_holds_kinds_that_exist_in_forms_that_exist() -> None:
    """A kind that was renamed is recorded anew, not kept under its old name."""
    head, *lines = record.RECORDED.read_text(encoding="utf-8").splitlines()
    assert tuple(head.split("\t")[1:]) == generator.FORMS
    assert [line.split("\t")[0] for line in lines if line.split("\t")[0] not in KINDS] == []


def test_a_run_in_parts_is_merged_and_the_later_part_wins(tmp_path: Path) -> None:
    one, other, both = (tmp_path / name for name in ("one.tsv", "other.tsv", "both.tsv"))
    first = next(number for number in range(generator.FIRST_RANDOM) if generator.place(number))
    record.add(one, first, "SILENT", "", "")
    record.add(one, first + 1, "carried", "", "")
    record.add(other, first, "refused", "MIG-310", "3.2.3")
    record.write(both, record.merged(record.read(one), record.read(other)))
    kind, blank = generator.place(first) or ("", "")
    _, older = generator.place(first + 1) or ("", "")
    assert record.read(both) == {kind: {blank: "refused MIG-310 3.2.3", older: "carried"}}


def test_a_combination_and_what_could_not_be_made_are_not_recorded(tmp_path: Path) -> None:
    file = tmp_path / "record.tsv"
    record.add(file, generator.FIRST_RANDOM, "carried", "", "")
    record.add(file, 0, "NOT MADE", "", "")
    assert record.read(file) == {}


def test_the_number_of_a_database_tells_its_kind_and_form() -> None:
    for number in generator.numbers(both_lanes=True):
        kind, form = generator.place(number) or ("", "")
        design = generator.design(number)
        assert (design.label, design.features[0].kind.removeprefix("only production: ")) == (form, kind)
