"""Every answer of the emulator parses into the right model of the official SDK and comes out of it the same."""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Any

import httpx
import psycopg
import pytest
from render.public_api import models
from render.public_api.types import UNSET

from tests_selftest.contract.stage import Stage

_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


def normal(value: Any) -> Any:
    """Instants as instants and numbers as floats, so that two writings of one value are equal."""
    if isinstance(value, dict):
        return {name: normal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, str) and _INSTANT.match(value):
        return dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value).replace("Z", "+00:00"))
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def conforms(model: Any, body: dict[str, Any]) -> Any:
    parsed = model.from_dict(body)
    assert normal(parsed.to_dict()) == normal(body)
    assert not parsed.additional_properties, "keys the schema does not know"
    return parsed


@pytest.fixture(scope="module")
def used(platform: Stage) -> Stage:
    """The platform after a job, an export, some requests and a failed lookup."""
    for path in ("/items/a", "/items/b", "/items/a"):
        httpx.get(platform.backend.url + path)
    assert platform.database is not None
    platform.api("POST", f"/services/{platform.backend.id}/jobs", json={"startCommand": "echo done"})
    platform.api("POST", f"/postgres/{platform.database.id}/export")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        exports = platform.api("GET", f"/postgres/{platform.database.id}/export").json()
        jobs = platform.api("GET", f"/services/{platform.backend.id}/jobs").json()
        if exports[0].get("url") and jobs[0]["job"]["status"] == "succeeded":
            return platform
        time.sleep(0.1)
    raise AssertionError(f"no export or job within 15 s; last: {exports} {jobs}")


def test_services_parse_into_their_own_kind_of_details(used: Stage) -> None:
    parsed = [conforms(models.ServiceWithCursor, item) for item in used.api("GET", "/services").json()]
    kinds = {one.service.name: type(one.service.service_details) for one in parsed}
    assert kinds == {"udo-backend": models.WebServiceDetails, "fuma": models.StaticSiteDetails}
    one = conforms(models.Service, used.api("GET", f"/services/{used.backend.id}").json())
    assert one.service_details.url == used.backend.url


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/users", "User"),
        ("/owners", "OwnerWithCursor"),
        ("/services/{backend}/deploys", "DeployWithCursor"),
        ("/services/{backend}/events", "ServiceEventWithCursor"),
        ("/services/{frontend}/events", "ServiceEventWithCursor"),
        ("/services/{backend}/env-vars", "EnvVarWithCursor"),
        ("/services/{backend}/env-vars/SHADE", "EnvVar"),
        ("/services/{backend}/instances", "ServiceInstance"),
        ("/services/{backend}/jobs", "JobWithCursor"),
        ("/postgres", "PostgresWithCursor"),
        ("/postgres/{database}", "PostgresDetail"),
        ("/postgres/{database}/connection-info", "PostgresConnectionInfo"),
        ("/postgres/{database}/export", "PostgresExport"),
        ("/postgres/{database}/recovery", "RecoveryInfo"),
        ("/postgres/{database}/query/processes", "PostgresProcessesResult"),
        ("/postgres/{database}/query/sizes", "PostgresSizesResult"),
        ("/postgres/{database}/query/table-scans", "PostgresTableScansResult"),
        ("/postgres/{database}/query/top-queries", "PostgresTopQueriesResult"),
        ("/notification-settings/owners/{owner}", "NotificationSetting"),
        ("/notification-settings/overrides/services/{backend}", "NotificationServiceOverride"),
        ("/logs?ownerId={owner}&resource={backend}", "ListLogsResponse200"),
        ("/metrics/cpu?resource={backend}", "TimeSeries"),
        ("/metrics/memory?resource={backend}", "TimeSeries"),
        ("/metrics/cpu-limit?resource={backend}", "TimeSeries"),
        ("/metrics/memory-limit?resource={backend}", "TimeSeries"),
        ("/metrics/instance-count?resource={backend}", "TimeSeries"),
        ("/metrics/http-requests?resource={backend}&aggregateBy=statusCode", "TimeSeries"),
        ("/metrics/http-latency?resource={backend}&quantile=0.5", "TimeSeries"),
        ("/metrics/active-connections?resource={database}", "TimeSeries"),
        ("/metrics/disk-usage?resource={database}", "TimeSeries"),
        ("/metrics/disk-capacity?resource={database}", "TimeSeries"),
    ],
)
def test_an_answer_round_trips_through_the_official_model(used: Stage, path: str, model: str) -> None:
    assert used.database is not None
    names = {"backend": used.backend.id, "frontend": used.frontend.id, "database": used.database.id}
    with _busy(used):
        answer = used.api("GET", path.format(**names, owner=used.render.owner_id))
    assert answer.status_code == 200, answer.text
    items = answer.json() if isinstance(answer.json(), list) else [answer.json()]
    assert items, "nothing was measured"
    for item in items:
        conforms(getattr(models, model), item)


def test_single_records_round_trip(used: Stage) -> None:
    deploy = used.api("GET", f"/services/{used.backend.id}/deploys").json()[0]["deploy"]
    path = f"/services/{used.backend.id}/deploys/{deploy['id']}"
    assert conforms(models.Deploy, used.api("GET", path).json()).status == "live"
    event = used.api("GET", f"/services/{used.backend.id}/events").json()[0]["event"]
    conforms(models.Event, used.api("GET", f"/events/{event['id']}").json())
    ordered = used.api("POST", f"/services/{used.backend.id}/jobs", json={"startCommand": "true"})
    assert ordered.status_code == 201
    conforms(models.Job, ordered.json())


def test_a_new_database_is_made_from_the_official_body_and_is_empty(used: Stage) -> None:
    assert used.database is not None
    there = used.api("GET", f"/postgres/{used.database.id}").json()
    asked = models.PostgresPOSTInput(
        name="udo-db-made",
        owner_id=used.render.owner_id,
        plan=models.PostgresPlans(there["plan"]),
        version=models.PostgresVersion(there["version"]),
        database_name=UNSET,
        database_user=UNSET,
    ).to_dict()
    answer = used.api("POST", "/postgres", json=asked)
    assert answer.status_code == 201, answer.text
    made = conforms(models.PostgresDetail, answer.json())
    assert made.database_user != there["databaseUser"]
    deadline = time.monotonic() + 15
    while used.api("GET", f"/postgres/{made.id}").json()["status"] != "available":
        assert time.monotonic() < deadline, "it never became available"
        time.sleep(0.05)
    info = used.api("GET", f"/postgres/{made.id}/connection-info").json()
    with psycopg.connect(info["externalConnectionString"]) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    assert used.api("POST", "/postgres", json={**asked, "version": "11"}).status_code == 400


def test_a_variable_is_set_one_by_one_and_answers_as_the_official_model(used: Stage) -> None:
    path = f"/services/{used.backend.id}/env-vars/TINT"
    for value in ("pale", "deep"):
        answer = used.api("PUT", path, json=models.EnvVarValue(value=value).to_dict())
        assert answer.status_code == 200, answer.text
        assert conforms(models.EnvVar, answer.json()).value == value
        assert used.api("GET", path).json() == {"key": "TINT", "value": value}


def test_metrics_that_do_not_apply_are_empty(used: Stage) -> None:
    for path in (f"cpu?resource={used.frontend.id}", f"active-connections?resource={used.backend.id}"):
        answer = used.api("GET", f"/metrics/{path}")
        assert (answer.status_code, answer.json()) == (200, [])


def _busy(used: Stage) -> psycopg.Connection[Any]:
    assert used.cluster is not None
    return psycopg.connect(used.cluster.url("udo", "udo", "secret udo"))
