"""What every test may ask for: a server process, a session of a stock PySpark client, a database of orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import orders_db as orders
from tests.support.mariadb import MariaDBServer
from tests.support.postgresql import PostgresServer
from tests.support.server import ServerProcess, running_server

ORDER_ROWS = 20_000


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """One server process for all tests. A test that harms it starts one of its own."""
    with running_server("--register", "numbers=tests.support.tables:Numbers", "--detached-timeout", "2") as running:
        yield running


@pytest.fixture
def new_session(server: ServerProcess) -> Iterator[Callable[[], SparkSession]]:
    """Opens further sessions with the server; all are ended with the test."""
    opened: list[SparkSession] = []

    def open_session() -> SparkSession:
        opened.append(SparkSession.builder.remote(server.url).create())
        return opened[-1]

    yield open_session
    for session in opened:
        session.stop()


@pytest.fixture(scope="module")
def spark(server: ServerProcess) -> Iterator[SparkSession]:
    """A session of its own for each module of tests."""
    session = SparkSession.builder.remote(server.url).create()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def orders_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the tables `customers` and `orders`."""
    path = tmp_path_factory.mktemp("orders") / "orders.db"
    orders.create(path, ORDER_ROWS)
    return path


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDBServer]:
    """A MariaDB server for all tests; each makes tables of its own."""
    with MariaDBServer() as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests; each makes tables of its own."""
    with PostgresServer() as running:
        yield running
