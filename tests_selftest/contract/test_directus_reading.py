"""A list is either read as a whole or said to be incomplete; a sandbox touches nothing but its own rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from fixtures.model.directus_configuration import Configuration
from fixtures.model.secret import Secret
from fixtures.operations.source import directus_configuration
from fixtures.systems import directus
from fixtures.systems.directus import DirectusObserver, DirectusOperator, DirectusSandbox, ScratchRowsLeft, paging
from fixtures.systems.directus.sandbox import NotOwnRow
from fixtures.systems.failure import IncompleteRead
from fixtures.systems.http.transport import Transport
from tests_selftest.contract.scripted_server import Reply, Request, ScriptedServer

TOTAL = 25


@contextmanager
def speaking(answer: Callable[[Request, int], Reply], *, read_only: bool = False) -> Iterator[Transport]:
    with (
        ScriptedServer(answer) as server,
        directus.connect(server.url, Secret("token"), system="production Directus", read_only=read_only) as transport,
    ):
        yield transport


def listing(
    *,
    counts: tuple[int, ...] = (TOTAL, TOTAL),
    most: int = -1,
    twice: int = -1,
    key: Callable[[int], object] = int,
    beside: int | None = None,
    asked: list[str] | None = None,
) -> Callable[[Request, int], Reply]:
    """
    A Directus with 25 rows that counts as told, cuts pages at *most* and may give one row twice.

    Args:
        beside: The count it gives beside the rows; without it, it does not know the parameter.
        asked: Where the queries of its lists are kept.
    """
    counted: list[int] = []
    ids = [key(n) for n in range(TOTAL)]
    if twice >= 0:
        ids = [*ids[: twice + 1], *ids[twice : TOTAL - 1]]

    def answer(request: Request, _: int) -> Reply:
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        if request.path == "/server/info":
            return Reply(200, {"data": {"version": "11.17.4", "queryLimit": {"default": 100, "max": most}}})
        if request.path.startswith("/collections/"):
            return Reply(200, {"data": {"meta": {"singleton": False}}})
        if asked is not None:
            asked.append(request.query)
        if "aggregate[count]" in query:
            counted.append(1)
            return Reply(200, {"data": [{"count": str(counts[min(len(counted), len(counts)) - 1])}]})
        if most > 0 and int(query["limit"]) > most:
            return Reply(400, {"errors": [{"message": "limit", "extensions": {"code": "INVALID_QUERY"}}]})
        size = int(query["limit"])
        if "filter" not in query:
            start = int(query["offset"])
            counted_beside = {"meta": {"filter_count": beside}} if beside is not None and "meta" in query else {}
            return Reply(200, {**counted_beside, "data": [{"id": each} for each in ids[start : start + size]]})
        above = json.loads(query["filter"])["id"]["_gt"]
        if not isinstance(above, int):
            return Reply(400, {"errors": [{"message": "no _gt", "extensions": {"code": "INVALID_QUERY"}}]})
        return Reply(200, {"data": [{"id": n} for n in ids if isinstance(n, int) and n > above][:size]})

    return answer


def uuid_of(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def text_of(number: int) -> str:
    """Sorted by the language of a database: N-0, n1, N-2 …"""
    return f"{'n' if number % 2 else 'N-'}{number:02}"


@pytest.mark.parametrize("key", [int, str, uuid_of, text_of])
def test_pages_are_put_together(key: Callable[[int], object]) -> None:
    """Every row once, in order, whatever the page size and the kind of key."""
    with speaking(listing(key=key), read_only=True) as transport:
        rows = DirectusObserver(transport).items("sections", key="id", fields=["id"], page_size=10)
        assert [row["id"] for row in rows] == [key(number) for number in range(TOTAL)]


@pytest.mark.parametrize("key", [int, str, uuid_of, text_of])
def test_a_list_of_one_page_is_one_request(key: Callable[[int], object]) -> None:
    asked: list[str] = []
    with speaking(listing(key=key, beside=TOTAL, asked=asked), read_only=True) as transport:
        rows = DirectusObserver(transport).items("sections", key="id", fields=["id"])
        assert [row["id"] for row in rows] == [key(number) for number in range(TOTAL)]
    assert len(asked) == 1


@pytest.mark.parametrize("data", [[], {"id": None, "title": None}], ids=["a list", "a singleton never saved"])
def test_no_row_is_one_request(data: object) -> None:
    with speaking(lambda _, __: Reply(200, {"meta": {"filter_count": 0}, "data": data}), read_only=True) as transport:
        rows = paging.rows(transport, "/items/sections", key="id", fields=["id"])
        assert list(rows) == []


@pytest.mark.parametrize("page", [TOTAL, 10])
def test_a_longer_list_is_counted_again_at_its_end(page: int) -> None:
    """A page that is full may have been cut."""
    asked: list[str] = []
    with speaking(listing(beside=TOTAL, asked=asked), read_only=True) as transport:
        rows = DirectusObserver(transport).items("sections", key="id", fields=["id"], page_size=page)
        assert [row["id"] for row in rows] == list(range(TOTAL))
    assert ["aggregate" in query for query in asked].count(True) == 1


def test_a_page_is_never_larger_than_the_server_gives() -> None:
    """QUERY_LIMIT_MAX is asked for before the first page."""
    with speaking(listing(most=7), read_only=True) as transport:
        observer = DirectusObserver(transport)
        assert observer.page_size == 7
        assert len(list(observer.items("sections", key="id", fields=["id"]))) == TOTAL


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(listing(counts=(30, 30)), id="fewer rows than counted"),
        pytest.param(listing(counts=(TOTAL, 26)), id="a row was added meanwhile"),
        pytest.param(listing(twice=0), id="a row came twice"),
        pytest.param(listing(beside=30), id="fewer rows than counted beside them"),
        pytest.param(listing(beside=24), id="more rows than counted beside them"),
        pytest.param(listing(beside=TOTAL, twice=17, key=uuid_of), id="a uuid came twice, in one page"),
        pytest.param(listing(twice=3, key=uuid_of), id="a uuid came twice"),
        pytest.param(listing(twice=17, key=uuid_of), id="a uuid came twice, on a later page"),
        pytest.param(listing(twice=19, key=uuid_of), id="a uuid came again at the beginning of a page"),
        pytest.param(listing(twice=19, key=text_of), id="a text came again at the beginning of a page"),
    ],
)
def test_an_incomplete_reading_is_said(server: Callable[[Request, int], Reply]) -> None:
    """After the last row, so that nobody counts on it."""
    with speaking(server, read_only=True) as transport:
        for page in (10, 1000):
            rows = DirectusObserver(transport).items("sections", key="id", fields=["id"], page_size=page)
            with pytest.raises(IncompleteRead, match="could not be read completely"):
                list(rows)


def test_a_change_of_missing_rows_is_no_success() -> None:
    """Directus answers 200 without them."""
    with (
        speaking(lambda _, __: Reply(200, {"data": [{"id": 1}]})) as transport,
        pytest.raises(IncompleteRead, match="did something else"),
    ):
        DirectusOperator(transport).update_encoded("sections", b'[{"id": 1}, {"id": 2}]', ["1", "2"], key="id")


class Shelf:
    """A collection with rows of other people, as a server."""

    def __init__(self, *, undeletable: bool = False) -> None:
        self.rows = {"1": {"id": 1, "name": "theirs"}}
        self._undeletable = undeletable

    def __call__(self, request: Request, _: int) -> Reply:
        key = request.path.rpartition("/")[2] if request.path.count("/") == 3 else ""
        if request.method == "POST":
            row = {"id": len(self.rows) + 1, **json.loads(request.body)}
            self.rows[str(row["id"])] = row
            return Reply(200, {"data": row})
        if key not in self.rows:
            return Reply(403, {"errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}]})
        if request.method == "DELETE":
            if not self._undeletable:
                del self.rows[key]
            return Reply(204)
        if request.method == "PATCH":
            self.rows[key].update(json.loads(request.body))
        return Reply(200, {"data": self.rows[key]})


def test_a_sandbox_leaves_nothing_behind(tmp_path: Path) -> None:
    """Also what the block forgot, and also when it fails."""
    shelf = Shelf()

    def used(transport: Transport) -> None:
        with DirectusSandbox(transport, run="run-1", journal=tmp_path / "journal") as sandbox:
            row = sandbox.create("inquiries", {"name": sandbox.mark})
            assert sandbox.update("inquiries", row["id"], {"name": "changed"})["name"] == "changed"
            sandbox.create("inquiries", {"name": sandbox.mark})
            raise RuntimeError("a test failed here")

    with speaking(shelf) as transport:
        with pytest.raises(RuntimeError):
            used(transport)
        assert shelf.rows == {"1": {"id": 1, "name": "theirs"}}
        assert DirectusSandbox(transport, run="run-2", journal=tmp_path / "journal").made == ()


@pytest.mark.parametrize("verb", ["read", "update", "delete", "adopt"])
def test_a_sandbox_refuses_rows_of_others(verb: str) -> None:
    """Before anything is sent, or after one look; the row stays as it is."""
    shelf = Shelf()
    with speaking(shelf) as transport, DirectusSandbox(transport, run="run-1") as sandbox:
        acts: dict[str, Callable[[], object]] = {
            "read": lambda: sandbox.read("inquiries", 1),
            "update": lambda: sandbox.update("inquiries", 1, {"name": "ours"}),
            "delete": lambda: sandbox.delete("inquiries", 1),
            "adopt": lambda: sandbox.adopt("inquiries", 1, column="name"),
        }
        with pytest.raises(NotOwnRow):
            acts[verb]()
        assert transport.sent["PATCH"] + transport.sent["DELETE"] == 0
    assert shelf.rows == {"1": {"id": 1, "name": "theirs"}}


def test_what_a_killed_run_left_is_taken_over(tmp_path: Path) -> None:
    """The journal names it, a torn last line notwithstanding."""
    shelf, journal = Shelf(), tmp_path / "journal"
    with speaking(shelf) as transport:
        killed = DirectusSandbox(transport, run="run-1", journal=journal)
        killed.create("inquiries", {"name": killed.mark})
        with journal.open("a") as torn:
            torn.write('{"event": "made", "coll')
        with DirectusSandbox(transport, run="run-2", journal=journal) as sandbox:
            assert sandbox.made == (("inquiries", "2"),)
    assert list(shelf.rows) == ["1"]


def test_a_clean_up_that_did_not_work_is_said() -> None:
    """204 is not believed; the row is looked for."""
    with speaking(Shelf(undeletable=True)) as transport:
        sandbox = DirectusSandbox(transport, run="run-1")
        sandbox.create("inquiries", {"name": sandbox.mark})
        with pytest.raises(ScratchRowsLeft, match="inquiries/2"):
            sandbox.clean_up()


def test_a_deleted_row_is_in_the_journal_until_it_was_seen_to_be_gone(tmp_path: Path) -> None:
    """A kill between the two leaves nothing that the next run does not look for."""
    shelf, journal = Shelf(undeletable=True), tmp_path / "journal"
    with speaking(shelf) as transport:
        killed = DirectusSandbox(transport, run="run-1", journal=journal)
        row = killed.create("inquiries", {"name": killed.mark})
        assert killed.delete("inquiries", row["id"]).status == 204
        assert killed.made == ()
        later = DirectusSandbox(transport, run="run-2", journal=journal)
        assert later.made == (("inquiries", "2"),)
        with pytest.raises(ScratchRowsLeft, match="inquiries/2"):
            later.clean_up()


def test_what_is_left_stays_with_the_sandbox_and_is_deleted_by_the_next_clean_up() -> None:
    shelf = Shelf(undeletable=True)
    with speaking(shelf) as transport:
        sandbox = DirectusSandbox(transport, run="run-1")
        rows = [sandbox.create("inquiries", {"name": sandbox.mark}) for _ in range(60)]
        with pytest.raises(ScratchRowsLeft, match="60"):
            sandbox.clean_up()
        assert len(sandbox.made) == len(rows)
        shelf._undeletable = False
        sandbox.clean_up()
        assert (sandbox.made, list(shelf.rows)) == ((), ["1"])


def test_the_database_tells_of_all_deleted_rows_at_once_and_directus_of_those_it_cannot() -> None:
    shelf, asked = Shelf(), []

    def rows_exist(rows: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bool]:
        asked.append(rows)
        return {row: row[1] == "3" for row in rows if row[1] != "2"}

    with speaking(shelf) as transport:
        sandbox = DirectusSandbox(transport, run="run-1", rows_exist=rows_exist)
        for _ in range(3):
            sandbox.create("inquiries", {"name": sandbox.mark})
        with pytest.raises(ScratchRowsLeft, match="inquiries/3"):
            sandbox.clean_up()
        assert sandbox.made == (("inquiries", "3"),)
        assert (len(asked), transport.sent["GET"]) == (1, 1)


def configured(*, lacks: str = "", closes: str = "", restless: int = 0) -> Callable[[Request, int], Reply]:
    """A Directus with one flow; *restless* counts of it are wrong, as if somebody worked there meanwhile."""
    left = [restless]

    def answer(request: Request, _: int) -> Reply:
        query = parse_qs(request.query)
        if request.path == lacks:
            return Reply(404, {"errors": [{"message": "no route", "extensions": {"code": "ROUTE_NOT_FOUND"}}]})
        if request.path == closes:
            return Reply(403, {"errors": [{"message": "no", "extensions": {"code": "RESOURCE_RESTRICTED"}}]})
        if request.path == "/server/info":
            return Reply(200, {"data": {"version": "11.5.0"}})
        if request.path in {"/settings", "/extensions"}:
            return Reply(200, {"data": {"id": 1, "project_name": "City"} if request.path == "/settings" else []})
        rows = [{"id": uuid_of(1), "name": "Notify"}] if request.path == "/flows" else []
        if "aggregate[count]" in query:
            wrong = bool(rows) and left[0] > 0
            left[0] -= wrong
            return Reply(200, {"data": [{"count": str(len(rows) + wrong)}]})
        return Reply(200, {"data": rows})

    return answer


def observed(server: Callable[[Request, int], Reply]) -> Configuration:
    with speaking(server, read_only=True) as transport:
        return directus_configuration.observe(DirectusObserver(transport))


def test_a_list_this_directus_does_not_give_is_named_and_no_error() -> None:
    """Deployments came with a later version; a licence may close a list."""
    found = observed(configured(lacks="/deployments", closes="/shares"))
    assert found.not_read == {
        "shares": "403 RESOURCE_RESTRICTED",
        "deployments": "Directus 11.5.0 has no /deployments",
        "deployment_projects": "Directus 11.5.0 has no /deployments",
    }
    assert found.rights_are_known
    assert [each.key for each in found.objects["flows"]] == ["Notify"]
    assert [each.key for each in found.objects["settings"]] == ["project_name"]


def test_configuration_that_changes_while_it_is_read_is_read_again() -> None:
    assert [each.key for each in observed(configured(restless=6)).objects["flows"]] == ["Notify"]
    with pytest.raises(IncompleteRead, match="/flows"):
        observed(configured(restless=9))
