"""Whether the server's memory stays as it is, however long it works.

python -m benchmarks.flat [--queries 1000] [--seconds 30]

Two servers are watched: one reads an endless source for a client that is slow, one answers query after query. The
figures are VmRSS of the server's process, early and late. The exit status is 1 where it has grown by more than 20 MB.
"""

from __future__ import annotations

import argparse
import sys
import time

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from benchmarks.memory import session, tables

GROWTH_BYTES = 20_000_000
ENDLESS = 1 << 40
CLIENT_PAUSE_SECONDS = 0.02


def main() -> int:
    """Prints one line a server; returns the exit status."""
    parser = argparse.ArgumentParser(description="Watches the memory of a server.")
    parser.add_argument("--queries", type=int, default=1_000, help="how many queries one server answers")
    parser.add_argument("--seconds", type=float, default=30, help="how long the endless source is read")
    arguments = parser.parse_args()
    print(f"{'':32}{'early MB':>10}{'late MB':>10}")
    growths = [_endless(arguments.seconds), _queries(arguments.queries)]
    return 1 if max(growths) > GROWTH_BYTES else 0


def _endless(seconds: float) -> int:
    with session() as (server, spark):
        early = 0
        started = time.monotonic()
        batches = tables(_source(spark, batches=ENDLESS))
        for _ in batches:
            time.sleep(CLIENT_PAUSE_SECONDS)
            elapsed = time.monotonic() - started
            if early == 0 and elapsed > seconds / 4:
                early = server.memory("VmRSS")
            if elapsed > seconds:
                break
        late = server.memory("VmRSS")
        spark.interruptAll()
    return _line(f"endless source, {seconds:.0f} s", early, late)


def _queries(count: int) -> int:
    with session() as (server, spark):
        early = 0
        for number in range(count):
            _source(spark, batches=3).agg(f.sum("c0")).collect()
            if number == count // 10:
                early = server.memory("VmRSS")
        late = server.memory("VmRSS")
    return _line(f"{count} queries", early, late)


def _source(spark: SparkSession, *, batches: int) -> DataFrame:
    reader = spark.read.format("python").option("python_module", "benchmarks.plugins").option("python_class", "Batches")
    return reader.option("batches", str(batches)).load()


def _line(label: str, early: int, late: int) -> int:
    print(f"{label:32}{early / 1e6:>10.1f}{late / 1e6:>10.1f}", flush=True)
    return late - early


if __name__ == "__main__":
    sys.exit(main())
