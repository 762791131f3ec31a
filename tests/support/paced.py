"""A source whose partitions take as long as they are told to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

__all__ = ["Paced"]

SCHEMA = pa.schema([("n", pa.int64())])


class Paced:
    """``partitions`` of ``rows`` rows each, which take ``seconds`` each."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{"partition": number} for number in range(int(options.get("partitions", "8")))]

    def read_partition(self, partition_spec: dict[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        time.sleep(float(options.get("seconds", "0")))
        rows = int(options.get("rows", "10"))
        first = partition_spec["partition"] * rows
        yield pa.record_batch([pa.array(range(first, first + rows), pa.int64())], schema=SCHEMA)
