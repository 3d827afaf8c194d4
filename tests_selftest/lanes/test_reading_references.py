"""Reading reference columns, on a real Postgres."""

from __future__ import annotations

import os
import threading

from fixtures.systems.postgres import references, row_json
from tests_selftest.lanes.project import Project


def test_who_reads_on_no_more_is_told_nothing_of_a_server_that_went_away(project: Project) -> None:
    """Otherwise Python prints "Exception ignored" when the reader is thrown away."""
    rows = references.columns(project.url, "directus_fields", key="id", columns=["field"])
    next(iter(rows))
    ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s AND query LIKE %s"
    assert project.ask(ended + " AND pid <> pg_backend_pid()", "lanes", "% references%") == [(True,)]
    rows.close()  # type: ignore[attr-defined]


def test_a_reading_of_rows_that_is_given_up_half_way_ends(project: Project) -> None:
    """A full disk in 1.3, a Ctrl-C: psycopg holds its lock until a COPY ends, and a rollback would wait for ever."""
    types = {"id": "integer", "collection": "string", "field": "string"}

    def give_up(begun: list[object], ended: list[BaseException]) -> None:
        try:
            with row_json.exported_session(project.url, system="local database") as connection:
                rows = row_json.rows(connection, "directus_fields", key="id", types=types)
                begun += [rows, next(rows)]
                os.write(os.open(os.devnull, os.O_RDONLY), b"a row")
        except OSError as problem:
            ended.append(problem)

    begun: list[object] = []
    ended: list[BaseException] = []
    reader = threading.Thread(target=give_up, args=(begun, ended), daemon=True)
    reader.start()
    reader.join(timeout=30)
    assert begun
    assert [type(each) for each in ended] == [OSError]
