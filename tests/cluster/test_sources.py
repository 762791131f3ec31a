"""Sources come to executors by each of the ways in which a session names them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

from tests.cluster.answers import RUNNER, answer, read
from tests.conftest import ORDER_ROWS
from tests.e2e.test_jdbc_snapshot import transfers
from tests.support.cluster import Cluster, running_cluster
from tests.support.postgresql import PostgresServer

SECRET = "correct-horse-battery"


def same(spark: SparkSession, frame: Callable[[], DataFrame]) -> int:
    """The number of rows of a query that gives the same here and there."""
    answers = []
    for runner in ("local", "cluster"):
        spark.conf.set(RUNNER, runner)
        answers.append(answer(frame(), ordered=False))
    assert (different := answers[1].differs(answers[0])) is None, different
    return len(answers[1].rows)


def error(frame: DataFrame) -> PySparkException:
    with pytest.raises(PySparkException) as caught:
        frame.collect()
    return caught.value


def test_by_name(tmp_path: Path) -> None:
    with running_cluster(tmp_path, "--register", "rows=tests.cluster.sources:Rows", executors=1) as cluster:
        session = SparkSession.builder.remote(cluster.url).create()
        assert same(session, lambda: session.read.format("rows").option("partitions", 3).load()) == 120
        session.stop()


@pytest.mark.parametrize("isolation", ["thread", "process"])
def test_by_module_and_class(spark: SparkSession, isolation: str) -> None:
    options = {} if isolation == "thread" else {"isolation": isolation}
    assert same(spark, lambda: read(spark, "Rows", partitions=3, **options)) == 120


def test_a_class_of_the_client(pair: Cluster, tmp_path: Path) -> None:
    """PySpark's own class, as a pickle, and a module of the client that it imports where it is read."""
    module = tmp_path / "sent_with_it.py"
    module.write_text("FACTOR = 3\n")
    session = SparkSession.builder.remote(pair.url).create()
    session.addArtifacts(str(module), pyfile=True)
    session.dataSource.register(_scaled())
    frame = session.read.format("scaled").load()
    assert same(session, lambda: frame) == 4
    assert sorted(row.n for row in frame.collect()) == [0, 3, 6, 9]
    session.stop()


def _scaled() -> type[DataSource]:
    # Made here, so that the pickle holds the class and not its name.

    class Reader(DataSourceReader):
        def partitions(self) -> list[InputPartition]:
            return [InputPartition(number) for number in range(4)]

        def read(self, partition: InputPartition) -> Iterator[tuple[int]]:
            from sent_with_it import FACTOR  # type: ignore[import-not-found]

            yield (partition.value * FACTOR,)

    class Scaled(DataSource):
        @classmethod
        def name(cls) -> str:
            return "scaled"

        def schema(self) -> str:
            return "n long"

        def reader(self, schema: object) -> DataSourceReader:
            return Reader()

    return Scaled


SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from typing import Any
import pyarrow as pa
from pyspark.sql import SparkSession
from sheetbend import Server
from sheetbend.cluster import ClusterOptions, token

class Held:
    def __init__(self, factor):
        self.factor = factor
    def infer_schema(self, options):
        return pa.schema([("n", pa.int64()), ("process", pa.int64())])
    def plan_partitions(self, options):
        return [{"at": at} for at in (1, 2, 3)]
    def read_partition(self, spec, options):
        return pa.record_batch([[spec["at"] * self.factor], [os.getpid()]], schema=self.infer_schema(options))

folder = Path(sys.argv[1])
with Server(port=0, cluster=ClusterOptions(port=0, token=token(folder / "token", create=True))) as server:
    server.register_datasource("held", Held(7))
    command = [sys.executable, "-m", "sheetbend.cli", "executor", "--scheduler", server.scheduler, "--vcores", "1"]
    command += ["--token-file", str(folder / "token"), "--work-dir", str(folder / "work")]
    executor = subprocess.Popen(command)
    try:
        session = SparkSession.builder.remote(server.url).create()
        session.conf.set("spark.sheetbend.runner", "cluster")
        rows = session.read.format("held").load().collect()
        assert sorted(row.n for row in rows) == [7, 14, 21], rows
        assert {row.process for row in rows} == {executor.pid}, (rows, executor.pid)
        session.stop()
    finally:
        executor.kill()
        executor.wait()
"""


def test_an_instance_of_the_servers_own_script(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "options", [{}, {"partitionColumn": "id", "lowerBound": 1, "upperBound": 20_000, "numPartitions": 4}]
)
def test_sqlite(spark: SparkSession, orders_db: Path, options: dict[str, str | int]) -> None:
    given = {"url": f"jdbc:sqlite:{orders_db}", "dbtable": "orders", **options}

    def load() -> DataFrame:
        return spark.read.format("jdbc").options(**given).load()

    assert same(spark, load) == ORDER_ROWS
    assert same(spark, lambda: load().filter("amount > 50").groupBy("status").agg(f.sum("amount"), f.count("*"))) > 1


@pytest.fixture(scope="module")
def accounts(postgres: PostgresServer) -> Iterator[PostgresServer]:
    postgres.execute("CREATE TABLE accounts AS SELECT i AS id, 0::bigint AS amount FROM generate_series(1, 40000) i")
    postgres.execute("ALTER TABLE accounts ADD PRIMARY KEY (id)")
    postgres.execute("ANALYZE accounts")
    yield postgres
    postgres.execute("DROP TABLE accounts")


STRIDES = {"partitionColumn": "id", "lowerBound": 1, "upperBound": 40_001, "numPartitions": 4}


@pytest.mark.parametrize("options", [{}, STRIDES])
def test_postgresql(spark: SparkSession, accounts: PostgresServer, options: dict[str, str | int]) -> None:
    given: dict[str, Any] = {**accounts.options, "dbtable": "accounts", **options}
    assert same(spark, lambda: spark.read.format("jdbc").options(**given).load()) == 40_000
    total = spark.read.format("jdbc").options(**given).load().groupBy().agg(f.count("*"), f.max("id"))
    assert same(spark, lambda: total) == 1


def test_a_snapshot_while_rows_are_written(spark: SparkSession, accounts: PostgresServer) -> None:
    """All executors see one state: in each the amounts add up to 0."""
    spark.conf.set(RUNNER, "cluster")
    given: dict[str, Any] = {
        **accounts.options,
        **STRIDES,
        "dbtable": "accounts",
        "pushDownAggregate": "false",
        "consistency": "snapshot",
    }
    with transfers(accounts):
        for _ in range(5):
            [row] = spark.read.format("jdbc").options(**given).load().agg(f.sum("amount"), f.count("*")).collect()
            assert tuple(row) == (0, 40_000)


@pytest.mark.parametrize("query", ["select 1 / (k - 7) from rows", "select cast(s as int) from rows where s = 'ab'"])
def test_an_error_of_the_query(spark: SparkSession, query: str) -> None:
    read(spark, "Rows").createOrReplaceTempView("rows")
    assert_same_error(spark, lambda: spark.sql(query))


@pytest.mark.parametrize("options", [{}, {"isolation": "process"}], ids=["thread", "process"])
def test_an_error_of_a_plug_in(spark: SparkSession, options: dict[str, str]) -> None:
    told = assert_same_error(spark, lambda: read(spark, "Failing", **options))
    assert "LookupError: the fifth is not there" in told
    assert 'raise LookupError("the fifth is not there")' in told


def assert_same_error(spark: SparkSession, frame: Callable[[], DataFrame]) -> str:
    spark.conf.set(RUNNER, "local")
    here = error(frame())
    spark.conf.set(RUNNER, "cluster")
    there = error(frame())
    assert type(there) is type(here)
    assert there.getCondition() == here.getCondition()
    assert there.getSqlState() == here.getSqlState()
    assert str(there) == str(here)
    return str(there)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Path, Path]]:
    """A cluster whose processes log all they can, where they log it, and a file with a secret."""
    folder = tmp_path_factory.mktemp("guarded")
    secret, log = folder / "secret", folder / "log"
    secret.write_text(SECRET)
    with log.open("w") as lines, running_cluster(folder, "--log-level", "debug", log=lines, executors=0) as cluster:
        cluster.join("--log-level", "debug")
        yield cluster, secret, log


@pytest.mark.parametrize("way", ["file", "plain"])
def test_a_secret_is_shown_nowhere(guarded: tuple[Cluster, Path, Path], way: str) -> None:
    cluster, secret, log = guarded
    session = SparkSession.builder.remote(cluster.url).create()
    session.conf.set(RUNNER, "cluster")
    password = f"file:{secret}" if way == "file" else SECRET
    frame = read(session, "Guarded", password=password)
    executors = {executor.process.pid for executor in cluster.executors}
    assert {tuple(row) for row in frame.collect()} == {(len(SECRET), pid) for pid in executors}
    shown = _plan(session, password)
    told = str(error(read(session, "Guarded", password=password, fail=True)))
    assert "PermissionError" in told
    for text in (shown, told, log.read_text()):
        assert SECRET not in text
    session.stop()


def _plan(session: SparkSession, password: str) -> str:
    read(session, "Guarded", password=password).createOrReplaceTempView("guarded")
    return str(session.sql("explain extended select length, count(*) from guarded group by length").collect()[0][0])


def test_a_secret_of_the_environment_is_the_executors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up where the source is read: there it may be another one than on the server."""
    monkeypatch.setenv("GUARDED_PASSWORD", "servers")
    with running_cluster(tmp_path, executors=0) as cluster:
        monkeypatch.setenv("GUARDED_PASSWORD", SECRET)
        cluster.join()
        session = SparkSession.builder.remote(cluster.url).create()
        session.conf.set(RUNNER, "cluster")
        frame = read(session, "Guarded", password="env:GUARDED_PASSWORD")
        assert {row.length for row in frame.collect()} == {len(SECRET)}
        session.stop()
