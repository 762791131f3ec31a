"""What a cluster on this machine costs beside the engine alone, and how fast its scheduler is.

python -m benchmarks.cluster [--rows 2.5e9] [--tasks 10000] [--repeats 3]

The same scan and aggregate runs here and on two executors of one vcore, in turns, and the best time of each counts:
once of batches that are there already, which is the engine's work, and once of batches that Python makes of numbers,
where two executors have two interpreters. So does a query of one row. Then a source of many partitions of one row
each says how many tasks are scheduled a second, and the processor time that the server takes for one. Lines that begin
with ``--`` are constants of :mod:`benchmarks.scaling_model`.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

import sheetbend
from benchmarks.best import best
from tests.support.cluster import Cluster, running_cluster
from tests.support.server import ROOT

IDLE_SECONDS = 20.0
IDLE_EXECUTORS = 8
EXECUTORS = 2
PARTITIONS = 8
BATCH_ROWS = 65_536


def main() -> int:
    """Prints a line a figure."""
    parser = argparse.ArgumentParser(description="Measures a cluster of two executors on this machine.")
    parser.add_argument("--rows", type=float, default=2.5e9, help="rows that are aggregated (default: 2.5e9)")
    parser.add_argument("--tasks", type=int, default=10_000, help="partitions of the source of many (default: 10000)")
    parser.add_argument("--repeats", type=int, default=3, help="how often each query is timed (default: 3)")
    arguments = parser.parse_args()

    print(f"sheetbend {sheetbend.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory(prefix="sheetbend-bench-") as folder,
        running_cluster(Path(folder), executors=0, vcores=1, python_path=ROOT) as cluster,
    ):
        _heartbeat(cluster)
        while len(cluster.executors) < EXECUTORS:
            cluster.join()
        spark = SparkSession.builder.remote(cluster.url).create()
        rows, repeats = int(arguments.rows), arguments.repeats
        _compare(spark, "scan and aggregate", partial(_aggregate, spark, rows), repeats)
        _compare(spark, "the same of batches that Python makes", partial(_made, spark, rows // 20), repeats)
        _compare(spark, "one row", partial(_paced, spark, 1), repeats * 5)
        _tasks(spark, cluster, arguments.tasks)
        spark.stop()
    return 0


def _aggregate(spark: SparkSession, rows: int) -> DataFrame:
    reader = spark.read.format("python").option("python_module", "benchmarks.plugins").option("python_class", "Batches")
    batches = rows // BATCH_ROWS // PARTITIONS
    frame = reader.options(partitions=str(PARTITIONS), rows=str(BATCH_ROWS), batches=str(batches)).load()
    return frame.groupBy((f.col("c0") % 1000).alias("k")).agg(*(f.sum(name) for name in frame.columns[1:4]))


def _made(spark: SparkSession, rows: int) -> DataFrame:
    reader = spark.read.format("python").option("python_module", "benchmarks.wide")
    wide = reader.option("python_class", "WideDataSource").option("rows", str(rows)).load()
    return wide.agg(*(f.sum(name) for name in wide.columns[:4]))


def _paced(spark: SparkSession, partitions: int) -> DataFrame:
    reader = spark.read.format("python").option("python_module", "tests.support.paced").option("python_class", "Paced")
    return reader.option("partitions", str(partitions)).option("rows", "1").load()


def _compare(spark: SparkSession, name: str, query: Callable[[], DataFrame], repeats: int) -> None:
    def run(runner: str) -> None:
        spark.conf.set("spark.sheetbend.runner", runner)
        query().collect()

    run("cluster")
    local, cluster = best(repeats, partial(run, "local"), partial(run, "cluster"))
    times, more = cluster / local, cluster - local
    print(f"{name}: local {local:.3f} s, cluster {cluster:.3f} s, {times:.2f} times, {more:+.3f} s")


def _tasks(spark: SparkSession, cluster: Cluster, tasks: int) -> None:
    spark.conf.set("spark.sheetbend.runner", "cluster")
    spark.conf.set("spark.sql.leafNodeDefaultParallelism", str(tasks))
    frame = _paced(spark, tasks)
    processor, sent, started = _processor(cluster), _sent(), time.perf_counter()
    assert frame.count() == tasks
    seconds = time.perf_counter() - started
    server, bytes_sent = _processor(cluster) - processor, _sent() - sent
    print(f"{tasks} tasks: {seconds:.1f} s, {tasks / seconds:.0f} tasks a second")
    print(f"--task-seconds {server / tasks:.6f}")
    print(f"--task-bytes {bytes_sent / tasks:.0f}")


def _heartbeat(cluster: Cluster) -> None:
    """What an executor without tasks costs the server."""
    alone = _idle(cluster)
    for _ in range(IDLE_EXECUTORS):
        cluster.join()
    print(f"--idle-seconds {max(0.0, _idle(cluster) - alone) / IDLE_EXECUTORS:.6f}")
    while cluster.executors:
        cluster.executors.pop().stop()


def _idle(cluster: Cluster) -> float:
    """Processor time that a server without queries takes a second."""
    processor = _processor(cluster)
    time.sleep(IDLE_SECONDS)
    return (_processor(cluster) - processor) / IDLE_SECONDS


def _processor(cluster: Cluster) -> float:
    """Seconds of processor time that the server's threads have taken."""
    threads = Path(f"/proc/{cluster.server.process.pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def _sent() -> int:
    """Bytes that went over loopback, of all processes of this machine."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    return next(int(line.split()[9]) for line in lines if line.strip().startswith("lo:"))


if __name__ == "__main__":
    raise SystemExit(main())
