"""A waiver admits one change of one object until its last day; a file that is not wholly right admits nothing."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.schema import plan_safety, planning, risk, waivers
from fixtures.checks.schema.risk_codes import CODES
from fixtures.model.snapshot import Snapshot
from fixtures.model.waiver import Waiver
from fixtures.operations.schema import schema_plan

TODAY = date(2026, 11, 22)
WHOLE = {
    "code": "SC141",
    "object": "articles.summary",
    "reason": "nobody has read it since 2024",
    "who": "Ada Lovelace",
    "expires": TODAY + timedelta(days=7),
}
DIFF = {
    "fields": [
        {"collection": "articles", "field": "summary", "diff": [{"kind": "D", "lhs": {"type": "text"}}]},
        {"collection": "articles", "field": "note", "diff": [{"kind": "D", "lhs": {"type": "text"}}]},
    ]
}


def waiver(**other: Any) -> Waiver:
    return Waiver(**{**WHOLE, **other})


def test_a_whole_waiver_is_read() -> None:
    found, findings = waivers.read({"waiver": [WHOLE]}, file="w.toml")
    assert findings == []
    assert found == (waiver(),)


@pytest.mark.parametrize(("code", "name"), [("NO_BYTES", "4d-5e"), ("NOT_CARRIED", "directus_users.nickname")])
def test_a_waiver_of_what_is_left_behind_is_read_and_concerns_no_change_of_a_plan(code: str, name: str) -> None:
    found, findings = waivers.read({"waiver": [{**WHOLE, "code": code, "object": name}]}, file="w.toml")
    assert findings == []
    _, use = waivers.admit([], found, today=TODAY)
    assert (use.used, use.expired, use.unused) == ((), (), ())


MALFORMED: dict[str, dict[str, Any]] = {
    "every object": {"object": "*"},
    "every field": {"object": "articles.*"},
    "every code": {"code": "SC*"},
    "a code nobody knows": {"code": "SC777"},
    "a code that is never sent": {"code": "SC143"},
    "a code that the data decides": {"code": "SC135"},
    "a code that never stops": {"code": "SC101"},
    "no object": {"object": " "},
    "an object of three parts": {"object": "a.b.c"},
    "no reason": {"reason": "because"},
    "nobody": {"who": ""},
    "a date as text": {"expires": "2026-12-31"},
    "a moment": {"expires": datetime(2026, 12, 31, tzinfo=UTC)},
    "a number as a reason": {"reason": 7},
    "another word": {"scope": "all"},
}


@pytest.mark.parametrize("case", MALFORMED)
def test_one_wrong_waiver_and_none_of_the_file_counts(case: str) -> None:
    wrong = {**WHOLE, "object": "articles.note", **MALFORMED[case]}
    found, findings = waivers.read({"waiver": [WHOLE, wrong]}, file="w.toml")
    assert found == ()
    assert {finding.code for finding in findings} == {"MIG-326"}
    assert all(finding.where == "w.toml · waiver 2" for finding in findings)


@pytest.mark.parametrize("word", list(WHOLE))
def test_a_missing_word_is_named(word: str) -> None:
    _, (finding,) = waivers.read({"waiver": [{k: v for k, v in WHOLE.items() if k != word}]}, file="w.toml")
    assert finding.observed == f"missing: {word} - at `$`"


@pytest.mark.parametrize("content", [{"waive_all": True}, {"waiver": {"code": "SC141"}}, {"waiver": ["SC141"]}])
def test_there_is_no_switch_for_all(content: dict[str, Any]) -> None:
    found, findings = waivers.read(content, file="w.toml")
    assert (found, [f.code for f in findings]) == ((), ["MIG-326"])


def test_the_same_twice_is_refused() -> None:
    _, findings = waivers.read({"waiver": [WHOLE, WHOLE]}, file="w.toml")
    assert [finding.code for finding in findings] == ["MIG-326"]


def test_it_admits_its_own_change_and_no_other() -> None:
    changes, became = waivers.admit(risk.classify(DIFF, Snapshot({})), [waiver()], today=TODAY)
    assert {change.name: change.withheld for change in changes} == {"articles.summary": False, "articles.note": True}
    assert became.used == (waiver(),)
    plan = planning.plan(
        guard="", diff=DIFF, desired=Snapshot({}), current=Snapshot({}), made_at=datetime(2026, 11, 22, tzinfo=UTC),
        changes=changes, waivers=became.used,
    )  # fmt: skip
    assert [entry["field"] for entry in plan.payload["fields"]] == ["summary"]
    assert plan_safety.blockers(plan) == []
    assert plan_safety.deletions(plan.payload, plan.admitted) == []
    assert [finding.code for finding in plan_safety.deletions(plan.payload)] == ["MIG-325"]
    assert plan.digest == planning.digest_of(plan) != planning.digest_of(replace(plan, waivers=()))


def test_it_counts_on_its_last_day_and_not_after_it() -> None:
    changes = risk.classify(DIFF, Snapshot({}))
    last = waiver(expires=TODAY)
    assert waivers.admit(changes, [last], today=TODAY)[1].used == (last,)
    marked, became = waivers.admit(changes, [last], today=TODAY + timedelta(days=1))
    assert (became.used, became.expired) == ((), (last,))
    assert all(change.withheld for change in marked)
    assert "expired" in waivers.summarize(became)


def test_one_that_nothing_needs_is_named() -> None:
    other = waiver(object="articles.body")
    _, became = waivers.admit(risk.classify(DIFF, Snapshot({})), [other], today=TODAY)
    assert became.unused == (other,)
    assert "SC141 on articles.body" in waivers.summarize(became)


def test_a_nested_deletion_cannot_be_waived_into_what_is_sent() -> None:
    item = {"kind": "D", "path": ["schema", "is_indexed"], "lhs": False}
    diff = {"fields": [{"collection": "articles", "field": "summary", "diff": [item]}]}
    assert planning.additive_part(diff, frozenset({("SC141", "articles.summary"), ("SC143", "articles.summary")})) == {}
    assert not CODES["SC143"].waivable


def test_a_waiver_for_a_field_does_not_admit_the_drop_of_its_relation() -> None:
    place = {"collection": "articles", "field": "author"}
    diff: dict[str, Any] = {
        "relations": [{**place, "diff": [{"kind": "D", "lhs": {}}]}],
        "fields": [
            {**place, "diff": [{"kind": "E", "path": ["schema", "foreign_key_table"], "lhs": "a", "rhs": None}]}
        ],
    }
    assert planning.additive_part(diff, frozenset({("SC141", "articles.author")})) == {}
    sent = planning.additive_part(diff, frozenset({("SC142", "articles.author")}))
    assert (sent["relations"], sent["fields"]) == (diff["relations"], diff["fields"])


def test_a_file_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "waivers.toml"
    file.write_text(
        '[[waiver]]\ncode = "SC141"\nobject = "articles.summary"\nreason = "nobody has read it since 2024"\n'
        'who = "Ada Lovelace"\nexpires = 2026-11-29\n'
    )
    assert tomllib.loads(file.read_text())
    assert schema_plan.read_waivers(file) == (waiver(),)
    assert schema_plan.read_waivers(None) == ()
    file.write_text("[[waiver]\n")
    with pytest.raises(schema_plan.WaiversMalformed, match="MIG-326"):
        schema_plan.read_waivers(file)
    with pytest.raises(schema_plan.WaiversMalformed, match="cannot be read"):
        schema_plan.read_waivers(tmp_path / "nowhere.toml")


def test_a_waiver_of_what_is_left_behind_that_has_expired_or_fits_nothing_is_named() -> None:
    kept = waiver(code="NOT_CARRIED", object="directus_users.nickname")
    gone = waiver(code="NOT_CARRIED", object="articles.at")
    late = waiver(code="NO_BYTES", object="4d-5e", expires=TODAY - timedelta(days=1))
    given = (waiver(), kept, gone, late, waiver(code="NOT_TRIED", object="articles"))
    assert waivers.without_effect(given, {"directus_users.nickname", "4d-5e"}, today=TODAY) == [
        "Nothing that is left behind: NOT_CARRIED on articles.at; the waiver admits nothing.",
        f"Expired, so without effect: NO_BYTES on 4d-5e ({TODAY - timedelta(days=1)}).",
    ]
