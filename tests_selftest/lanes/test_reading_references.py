"""Reading reference columns, on a real Postgres."""

from __future__ import annotations

from fixtures.systems.postgres import references
from tests_selftest.lanes.project import Project


def test_who_reads_on_no_more_is_told_nothing_of_a_server_that_went_away(project: Project) -> None:
    """Otherwise Python prints "Exception ignored" when the reader is thrown away."""
    rows = references.columns(project.url, "directus_fields", key="id", columns=["field"])
    next(iter(rows))
    ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s AND query LIKE %s"
    assert project.ask(ended + " AND pid <> pg_backend_pid()", "lanes", "% references%") == [(True,)]
    rows.close()  # type: ignore[attr-defined]
