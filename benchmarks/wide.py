"""A source that makes a table of any size as fast as memory allows, to measure what happens to its rows after that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

BATCH_ROWS = 65_536
COLUMNS = 15
ROW_BYTES = 8 * (1 + COLUMNS)

SCHEMA = pa.schema(
    [pa.field("id", pa.int64(), nullable=False), *(pa.field(f"v{n:02}", pa.float64()) for n in range(COLUMNS))]
)


class WideDataSource:
    """``rows`` rows of sixteen numbers, 128 bytes each, in ``partitions`` partitions."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        """The columns: ``id``, ``v00`` to ``v14``."""
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        """Equal ranges of ``id``."""
        rows, partitions = int(options["rows"]), int(options.get("partitions", "4"))
        bounds = [rows * n // partitions for n in range(partitions + 1)]
        return [{"start": bounds[n], "stop": bounds[n + 1]} for n in range(partitions)]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Batches whose buffers are new each time, as those of a real source are."""
        for start in range(spec["start"], spec["stop"], BATCH_ROWS):
            ids = pa.array(range(start, min(start + BATCH_ROWS, spec["stop"])), pa.int64())
            yield pa.record_batch([ids, *(ids.cast(pa.float64()) for _ in range(COLUMNS))], schema=SCHEMA)
