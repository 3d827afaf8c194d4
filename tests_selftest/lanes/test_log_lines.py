"""What a real Directus writes into its log at its start and for a refused deletion is known; nothing else is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.checks.site import logs
from fixtures.evidence.ledger import Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.health import LogLine
from fixtures.systems.directus.sandbox import DirectusSandbox
from fixtures.systems.failure import Refused
from tests_selftest.lanes.project import Project

LEVELS = {30: "info", 40: "warning", 50: "error"}


def written(project: Project, *, after: int = 0) -> list[LogLine]:
    """The lines of its log, with the level and the time that Directus gave them."""
    texts = (project.folder / "directus.log").read_text().splitlines()[after:]
    found = [(json.loads(text), text) for text in texts if text.startswith("{")]
    return [
        LogLine("udo-backend", datetime.fromtimestamp(each["time"] / 1000, UTC), LEVELS[each["level"]], "app", text)
        for each, text in found
    ]


def test_a_missing_folder_of_extensions_is_no_problem(project: Project) -> None:
    (line,) = (each for each in written(project) if "Extensions directory" in each.message)
    assert line.level == "warning"
    found = logs.review([line], logs.Explanations())
    assert (found.errors, found.warnings) == ((), ())
    assert "validate-storage.js" in found.sentences[0]


def test_a_deletion_postgres_refuses_is_known_by_the_ledger_in_this_run_and_the_next(
    project: Project, tmp_path: Path
) -> None:
    project.ask("ALTER TABLE comments ADD CONSTRAINT held FOREIGN KEY (article) REFERENCES articles ON DELETE RESTRICT")
    try:
        before = len((project.folder / "directus.log").read_text().splitlines())
        path = tmp_path / "ledger.jsonl"
        evidence = Evidence(tmp_path / "run-1", Ledger(path, run="run-1", inputs="i", suite="s"))
        evidence.begin("3.4.5")
        with DirectusSandbox(project.transport, run="run-1", on_server_error=evidence.record_own_error) as sandbox:
            article = sandbox.create("articles", {"title": sandbox.mark})
            sandbox.create("comments", {"article": article["id"], "text": sandbox.mark})
            answer = project.transport.ask("DELETE", f"/items/articles/{article['id']}")  # somebody else's
            assert answer.status == 500
            (unknown,) = logs.review(written(project, after=before), logs.Explanations()).errors
            with pytest.raises(Refused):
                sandbox.delete("articles", article["id"])
    finally:
        project.ask("ALTER TABLE comments DROP CONSTRAINT held")
    lines = written(project, after=before)
    assert len(logs.review(lines, logs.Explanations()).errors) == 2
    again = Ledger(path, run="run-2", inputs="i", suite="s")
    (own,) = again.own_errors()
    assert own.span.name == f"DELETE /items/articles/{article['id']}"
    found = logs.review([each for each in lines if each != unknown], logs.Explanations(own_errors=again.own_errors()))
    assert found.errors == ()
    assert sum(found.explained.values()) == 1
    assert again.first_write is None
