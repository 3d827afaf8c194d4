"""An answer that differs because others wrote meanwhile is asked again; one that is wrong stays wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from fixtures.checks.rows.profile import profile
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.operations.verification.query_checks import MOST_READINGS, run_query_checks
from fixtures.systems.directus import DirectusObserver
from fixtures.systems.http.transport import Answer

FIELD = {"collection": "things", "meta": {}}
SNAPSHOT = Snapshot(
    {
        "collections": [{"collection": "things", "schema": {}}],
        "fields": [
            {**FIELD, "field": "id", "type": "integer", "schema": {"is_primary_key": True, "is_nullable": False}},
        ],
        "relations": [],
    }
)


class Server:
    """Rows 1 to 3; one more is added before each of the first *writes* answers; *lost* is never answered with."""

    page_size = 100

    def __init__(self, *, writes: int = 0, lost: int = 0) -> None:
        self.keys, self.writes, self.lost, self.readings = [1, 2, 3], writes, lost, 0

    def items(self, _name: str, **_: Any) -> Iterator[dict[str, Any]]:
        self.readings += 1
        yield from [{"id": key} for key in self.keys]

    def ask(self, _path: str, *, params: dict[str, Any]) -> Answer:
        if self.writes:
            self.writes -= 1
            self.keys.append(len(self.keys) + 1)
        found = [key for key in self.keys if key != self.lost]
        if wanted := next((value for name, value in params.items() if name.startswith("filter")), None):
            found = [key for key in found if str(key) == wanted]
        return Answer(200, {"data": [{"id": key} for key in sorted(found, reverse=True)]}, {}, 1.0)


def wrong(server: Server) -> list[str]:
    """The verbs that were answered wrongly."""
    exported = [{"id": 1}]
    observer = cast(DirectusObserver, server)
    calls = run_query_checks(observer, Secret("unused"), profile(SNAPSHOT, "things"), SNAPSHOT, exported, held=1)
    assert {call.verb for call in calls} == {"filter", "sort"}
    return [call.verb for call in calls if not call.right]


def test_a_list_that_holds_still_is_read_once() -> None:
    server = Server()
    assert wrong(server) == []
    assert server.readings == 1


def test_rows_that_others_add_between_reading_and_asking_turn_nothing_red() -> None:
    server = Server(writes=3)
    assert wrong(server) == []
    assert server.readings > 1


def test_a_row_that_is_never_answered_with_is_wrong_after_a_second_reading() -> None:
    server = Server(lost=2)
    assert wrong(server) == ["sort"]
    assert server.readings == 2


def test_a_wrong_answer_does_not_hide_behind_others_who_write_all_the_time() -> None:
    server = Server(lost=2, writes=1000)
    assert wrong(server) == ["sort"]
    assert server.readings == MOST_READINGS + 1
