"""A source that is made with arguments, and so is registered as an instance rather than named by a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa


class TargetsDataSource:
    """The revenue that each region is to reach.

    Args:
        targets: Revenue by region.
    """

    def __init__(self, targets: Mapping[str, int]) -> None:
        self._table = pa.table({"region": list(targets), "target": pa.array(targets.values(), pa.int64())})

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        """The columns of the table."""
        return self._table.schema

    def plan_partitions(self, options: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        """One unit of reading: the table is small."""
        return [{}]

    def read_partition(self, partition_spec: Mapping[str, Any], options: Mapping[str, str]) -> pa.Table:
        """The table itself: it is Arrow already, so the engine takes its buffers as they are."""
        return self._table
