"""An import that loses, doubles, changes or misleads a single row is seen; each rule here is fed the bad case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fixtures.checks.backups.file_store import uploads_to_ephemeral_disk
from fixtures.checks.rows import data_rules, import_rules
from fixtures.checks.rows.refusals import by_cause, dangling_reference, refusal_findings, with_emails
from fixtures.checks.schema import comparable, schema
from fixtures.checks.site import rule_checks
from fixtures.model.dataset import ImportOrder, Outcome
from fixtures.model.file_store import Storage
from fixtures.model.imports import CollectionPlan, Conflict, ConflictKind, ImportPlan, ImportResult, Refusal
from fixtures.model.rows import CollectionVerification, Duplicates, RelationCheck, RowDifference
from fixtures.model.rule_check import RuleCheck
from fixtures.model.snapshot import Snapshot

CONFLICT = Conflict("sections", "4", ConflictKind.EDITED, ("title",), "4")
PLAN = ImportPlan(
    made_at=datetime(2026, 1, 1, tzinfo=UTC),
    lane="api",
    policy="stop",
    order=ImportOrder(("sections",)),
    collections=(CollectionPlan("sections", in_file=10, before=5, create=6, identical=3, conflicts=1),),
    conflicts=(CONFLICT,),
    paused_flows=(),
)
OUTCOME = Outcome("sections", before=5, in_file=10, created=6, identical=3, conflicts=1, refused=0, after=11)


def test_a_conflict_stops_the_line_unless_the_policy_keeps_productions_row() -> None:
    (finding,) = import_rules.unresolved_conflicts(PLAN)
    assert finding.code == "MIG-413"
    assert "CONFLICT_POLICY=keep" in finding.do
    assert import_rules.unresolved_conflicts(replace(PLAN, policy="keep")) == []


def test_a_plan_says_how_many_rows_of_production_it_would_update() -> None:
    assert import_rules.planned_updates(replace(PLAN, policy="keep")) == 0
    assert import_rules.planned_updates(replace(PLAN, policy="update")) == 1
    assert import_rules.planned_updates(replace(PLAN, policy="stop,sections=update")) == 1


def test_every_row_of_a_plan_has_its_place() -> None:
    assert import_rules.plan_count_mismatches(PLAN, {"sections": 10}) == []
    short = replace(PLAN, collections=(replace(PLAN.collections[0], create=5),))
    (finding,) = import_rules.plan_count_mismatches(short, {"sections": 10})
    assert (finding.code, finding.expected[:11], finding.observed) == ("MIG-430", "10 rows of ", "9 rows in the plan")


def test_a_plan_counts_the_rows_of_the_files_and_not_those_it_was_told() -> None:
    """4.1.A2: the file has grown by two rows, and one collection was never planned."""
    found = import_rules.plan_count_mismatches(PLAN, {"sections": 12, "tags": 3})
    assert [(each.where.split('"')[1], each.observed) for each in found] == [
        ("sections", "10 rows in the plan"),
        ("tags", "not in the plan"),
    ]


def test_rows_that_do_not_add_up_are_named() -> None:
    assert import_rules.outcome_count_mismatches([OUTCOME]) == []
    assert [f.code for f in import_rules.outcome_count_mismatches([replace(OUTCOME, after=10)])] == ["MIG-423"]
    assert [f.code for f in import_rules.outcome_count_mismatches([replace(OUTCOME, identical=2)])] == ["MIG-423"]


def test_a_refused_row_is_named_with_productions_words() -> None:
    refusal = Refusal("sections", "7", "RECORD_NOT_UNIQUE", "slug has to be unique")
    result = ImportResult((OUTCOME,), (), (refusal,), completed=0, seconds=1.0)
    (finding,) = import_rules.refused_rows(result.refusals)
    assert "key 7" in finding.where
    assert "slug has to be unique" in finding.observed


def test_a_log_of_errors_or_of_nothing_is_all_errors() -> None:
    assert import_rules.mostly_errors({}, refused_mark="❌")
    assert import_rules.mostly_errors({"❌": 5, "✅": 5}, refused_mark="❌")
    assert not import_rules.mostly_errors({"❌": 4, "✅": 6}, refused_mark="❌")


VERIFIED = CollectionVerification(
    "sections", before=5, in_file=10, expected=11, now=11, now_sql=11, equal=9, kept=1,
    lost=(), unexpected=0, different=(), keys=("1",),
)  # fmt: skip


def codes(**changes: object) -> list[str]:
    return [f.code for f in data_rules.count_mismatches([replace(VERIFIED, **changes)])]  # type: ignore[arg-type]


def test_counts_that_are_not_as_expected_are_named() -> None:
    assert codes() == []
    assert codes(now=12, now_sql=12, unexpected=1) == []  # a row made by somebody else is not an error of the import
    assert codes(now_sql=12) == ["MIG-431"]
    assert codes(lost=("3",)) == ["MIG-432"]
    assert codes(now=10, now_sql=10) == ["MIG-433"]


def test_rows_beyond_those_named_are_counted() -> None:
    found = data_rules.value_mismatches([replace(VERIFIED, different=(RowDifference("7", ("fee",)),), differing=1201)])
    assert [finding.observed for finding in found] == ["differs in fee", "1,200 rows more that differ"]


def test_stamps_that_are_not_those_of_local_are_counted_by_column() -> None:
    (finding,) = data_rules.stamp_mismatches([replace(VERIFIED, stamps={"date_created": 3, "user_created": 0})])
    assert finding.code == "MIG-438"
    assert "date_created" in finding.where
    assert data_rules.stamp_mismatches([VERIFIED]) == []


def test_a_row_with_other_values_is_named_by_key_and_column() -> None:
    (finding,) = data_rules.value_mismatches([replace(VERIFIED, different=(RowDifference("7", ("fee",)),))])
    assert finding.code == "MIG-434"
    assert "key 7" in finding.where
    assert "fee" in finding.observed


def test_a_severed_relation_a_duplicate_and_a_lagging_sequence_are_named() -> None:
    assert [
        f.code for f in data_rules.broken_references([RelationCheck("a.b", "M2O", 3, ("1 → expected 2, observed 3",))])
    ] == ["MIG-435"]
    assert data_rules.broken_references([RelationCheck("a.b", "M2O", 3, ())]) == []
    assert [f.code for f in data_rules.duplicate_values([Duplicates("a", "slug", 1, ("x",))])] == ["MIG-436"]
    assert data_rules.duplicate_values([Duplicates("a", "slug", 0, ())]) == []
    behind = OwnedLike("a", "id", 5, 9)
    assert [f.code for f in data_rules.sequences_behind([behind])] == ["MIG-437"]
    assert data_rules.sequences_behind([replace(behind, next_value=10)]) == []


@dataclass(frozen=True)
class OwnedLike:
    table: str
    column: str
    next_value: int
    highest: int | None

    @property
    def ahead(self) -> bool:
        return self.highest is None or self.next_value > self.highest


def test_a_rule_of_the_schema_that_does_not_hold_is_named() -> None:
    held, broken = RuleCheck("required", "a.b", "400", "400"), RuleCheck("required", "a.c", "400", "200")
    assert [f.code for f in rule_checks.failed_rules([held, broken])] == ["MIG-343"]
    assert rule_checks.summarize([held, broken]) == "2 required"


# --- schemas --------------------------------------------------------------------------------------------------------


def snapshot(**changes: object) -> Snapshot:
    field = {"collection": "a", "field": "b", "type": "string", "schema": {"max_length": 5, "constraint_name": "x"}}
    whole = {
        "version": 1,
        "directus": "11.17.4",
        "vendor": "postgres",
        "collections": [{"collection": "a", "schema": {"name": "a"}}],
        "fields": [field],
        "relations": [],
    }
    return Snapshot({**whole, **changes})


def test_schemas_are_compared_by_name_both_ways() -> None:
    wanted, other = snapshot(), snapshot(fields=[{**snapshot().fields["a.b"], "type": "text"}])
    assert schema.differences(wanted, wanted) == []
    assert [(d.name, d.path, d.expected, d.observed) for d in schema.differences(wanted, other)] == [
        ("a.b", "type", "string", "text")
    ]
    assert [f.code for f in schema.missing_objects(wanted, other)] == ["MIG-341"]
    assert schema.missing_objects(wanted, other, keeps=lambda name, path: (name, path) == ("a.b", "type")) == []
    assert [f.code for f in schema.missing_objects(wanted, snapshot(fields=[]))] == ["MIG-341"]


def test_what_only_production_has_is_no_fault() -> None:
    more = snapshot(collections=[{"collection": "a", "schema": {"name": "a"}}, {"collection": "own"}])
    assert schema.missing_objects(snapshot(), more) == []
    assert [d.name for d in schema.differences(snapshot(), more) if d.only_observed] == ["own"]


def test_the_name_of_a_constraint_is_the_only_difference_let_pass() -> None:
    renamed = snapshot(fields=[{**snapshot().fields["a.b"], "schema": {"max_length": 5, "constraint_name": "another"}}])
    assert schema.differences(snapshot(), renamed) == []
    assert list(schema.ENVIRONMENT_SPECIFIC) == ["schema.constraint_name"]


def test_an_index_on_a_table_of_directus_itself_is_compared_too() -> None:
    """Directus' own diff sends it, so the comparison that checks the diff must see it."""
    index = {"collection": "directus_users", "field": "email", "schema": {"is_indexed": True}}
    more = snapshot(systemFields=[index])
    assert more.digest != snapshot().digest
    (lacking,) = schema.missing_objects(more, snapshot())
    assert lacking.where == 'production · systemFields · "directus_users.email"'
    assert schema.differing_objects(snapshot(), more) == ["directus_users.email"]


def test_options_are_compared_whatever_their_names_and_shown_as_directus_writes_them() -> None:
    def with_options(**options: object) -> Snapshot:
        return snapshot(fields=[{**snapshot().fields["a.b"], "meta": options}])

    wanted, other = with_options(__private=1, flag=True, text=""), with_options(__private=2, flag=None, more=["ü"])
    assert [(d.path, d.expected, d.observed) for d in schema.differences(wanted, other)] == [
        ("meta.__private", "1", "2"),
        ("meta.flag", "true", "null"),
        ("meta.more", "not there", '["ü"]'),
        ("meta.text", '""', "not there"),
    ]


def test_an_object_of_productions_own_is_told_apart_by_its_kind() -> None:
    """A relation nobody planned is not excused by the field of the same name that was there before."""
    relation = {"collection": "a", "field": "own", "related_collection": "a"}
    own = [*snapshot().raw["fields"], {"collection": "a", "field": "own"}]
    before, after = snapshot(fields=own), snapshot(fields=own, relations=[relation])
    appeared = [
        each for each in schema.only_observed(snapshot(), after) if each not in schema.only_observed(snapshot(), before)
    ]
    assert [(each.kind, each.name) for each in appeared] == [("relations", "a.own")]


def test_sides_that_cannot_be_compared_are_named() -> None:
    assert comparable.environment_differences(snapshot(), snapshot(), running="11.17.4", timezone="UTC") == []
    found = comparable.environment_differences(
        snapshot(), snapshot(directus="12.4.0", vendor="mysql"), running="12.4.0", timezone="America/New_York"
    )
    assert [f.code for f in found] == ["MIG-311", "MIG-312", "MIG-313"]


def test_a_snapshot_that_is_not_whole_is_named() -> None:
    assert comparable.malformed_parts(snapshot()) == []
    homeless = snapshot(fields=[{"collection": "gone", "field": "b"}])
    assert [f.code for f in comparable.malformed_parts(homeless)] == ["MIG-314"]
    assert [f.code for f in comparable.malformed_parts(Snapshot({}))] == ["MIG-314"] * 6
    for no_list in ({}, {"a": 1}, "none"):
        found = comparable.malformed_parts(Snapshot({**snapshot().raw, "fields": no_list}))
        assert [(f.code, f.expected) for f in found] == [("MIG-314", "a list")]


def test_files_are_not_imported_to_where_the_next_deploy_deletes_them() -> None:
    gone, kept = Storage("local", "local", "./uploads", on_disk=False), Storage("local", "local", "/data", on_disk=True)
    (finding,) = uploads_to_ephemeral_disk(gone, 3)
    assert finding.code == "MIG-427"
    assert "ALLOW_EPHEMERAL_FILES" in finding.do
    assert (
        uploads_to_ephemeral_disk(kept, 3)
        == uploads_to_ephemeral_disk(gone, 0)
        == uploads_to_ephemeral_disk(Storage("s3", "s3"), 3)
        == []
    )


def test_the_policy_settles_what_it_names_and_never_another_row_under_the_same_key() -> None:
    key_collision, match = (
        replace(CONFLICT, kind=ConflictKind.KEY_COLLISION),
        replace(CONFLICT, kind=ConflictKind.NATURAL_KEY_MATCH),
    )
    plan = replace(PLAN, conflicts=(CONFLICT, key_collision, match))
    assert [f.code for f in import_rules.unresolved_conflicts(plan)] == ["MIG-413", "MIG-413"]
    updating = replace(plan, policy="stop,sections=update")
    (left,) = import_rules.unresolved_conflicts(updating)
    assert "another row" in left.sentence
    assert import_rules.unresolved_conflicts(replace(plan, policy="stop,sections=keep")) == []


def refused(collection: str, key: str, refers: tuple[str, str] | None = None, code: str = "FOREIGN_KEY") -> Refusal:
    return Refusal(collection, key, code, f"no row {refers[1]}" if refers else "too long", refers=refers)


def test_rows_that_only_refer_to_a_refused_row_are_folded_into_it() -> None:
    rows = [
        refused("comments", "9", ("articles", "2")),  # a child may come before its parent
        refused("articles", "1", code="TOO_LONG"),
        refused("articles", "2", ("articles", "1")),
        refused("comments", "8", ("articles", "1")),
        refused("comments", "7", ("articles", "99")),
    ]
    assert [[each.key for each in group] for group in by_cause(rows)] == [["1", "9", "2", "8"], ["7"]]
    found = refusal_findings(rows)
    assert [each.code for each in found] == ["MIG-419", "MIG-415"]
    assert found[0].observed == "TOO_LONG: too long; refused with it: 1 of articles, 2 of comments"
    assert "refused with it" not in found[1].observed


def test_rows_of_one_missing_user_are_one_finding_with_the_e_mail() -> None:
    who = "0b5400c1-0000-4000-8000-000000000001"
    rows = [dangling_reference("articles", str(key), "author", "directus_users", who) for key in range(66)]
    rows.append(refused("comments", "1", ("articles", "3")))
    named = with_emails(rows, {who: "ada@udo.example"})
    (found,) = refusal_findings(named)
    assert found.code == "MIG-418"
    assert found.observed == (
        '"author": user ada@udo.example is not in production, by e-mail or by USER_MAP;'
        " refused with it: 65 of articles, 1 of comments"
    )
    assert who not in str(found)
    assert with_emails(rows, {}) == rows


def test_rows_that_refer_to_each_other_are_told_once() -> None:
    rows = [refused("a", "1", ("b", "1")), refused("b", "1", ("a", "1"))]
    assert sorted(each.key + each.collection for group in by_cause(rows) for each in group) == ["1a", "1b"]
