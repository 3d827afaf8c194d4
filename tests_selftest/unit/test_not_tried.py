"""What nobody tried is not green, and a refusal of valid values is a fault, not a reason to try nothing."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fixtures.checks.rows.profile import profile as profile_of
from fixtures.checks.schema import waivers
from fixtures.checks.site.rule_checks import not_verifiable
from fixtures.model.rule_check import RuleCheck
from fixtures.model.snapshot import Snapshot
from fixtures.model.visit import ApiCall
from fixtures.operations.scratch_rows import preview, related
from fixtures.operations.scratch_rows.refusals import RefusedValues, raise_for_refusal
from fixtures.operations.scratch_rows.validation import NotTriable
from fixtures.systems.directus import DirectusObserver
from fixtures.systems.directus.sandbox import DirectusSandbox
from fixtures.systems.http.transport import Answer
from tests_selftest.unit.test_scratch import field

WHY = "no value was found for code"


def call(verb: str, collection: str, reason: str = "") -> ApiCall:
    return ApiCall("administrator", verb, collection, 0 if reason else 200, (200,), not_tried=reason)


def rule(name: str, reason: str = "") -> RuleCheck:
    return RuleCheck("required", name, "400", "" if reason else "400", not_tried=reason)


def test_nothing_to_try_is_no_finding_and_one_tried_case_is_enough() -> None:
    assert not_verifiable([], ()) == []
    assert not_verifiable([rule("a.x", WHY), rule("b.x")], ()) == []
    assert not_verifiable([call("create", "a", WHY), call("create", "b")], ()) == []


def test_a_verb_that_was_tried_nowhere_is_not_verifiable_though_others_were() -> None:
    calls = [call("list", "a"), call("create", "a"), call("update", "a", WHY), call("update", "b", WHY)]
    (found,) = not_verifiable(calls, ())
    assert (found.code, found.observed) == ("MIG-349", WHY)
    assert "none of 2 cases of update" in found.sentence
    assert found.where.endswith("a, b")


def test_rules_of_which_none_was_tried_stop_until_a_waiver_names_each_collection() -> None:
    trials = [rule("a.x", WHY), rule("b.y", WHY)]
    assert [each.code for each in not_verifiable(trials, ())] == ["MIG-349"]
    assert not_verifiable(trials, {"a"})[0].where.endswith("of b")
    assert not_verifiable(trials, {"a", "b"}) == []


def test_what_the_import_itself_will_try_is_no_finding_and_stands_for_nothing_else() -> None:
    later = RuleCheck("M2O", "a.photo", "", "", not_tried="production has no row of directus_files", later=True)
    assert not_verifiable([later], ()) == []
    assert [each.code for each in not_verifiable([later, rule("b.y", WHY)], ())] == ["MIG-349"]


def test_a_waiver_of_an_untried_collection_is_read_and_counts_until_its_last_day() -> None:
    entry = {"code": "NOT_TRIED", "object": "a", "reason": "its rule needs a real contract", "who": "Ada",
             "expires": date(2026, 11, 22)}  # fmt: skip
    found, findings = waivers.read({"waiver": [entry]}, file="w.toml")
    assert findings == []
    assert waivers.objects(found, "NOT_TRIED", today=date(2026, 11, 22)) == {"a"}
    assert waivers.objects(found, "NOT_TRIED", today=date(2026, 11, 23)) == frozenset()
    assert waivers.objects(found, "NO_BYTES", today=date(2026, 11, 22)) == frozenset()
    _, use = waivers.admit([], found, today=date(2026, 11, 22))
    assert use.unused == ()


class Ruled:
    """A production whose field `code` has this validation."""

    def __init__(self, rules: dict[str, Any] | None) -> None:
        self.rules = rules

    def ask(self, path: str) -> Answer:
        assert path == "/fields/parts/code"
        return Answer(200, {"data": {"meta": {"validation": self.rules}}}, {}, 1.0)


def refusal(*names: str) -> Answer:
    errors = [{"message": "no", "extensions": {"code": "FAILED_VALIDATION", "field": name}} for name in names]
    return Answer(400, {"errors": errors}, {}, 1.0, "FAILED_VALIDATION", "no")


OWN = {"code": {"_starts_with": "A"}}


@pytest.mark.parametrize(
    ("rules", "names", "fault", "said"),
    [
        (OWN, ("code",), True, "which its own validation {'code': {'_starts_with': 'A'}} accepts"),
        (None, ("code",), True, "no validation of its own"),
        (OWN, ("",), True, "names no field"),
        ({"code": {"_starts_with": "B"}}, ("code",), False, "another one than local's"),
        (OWN, ("title",), False, "no value was made for title"),
        (OWN, ("title", "code"), True, "accepts"),
    ],
)
def test_a_refused_value_that_satisfies_its_own_rules_is_a_fault(
    rules: dict[str, Any] | None, names: tuple[str, ...], fault: bool, said: str
) -> None:
    production = cast(DirectusObserver, Ruled(rules))
    with pytest.raises(RefusedValues if fault else NotTriable) as caught:
        raise_for_refusal(production, "parts", {"code": "A-1"}, refusal(*names), waived=False)
    assert said in str(caught.value)
    with pytest.raises(NotTriable):
        raise_for_refusal(production, "parts", {"code": "A-1"}, refusal(*names), waived=True)


def test_another_answer_is_left_to_whoever_asked() -> None:
    for answer in (Answer(200, {"data": {}}, {}, 1.0), Answer(400, {}, {}, 1.0, "RECORD_NOT_UNIQUE", "no")):
        raise_for_refusal(cast(DirectusObserver, Ruled(None)), "parts", {}, answer, waived=False)


class Empty:
    """A production without any row, and with these collections."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def collections(self) -> list[dict[str, Any]]:
        return [{"collection": name} for name in self.names]

    def ask(self, path: str, *, params: dict[str, Any]) -> Answer:
        assert (path, params["fields"]) == ("/files", "id")
        return Answer(200, {"data": []}, {}, 1.0)


def of(*collections: str, relations: tuple[tuple[str, str, str], ...] = ()) -> Snapshot:
    fields = []
    for name in collections:
        key = field("id", "integer", collection=name, is_primary_key=True, is_nullable=False)
        fields += [key, field("one", "integer", collection=name, is_nullable=False)]
    related = [{"collection": c, "field": f, "related_collection": to, "meta": {}, "schema": {"on_delete": "CASCADE"}}
               for c, f, to in relations]  # fmt: skip
    return Snapshot(
        {"collections": [{"collection": name, "schema": {"name": name}} for name in collections], "fields": fields,
         "relations": related}
    )  # fmt: skip


def test_of_a_cycle_the_same_is_said_before_and_when_it_is_tried() -> None:
    """Each collection needs a row of the next; of the one that is asked for there is none."""
    ring = of("a", "b", "c", relations=(("a", "one", "b"), ("b", "one", "c"), ("c", "one", "a")))
    empty = cast(DirectusObserver, Empty())
    planned = {each.collection: each.not_tried for each in preview.creations(ring, ("a", "b", "c"), empty)}
    assert planned == {name: f"a row of {name} must point to another row of {name}" for name in ("a", "b", "c")}
    for name in ("a", "b", "c"):
        rows = related.RelatedRows(ring, empty, "mark", cast(DirectusSandbox, SimpleNamespace(made=[])))
        with pytest.raises(NotTriable, match=planned[name]):
            rows.for_new(profile_of(ring, name))
        with pytest.raises(NotTriable, match=planned[name]):
            rows.row(name)


def test_what_no_row_can_be_made_of_is_known_before_the_first_write() -> None:
    alone = of("trees", relations=(("trees", "one", "trees"),))
    said, findings = preview.not_verifiable(alone, cast(DirectusObserver, Empty()), ())
    assert {each.code for each in findings} == {"MIG-349"}
    assert [each.sentence.partition("cases of ")[2] for each in findings] == [
        "create can be tried.", "rule can be tried."
    ]  # fmt: skip
    assert all("another row of trees" in each.not_tried for each in said)
    assert preview.not_verifiable(alone, cast(DirectusObserver, Empty()), {"trees"})[1] == []


def test_new_collections_are_judged_by_themselves_as_in_3_3() -> None:
    both = of("trees", "parts", relations=(("trees", "one", "trees"),))
    assert [f.where for f in preview.not_verifiable(both, cast(DirectusObserver, Empty()), ())[1]] == [
        "production · scratch rows of trees"
    ]  # its one relation; two collections and their rules are new, and one of them can be tried
    there = cast(DirectusObserver, Empty("parts"))
    kinds = [f.sentence.partition("cases of ")[2] for f in preview.not_verifiable(both, there, ())[1]]
    assert kinds == ["create can be tried.", "rule can be tried."]


def test_a_required_file_where_production_has_none_is_named() -> None:
    pictures = of("pictures", relations=(("pictures", "one", "directus_files"),))
    _, findings = preview.not_verifiable(pictures, cast(DirectusObserver, Empty()), ())
    missing = "pictures.one must point to a row, and none exists"
    assert [each.observed for each in findings] == [
        missing,
        "production has no row of directus_files to point to",
        missing,
    ]  # its creation, its relation, its rules
