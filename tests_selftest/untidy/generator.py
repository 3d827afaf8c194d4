"""
Databases by number: below `FIRST_RANDOM` one kind at a time, from there on random combinations.

The same number is the same database, as long as the table of kinds is the same.
"""

from __future__ import annotations

import random
from dataclasses import replace

from tests_selftest.untidy.design import PLAIN_KEYS, Design, Feature, Table
from tests_selftest.untidy.kind import Kind
from tests_selftest.untidy.kinds import KINDS, OWN

FIRST_RANDOM = 10_000
_FORMS = (
    ("blank", "sql"), ("older", "sql"), ("grown", "sql"), ("blank", "api"), ("older", "api"), ("grown", "api"),
)  # fmt: skip
"""
Production and lane of the databases of one kind: production has nothing, the same with fewer rows, or the same without
what is untidy. Their number is six times that of the kind, and that of the form.
"""

FORMS = (*(f"{production}, lane {lane}" for production, lane in _FORMS), "diverged, lane sql")
"""Every form of a database of one kind, by its label; in the last one production alone has the kind."""

_PLAIN = [kind for kind in KINDS.values() if kind.plain and not kind.key]
_UNTIDY = [kind for kind in KINDS.values() if not kind.plain and not kind.key]
_UNTIDY_KEYS = [kind for kind in KINDS.values() if kind.key and not kind.plain]


def numbers(*, both_lanes: bool = False) -> list[int]:
    """
    Of every kind each form, and every kind of OWN that only production has; untidy kinds first.

    Without *both_lanes* of the forms a blank production, one that is not, and one in lane api, in turn.
    """
    found = []
    for number, kind in enumerate(KINDS.values()):
        forms = range(len(_FORMS)) if both_lanes else (0, 1 + number % 2, 3 + number % 3)
        found += [(kind.plain, form, number * len(_FORMS) + form) for form in forms]
    found += [(False, len(_FORMS), len(KINDS) * len(_FORMS) + number) for number in range(len(OWN))]
    return [number for _, _, number in sorted(found)]


def design(number: int) -> Design:
    """The database of this number."""
    if number >= FIRST_RANDOM:
        return _combined(number)
    if number >= len(KINDS) * len(_FORMS):
        kind = KINDS[OWN[number - len(KINDS) * len(_FORMS)]]
        return alone(kind, "diverged", "sql")
    kind = list(KINDS.values())[number // len(_FORMS)]
    return alone(kind, *_FORMS[number % len(_FORMS)])


def place(number: int) -> tuple[str, str] | None:
    """The kind of a database of one kind, and its form; None for a combination."""
    if number >= FIRST_RANDOM:
        return None
    own = number - len(KINDS) * len(_FORMS)
    if own >= 0:
        return OWN[own], FORMS[-1]
    return list(KINDS)[number // len(_FORMS)], FORMS[number % len(_FORMS)]


def alone(kind: Kind, production: str, lane: str) -> Design:
    """One kind on one of two collections; *production* is blank, older, grown or diverged."""
    shared = None if production == "blank" else 2
    own = 2 if production == "diverged" else 0
    other = Table("others", shared=shared, own=own)
    table = Table("things", key=kind.key or "serial", shared=shared, own=own)
    feature = kind.make(table, "untidy_1", other)
    feature = replace(_placed(feature, production in {"older", "diverged"}), local=production != "diverged")
    name = f"only production: {kind.name}" if production == "diverged" else kind.name
    return Design((other, table), (replace(feature, kind=name),), lane, f"{production}, lane {lane}")


def _placed(feature: Feature, in_production: bool) -> Feature:
    """The feature on both sides or in local alone; a column that needs a value may be refused where rows have none."""
    return replace(
        feature, production=in_production, plain=feature.plain and (in_production or feature.kind != "NOT NULL")
    )


def _combined(number: int) -> Design:
    """3 to 12 collections with what people do to them; every third database has nothing that is untidy."""
    chance = random.Random(number)
    production = chance.choice(("blank", "older", "older", "diverged", "diverged"))
    lane = chance.choice(("sql", "sql", "sql", "api"))
    untidy = chance.choice((0, 1, 1, 2, 4, 10))
    tables: list[Table] = []
    for place in range(chance.randint(3, 12)):
        there = production != "blank" and chance.random() < 0.75
        rows = chance.randint(3, 9)
        tables.append(
            Table(
                f"t{place}_{chance.choice(('news', 'pages', 'shops', 'items'))}", chance.choice(PLAIN_KEYS), rows,
                chance.randint(2, rows) if there else None,
                chance.randint(0, 3) if there and production == "diverged" else 0,
            )
        )  # fmt: skip
    features: list[Feature] = []
    if untidy and _UNTIDY_KEYS and chance.random() < 0.2:
        kind, place = chance.choice(_UNTIDY_KEYS), chance.randrange(len(tables))
        tables[place] = replace(tables[place], key=kind.key)
        features.append(replace(kind.make(tables[place], "", tables[0]), production=tables[place].shared is not None))
    chosen = [chance.choice(_PLAIN) for _ in range(chance.randint(4, 25))]
    chosen += [chance.choice(_UNTIDY) for _ in range(untidy)]
    chance.shuffle(chosen)
    once: set[str] = set()
    for place, kind in enumerate(chosen):
        table, other = chance.choice(tables), chance.choice(tables)
        made = kind.make(table, f"u{place}x", other)
        if not made.columns:  # statements that are made for one object in a database
            if kind.name in once:
                continue
            once.add(kind.name)
        features.append(_placed(made, production != "blank" and chance.random() < 0.6))
    if production == "diverged":
        for place in range(chance.randint(1, 4)):
            kind, table, other = KINDS[chance.choice(OWN)], chance.choice(tables), chance.choice(tables)
            made = kind.make(table, f"own{place}x", other)
            features.append(replace(made, kind=f"only production: {kind.name}", local=False, production=True))
    return Design(tuple(tables), tuple(features), lane, f"{production}, lane {lane}")
