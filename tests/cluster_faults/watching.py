"""What tests of failures share: a query that runs beside the test, and what is to be seen of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from pyspark.sql import DataFrame, SparkSession

from tests.support.cluster import Cluster, ExecutorProcess

__all__ = ["Beside", "alive", "by_pid", "has_data", "held", "marks"]

T = TypeVar("T")


class Beside(Generic[T]):
    """Runs ``work`` on a thread of its own."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._results: list[T] = []
        self._errors: list[Exception] = []
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], T]) -> None:
        try:
            self._results.append(work())
        except Exception as error:
            self._errors.append(error)

    @property
    def runs(self) -> bool:
        return self._thread.is_alive()

    def result(self, seconds: float) -> T:
        """What it has come to; fails the test where that takes longer."""
        self._thread.join(seconds)
        assert not self.runs, f"it has not ended within {seconds} s"
        if self._errors:
            raise self._errors[0]
        return self._results[0]


def held(spark: SparkSession, folder: Path, **options: str | int) -> DataFrame:
    """The rows of :class:`tests.cluster_faults.plugins.Held`."""
    reader = spark.read.format("python").option("python_module", "tests.cluster_faults.plugins")
    reader = reader.option("python_class", "Held").option("folder", str(folder))
    for name, value in options.items():
        reader = reader.option(name, str(value))
    return reader.load()


def marks(folder: Path, what: str) -> set[tuple[int, int]]:
    """Partition and process of each mark of a kind."""
    found = (path.name.rsplit("-", 2) for path in folder.glob(f"{what}-*-*"))
    return {(int(part), int(pid)) for _, part, pid in found}


def by_pid(cluster: Cluster, pid: int) -> ExecutorProcess:
    """The executor of a process."""
    return next(executor for executor in cluster.executors if executor.process.pid == pid)


def alive(cluster: Cluster) -> list[ExecutorProcess]:
    """The executors that run."""
    return [executor for executor in cluster.executors if executor.process.poll() is None]


def has_data(cluster: Cluster) -> bool:
    """Whether any executor keeps anything of a job, or a folder of one that has been stopped is left."""
    kept = [path for path in cluster.work_dir.glob("executor-*/*") if path.name != "spill"]
    return bool(kept)
