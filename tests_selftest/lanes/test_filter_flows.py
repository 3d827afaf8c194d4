"""A filter flow of production refuses or rewrites incoming rows: it is named before the first write, or paused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.operations.imports import flow_pause
from tests_selftest.lanes.project import Migration, Project

ROWS: dict[str, list[dict[str, Any]]] = {"categories": [{"id": f"1ca10000-0000-4000-8000-{9:012d}", "name": "Ours"}]}
CODE = {
    "rewrites": "module.exports = async (data) => ({ ...data.$trigger.payload, note: 'rewritten' })",
    "refuses": "module.exports = async () => { throw new Error('not now') }",
}


def filter_flow(project: Project, code: str) -> str:
    """An active flow that stands before every new category, as somebody makes it in the admin app; its key."""
    options = {
        "type": "filter", "scope": ["items.create"], "collections": ["categories"], "return": "$last",
    }  # fmt: skip
    told = {"name": "Gatekeeper", "status": "active", "trigger": "event", "accountability": "all", "options": options}
    flow = project.rest.post("/flows", told)
    step = {"flow": flow["id"], "name": "Run", "key": "run", "type": "exec", "position_x": 19, "position_y": 1}
    run = project.rest.post("/operations", {**step, "options": {"code": code}})
    project.rest.patch(f"/flows/{flow['id']}", {"operation": run["id"]})
    return str(flow["id"])


@pytest.mark.parametrize("kind", CODE)
def test_rows_pass_a_filter_flow_as_they_were_exported(project: Project, tmp_path: Path, kind: str) -> None:
    flow = filter_flow(project, CODE[kind])
    try:
        _rows_pass(project, tmp_path, kind)
    finally:
        # Over the API: a flow deleted by SQL stays in Directus' memory and refuses the rows of other tests.
        project.rest.delete(f"/flows/{flow}")


def _rows_pass(project: Project, tmp_path: Path, kind: str) -> None:
    flows = flow_pause.triggered_flows(project.operator, ["categories"])
    (named,) = flow_pause.unpausable_flows(flows, may_pause=False)
    assert (named.code, "Gatekeeper" in str(named)) == ("MIG-420", True)

    # Nobody pauses it: the row does not arrive as it was exported, so the flow of this test does what it says.
    loud = Migration(project, tmp_path / "loud", ROWS).run()
    held = project.ask("SELECT note FROM categories")
    assert (held, len(loud.refusals)) == ([("rewritten",)], 0) if kind == "rewrites" else ([], 1)

    project.ask("TRUNCATE categories CASCADE")
    with flow_pause.pause_flows(project.operator, ["categories"], journal=tmp_path / "flows.json"):
        quiet = Migration(project, tmp_path / "quiet", ROWS).run()
    assert (quiet.created, quiet.refusals) == (1, ())
    assert project.ask("SELECT name, note FROM categories") == [("Ours", None)]
    assert [flow["name"] for flow in flow_pause.triggered_flows(project.operator, ["categories"])] == ["Gatekeeper"]
