"""People write while pages are opened: what came or went meanwhile is theirs, a row that stayed must be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from fixtures.checks.site import pages
from fixtures.configuration.site_map import site_map
from fixtures.model.finding import finding
from fixtures.model.visit import PageVisit
from fixtures.operations.site.page_visit import PageCheck, PageVisitor
from fixtures.operations.site.visit import SiteTour, ignore_visit
from fixtures.systems.directus import DirectusObserver
from fixtures.systems.failure import IncompleteRead

MAP = {
    "site": {"ready": "#ready"},
    "pages": [{"path": "/words", "title": "Words", "collection": "words", "list": "#list", "item": "li",
               "page_size": 100, "shows": ["term"]}],
    "plain": [{"path": "/", "counters": {"item": "b"}}],
}  # fmt: skip


class Words:
    """A production with one collection, in which others write at every request while it is busy."""

    def __init__(self, *, busy: bool, deletes: bool = False) -> None:
        self.rows = {f"w{n:03}": f"Term {n}" for n in range(10)}
        self.busy, self.deletes, self._made, self.restless = busy, deletes, 0, 0

    def _others_write(self) -> None:
        if self.busy:
            self._made += 1
            self.rows[f"x{self._made:03}"] = f"Visitor {self._made}"
            if self.deletes and self._made > 12:
                del self.rows[f"x{self._made - 12:03}"]

    def count(self, _collection: str, *, filter: Mapping[str, Any] | None = None) -> int:  # noqa: A002
        assert not filter
        self._others_write()
        return len(self.rows)

    def primary_key(self, _collection: str) -> str:
        return "id"

    def items(self, _collection: str, *, filter: Any = None, **_: Any) -> list[dict[str, Any]]:  # noqa: A002
        self._others_write()
        if self.restless and not filter:
            self.restless -= 1
            raise IncompleteRead(finding("DIR-101", path="", system="", rows=1, read=1, distinct=1, again=2))
        wanted = filter["id"]["_in"] if filter else list(self.rows)
        return [{"id": key, "term": self.rows[key]} for key in wanted if key in self.rows]


class Drawn:
    """A site that shows what production held when it was opened, but for the rows it hides."""

    def __init__(self, words: Words, *, hides: frozenset[str] = frozenset()) -> None:
        self.words, self.hides, self.opened, self.turns_pages = words, hides, 0, False
        self.shown: dict[str, str] = {}
        self.page = self

    def visit(self, path: str, title: str, observe: PageCheck) -> tuple[PageVisit, bytes]:
        self.opened += 1
        self.words._others_write()
        self.shown = {key: term for key, term in self.words.rows.items() if key not in self.hides}
        return observe(cast(Any, self), PageVisit(path, title, "", -1, -1, -1, 0, (), (), (), 1.0)), b""

    def read_list(self, _tab: object, _item: str) -> tuple[list[tuple[str, str]], int]:
        if self.turns_pages:  # each part is fetched anew
            self.words._others_write()
            self.shown = {key: term for key, term in self.words.rows.items() if key not in self.hides}
        return list(self.shown.items()), 1

    def count(self, _selector: str) -> int:
        return 1

    @property
    def first(self) -> Drawn:
        return self

    def locator(self, _selector: str) -> Drawn:
        return self

    def get_attribute(self, _name: str) -> str:
        return str(len(self.shown))

    def evaluate_all(self, _script: str) -> list[Any]:
        return [("words", len(self.shown))] if "tally" in _script else []


def tour(words: Words, drawn: Drawn) -> SiteTour:
    site = site_map(MAP)
    return SiteTour(cast(PageVisitor, drawn), site, cast(DirectusObserver, words), cast(DirectusObserver, words))


def codes(visits: list[PageVisit]) -> list[str]:
    return [each.code for each in pages.display_problems(visits)]


def test_keys_are_read_again_when_the_list_changed_between_its_parts() -> None:
    words = Words(busy=True)
    words.restless = 5
    assert codes(tour(words, Drawn(words)).lists(ignore_visit)) == []
    words.restless = 1_000
    assert codes(tour(words, Drawn(words)).lists(ignore_visit)) == ["MIG-512"]


@pytest.mark.parametrize("deletes", [False, True])
def test_rows_others_write_while_a_page_is_open_turn_nothing_red(deletes: bool) -> None:
    words = Words(busy=True, deletes=deletes)
    site = tour(words, Drawn(words))
    seen = site.lists(ignore_visit)
    assert codes(seen) == []
    assert seen[0].meanwhile > 0
    assert seen[0].steady >= 10
    assert codes(site.plain(ignore_visit)) == []


def test_a_row_that_stayed_and_is_not_drawn_is_red_however_much_others_write() -> None:
    words = Words(busy=True)
    (seen,) = tour(words, Drawn(words, hides=frozenset({"w004"}))).lists(ignore_visit)
    assert "MIG-517" in codes([seen])
    assert "words w004 is in the API's list and not drawn" in seen.wrong


def test_a_row_that_came_meanwhile_does_not_stand_for_one_that_is_hidden() -> None:
    """The API counts before the last part of the list is fetched: one row more there, one hidden, the same number."""
    words = Words(busy=True)
    drawn = Drawn(words, hides=frozenset({"w004"}))
    drawn.turns_pages = True
    (seen,) = tour(words, drawn).lists(ignore_visit)
    assert "words w004 is in the API's list and not drawn" in seen.wrong


def test_a_quiet_site_is_opened_once_and_an_empty_one_is_red() -> None:
    words = Words(busy=False)
    drawn = Drawn(words)
    site = tour(words, drawn)
    assert codes(site.lists(ignore_visit)) == []
    assert drawn.opened == 1
    hidden = tour(words, Drawn(words, hides=frozenset(words.rows)))
    assert set(codes(hidden.lists(ignore_visit))) == {"MIG-512", "MIG-517"}
    assert codes(hidden.plain(ignore_visit)) == ["MIG-517"]


def visit(**more: Any) -> PageVisit:
    shown = {"shown": 10, "declared_count": 10, "api_count": 10, "expected_count": 10, **more}
    return PageVisit("/words", "Words", "words", images=0, broken=(), console=(), failures=(), load_ms=1.0, **shown)


@pytest.mark.parametrize(
    ("more", "red"),
    [
        ({}, False),
        ({"declared_count": 11}, True),
        ({"declared_count": 11, "steady": 10, "ever": 11}, False),
        ({"declared_count": 12, "steady": 10, "ever": 11}, True),
        ({"shown": 9, "steady": 10, "ever": 11}, True),
        ({"shown": 11, "steady": 10, "ever": 11}, False),
        ({"shown": 5, "expected_count": 5, "steady": 10, "ever": 11}, False),  # only some parts were visited
        ({"shown": 4, "expected_count": 5, "steady": 10, "ever": 11}, True),
        ({"api_count": 0, "steady": 0, "ever": 0, "declared_count": 0, "shown": 0}, True),
    ],
)
def test_numbers_must_lie_between_what_stayed_and_what_was_ever_there(more: dict[str, int], red: bool) -> None:
    assert ("MIG-512" in codes([visit(**more)])) is red
