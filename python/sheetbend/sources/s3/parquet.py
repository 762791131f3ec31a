"""Parquet objects, read row group by row group and by the byte ranges that it takes."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from sheetbend.sources.s3.broken import reading
from sheetbend.sources.s3.columns import check_widening, conform, match_names
from sheetbend.sources.s3.fetcher import Fetcher
from sheetbend.sources.s3.object_file import ObjectFile
from sheetbend.sources.s3.types import merge_schemas, spark_schema

if TYPE_CHECKING:
    from sheetbend.sources.s3.listing import PinnedObject
    from sheetbend.sources.s3.settings import S3Settings

__all__ = ["infer_parquet", "read_parquet"]

_MIB = 1024 * 1024
_WHOLE_GROUP_BYTES = 64 * _MIB
_FOOTERS_AT_ONCE = 8


def infer_parquet(settings: S3Settings, objects: list[PinnedObject]) -> pa.Schema:
    """The columns of the first object, or with option ``mergeSchema`` those of all, each of the widest type.

    Raises:
        SheetbendError: An object is not Parquet, has a column of a type that Spark lacks, or types do not merge.
    """
    schema = _footer(settings, objects[0])
    if not settings.merge_schema:
        return schema
    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as pool:
        others = pool.map(lambda item: _footer(settings, item), objects[1:])
        for item, other in zip(objects[1:], others, strict=True):
            schema = merge_schemas(schema, other, where=item.url)
    return schema


def read_parquet(
    fetcher: Fetcher, item: PinnedObject, schema: pa.Schema, batch_size: int
) -> Generator[pa.RecordBatch, None, None]:
    """The rows of one object with the columns of ``schema``; a column that the object lacks is null.

    Memory holds one row group as it is stored, and of a large one only a part.
    """
    with reading(item, "Parquet"):
        source = ObjectFile(fetcher, item)
        file = _open(source, pre_buffer=True)
        names = match_names(schema.names, file.schema_arrow.names)
        for name, there in names.items():
            check_widening(schema.field(name), file.schema_arrow.field(there).type, where=item.url)
        # Each column has a buffer of its own: together as much as a group that is read whole, down to 1 MiB each.
        buffer_size = min(max(_WHOLE_GROUP_BYTES // max(len(names), 1), _MIB), 8 * _MIB)
        streamed = _open(source, pre_buffer=False, buffer_size=buffer_size, metadata=file.metadata)
        for index in range(file.metadata.num_row_groups):
            # Ranges near each other are fetched in one request, but the whole row group is held for it.
            whole = file.metadata.row_group(index).total_byte_size <= _WHOLE_GROUP_BYTES
            reader = file if whole else streamed
            for batch in reader.iter_batches(batch_size, row_groups=[index], columns=list(names.values())):
                yield conform(batch, schema, names, where=item.url)


def _footer(settings: S3Settings, item: PinnedObject) -> pa.Schema:
    with Fetcher(settings) as fetcher, reading(item, "Parquet"):
        return spark_schema(_open(ObjectFile(fetcher, item)).schema_arrow, where=item.url)


def _open(source: ObjectFile, **options: object) -> pq.ParquetFile:
    return pq.ParquetFile(pa.PythonFile(source, mode="r"), coerce_int96_timestamp_unit="us", **options)
