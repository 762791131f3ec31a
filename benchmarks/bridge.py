"""What the bridge costs: batches, rows and bytes a second through it, here and on LakeSail's Sail, in one run.

python -m benchmarks.bridge [--repeats 5] [--only NAME ...]

The sources do next to nothing, so what is measured is the way from a plug-in to the engine. Each figure is taken in
turns with what it is compared to, and the best of each counts. A line ends with the ratio, the ratio that is wanted,
and whether it was reached; the exit status is 1 where one was not.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from benchmarks.best import best
from benchmarks.plugins import COLUMNS, ITERATOR_ROWS, BatchesDataSource, RowDataSource, TuplesDataSource, batch
from tests.support.sail import running_sail
from tests.support.server import ROOT, running_server

ITERATOR_BATCHES = 20_000
STREAM_BATCHES = 200_000
TUPLES = 1_000_000
STEPS = 60_000_000
WORKER_ROWS = 131_072
WORKER_BATCHES = 400
LATENCY_ROUNDS = 10
LATENCY_QUERIES = 20


@dataclass(frozen=True)
class Clients:
    """A session here, and one on Sail."""

    here: SparkSession
    sail: SparkSession


@dataclass(frozen=True)
class Figure:
    """One line: two rates, where more is better, or a rate alone and what it is to reach, if anything."""

    label: str
    unit: str
    ours: float
    theirs: float
    wanted: float | None

    @property
    def ratio(self) -> float:
        """How many times the other's rate ours is."""
        return self.ours / self.theirs

    @property
    def is_missed(self) -> bool:
        """Whether it is not what it is to be."""
        return self.wanted is not None and self.ratio < self.wanted

    def __str__(self) -> str:
        rates = f"{self.label:44}{self.ours:>14,.0f}{self.theirs:>14,.0f} {self.unit:11}{self.ratio:>7.2f}"
        if self.wanted is None:
            return rates
        return f"{rates}{self.wanted:>7.2f}  {'MISSED' if self.is_missed else 'reached'}"


def main() -> int:
    """Prints one line a figure; returns the exit status."""
    parser = argparse.ArgumentParser(description="Measures the bridge.")
    parser.add_argument("--repeats", type=int, default=5, help="how often each is timed (default: 5)")
    parser.add_argument("--only", choices=sorted(FIGURES), action="append", help="by default all")
    arguments = parser.parse_args()
    print(f"{'':44}{'here':>14}{'other':>14} {'':11}{'ratio':>7}{'want':>7}")
    missed = 0
    with _clients() as clients:
        for name in arguments.only or FIGURES:
            for figure in FIGURES[name](clients, arguments.repeats):
                print(figure, flush=True)
                missed += figure.is_missed
    return 1 if missed else 0


@contextmanager
def _clients() -> Iterator[Clients]:
    with ExitStack() as stack:
        server = stack.enter_context(running_server(python_path=ROOT))
        sail = stack.enter_context(running_sail())
        clients = Clients(SparkSession.builder.remote(server.url).create(), SparkSession.builder.remote(sail).create())
        # A client whose server is gone would go on trying to end its session.
        stack.callback(clients.sail.stop)
        stack.callback(clients.here.stop)
        for session in (clients.here, clients.sail):
            for source in (BatchesDataSource, RowDataSource, TuplesDataSource):
                session.dataSource.register(source)
        yield clients


def iterator(clients: Clients, repeats: int) -> Iterator[Figure]:
    """Batches that a generator yields, into sums."""
    ours = _plugin(clients.here, "Batches", batches=ITERATOR_BATCHES)
    theirs = clients.sail.read.format(BatchesDataSource.name()).option("batches", ITERATOR_BATCHES).load()
    here, there, floor = best(
        repeats, lambda: _sums(ours), lambda: _sums(theirs), lambda: _round_trips(ITERATOR_BATCHES)
    )
    rate = ITERATOR_BATCHES / here
    yield Figure("yielded batches of 8,192 rows, against Sail", "batches/s", rate, ITERATOR_BATCHES / there, 1.3)
    yield Figure("the same, against pyarrow's round trip", "batches/s", rate, ITERATOR_BATCHES / floor, 0.8)


def stream(clients: Clients, repeats: int) -> Iterator[Figure]:
    """Batches of a native stream, into a sum."""
    frame = _plugin(clients.here, "Stream", batches=STREAM_BATCHES)
    (seconds,) = best(repeats, lambda: frame.agg(f.sum("c0")).collect())
    yield Figure("batches of a native stream", "batches/s", STREAM_BATCHES / seconds, 100_000, 1)


def latency(clients: Clients, _repeats: int) -> Iterator[Figure]:
    """One row of a source that has one, and of no source: queries a second, each from ``load`` on.

    What no source takes is the client's and the protocol's share, below which no query comes. In rounds of several
    queries, of which the first does not count: PySpark goes on releasing what a query left on the server when the next
    one starts, which would be charged to the other server.
    """

    def row_here() -> DataFrame:
        return _plugin(clients.here, "Row").limit(1)

    def row_there() -> DataFrame:
        return clients.sail.read.format(RowDataSource.name()).load().limit(1)

    def none_here() -> DataFrame:
        return clients.here.range(1)

    def none_there() -> DataFrame:
        return clients.sail.range(1)

    frames: tuple[Callable[[], DataFrame], ...] = (row_here, row_there, none_here, none_there)
    taken: list[list[float]] = [[] for _ in frames]
    for _ in range(LATENCY_ROUNDS):
        for frame, seconds in zip(frames, taken, strict=True):
            frame().collect()
            for _ in range(LATENCY_QUERIES):
                started = time.perf_counter()
                frame().collect()
                seconds.append(time.perf_counter() - started)
    here, there, here_alone, there_alone = (1 / statistics.median(seconds) for seconds in taken)
    yield Figure("load().limit(1).collect(), median", "queries/s", here, there, 1 / 0.7)
    yield Figure("range(1).collect(), median", "queries/s", here_alone, there_alone, None)


def tuples(clients: Clients, repeats: int) -> Iterator[Figure]:
    """Rows as tuples, by PySpark's interface on both."""

    def read(session: SparkSession) -> object:
        frame = session.read.format(TuplesDataSource.name()).option("rows", TUPLES).load()
        return frame.agg(f.sum("id"), f.sum("price"), f.count("name")).collect()

    here, there = best(repeats, lambda: read(clients.here), lambda: read(clients.sail))
    yield Figure("tuples of three values", "rows/s", TUPLES / here, TUPLES / there, 3)


def processes(clients: Clients, repeats: int) -> Iterator[Figure]:
    """Pure Python in worker processes: two partitions against one, which does the work of both."""

    def frame(partitions: int) -> DataFrame:
        return _plugin(clients.here, "Computing", steps=STEPS, partitions=partitions, isolation="process")

    two, one = best(repeats, lambda: frame(2).count(), lambda: frame(1).count())
    yield Figure("two worker processes against one", "steps/s", STEPS / two, STEPS / one, 1.8)


def worker(clients: Clients, repeats: int) -> Iterator[Figure]:
    """Bytes from a worker process into the engine."""
    size = batch(WORKER_ROWS).nbytes * WORKER_BATCHES
    options = {"rows": WORKER_ROWS, "batches": WORKER_BATCHES, "isolation": "process"}
    frame = _plugin(clients.here, "Batches", **options)
    (seconds,) = best(repeats, lambda: frame.agg(f.count("c0")).collect())
    yield Figure("batches of a worker process", "MB/s", size / seconds / 1e6, 2_000, 1)


class _Exporter:
    """A batch of which pyarrow only knows that it can be exported."""

    def __init__(self, made: pa.RecordBatch) -> None:
        self._made = made

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        schema, array = self._made.__arrow_c_array__(requested_schema)
        return schema, array


FIGURES: dict[str, Callable[[Clients, int], Iterator[Figure]]] = {
    "iterator": iterator,
    "stream": stream,
    "latency": latency,
    "tuples": tuples,
    "processes": processes,
    "worker": worker,
}


def _plugin(session: SparkSession, name: str, **options: object) -> DataFrame:
    reader = session.read.format("python").option("python_module", "benchmarks.plugins").option("python_class", name)
    return reader.options(**{key: str(value) for key, value in options.items()}).load()


def _sums(frame: DataFrame) -> object:
    return frame.agg(*(f.sum(f"c{n}") for n in range(COLUMNS))).collect()


def _round_trips(count: int) -> None:
    """What the C interface alone costs: a batch exported and imported again, by pyarrow."""
    exporter = _Exporter(batch(ITERATOR_ROWS))
    for _ in range(count):
        pa.record_batch(exporter)


if __name__ == "__main__":
    sys.exit(main())
