"""
The corpus: what people do to a data model, what the plan must say of it, and what a bare apply was seen to do.

Each edit is expected twice: from the suite before anything is sent (its codes; sent, stopped or kept), and from a bare
Directus (its own diff sent back as it is). The second is what the first is worth: `make corpus` measures both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests_selftest.corpus.draft import Draft

Change = Callable[[Draft], object]


@dataclass(frozen=True)
class Edit:
    """
    One edit with what is expected of it.

    Attributes:
        codes: Of the changes the plan names, in alphabetical order, separated by blanks.
        ours: "sent": applied without loss; "stopped": nothing was sent; "kept": production keeps what it has;
            "waived": applied as somebody accepted it, and nothing else is lost.
        bare: "fine", "lost" or "refused".
        waive: Code and object somebody signs for.
    """

    name: str
    change: Change
    codes: str
    ours: str
    bare: str
    waive: tuple[tuple[str, str], ...] = ()


def size(name: str, **schema: Any) -> Change:
    return lambda draft: draft.schema(name, **schema)


def retype(name: str, kind: str, **schema: Any) -> Change:
    return lambda draft: draft.retype(name, kind, **schema)


def meta(name: str, **values: Any) -> Change:
    return lambda draft: draft.meta(name, **values)


def related(name: str, **schema: Any) -> Change:
    return lambda draft: draft.relation(name)["schema"].update(schema)


def shown(name: str, **values: Any) -> Change:
    return lambda draft: draft.collection(name)["meta"].update(values)


def added(name: str, like: str, **schema: Any) -> Change:
    return lambda draft: draft.add(name, like, **schema)
