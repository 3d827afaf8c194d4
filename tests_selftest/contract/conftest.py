"""One platform with a database for all tests that only look at it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from fixtures.model.secret import Secret
from fixtures.systems.postgres.dump import PostgresTools
from tests_selftest.contract.stage import Stage


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two services live, a database with a thousand definitions, and some requests behind them."""
    stage = Stage(tmp_path_factory.mktemp("platform"), with_database=True)
    try:
        assert stage.cluster is not None
        with psycopg.connect(stage.cluster.url("udo", "udo", "secret udo")) as connection:
            connection.execute("CREATE TABLE definitions (id int PRIMARY KEY, term text NOT NULL)")
            connection.execute("INSERT INTO definitions SELECT n, 'term ' || n FROM generate_series(1, 1000) n")
        stage.deploy_first()
        yield stage
    finally:
        stage.remove()


@pytest.fixture(scope="session")
def server(platform: Stage) -> Secret:
    """The superuser's address of the platform's cluster, on which spare databases are made."""
    assert platform.cluster is not None
    return Secret(platform.cluster.superuser_url)


@pytest.fixture(scope="session")
def tools(platform: Stage) -> PostgresTools:
    """pg_dump and its kind, of the cluster's own version."""
    assert platform.cluster is not None
    return PostgresTools.found(platform.cluster.bin)
