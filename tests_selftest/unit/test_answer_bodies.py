"""The body of an answer is read with every value as it was sent, whichever reader takes it."""

from __future__ import annotations

import math

import httpx
import pytest

from fixtures.systems.http.failures import body_of


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b'{"data":[{"id":9007199254740993}]}', {"data": [{"id": 9007199254740993}]}),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b'{"fee":1.0,"part":0.30000000000000004}', {"fee": 1.0, "part": 0.30000000000000004}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (rb'["\u00e9","\/","\ud83d\ude00"]', ["é", "/", "😀"]),
        (rb'"\ud800"', "\ud800"),
        (b"1e999", math.inf),
        ('{"a":"é"}'.encode("utf-16"), {"a": "é"}),
        (b"", None),
        (b"Unauthorized\n", "Unauthorized\n"),
        (b'{"data":[1,', '{"data":[1,'),
    ],
)
def test_a_body_is_read_as_it_was_sent(content: bytes, value: object) -> None:
    observed = body_of(httpx.Response(200, content=content))
    assert (observed, type(observed)) == (value, type(value))


def test_what_only_looks_like_a_number_is_read() -> None:
    """JSON has no NaN, but some servers send it."""
    observed = body_of(httpx.Response(200, content=b'{"value":NaN}'))
    assert math.isnan(observed["value"])
