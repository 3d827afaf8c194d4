"""One edit, judged: what the plan said before anything was sent, what a bare apply did, what ours did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from fixtures.checks.schema import plan_safety
from fixtures.model.probe import Lock
from fixtures.model.secret import Secret
from fixtures.model.snapshot import Snapshot
from fixtures.model.waiver import Waiver
from fixtures.operations.schema import apply, schema_plan, schema_verification
from fixtures.systems import directus
from fixtures.systems.directus import DirectusOperator
from fixtures.systems.http.transport import Exchange
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.corpus import look
from tests_selftest.corpus.draft import Draft
from tests_selftest.corpus.edits import Edit
from tests_selftest.corpus.stage import TOKEN, Production

_OK = 204


@dataclass(frozen=True)
class Verdict:
    """What was seen of one edit, and every way in which it is not what the corpus expects."""

    edit: Edit
    classes: str
    codes: str
    bare: str
    ours: str
    wrong: tuple[str, ...]


def judge(production: Production, edit: Edit, snapshot: dict[str, Any], before: look.Content) -> Verdict:
    """
    Plan and apply the edit on a fresh production, and apply it bare on another.

    Args:
        snapshot: Production's own, as it is at the beginning.
        before: Every row at the beginning.
    """
    draft = Draft(snapshot)
    edit.change(draft)
    bare, bare_loss, rewritten = _bare(production, draft, before)
    classes, codes, stops, ours, loss, sent, proof, rewrites = _ours(production, draft, edit, before)
    wrong: list[str] = []
    if bare != "refused" and rewritten != rewrites:
        wrong.append(f"Postgres wrote {sorted(rewritten)} anew, expected {sorted(rewrites)}")
    if codes != edit.codes:
        wrong.append(f"codes {codes}, expected {edit.codes}")
    if ours != edit.ours:
        wrong.append(f"ours {ours}, expected {edit.ours}: {stops}")
    if bare != edit.bare:
        wrong.append(f"bare {bare}, expected {edit.bare}")
    if bare == "lost" and ours == "sent":
        wrong.append("a bare apply loses something, and it was sent")
    if loss and ours != "waived":
        wrong.append(f"a silent loss: {loss}")
    if ours == "stopped" and sent:
        wrong.append(f"{sent} requests that write were sent although it stopped")
    if set(loss.tables) | set(loss.columns) > {place for _, place in edit.waive}:
        wrong.append(f"more is gone than a waiver covers: {loss}")
    return Verdict(edit, classes, codes, f"{bare} ({bare_loss})", f"{ours} ({loss})", (*wrong, *proof))


def _bare(production: Production, draft: Draft, before: look.Content) -> tuple[str, str, set[str]]:
    """What Directus does with its own diff; its refusal, or what was lost; the tables Postgres wrote anew."""
    production.reset()
    files = look.files(production)
    with production.client() as client:
        diff = client.post("/schema/diff", json=draft.raw)
        assert diff.status_code == httpx.codes.OK, diff.text
        answer = client.post("/schema/apply", json=diff.json()["data"])
    loss = look.loss(before, look.content(production))
    if answer.status_code != _OK:
        assert not loss, "a refused apply lost something"
        return "refused", str(answer.status_code), set()
    after = look.files(production)
    rewritten = {table for table, file in files.items() if after.get(table, file) != file}
    return ("lost" if loss else "fine"), str(loss), rewritten


def _ours(
    production: Production, draft: Draft, edit: Edit, before: look.Content
) -> tuple[str, str, str, str, look.Loss, int, list[str], set[str]]:
    production.reset()
    structure = look.structure(production)
    writes: list[str] = []

    def watch(exchange: Exchange) -> None:
        if exchange.path == "/schema/apply":
            writes.append(exchange.path)

    wanted, proof = draft.snapshot, list[str]()
    with (
        directus.connect(
            production.url, Secret(TOKEN), system="production Directus", read_only=False, on_exchange=watch
        ) as transport,
        PostgresObserver(production.database_url) as database,
    ):
        operator = DirectusOperator(transport)
        plan, _ = schema_plan.make_plan(operator, database, wanted, operator.snapshot(), accepted=_signed(edit))
        codes = " ".join(sorted(change.code for change in plan.changes))
        classes = ", ".join(sorted({str(change.risk) for change in plan.changes}))
        stops = plan_safety.blockers(plan)
        if stops:
            ours = "stopped"
            try:
                apply.apply(operator, database, plan, wanted)
                proof.append("apply did not refuse a plan that is stopped")
            except apply.PlanForbidden:
                pass
        else:
            apply.apply(operator, database, plan, wanted)
            ours = "waived" if plan.waivers else ("sent" if all(not c.withheld for c in plan.changes) else "kept")
            proof += _proven(operator, database, wanted, plan.changes and plan)
    loss = look.loss(before, look.content(production))
    if ours == "stopped" and look.structure(production) != structure:
        proof.append("the structure changed although it stopped")
    rewrites = {answer.probe.table for answer in plan.answers if answer.probe.lock is Lock.REWRITE}
    return classes, codes, "; ".join(f.code for f in stops), ours, loss, len(writes), proof, rewrites


def _proven(operator: DirectusOperator, database: PostgresObserver, wanted: Snapshot, plan: Any) -> list[str]:
    """Findings of the suite's own proof after an apply: the second plan, the catalog, the API."""
    second, _ = schema_plan.make_plan(operator, database, wanted, operator.snapshot())
    found = [f"the second plan still holds {change.name} {change.code}" for change in second.to_apply]
    new = [change.name for change in plan.to_apply if change.verb == "create"] if plan else []
    findings = [
        *schema_verification.missing_in_database(database, wanted, second),
        *schema_verification.unreadable_fields(operator, wanted, new),
    ]
    return found + [f"{each.code} {each.where}: {each.expected} / {each.observed}" for each in findings]


def _signed(edit: Edit) -> list[Waiver]:
    day = datetime.now(UTC).date() + timedelta(days=1)
    return [Waiver(code, place, "the corpus wants to see it happen", "the corpus", day) for code, place in edit.waive]
