"""What is not over keeps a group from closing, and each says what it is and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.snapshot import Snapshot
from fixtures.operations import unfinished
from fixtures.operations.imports import import_inputs
from fixtures.systems.directus import DirectusSandbox
from tests_selftest.unit.test_scratch import field


def ledger(folder: Path) -> Ledger:
    made = Ledger(folder / "ledger" / "l.jsonl", run="run-1", inputs="i", suite="s")
    made.add(Kind.OPENED, "migration")
    return made


def test_writes_nobody_saw_the_end_of_are_named_by_their_lines(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    book.add(Kind.INTENT, "3.3.2")
    book.add(Kind.INTENT, "4.2.2")
    assert unfinished.writes_in_doubt(()) == []
    (found,) = unfinished.writes_in_doubt(book.in_doubt)
    assert (found.code, found.sentence) == ("MIG-351", "The outcome of 2 write(s) is unknown: 3.3.2, 4.2.2.")
    book.add(Kind.DONE, "3.3.2")
    assert unfinished.writes_in_doubt(book.in_doubt)[0].where == "ledger · 4.2.2"


def test_flows_of_the_journal_are_named(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "run-1", ledger(tmp_path))
    assert unfinished.paused_flows(evidence) == []
    import_inputs.paused_flows_file(evidence.ledger).write_text(json.dumps({"4d": "Send a mail", "5e": "Translate"}))
    (found,) = unfinished.paused_flows(evidence)
    assert (found.code, found.where) == ("MIG-421", "production · flows · Send a mail, Translate")


def test_scratch_rows_that_are_left_are_named() -> None:
    rows = [("articles", str(key)) for key in range(7)]
    assert unfinished.scratch_rows(cast(DirectusSandbox, SimpleNamespace(made=()))) == []
    (found,) = unfinished.scratch_rows(cast(DirectusSandbox, SimpleNamespace(made=rows)))
    assert found.code == "MIG-352"
    assert found.where.endswith("articles/0, articles/1, articles/2, articles/3, articles/4")
    assert "7 scratch row(s)" in found.sentence


def schema(**title: Any) -> Snapshot:
    fields = [field("id", "integer", is_primary_key=True), field("title", "string", **title)]
    return Snapshot({"collections": [{"collection": "parts", "schema": {}}], "fields": fields, "relations": []})


def test_a_data_model_that_moved_is_named_by_its_objects() -> None:
    assert unfinished.moved_schema(schema(), schema(), group="3.4") == []
    (found,) = unfinished.moved_schema(schema(), schema(max_length=7), group="3.4")
    assert (found.code, found.where) == ("MIG-350", "production · parts.title")
    assert found.sentence.endswith("since it was looked at in 3.4.")
