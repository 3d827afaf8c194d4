"""Budgets are held by the nearest-rank percentile, and too few samples are never "fast"."""

from __future__ import annotations

from collections import Counter
from itertools import cycle
from threading import Event
from time import sleep

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks.site.latency import FIRST_ANSWERS, NoSamples, over_budget, percentile, slow_pages
from fixtures.model.timing import Budget, Timing
from fixtures.model.visit import PageVisit, Resource
from fixtures.operations.site.endpoint_timings import endpoint_timings
from fixtures.systems.directus import DirectusObserver
from fixtures.systems.failure import Unreachable
from fixtures.systems.http.failures import unreachable
from fixtures.systems.http.transport import Answer, Exchange

API = Budget("API", 500.0, "ms", "step 5.2.3")
PAGE = Budget("page", 3000.0, "ms", "step 5.2.4")


def visit(load_ms: float, problem: str = "") -> PageVisit:
    slowest = (Resource("http://x/app.js", "script", 2900.0),)
    return PageVisit("/#/a", "A", "a", 1, 1, 1, 0, (), (), (), load_ms, slowest, problem=problem)


def test_the_nearest_rank_is_a_sample() -> None:
    assert percentile([10, 20, 30, 40], 0.5) == 20
    assert percentile(list(range(1, 21)), 0.95) == 19
    assert percentile([7], 0.95) == 7


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_at_least_the_share_is_at_or_below(samples: list[float], share: float) -> None:
    reached = percentile(samples, share)
    assert reached in samples
    assert sum(1 for each in samples if each <= reached) >= share * len(samples) - 1e-6


def test_nothing_measured_is_an_error_and_not_zero() -> None:
    with pytest.raises(NoSamples):
        percentile([], 0.95)


@pytest.mark.parametrize("share", [0, -1, 1.1])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        percentile([1.0], share)


def test_one_slow_answer_in_twenty_is_within_and_two_are_not() -> None:
    one = Timing("a", (*[10.0] * 19, 900.0))
    two = Timing("b", (*[10.0] * 18, 900.0, 900.0))
    assert over_budget([one], API, share=0.95, least_samples=20) == []
    (finding,) = over_budget([two], API, share=0.95, least_samples=20)
    assert finding.code == "MIG-522"
    assert "p95 900 ms" in finding.observed


def test_too_few_answers_are_a_finding() -> None:
    (finding,) = over_budget([Timing("a", (1.0, 1.0))], API, share=0.95, least_samples=20)
    assert finding.code == "MIG-521"


def test_few_answers_suffice_where_each_took_half_the_budget_or_less() -> None:
    assert over_budget([Timing("a", (250.0,) * 5)], API, share=0.95, least_samples=20) == []
    for few in ((250.0,) * 4, (*[10.0] * 4, 251.0), (*[10.0] * 18, 251.0)):
        (finding,) = over_budget([Timing("a", few)], API, share=0.95, least_samples=20)
        assert finding.code == "MIG-521"


class Answering(DirectusObserver):
    """A production with one empty collection, whose answers take the given times, one after the other."""

    def __init__(self, *durations_ms: float, statuses: tuple[int, ...] = (200,)) -> None:
        self.left, self.statuses = list(durations_ms), cycle(statuses)

    def ask(self, *_: object, **__: object) -> Answer:
        return Answer(200, {"data": [], "meta": {"filter_count": 0}}, httpx.Headers(), 1.0, "", "")

    def timed(self, path: str, *, times: int, **_: object) -> list[Exchange]:
        taken, self.left = self.left[:times], self.left[times:]
        return [Exchange("GET", path, next(self.statuses), each) for each in taken]


def timings(production: DirectusObserver) -> tuple[float, ...]:
    (one,) = endpoint_timings(production, {"notices": "id"}, API, samples=20, page_size=100, on_count=lambda *_: None)
    return one.samples_ms


def test_what_is_clearly_within_is_asked_five_times_and_everything_else_twenty_times_alone() -> None:
    fast = Answering(*[100.0] * 30)
    assert timings(fast) == (100.0,) * 5
    assert len(fast.left) == 25
    assert timings(Answering(*[100.0] * 4, 251.0, *[300.0] * 30)) == (300.0,) * 20
    assert timings(Answering(900.0, *[100.0] * 30)) == (100.0,) * 20


class OneAtATime(Answering):
    """A production that answers one request after the other, each in 300 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting, self.asked, self.together = 0, Counter[str](), Event()

    def timed(self, path: str, *, times: int, **_: object) -> list[Exchange]:
        self.waiting += 1
        self.asked[path] += times
        if self.waiting == 2:
            self.together.set()
        crowded = times == FIRST_ANSWERS and self.together.wait(10)
        self.waiting -= 1
        return [Exchange("GET", path, 200, 600.0 if crowded else 300.0)] * times


def test_an_endpoint_that_another_makes_slow_is_judged_by_what_it_takes_alone() -> None:
    production = OneAtATime()
    found = endpoint_timings(
        production, {"a": "id", "b": "id"}, API, samples=20, page_size=100, on_count=lambda *_: None
    )
    assert production.together.is_set()
    assert production.asked == {"/items/a": 25, "/items/b": 25}
    assert [each.samples_ms for each in found] == [(300.0,) * 20] * 2
    assert over_budget(found, API, share=0.95, least_samples=20) == []


def test_every_answer_is_counted_as_it_comes() -> None:
    counted: list[tuple[int, int]] = []
    production = Answering(*[10.0] * 10, *[300.0] * 25, *[10.0] * 5)
    many = dict.fromkeys("abcd", "id")
    endpoint_timings(production, many, API, samples=20, page_size=100, on_count=lambda *now: counted.append(now))
    assert counted[-1] == (4, 4)
    assert len(counted) > 4
    assert [done for done, _ in counted] == sorted(done for done, _ in counted)


def test_an_answer_refused_for_the_pace_of_two_is_asked_for_again_alone() -> None:
    assert timings(Answering(*[10.0] * 40, statuses=(200, 429, 429, 429, 200, *(200,) * 20))) == (10.0,) * 20


class Gone(Answering):
    """A production that stops answering."""

    asked = 0

    def timed(self, path: str, **_: object) -> list[Exchange]:
        self.asked += 1
        sleep(0.05)
        raise Unreachable(unreachable("production", "http://cms", "GET", path, "no answer", 1))


def test_a_production_that_stops_answering_is_not_asked_for_every_endpoint() -> None:
    production, many = Gone(), {f"c{number}": "id" for number in range(40)}
    with pytest.raises(Unreachable):
        endpoint_timings(production, many, API, samples=20, page_size=100, on_count=lambda *_: None)
    assert production.asked <= 6


def test_an_answer_that_is_none_is_no_sample() -> None:
    assert timings(Answering(*[100.0] * 40, statuses=(503,))) == ()


@pytest.mark.parametrize("statuses", [(200,) * 4 + (503,), (503,) + (200,) * 5 + (503,) * 30, (200, 503)])
def test_an_endpoint_that_fails_now_and_then_is_no_fast_one(statuses: tuple[int, ...]) -> None:
    production = Answering(*[10.0] * 40, statuses=statuses)
    found = endpoint_timings(production, {"notices": "id"}, API, samples=20, page_size=100, on_count=lambda *_: None)
    assert found[0].failed > 0
    assert [each.code for each in over_budget(found, API, share=0.95, least_samples=20)] == ["MIG-521"]


def test_a_slow_page_names_what_took_long() -> None:
    (finding,) = slow_pages([visit(2999.0), visit(3001.0)], PAGE)
    assert "script http://x/app.js 2900 ms" in finding.observed


def test_a_page_that_did_not_open_is_not_fast() -> None:
    assert [f.code for f in slow_pages([visit(10.0, "it did not open")], PAGE)] == ["MIG-523"]
