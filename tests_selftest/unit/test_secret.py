"""A secret is masked from the moment it is made, whoever makes it, in every form it may be sent in."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import get_type_hints

import httpx
import pytest

from fixtures.evidence.ledger import Kind, Ledger
from fixtures.evidence.store import Evidence
from fixtures.model import secret as secrets
from fixtures.model.secret import MASK, Hidden, Secret, mask
from fixtures.settings import Settings, Target, load, variables
from fixtures.systems.failure import Refused
from fixtures.systems.http.transport import RetryPolicy, Transport
from fixtures.systems.render.observer import RenderObserver

SERVICE = "srv-0123456789abcdefghij"


def leaves(folder: Path, text: str) -> str:
    """Everything the suite writes when a step that knows *text* says it, keeps it, and ends with it."""
    ledger = Ledger(folder / "ledger" / "t.jsonl", run="run-1", inputs="i", suite="s")
    evidence = Evidence(folder / "run-1", ledger)
    evidence.begin("1.1.1")
    evidence.note(f"the value is {text}")
    evidence.write({"value": [text]}, "Value")
    evidence.attach("server.log", f"level=error {text}\n")
    with pytest.raises(RuntimeError), evidence.attempt("1.1.1", sent=text):
        raise RuntimeError(text)
    ledger.add(Kind.VERDICT, "1.1.1", said=list(evidence.notes), message=text)
    return "\n".join([file.read_text() for file in folder.rglob("*") if file.is_file()])


@pytest.mark.parametrize(
    "form",
    ["p?ss/w0rd", "p%3Fss%2Fw0rd", "cD9zcy93MHJk", "eC1hY2Nlc3MtdG9rZW46cD9zcy93MHJk"],
    ids=["as it is", "URL-quoted", "base64", "base64 as git sends it"],
)
def test_a_secret_made_anywhere_reaches_no_ledger_and_no_evidence(tmp_path: Path, form: str) -> None:
    assert form in leaves(tmp_path / "before", form)
    Secret("p?ss/w0rd")
    text = leaves(tmp_path / "after", form)
    assert form not in text
    assert text.count(MASK) >= 6


def test_of_two_secrets_one_within_the_other_nothing_is_left() -> None:
    Secret("hunter22")
    Secret("hunter22-and-more")
    assert mask("hunter22-and-more, hunter22") == f"{MASK}, {MASK}"


def test_what_is_empty_or_too_short_is_not_searched_for() -> None:
    for text in ("", "abc"):
        Secret(text)
    assert mask("abc and nothing else") == "abc and nothing else"


def test_no_secret_shows_itself() -> None:
    found = Secret("hunter22")
    assert "hunter22" not in f"{found} {found!r} {Hidden('hunter22')!r}"
    assert found == Secret("hunter22") != Secret("hunter23")


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DB_PASSWORD", "x8Kd02mfQ1z", True),
        ("ADMIN_TOKEN", "4b1dae0a-1c5f", True),
        ("SECRET", "fj20fj02fj", True),
        ("STORAGE_S3_KEY", "AKIA0123456", True),
        ("SMTP_PASS", "k2-mail", True),
        ("BEFORE_ROLLBACK_DB_PASSWORD", "x8Kd02mfQ1z", True),
        ("DB_CONNECTION_STRING", "host=db user=udo", True),
        ("CACHE_REDIS", "redis://:w0rd-of-redis@cache:6379", True),
        ("DB_HOST", "dpg-cq0a1b2c3-a.oregon-postgres.render.com", False),
        ("DB_PORT", "5432", False),
        ("PUBLIC_URL", "https://cms.example.org", False),
        ("REFRESH_TOKEN_TTL", "7days", False),
        ("PGPASSFILE", "/dev/null", False),
        ("DB_PASSWORD", "directus", False),
        ("AUTH_SECRET", "true", False),
    ],
)
def test_a_variable_is_a_secret_by_its_name_or_its_form(name: str, value: str, secret: bool) -> None:
    """One that is a plain word is none: masking it would take the word out of every report."""
    assert isinstance(secrets.of_variable(name, value), Secret) is secret
    assert (value in mask(f"it is {value}, they say")) is not secret


@contextmanager
def render(variables: Mapping[str, str]) -> Iterator[RenderObserver]:
    """Render's answer to a question for a service's variables."""
    pages = [{"envVar": {"key": name, "value": value}, "cursor": name} for name, value in variables.items()]
    with Transport("http://render.test", system="Render", retry_policy=RetryPolicy(tries=1)) as transport:
        transport._client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=pages)))
        yield RenderObserver(transport)


def test_what_a_client_reads_from_render_is_masked_from_then_on(tmp_path: Path) -> None:
    with render({"JWT_SECRET": "zq81-fm29-al10", "SHADE": "green"}) as observer:
        found = observer.env_vars(SERVICE)
    assert {name: value.reveal() for name, value in found.items()} == {"JWT_SECRET": "zq81-fm29-al10", "SHADE": "green"}
    text = leaves(tmp_path, "zq81-fm29-al10 on green")
    assert "zq81-fm29-al10" not in text
    assert "on green" in text


def test_a_server_that_repeats_a_secret_is_quoted_without_it(caplog: pytest.LogCaptureFixture) -> None:
    token = Secret("tok-3n-of-ada")
    answer = httpx.Response(401, json={"message": f"{token.reveal()} is not known"})
    with (
        caplog.at_level(logging.DEBUG),
        Transport("http://cms.test", system="Directus", token=token, retry_policy=RetryPolicy(tries=1)) as transport,
    ):
        transport._client = httpx.Client(transport=httpx.MockTransport(lambda _: answer))
        with pytest.raises(Refused) as refusal:
            transport.json("GET", "/users/me")
    assert "is not known" in str(refusal.value)
    assert "tok-3n-of-ada" not in str(refusal.value) + refusal.value.message + caplog.text


FORMS = {"Secret": "v4lue-of-{}", "PostgresUrl": "postgresql://ada:v4lue-of-{}@db.example.org/d"}


def test_every_secret_of_the_settings_is_masked(tmp_path: Path) -> None:
    """The list is that of the type, not written by hand: a new secret cannot be forgotten here."""
    example = {"Url": "https://cms.example.org", "str": "example", "Path": str(tmp_path)}
    types = get_type_hints(Settings)
    secret = {each.name: FORMS[each.form].format(each.name) for each in variables() if types[each.field] is Secret}
    others = {each.name: example[each.form] for each in variables() if each.required and each.name not in secret}
    assert len(secret) == 12
    assert [name for name, value in secret.items() if mask(value) != value] == []
    settings = load(Target.STAGING, {**others, **secret}, source="test")
    assert sorted(settings.secrets) == sorted(secret.values())
    for name, value in secret.items():
        assert f"v4lue-of-{name}" not in leaves(tmp_path / name, value), name
