"""An id of the runbook is read once, and stays the text a ledger holds."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model.ids import GateId, LineId, LineKind, Subject
from fixtures.model.verdict import Obstacle, Verdict


@pytest.mark.parametrize(
    ("text", "kind", "group", "section", "phase", "base"),
    [
        ("3.3.2", LineKind.STEP, "3.3", "3.3", 3, "3.3.2"),
        ("4.3.A5", LineKind.CRITERION, "4.3", "4.3", 4, "4.3.A5"),
        ("5.1.A1[/#/amendments[1]]", LineKind.CRITERION, "5.1", "5.1", 5, "5.1.A1"),
        ("R.5.1", LineKind.STEP, "R", "R.5", 0, "R.5.1"),
        ("gate 3.3", LineKind.GATE, "3.3", "3.3", 3, "gate 3.3"),
        ("gate R", LineKind.GATE, "R", "R", 0, "gate R"),
        ("migration", None, "", "", 0, "migration"),
    ],
)
def test_an_id_knows_what_it_belongs_to(
    text: str, kind: LineKind | None, group: str, section: str, phase: int, base: str
) -> None:
    found = Subject.parse(text)
    assert (found, found.kind, found.group, found.section, found.phase, found.base) == (
        text, kind, group, section, phase, base,
    )  # fmt: skip
    assert found.of_rollback is (group == "R")
    assert not group or found.gate == f"gate {group}"


@pytest.mark.parametrize("text", ["3.3", "3.3.", "3.3.B1", "gate 3.3", "", "3.3.2 and more", "33.2.1"])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no LineId"):
        LineId(text)
    assert not isinstance(Subject.parse(text), LineId)


def test_a_ledger_of_before_is_read_and_written_as_the_same_text(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    old = {"time": "2026-03-29T12:00:00.000+00:00", "run": "run-0", "inputs": "in", "suite": "abc"}
    rows = [
        {**old, "kind": "opened", "subject": "migration"},
        {**old, "kind": "verdict", "subject": "gate 1.4", "facts": {"verdict": "in doubt"}},
        {**old, "kind": "verdict", "subject": "5.1.A1[/a]", "facts": {"verdict": "a word of tomorrow"}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    book = Ledger(path, run="run-1", inputs="in", suite="abc")
    _, gate, line = book.current
    assert (type(gate.subject), gate.verdict) == (GateId, Verdict.IN_DOUBT)
    assert (type(line.subject), line.verdict) == (LineId, Verdict.FAILED)
    assert book.current[0].verdict is None
    book.add(Kind.VERDICT, GateId.of("3.3"), verdict=Verdict.PASSED.value)
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["subject"], last["facts"]) == ("gate 3.3", {"verdict": "passed"})


def test_evidence_holds_an_id_as_a_text(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "run-1", Ledger(tmp_path / "l.jsonl", run="r", inputs="i", suite="s"))
    evidence.begin("R.5.1")
    path = evidence.write([LineId("3.3.2"), GateId("gate 3.3")], "Ids")
    assert path.parent.name == "R.5"
    assert msgspec.json.decode(path.read_bytes()) == ["3.3.2", "gate 3.3"]
    assert evidence.read(list[str], of="R.5", name="Ids") == ["3.3.2", "gate 3.3"]


def test_an_obstacle_names_the_gate_and_the_line_behind_it() -> None:
    gate = GateId("gate 3.2")
    assert str(Obstacle(gate, "gate 3.2 has not passed")) == "gate 3.2: gate 3.2 has not passed"
    assert str(Obstacle(gate, "3.2.A2 failed", LineId("3.2.A2"))) == "gate 3.2 (3.2.A2): 3.2.A2 failed"
