"""Settings name every fault at once, never a secret, and refuse what would only fail later."""

from __future__ import annotations

from pathlib import Path

import pytest

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


def test_another_policy_is_another_input(complete: dict[str, str]) -> None:
    stop = load(Target.STAGING, complete, source="t")
    keep = load(Target.STAGING, {**complete, "CONFLICT_POLICY": "keep"}, source="t")
    assert stop.inputs != keep.inputs


def test_expected_log_lines_are_separated_by_lines_or_two_semicolons(complete: dict[str, str]) -> None:
    text = "^Mail is off;; cache; miss\n\nslow (disk|query)"
    found = load(Target.STAGING, {**complete, "EXPECTED_LOG_LINES": text}, source="t").expected_log_lines
    assert found == ("^Mail is off", "cache; miss", "slow (disk|query)")
    with pytest.raises(ConfigurationError, match="no regular expression"):
        load(Target.STAGING, {**complete, "EXPECTED_LOG_LINES": "slow ("}, source="t")
