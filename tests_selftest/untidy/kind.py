"""One kind of thing people do to a database, and how kinds that are one column are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests_selftest.untidy.design import Column, Feature, Literal, Table, quoted


@dataclass(frozen=True)
class Kind:
    """
    One entry of the catalogue.

    Attributes:
        make: The feature on a table, under a name of its own.
        plain: Directus itself carries it.
        key: The table's key is what is special, see `design.KEYS`.
    """

    name: str
    make: Callable[[Table, str, Table], Feature]
    plain: bool = False
    key: str = ""


def cycle(*values: str | None) -> Literal:
    return lambda number: values[number % len(values)]


def text(*values: str) -> Literal:
    return cycle(*("NULL" if value is None else "'" + value.replace("'", "''") + "'" for value in values))


def column_kind(
    name: str, sql_type: str, value: Literal | None, *, special: str | None = None, plain: bool = False,
    before: tuple[str, ...] = (), after: tuple[str, ...] = (), configured: bool = True, extra: tuple[str, ...] = (),
) -> Kind:  # fmt: skip
    """A kind that is one column; "{c}" is its quoted name, "{n}" its bare name, "{t}" its quoted table."""

    def make(table: Table, object_name: str, _: Table) -> Feature:
        def filled(statement: str) -> str:
            return (
                statement.replace("{c}", quoted(object_name)).replace("{n}", object_name)
                .replace("{t}", quoted(table.name)).replace("{m}", table.name)
            )  # fmt: skip

        column = Column(object_name, filled(sql_type), value, special, configured)
        return Feature(
            name, (object_name, *map(filled, extra)), table.name, (column,), tuple(map(filled, before)),
            tuple(map(filled, after)), plain=plain,
        )  # fmt: skip

    return Kind(name, make, plain)
