"""Logs, jobs, exports, recoveries and requests of the emulator are the real ones of real processes."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import re
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from fixtures.checks.site.health import is_own_statement
from fixtures.model.health import DUMP_STATEMENT
from fixtures.model.secret import Secret
from fixtures.systems.postgres.dump import PostgresTools
from fixtures.systems.postgres.observer import PostgresObserver
from tests_selftest.contract.stage import Stage


def eventually(look: Callable[[], Any], *, within_s: float = 15.0) -> Any:
    """The first true thing *look* sees."""
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within_s} s; last: {seen!r}"
        time.sleep(0.05)
    return seen


def logs(stage: Stage, resource: str, **more: Any) -> dict[str, Any]:
    answer = stage.api("GET", "/logs", params={"ownerId": stage.render.owner_id, "resource": resource, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def messages(stage: Stage, resource: str, **more: Any) -> list[str]:
    return [line["message"] for line in logs(stage, resource, limit=100, **more)["logs"]]


def test_logs_are_what_build_and_service_wrote(platform: Stage) -> None:
    httpx.get(platform.backend.url + "/items/marker")
    eventually(lambda: "asked for /items/marker" in messages(platform, platform.backend.id, type="app"))
    assert "building" in messages(platform, platform.backend.id, type="build")
    (line,) = logs(platform, platform.backend.id, type="request", path="/items/marker")["logs"]
    labels = {label["name"]: label["value"] for label in line["labels"]}
    assert (labels["method"], labels["statusCode"], labels["resource"]) == ("GET", "200", platform.backend.id)
    assert labels["instance"] == platform.api("GET", f"/services/{platform.backend.id}/instances").json()[0]["id"]


@pytest.mark.parametrize("direction", ["backward", "forward"])
def test_paging_by_time_finds_every_line_once(platform: Stage, direction: str) -> None:
    window = {"startTime": "2020-01-01T00:00:00Z", "endTime": dt.datetime.now(dt.UTC).isoformat()}
    every = logs(platform, platform.backend.id, limit=100, direction=direction, **window)
    assert not every["hasMore"]
    found: list[str] = []
    while True:
        part = logs(platform, platform.backend.id, limit=3, direction=direction, **window)
        found += [line["id"] for line in part["logs"]]
        window = {"startTime": part["nextStartTime"], "endTime": part["nextEndTime"]}
        if not part["hasMore"]:
            break
    assert found == [line["id"] for line in every["logs"]]


def test_filters_know_wildcards_and_regular_expressions(platform: Stage) -> None:
    assert messages(platform, platform.backend.id, text="/listens on \\d+/")
    assert messages(platform, platform.backend.id, text="version*listens")
    assert not messages(platform, platform.backend.id, text="never written")
    assert not messages(platform, platform.backend.id, level="emergency")
    values = platform.api(
        "GET",
        "/logs/values",
        params={"ownerId": platform.render.owner_id, "resource": platform.backend.id, "label": "type"},
    ).json()
    assert {"app", "build"} <= set(values)


def test_a_site_has_a_build_log_but_no_runtime_log(platform: Stage) -> None:
    httpx.get(platform.frontend.url)
    assert messages(platform, platform.frontend.id, type="build")
    assert not messages(platform, platform.frontend.id, type="request")


def test_a_job_is_a_process_with_the_services_variables(platform: Stage) -> None:
    path = f"/services/{platform.backend.id}/jobs"
    job = platform.api("POST", path, json={"startCommand": "echo shade $SHADE; ls; touch left; exit 4"}).json()
    assert (job["status"], job["planId"]) == ("pending", "plan-srv-006")
    done = eventually(
        lambda: next((j for j in [platform.api("GET", f"{path}/{job['id']}").json()] if "finishedAt" in j), None)
    )
    assert done["status"] == "failed"
    assert {"shade green", "server.py"} <= set(messages(platform, job["id"]))
    event = platform.api("GET", f"/services/{platform.backend.id}/events", params={"type": "job_run_ended"}).json()[0]
    assert event["event"]["details"]["reason"]["nonZeroExit"] == 4
    assert platform.api("POST", path, json={}).status_code == 400


def test_a_job_can_be_canceled(platform: Stage) -> None:
    path = f"/services/{platform.backend.id}/jobs"
    job = platform.api("POST", path, json={"startCommand": "sleep 60"}).json()
    eventually(lambda: platform.api("GET", f"{path}/{job['id']}").json()["status"] == "running")
    assert platform.api("POST", f"{path}/{job['id']}/cancel").json()["status"] == "canceled"
    assert platform.api("POST", f"{path}/{job['id']}/cancel").status_code == 409


def test_connection_info_connects(platform: Stage) -> None:
    info = platform.api("GET", f"/postgres/{base(platform)}/connection-info").json()
    for name in ("internalConnectionString", "externalConnectionString"):
        with psycopg.connect(info[name]) as connection:
            assert connection.execute("SELECT count(*) FROM definitions").fetchone() == (1000,)


def test_slow_statements_and_errors_are_the_servers_own(platform: Stage) -> None:
    path = f"/postgres/{base(platform)}"
    info = platform.api("GET", f"{path}/connection-info").json()
    with psycopg.connect(info["externalConnectionString"], autocommit=True) as connection:
        for seconds in (0.02, 0.03):
            connection.execute("SELECT pg_sleep(%s), 'rehearsed'", [seconds])
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM never_made")
    with PostgresObserver(Secret(info["externalConnectionString"])) as ours:
        ours.ask("SELECT pg_sleep(0.04), 'by the suite'")

    def slept() -> list[dict[str, Any]]:
        top = platform.api("GET", f"{path}/query/top-queries").json()["topQueries"]
        return [one for one in top if "pg_sleep" in one["query"]]

    both = eventually(lambda: found if len(found := slept()) == 2 else [])
    (found,) = (one for one in both if not is_own_statement(one["query"]))
    assert (found["calls"], found["maxTimeMs"] >= 30, found["minTimeMs"] >= 20) == (2, True, True)
    eventually(lambda: [text for text in messages(platform, base(platform)) if "never_made" in text])


def test_a_real_dump_is_no_slow_statement_to_us_nor_to_postgres(platform: Stage, tools: PostgresTools) -> None:
    """What pg_dump asks for a table's rows is told from a person's COPY, by Python and by Postgres alike."""
    info = platform.api("GET", f"/postgres/{base(platform)}/connection-info").json()
    with psycopg.connect(info["externalConnectionString"], autocommit=True) as connection:
        connection.execute("CREATE TABLE dumped AS SELECT n FROM generate_series(1, 200000) n")
        subprocess.run(
            [tools.pg_dump, "--table=dumped", "--file=/dev/null", info["externalConnectionString"]], check=True
        )
        with connection.cursor().copy("COPY dumped (n) TO STDOUT") as copy:
            assert sum(1 for _ in copy.rows()) == 200_000
        connection.execute("DROP TABLE dumped")

        def copies() -> list[str]:
            top = platform.api("GET", f"/postgres/{base(platform)}/query/top-queries").json()["topQueries"]
            return [one["query"] for one in top if re.match("COPY .*dumped", one["query"])]

        both = eventually(lambda: found if len(found := copies()) == 2 else [])
        (person,) = (one for one in both if not is_own_statement(one))
        assert person.endswith("STDOUT")
        asked = connection.execute("SELECT q FROM unnest(%s::text[]) q WHERE q !~ %s", [both, DUMP_STATEMENT])
        assert asked.fetchall() == [(person,)]


def base(platform: Stage) -> str:
    assert platform.database is not None
    return platform.database.id


def exports(platform: Stage) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in platform.api("GET", f"/postgres/{base(platform)}/export").json()}


@pytest.fixture(scope="module")
def archive(platform: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished export, downloaded."""
    before = exports(platform)
    answer = platform.api("POST", f"/postgres/{base(platform)}/export")
    assert (answer.status_code, answer.text) == (202, "")
    assert platform.api("POST", f"/postgres/{base(platform)}/export").status_code == 409
    new = eventually(lambda: [one for key, one in exports(platform).items() if key not in before and "url" in one])
    file: Path = tmp_path_factory.mktemp("export") / new[0]["url"].rpartition("/")[2].partition("?")[0]
    file.write_bytes(httpx.get(new[0]["url"]).raise_for_status().content)
    assert httpx.get(new[0]["url"].partition("?")[0]).status_code == 403
    return file


def test_an_export_opens_with_pg_restore(platform: Stage, archive: Path) -> None:
    assert platform.cluster is not None
    assert archive.name.endswith("Z.dir.tar.gz")
    with tarfile.open(archive) as content:
        names = content.getnames()
        content.extractall(archive.parent)  # noqa: S202 - of our own making
    moment = archive.name.removesuffix(".dir.tar.gz")
    assert f"{moment}/udo/toc.dat" in names
    listed = subprocess.run(
        [platform.cluster.bin / "pg_restore", "--list", archive.parent / moment / "udo"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "TABLE DATA public definitions" in listed


def test_a_recovery_is_a_second_database_with_the_state_of_an_export(platform: Stage, archive: Path) -> None:
    assert archive.is_file()
    path = f"/postgres/{base(platform)}"
    target = dt.datetime.now(dt.UTC).isoformat()
    assert platform.api("GET", f"{path}/recovery").json()["recoveryStatus"] == "AVAILABLE"
    refused = platform.api("POST", f"{path}/recovery", json={"restoreTime": target})
    assert refused.status_code == 400
    platform.policy.change(recovery_blind_s=0)
    info = platform.api("GET", f"{path}/connection-info").json()
    with psycopg.connect(info["externalConnectionString"]) as connection:
        connection.execute("INSERT INTO definitions VALUES (2000, 'after the export')")
    made = platform.api("POST", f"{path}/recovery", json={"restoreTime": target, "restoreName": "udo-db-then"}).json()
    assert made["id"] != base(platform)
    eventually(lambda: platform.api("GET", f"/postgres/{made['id']}").json()["status"] == "available")
    again = platform.api("GET", f"/postgres/{made['id']}/connection-info").json()
    with psycopg.connect(again["externalConnectionString"]) as connection:
        assert connection.execute("SELECT count(*) FROM definitions").fetchone() == (1000,)
    with psycopg.connect(info["externalConnectionString"]) as connection:
        connection.execute("DELETE FROM definitions WHERE id = 2000")  # the platform is others' too


@pytest.fixture
def faults(platform: Stage) -> Iterator[Callable[..., None]]:
    def arm(**settings: Any) -> None:
        assert httpx.post(f"{platform.control.url}/faults", json=settings).status_code == 201

    yield arm
    httpx.delete(f"{platform.control.url}/faults")


def test_planned_faults_strike(platform: Stage, faults: Callable[..., None]) -> None:
    url = platform.backend.url
    faults(fault="answer_503", system="directus", method="POST", path="/schema/apply", times=1)
    assert [httpx.post(url + "/schema/apply").status_code for _ in range(2)] == [503, 200]
    faults(fault="drop_answer", system="directus", method="POST", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(url + "/items/lost")
    eventually(lambda: "asked for /items/lost" in messages(platform, platform.backend.id, type="app"))
    faults(fault="delay", system="directus", seconds=0.5, times=1)
    started = time.monotonic()
    httpx.get(url)
    assert time.monotonic() - started >= 0.5
    faults(fault="export_truncated", times=1)
    finished = next(one["url"] for one in exports(platform).values() if "url" in one)
    assert len(httpx.get(finished).content) < len(httpx.get(finished).content)
    assert httpx.post(f"{platform.control.url}/faults", json={"fault": "typo"}).status_code == 400


def test_the_traffic_lists_what_may_have_written(platform: Stage) -> None:
    httpx.delete(f"{platform.control.url}/traffic")
    httpx.get(platform.backend.url + "/items/a?access_token=secret")
    httpx.request("SEARCH", platform.backend.url + "/items/a")
    httpx.post(platform.backend.url + "/items/b?access_token=secret")
    traffic = httpx.get(f"{platform.control.url}/traffic").json()
    assert {name: traffic["directus"][name] for name in ("GET", "SEARCH", "POST")} == {"GET": 1, "SEARCH": 1, "POST": 1}
    assert [(one["method"], one["path"], one["status"]) for one in traffic["directus"]["writes"]] == [
        ("POST", "/items/b", 200)
    ]


def test_the_proxy_passes_bodies_methods_and_encodings(platform: Stage) -> None:
    answer = httpx.request("SEARCH", platform.backend.url + "/items/a%2Fb?filter=%7B%7D", content=b"x" * 300_000)
    assert (answer.json()["path"], answer.json()["method"]) == ("/items/a%2Fb?filter=%7B%7D", "SEARCH")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: httpx.get(platform.backend.url).status_code, range(40))) == {200}


def test_messages_to_the_stakeholders_are_kept(platform: Stage) -> None:
    assert httpx.post(platform.mailbox.url, json={"text": "Migration done"}).text == "ok"
    assert httpx.post(platform.mailbox.url, content=b"text").status_code == 400
    kept = httpx.get(f"{platform.control.url}/mailbox").json()
    assert kept[-1]["message"] == {"text": "Migration done"}
