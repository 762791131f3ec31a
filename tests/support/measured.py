"""Tables whose plug-ins know how large they are before they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from sheetbend.scan import ColumnStatistics, Exact, Partition, ScanPlan, ScanRequest, Statistics

SCHEMA = pa.schema([("k", pa.int64()), ("name", pa.string())])
ROWS = 10


class Measured:
    """Partition `p` of `partitions` has `k` from 10 p on, ten rows each. What is known is `exact`, or an estimate.

    To read a partition that is not in `allowed`, where that is given, is an error.
    """

    def infer_schema(self, options: Any) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Any) -> list[dict[str, Any]]:
        raise AssertionError("plan_scan takes its place")

    def plan_scan(self, request: ScanRequest, options: Any) -> ScanPlan:
        figure: Any = Exact if options.get("exact") == "true" else int
        return ScanPlan([self._partition(at, figure) for at in range(int(options["partitions"]))])

    def read_partition(self, partition_spec: Any, options: Any, context: Any) -> Iterator[pa.RecordBatch]:
        at = partition_spec["at"]
        allowed = options.get("allowed")
        if allowed is not None and str(at) not in allowed.split(","):
            raise AssertionError(f"partition {at} is read")
        keys = range(at * ROWS, (at + 1) * ROWS)
        names = [f"n{key}" for key in keys]
        if options.get("tells") == "true":
            names = [f"wanted {context.dynamic_filter()}"] * ROWS
        yield pa.record_batch([pa.array(keys, pa.int64()), names], schema=SCHEMA)

    @staticmethod
    def _partition(at: int, figure: Any) -> Partition:
        keys = ColumnStatistics(figure(at * ROWS), figure((at + 1) * ROWS - 1), figure(0))
        return Partition({"at": at}, Statistics(rows=figure(ROWS), columns={"k": keys}))


class Counted:
    """A plug-in of the three methods that knows its rows."""

    def infer_schema(self, options: Any) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Any) -> list[dict[str, Any]]:
        return [{}]

    def statistics(self, options: Any) -> Any:
        if "fails" in options:
            raise OSError("no statistics")
        if "wrong" in options:
            return {"rows": 3}
        return Statistics(rows=Exact(int(options.get("rows", "3"))))

    def read_partition(self, partition_spec: Any, options: Any) -> Any:
        if "rows" in options:
            raise AssertionError("it is read")
        return pa.table({"k": [1, 2, 3], "name": ["a", "b", "c"]})
