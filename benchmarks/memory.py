"""How much memory the server takes at its peak while a client reads a table that is larger.

python -m benchmarks.memory [--bytes 2.2e9] [--source wide] [--source database]

The figure is VmHWM, what Linux calls the peak of the resident set, of the server's process: interpreter, libraries and
plug-in included. Each read has a server of its own. The exit status is 1 where a peak is above the limit.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

import orders_db
import sheetbend
from benchmarks.wide import ROW_BYTES
from tests.support.server import ROOT, ServerProcess, running_server

LIMIT_BYTES = 400_000_000
ORDER_BYTES = 100
"""What one row of the orders takes as Arrow, about; what it took is printed with each figure."""

PAUSE_SECONDS = 3.0

Load = Callable[[SparkSession], DataFrame]


def main() -> int:
    """Prints one line per source and way of reading; returns the exit status."""
    parser = argparse.ArgumentParser(description="Measures the peak memory of a server.")
    parser.add_argument("--bytes", type=float, default=2.2e9, help="size of the table as Arrow (default: 2.2e9)")
    parser.add_argument("--source", choices=["wide", "database"], action="append", help="by default both")
    arguments = parser.parse_args()

    print(f"sheetbend {sheetbend.__version__}, Python {platform.python_version()}, {platform.machine()}")
    print(f"{'source':10}{'read by':18}{'rows':>12}{'Arrow MB':>10}{'seconds':>9}{'idle MB':>9}{'peak MB':>9}")
    peaks = []
    with tempfile.TemporaryDirectory(prefix="sheetbend-bench-") as directory:
        for source in arguments.source or ["wide", "database"]:
            load = _wide(arguments.bytes) if source == "wide" else _database(arguments.bytes, Path(directory))
            peaks += [_measure(source, way, load) for way in (_aggregated, _iterated)]
    if max(peaks) > LIMIT_BYTES:
        print(f"above the limit of {LIMIT_BYTES / 1e6:.0f} MB", file=sys.stderr)
        return 1
    return 0


def _wide(size: float) -> Load:
    rows = int(size / ROW_BYTES)

    def load(spark: SparkSession) -> DataFrame:
        reader = spark.read.format("python").option("python_module", "benchmarks.wide")
        return reader.option("python_class", "WideDataSource").option("rows", rows).load()

    return load


def _database(size: float, directory: Path) -> Load:
    rows = int(size / ORDER_BYTES)
    path = directory / "orders.db"
    orders_db.create(path, rows)

    def load(spark: SparkSession) -> DataFrame:
        reader = spark.read.format("jdbc").option("url", f"jdbc:sqlite:{path}").option("dbtable", "orders")
        bounds: dict[str, Any] = {"partitionColumn": "id", "lowerBound": 1, "upperBound": rows + 1, "numPartitions": 4}
        return reader.options(**bounds).load()

    return load


def _measure(source: str, read: Callable[[DataFrame], tuple[int, int]], load: Load) -> int:
    with session() as (server, spark):
        spark.range(1).count()
        idle = server.memory("VmRSS")
        started = time.monotonic()
        rows, size = read(load(spark))
        seconds = time.monotonic() - started
        peak = server.memory("VmHWM")
    shown = f"{size / 1e6:.0f}" if size else ""
    name = read.__name__.strip("_")
    print(
        f"{source:10}{name:18}{rows:>12}{shown:>10}{seconds:>9.1f}{idle / 1e6:>9.0f}{peak / 1e6:>9.0f}",
        flush=True,
    )
    return peak


@contextmanager
def session() -> Iterator[tuple[ServerProcess, SparkSession]]:
    """A server of its own, and a client."""
    with running_server(python_path=ROOT) as server:
        spark = SparkSession.builder.remote(server.url).create()
        try:
            yield server, spark
        finally:
            # A client whose server is gone would go on trying to end its session.
            spark.stop()


def _aggregated(frame: DataFrame) -> tuple[int, int]:
    """Every column is read by the server, and one row comes back."""
    counts = frame.agg(*(f.count(name).alias(name) for name in frame.columns)).collect()[0]
    return max(counts), 0


def _iterated(frame: DataFrame) -> tuple[int, int]:
    """Every row goes to the client, which stops for a while after the first ones: the server has to wait for it."""
    rows = size = 0
    for table in tables(frame):
        if rows == 0:
            time.sleep(PAUSE_SECONDS)
        rows += table.num_rows
        size += table.nbytes
    return rows, size


def tables(frame: DataFrame) -> Iterator[pa.Table]:
    """What toLocalIterator reads, before it makes rows of it, which costs more than all else and is the client's."""
    client: Any = frame.sparkSession.client
    plan = getattr(frame, "_plan").to_proto(client)  # noqa: B009
    return (item for item in client.to_table_as_iterator(plan, {}) if isinstance(item, pa.Table))


if __name__ == "__main__":
    sys.exit(main())
