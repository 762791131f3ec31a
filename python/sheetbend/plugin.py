"""The plug-in interface: a class with three methods makes a table of anything that Python can read.

No base class is needed. A class is checked for its methods once, when it is registered or first used, and the error
says what is missing. :class:`DataSourcePlugin` is there for type checkers.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from sheetbend.context import TaskContext

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.filters import Filter
    from sheetbend.options import Options
    from sheetbend.scan import ScanPlan, ScanRequest, Statistics

    Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

__all__ = [
    "ArrowArray",
    "ArrowStream",
    "DataSourcePlugin",
    "Metrics",
    "PartitionSpec",
    "ReadContext",
    "ReadResult",
    "SupportsScanPlanning",
    "SupportsStatistics",
]

PartitionSpec: TypeAlias = Mapping[str, Any]
"""One unit of reading: a dict of JSON values that says all that :meth:`DataSourcePlugin.read_partition` needs beside
the options. It may be shown in a plan and travel to another machine, so it never holds a secret."""


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that exports a stream of record batches by the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@runtime_checkable
class ArrowArray(Protocol):
    """Anything that exports one record batch by the Arrow PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


ReadResult: TypeAlias = (
    "ArrowStream | ArrowArray | Iterable[ArrowStream | ArrowArray] | AsyncIterator[ArrowStream | ArrowArray]"
)
"""What ``read_partition`` may return. A stream (``pyarrow.RecordBatchReader``, an ADBC result, a DuckDB result,
``pyarrow.Table``) is the fastest: it is pulled without the interpreter."""


class DataSourcePlugin(Protocol):
    """The three methods of a plug-in. Each gets the reader's options, a case-insensitive mapping of strings."""

    def infer_schema(self, options: Options) -> pa.Schema:
        """The schema of the table. Called when a query is analysed; it should not read the data."""
        ...

    def plan_partitions(self, options: Options) -> Sequence[PartitionSpec]:
        """The units of reading; each is read once, several at the same time. None at all is an empty table."""
        ...

    def read_partition(self, partition_spec: PartitionSpec, options: Options) -> ReadResult:
        """The rows of one unit, with the columns of :meth:`infer_schema` by name.

        A method with a third parameter, ``context``, is given a :class:`ReadContext`. Where this is a generator it is
        closed when the query ends early, so that its ``finally`` blocks run.
        """
        ...


class SupportsScanPlanning(Protocol):
    """A plug-in that takes over filters, limits, orders or aggregates, or says how large its partitions are."""

    def plan_scan(self, request: ScanRequest, options: Options) -> ScanPlan:
        """The units of reading, and what of the request their rows are for; in place of ``plan_partitions``.

        Called once for each scan of a query, when that is planned. The rows of ``read_partition`` need no columns but
        those of :meth:`ScanRequest.columns`.
        """
        ...


class SupportsStatistics(Protocol):
    """A plug-in that knows how large its table is, without reading it."""

    def statistics(self, options: Options) -> Statistics:
        """What is known of the table. Called when a scan is planned, unless the :class:`ScanPlan` says it already."""
        ...


class Metrics:
    """What a reader counts, beside what the engine counts itself. Safe to use from any thread.

    Args:
        count: Is given each name with what is to be added; without it nothing is kept.
    """

    def __init__(self, count: Callable[[str, int], object] | None = None) -> None:
        self._count = count

    def add(self, name: str, count: int = 1) -> None:
        """Adds ``count`` to the metric ``name``: ``EXPLAIN ANALYZE`` shows the sum over all partitions.

        Raises:
            ValueError: The name is no identifier, such as ``pages_fetched``, or the count is negative.
        """
        if not name.isidentifier():
            raise ValueError(f"the name of a metric must be an identifier such as pages_fetched, got {name!r}")
        if count < 0:
            raise ValueError(f"a metric only grows: got {count} for '{name}'")
        if self._count is not None:
            self._count(name, count)


class ReadContext(TaskContext):
    """What the engine tells a reader that takes a third parameter. Safe to use from any thread."""

    def __init__(  # noqa: PLR0913 - by name alone, and most with a default
        self,
        *,
        batch_size: int,
        partition: int,
        deadline: float | None = None,
        metrics: Metrics | None = None,
        logger: Logger | None = None,
        dynamic_filter: Callable[[], Filter] | None = None,
    ) -> None:
        """For the partition at this position in what ``plan_partitions`` returned."""
        super().__init__(partition=partition)
        self.batch_size = batch_size
        """How many rows a batch had best have: a hint. Larger ones are sliced, small ones that wait put together."""
        self.deadline = deadline
        """When the query is cancelled, on the clock of ``time.monotonic()``; None where it has no time limit."""
        self.metrics = metrics or Metrics()
        """Counts for ``EXPLAIN ANALYZE``."""
        self.logger: Logger = logger or logging.getLogger("sheetbend.source")
        """The log of the source, ``sheetbend.source.<name>``. The secrets of its options are taken out of what is
        logged here."""
        self._dynamic_filter = dynamic_filter

    def dynamic_filter(self) -> Filter | None:
        """A filter that has become known while the query runs, such as the keys of a join's other side; or None.

        Rows that do not pass it are not wanted. They may be given all the same: they are dropped later.
        """
        return None if self._dynamic_filter is None else self._dynamic_filter()
