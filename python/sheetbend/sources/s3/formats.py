"""What is done with each format: the schema of a group of objects, and the rows of one."""

from __future__ import annotations

import base64
from collections.abc import Generator
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.sources.s3.delimited import infer_csv, read_csv
from sheetbend.sources.s3.fetcher import Fetcher
from sheetbend.sources.s3.jsonlines import infer_json, read_json
from sheetbend.sources.s3.listing import PinnedObject, first_object, format_of
from sheetbend.sources.s3.parquet import infer_parquet, read_parquet

if TYPE_CHECKING:
    from sheetbend.plugin import PartitionSpec
    from sheetbend.sources.s3.settings import S3Settings

__all__ = ["infer_objects", "read_object"]


def infer_objects(settings: S3Settings, objects: list[PinnedObject]) -> pa.Schema:
    """The schema of the objects, with types that Spark has.

    Raises:
        TableNotFoundError: There are no objects.
        SheetbendError: The first one is not what its format says.
    """
    first = first_object(settings, objects)
    form = format_of(settings, objects)
    if form == "parquet":
        return infer_parquet(settings, objects)
    with Fetcher(settings) as fetcher:
        return infer_csv(fetcher, first, settings.csv) if form == "csv" else infer_json(fetcher, first)


def read_object(
    fetcher: Fetcher, settings: S3Settings, spec: PartitionSpec, item: PinnedObject, batch_size: int
) -> Generator[pa.RecordBatch, None, None]:
    """The rows of one object of a partition, of the format and with the columns that its spec says."""
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(spec["schema"])))
    if spec["format"] == "parquet":
        return read_parquet(fetcher, item, schema, batch_size)
    if spec["format"] == "csv":
        return read_csv(fetcher, item, schema, settings.csv, given=spec["given"])
    return read_json(fetcher, item, schema)
