"""Settings name every fault at once, never a secret, and refuse what would only fail later."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.model.inputs import Inputs
from fixtures.runbook import GROUPS
from fixtures.settings import ConfigurationError, Target, load, variables


@pytest.fixture
def complete(tmp_path: Path) -> dict[str, str]:
    """A configuration in which every required variable is right."""
    site_map = tmp_path / "site.toml"
    site_map.write_text("")
    example = {"Url": "https://cms.example.org", "Secret": "s3cr3t-value", "str": "example", "Path": str(site_map)}
    return {variable.name: example[variable.form] for variable in variables() if variable.required}


def test_a_complete_configuration_loads(complete: dict[str, str]) -> None:
    settings = load(Target.STAGING, complete, source="test")
    assert settings.directus_url == "https://cms.example.org"
    assert settings.conflict_policy["anything"] == "stop"
    assert settings.api_budget.limit == 500.0


def test_every_missing_variable_is_named_in_one_message(complete: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as problem:
        load(Target.PRODUCTION, {}, source=".env.production")
    text = str(problem.value)
    assert text.startswith(f"MIG-001 {len(complete)} setting(s) for target production")
    assert [name for name in complete if f"{name} is not set: " not in text] == []
    assert ".env.production" in text


def test_each_missing_variable_comes_with_its_purpose() -> None:
    with pytest.raises(ConfigurationError) as problem:
        load(Target.STAGING, {}, source="test")
    purposes = {variable.name: variable.purpose for variable in variables()}
    for line in str(problem.value).splitlines():
        if " is not set: " in line:
            name, purpose = line.removeprefix("  setting   ").split(" is not set: ")
            assert purposes[name] == purpose


MALFORMED = {
    "DIRECTUS_URL": ("cms.example.org", "expected http(s)://host"),
    "RENDER_API_URL": ("ftp://render", "expected http(s)://host"),
    "FRONTEND_REMOTE_URL": ("https://user:pw@github.com/a/b.git", "must not carry a user or a password"),
    "LOCAL_DATABASE_URL": ("mysql://x", "expected postgresql://"),
    "BACKEND_REPO": ("/nowhere/at/all", "does not exist"),
    "CONFLICT_POLICY": ("overwrite", "expected one of stop, keep, update"),
    "POLL_S": ("soon", "could not convert"),
    "USER_MAP": ("former@example.org", "expected local@mail=production@mail"),
    "CHANGES_BY_ITSELF": ("queue.job,public.sections", "expected schema.table outside of public"),
    "EXPECTED_LOG_LINES": ("x|;;cache", "matches every line"),
    "STAMPS": ("forget", "expected one of restore, leave"),
    "FLOW_POLICY": ("ignore", "expected one of stop, pause"),
    "API_P95_MS": ("0", "expected a number above zero"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_value_says_what_was_expected(complete: dict[str, str], name: str) -> None:
    value, words = MALFORMED[name]
    with pytest.raises(ConfigurationError) as problem:
        load(Target.STAGING, {**complete, name: value}, source="test")
    assert f"{name} is malformed: " in str(problem.value)
    assert words in str(problem.value)


def test_missing_and_malformed_values_are_named_together(complete: dict[str, str]) -> None:
    spoiled = {**complete, **{name: value for name, (value, _) in MALFORMED.items()}}
    del spoiled["RENDER_API_KEY"], spoiled["GITHUB_TOKEN"]
    with pytest.raises(ConfigurationError) as problem:
        load(Target.STAGING, spoiled, source="test")
    text = str(problem.value)
    assert text.startswith(f"MIG-001 {len(MALFORMED) + 2} setting(s)")
    assert [name for name in (*MALFORMED, "RENDER_API_KEY", "GITHUB_TOKEN") if name not in text] == []


def test_blank_is_not_set(complete: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="ADMIN_TOKEN is not set"):
        load(Target.STAGING, {**complete, "ADMIN_TOKEN": "   "}, source="test")


def test_no_message_holds_a_secret(complete: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as problem:
        load(Target.STAGING, {**complete, "DIRECTUS_URL": "no"}, source="test")
    assert "s3cr3t-value" not in str(problem.value)


def test_neither_settings_nor_secrets_print_their_value(complete: dict[str, str]) -> None:
    settings = load(Target.STAGING, complete, source="test")
    assert "s3cr3t-value" not in repr(settings)
    assert settings.admin_token.reveal() == "s3cr3t-value"


def test_the_fingerprint_is_that_of_the_target_and_not_of_its_port_in_a_rehearsal(complete: dict[str, str]) -> None:
    first = load(Target.REHEARSAL, {**complete, "TARGET_ID": "w1", "DIRECTUS_URL": "http://127.0.0.1:1"}, source="t")
    moved = load(Target.REHEARSAL, {**complete, "TARGET_ID": "w1", "DIRECTUS_URL": "http://127.0.0.1:2"}, source="t")
    other = load(Target.STAGING, {**complete, "TARGET_ID": "w1"}, source="t")
    assert first.fingerprint == moved.fingerprint != other.fingerprint


def test_a_collection_may_have_a_policy_of_its_own(complete: dict[str, str]) -> None:
    text = "keep,definitions=stop,zones=update"
    policy = load(Target.STAGING, {**complete, "CONFLICT_POLICY": text}, source="t").conflict_policy
    assert (policy["definitions"], policy["zones"], policy["sections"]) == ("stop", "update", "keep")
    assert str(policy) == text


@pytest.mark.parametrize("text", ["keep,stop", "zones=keep,zones=stop", "=keep", "zones=", "delete"])
def test_a_policy_that_can_be_read_two_ways_is_refused(complete: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigurationError, match="CONFLICT_POLICY is malformed"):
        load(Target.STAGING, {**complete, "CONFLICT_POLICY": text}, source="t")


def test_another_policy_closes_the_gates_from_4_1_on_and_none_before(complete: dict[str, str]) -> None:
    stop = load(Target.STAGING, complete, source="t").inputs
    keep = load(Target.STAGING, {**complete, "CONFLICT_POLICY": "keep"}, source="t").inputs
    mapped = load(Target.STAGING, {**complete, "USER_MAP": "a@x=b@x"}, source="t").inputs
    for other in (keep, mapped):
        same = [group.id for group in GROUPS if stop.of(group.id) == other.of(group.id)]
        assert same == [group.id for group in GROUPS if group.phase < 4]


def test_of_a_secret_only_its_presence_counts_and_of_the_site_map_its_content(
    complete: dict[str, str], tmp_path: Path
) -> None:
    site = tmp_path / "map.toml"
    site.write_text("a")
    with_map = {**complete, "SITE_MAP": str(site)}
    first = load(Target.STAGING, {**with_map, "EDITOR_TOKEN": "one"}, source="t").inputs
    rotated = load(Target.STAGING, {**with_map, "EDITOR_TOKEN": "two", "ADMIN_TOKEN": "new"}, source="t").inputs
    without = load(Target.STAGING, with_map, source="t").inputs
    assert first == rotated
    assert (first.of("4.3") == without.of("4.3"), first.of("5.1") == without.of("5.1")) == (True, False)
    assert [each.text for each in first.values if each.name == "EDITOR_TOKEN"] == ["set"]
    site.write_text('title = "b"')
    changed = load(Target.STAGING, with_map, source="t").inputs
    assert (changed.of("4.3") == without.of("4.3"), changed.of("5.1") == without.of("5.1")) == (True, False)
    site.write_text('title = "b"\n[[pages]]\ncollection = "articles"\n')
    shown = load(Target.STAGING, with_map, source="t").inputs
    assert (changed.of("3.4") == shown.of("3.4"), changed.of("4.1") == shown.of("4.1")) == (True, False)


def test_a_verdict_holds_with_more_accepted_and_not_with_other_things(complete: dict[str, str]) -> None:
    def accepting(lines: str) -> Inputs:
        return load(Target.STAGING, {**complete, "EXPECTED_LOG_LINES": lines}, source="t").inputs

    one, two, other = accepting("a"), accepting("a;;b"), accepting("b")
    assert one.accepted("1.4") == ()
    given = (one.of("2.3"), one.accepted("2.3"))
    assert [each.cover("2.3", *given) for each in (one, two, other)] == [True, True, False]
    assert other.cover("1.4", one.of("1.4"), one.accepted("1.4"))


def test_a_waiver_of_a_risk_counts_from_the_plan_on_and_one_of_other_things_as_accepted(
    complete: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "w.toml"

    def signed(*waivers: tuple[str, str]) -> Inputs:
        file.write_text("\n".join(f'[[waiver]]\ncode = "{code}"\nobject = "{of}"' for code, of in waivers))
        return load(Target.STAGING, {**complete, "WAIVERS": str(file)}, source="t").inputs

    none = load(Target.STAGING, complete, source="t").inputs
    risk, untried = signed(("SC141", "a.b")), signed(("NOT_TRIED", "a"))
    assert [risk.of(group) == none.of(group) for group in ("1.2", "3.1", "3.2", "6.2")] == [True, True, False, False]
    assert untried.of("6.2") == none.of("6.2")
    assert untried.cover("3.3", none.of("3.3"), none.accepted("3.3"))
    assert not none.cover("1.2", untried.of("1.2"), untried.accepted("1.2"))
    file.write_text("no toml")
    assert load(Target.STAGING, {**complete, "WAIVERS": str(file)}, source="t").inputs.of("3.2") != none.of("3.2")


def test_the_ports_of_a_rehearsal_are_no_inputs_and_another_address_of_a_real_target_is_one(
    complete: dict[str, str],
) -> None:
    def at(port: int, **more: str) -> Inputs:
        return load(Target.STAGING, {**complete, "LOCAL_DIRECTUS_URL": f"http://h:{port}", **more}, source="t").inputs

    assert at(1, TARGET_ID="w").of("1.1") == at(2, TARGET_ID="w").of("1.1")
    assert at(1).of("1.1") != at(2).of("1.1")


def test_expected_log_lines_are_separated_by_lines_or_two_semicolons(complete: dict[str, str]) -> None:
    text = "^Mail is off;; cache; miss\n\nslow (disk|query)"
    found = load(Target.STAGING, {**complete, "EXPECTED_LOG_LINES": text}, source="t").expected_log_lines
    assert found == ("^Mail is off", "cache; miss", "slow (disk|query)")
    with pytest.raises(ConfigurationError, match="no regular expression"):
        load(Target.STAGING, {**complete, "EXPECTED_LOG_LINES": "slow ("}, source="t")
