"""
The table of field types and what `make untidy` saw of each kind; writes docs/reference/types.md.

    python -m tests_selftest.types_page
"""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path

from fixtures.model.field_types import FIELD_TYPES, UNKNOWN, FieldType, Form
from tests_selftest.untidy import generator, record
from tests_selftest.untidy.kind import Kind
from tests_selftest.untidy.kinds import OWN, PARTS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "types.md"
NOT_RUN = "not run"

_HEAD = """\
# Types

What the suite does with a type of Directus in a column of a type of Postgres, and what became of
databases that have it. This page is written by `make types` from two tables: the field types
(`fixtures/model/field_types/table.py`) and what `make untidy` recorded
(`tests_selftest/untidy/recorded.tsv`).

## Field types

The export holds every value as its column does where local's database is reachable; the notation
of each is in [format of the export](export-format.md). "Exact over REST" is about Directus' API
alone: where it says no, the value is exported and compared by SQL, and lane api sets it by SQL
after the row. Whatever the type, a day outside of the years 1 to 9999 and a concealed or hashed
text is [beyond REST](export-format.md#beyond-rest). "Compared" is the form that equal values
share, "over REST" the one in which only REST's answer is at hand. A dash is the same as the value
itself. A type without a row here is carried as Postgres' own text, by SQL alone.
"""
_SEEN = """\
## What became of every kind

Each kind alone, in small databases: production is blank, has the same with fewer rows ("older"),
or the same without what is untidy ("grown"). "Only production" is the kind in production alone.
A cell says what became of it: [the fates](measurements.md#make-untidy); for a stop also the
finding and the line of the runbook. "{not_run}" claims nothing; "–" is no form of this kind.

{counts}
"""


def page() -> str:
    """The reference page, as it must be."""
    seen = record.read(record.RECORDED)
    counted = Counter(cell.split()[0] for cells in seen.values() for cell in cells.values())
    told = ", ".join(f"{number} {fate}" for fate, number in sorted(counted.items()))
    parts = [_HEAD, *_field_types(), "", _SEEN.format(not_run=NOT_RUN, counts=f"Recorded: {told or 'nothing'}.")]
    for part in PARTS:
        kinds = part()
        parts += [f"### {(inspect.getdoc(part) or '').rstrip('.')}", "", *_kinds(kinds, seen), ""]
    return "\n".join(parts)


def _field_types() -> list[str]:
    lines = [
        "| Directus | Postgres | made by Directus | exported as | exact over REST | lane sql | lane api | compared |"
        " over REST |",
        f"|{'---|' * 9}",
    ]
    for each in FIELD_TYPES:
        lines.append(f"| {' | '.join(_escaped(cell) for cell in _field_type(each))} |")
    return lines


def _field_type(each: FieldType) -> tuple[str, ...]:
    literal = each.form is Form.LITERAL
    exact = "yes" if each.rest_exact else f"no: to the {each.rest_precision.removesuffix('s')}"
    return (
        "not known" if each.directus == UNKNOWN else each.directus,
        each.postgres,
        "yes" if each.creatable else "no",
        "Postgres' own text" if literal else each.rest_form,
        exact if each.rest_exact or each.rest_precision else "no",
        "COPY" if each.writable else "no",
        "REST" if each.rest_exact else "SQL" if literal else "REST, what it rounds by SQL",
        _claim(each.canonical),
        "not told" if not each.told_by_rest else "–" if each.rounded is None else _claim(each.rounded),
    )


def _claim(form: object) -> str:
    """The first sentence of a form, as its docstring says it."""
    said = (inspect.getdoc(form) or "").replace("\n", " ").partition(". ")[0].rstrip(".")
    return "–" if said == "The value itself" else said


def _kinds(kinds: list[Kind], seen: record.Record) -> list[str]:
    *forms, diverged = generator.FORMS
    names = [*(form.replace(", lane ", ", ") for form in forms), "only production"]
    lines = [f"| kind | {' | '.join(names)} |", f"|{'---|' * (len(names) + 1)}"]
    for kind in kinds:
        cells = seen.get(kind.name, {})
        shown = [cells.get(form, NOT_RUN) for form in forms]
        shown.append(cells.get(diverged, NOT_RUN) if kind.name in OWN else "–")
        lines.append(f"| {' | '.join(_escaped(cell) for cell in (kind.name, *shown))} |")
    return lines


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
