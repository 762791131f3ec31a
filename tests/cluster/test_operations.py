"""What an operator and a client see of a cluster: progress, jobs, executors, health and metrics."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.connect.shell.progress import ProgressHandler

from sheetbend import cluster as asked
from sheetbend.errors import SheetbendError
from tests.support.cluster import Cluster, read_line, running_cluster
from tests.support.server import running_server, wait_until
from tests.support.session import cluster_session


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster"), "--health-port", "0", executors=2) as running:
        yield running


@pytest.fixture
def spark(cluster: Cluster) -> Iterator[SparkSession]:
    with cluster_session(cluster) as session:
        yield session


def paced(spark: SparkSession, **options: float) -> DataFrame:
    reader = spark.read.format("python").option("python_module", "tests.support.paced").option("python_class", "Paced")
    return reader.options(**options).load()


def fetched(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def metrics(address: str) -> dict[str, float]:
    status, text = fetched(address, "/metrics")
    assert status == 200
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    for line in samples:
        assert re.fullmatch(r'[a-z_]+(\{outcome="[a-z]+"\})? \d+(\.\d+)?', line), line
    return {name: float(value) for name, value in (line.split(" ") for line in samples)}


def health(process: subprocess.Popen[str]) -> str:
    """Where a process tells of its health: the next line that it prints."""
    line = read_line(process)
    assert line.startswith("health at http://")
    return line.removeprefix("health at ")


@pytest.fixture(scope="module")
def server_health(cluster: Cluster) -> str:
    return health(cluster.server.process)


def test_a_client_is_told_of_stages_and_tasks(spark: SparkSession) -> None:
    reports: list[list[Any]] = []

    class Recorder(ProgressHandler):
        def __call__(self, stages: Any, inflight_tasks: int, operation_id: str | None, done: bool) -> None:
            reports.append([(stage.num_tasks, stage.num_completed_tasks) for stage in stages or []])

    spark.registerProgressHandler(Recorder())
    frame = paced(spark, partitions=8, seconds=1.5)
    assert frame.groupBy((frame.n % 2).alias("m")).count().count() == 2
    stages = [report for report in reports if len(report) > 1]
    assert stages
    # The first stage reads; its tasks end one after another.
    done = [report[0][1] for report in stages]
    assert {report[0][0] for report in stages} == {8}
    assert done == sorted(done)
    assert len({number for number in done if number < 8}) > 0
    assert done[-1] == 8


def test_jobs_and_executors_are_listed(cluster: Cluster, spark: SparkSession, server_health: str) -> None:
    token = cluster.token_file.read_text().strip()
    frame = paced(spark, partitions=10, seconds=2)
    query = threading.Thread(target=frame.count)
    query.start()
    try:
        wait_until(lambda: any(job.running for job in asked.jobs(cluster.scheduler, token)), 20, "no task runs")
        job = next(iter(asked.jobs(cluster.scheduler, token)))
        assert job.name == "query of python"
        assert job.tasks >= 10
        assert 1 <= job.stage <= job.stages
        assert job.running <= 2
        executors = asked.executors(cluster.scheduler, token)
        assert {one.address for one in executors} == {one.address for one in cluster.executors}
        assert [one.vcores for one in executors] == [1, 1]
        assert sum(one.tasks for one in executors) >= 1
        assert metrics(server_health)["sheetbend_jobs_running"] == 1
        listed = command("jobs", "--scheduler", cluster.scheduler, "--token-file", str(cluster.token_file))
        assert re.search(r"^query of python +\d/\d +\d+/\d/\d+ +\d+ +\d+\.\d$", listed.stdout, re.MULTILINE)
    finally:
        query.join(60)
    wait_until(lambda: asked.jobs(cluster.scheduler, token) == [], 10, "an ended job is listed")
    listed = command("executors", "--scheduler", cluster.scheduler, "--token-file", str(cluster.token_file))
    assert len(re.findall(r"^127\.0\.0\.1:\d+ +1 +0$", listed.stdout, re.MULTILINE)) == 2


def test_a_source_is_cut_into_as_many_tasks_as_is_said(cluster: Cluster, spark: SparkSession) -> None:
    token = cluster.token_file.read_text().strip()

    def tasks() -> int:
        """All tasks of the query while it runs."""
        query = threading.Thread(target=paced(spark, partitions=40, seconds=0.1).count)
        query.start()
        try:
            found: list[int] = []

            def is_cut() -> bool:
                found.extend(job.tasks for job in asked.jobs(cluster.scheduler, token) if job.tasks)
                return bool(found)

            wait_until(is_cut, 20, "no query is cut into tasks")
            return found[0]
        finally:
            query.join(60)

    assert 16 <= tasks() < 40
    spark.conf.set("spark.sql.leafNodeDefaultParallelism", "40")
    assert tasks() >= 40


def test_nobody_is_told_without_the_token(cluster: Cluster) -> None:
    with pytest.raises(SheetbendError, match="token is missing or wrong"):
        asked.jobs(cluster.scheduler, "not-the-token-of-this-cluster")


def test_a_server_that_is_not_there_is_said_to_be() -> None:
    done = command("jobs", "--scheduler", "127.0.0.1:9", path={"SHEETBEND_CLUSTER_TOKEN": "0123456789abcdef"})
    assert done.returncode == 1
    assert "The cluster cannot be asked: the server at 127.0.0.1:9 does not tell" in done.stderr


def test_a_server_tells_how_its_cluster_does(cluster: Cluster, spark: SparkSession, server_health: str) -> None:
    before = metrics(server_health)
    assert before["sheetbend_executors"] == 2
    assert before["sheetbend_vcores"] == 2
    assert before["process_resident_memory_bytes"] > 1 << 20
    assert paced(spark).count() == 80
    wait_until(
        lambda: ended(server_health, "done") == before['sheetbend_jobs_ended_total{outcome="done"}'] + 1, 10, "done"
    )
    assert fetched(server_health, "/healthz") == (200, "ok\n")
    assert fetched(server_health, "/readyz") == (200, "ready\n")
    assert fetched(server_health, "/other")[0] == 404


def ended(address: str, outcome: str) -> float:
    return metrics(address)[f'sheetbend_jobs_ended_total{{outcome="{outcome}"}}']


def test_an_executor_tells_what_it_does_and_that_it_drains(cluster: Cluster, spark: SparkSession) -> None:
    third = cluster.join("--health-port", "0", "--drain", "30")
    address = health(third.process)
    assert fetched(address, "/readyz") == (200, "ready\n")
    query = threading.Thread(target=paced(spark, partitions=6, seconds=2).collect)
    query.start()
    try:
        wait_until(lambda: metrics(address)["sheetbend_executor_tasks_running"] == 1, 20, "no task runs")
        third.process.terminate()
        wait_until(lambda: fetched(address, "/readyz")[0] == 503, 5, "it does not drain")
        assert fetched(address, "/healthz")[0] == 200
        wait_until(
            lambda: metrics(address)['sheetbend_executor_tasks_ended_total{outcome="done"}'] >= 1,
            10,
            "its task is dropped",
        )
        told = metrics(address)
        assert told["sheetbend_source_rows_total"] >= 10
        assert told["sheetbend_source_bytes_total"] >= 80
    finally:
        query.join(60)
    assert third.process.wait(20) == 0


def test_a_server_without_executors_is_not_ready(tmp_path: Path) -> None:
    with running_cluster(tmp_path, "--health-port", "0", executors=0) as running:
        address = health(running.server.process)
        assert fetched(address, "/readyz") == (503, "no executor has joined\n")
        assert fetched(address, "/healthz")[0] == 200


def test_a_server_without_a_cluster_is_ready_at_once() -> None:
    with running_server("--health-port", "0") as server:
        address = health(server.process)
        assert fetched(address, "/readyz")[0] == 200
        assert metrics(address).keys() == {"process_resident_memory_bytes", "sheetbend_uptime_seconds"}


def command(*arguments: str, path: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sheetbend.cli", *arguments], capture_output=True, text=True, timeout=60, env=path
    )
