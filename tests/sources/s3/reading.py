"""What the tests of this folder share: reading a table as the engine does, and making objects."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sheetbend.options import Options, check_options
from sheetbend.plugin import ReadContext
from sheetbend.sources.s3 import S3DataSource

__all__ = ["gz", "lines", "parquet", "read", "read_specs"]


def read(options: Mapping[str, str], schema: pa.Schema | None = None) -> pa.Table:
    """The whole table; fails where a batch is not of the promised schema or a spec is not JSON."""
    checked = Options(options, schema=schema)
    check_options(S3DataSource.OPTIONS, checked, source="s3")
    promised = S3DataSource().infer_schema(checked)
    return read_specs(checked, promised, S3DataSource().plan_partitions(checked))


def read_specs(options: Options, promised: pa.Schema, specs: list[dict[str, Any]]) -> pa.Table:
    batches = []
    for place, spec in enumerate(json.loads(json.dumps(specs))):
        context = ReadContext(batch_size=1000, partition=place)
        for batch in S3DataSource().read_partition(spec, options, context):
            batch.validate(full=True)
            assert batch.schema.equals(promised)
            batches.append(batch)
    return pa.Table.from_batches(batches, promised)


def parquet(data: pa.Table | dict[str, Any], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(data if isinstance(data, pa.Table) else pa.table(data), sink, **options)
    return sink.getvalue()


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def gz(data: bytes) -> bytes:
    return gzip.compress(data)
