"""The plug-in of ``format("s3")``."""

from __future__ import annotations

import base64
from collections.abc import Generator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sheetbend.errors import PluginError
from sheetbend.options import Options
from sheetbend.plugin import PartitionSpec, ReadContext
from sheetbend.sources.s3.fetcher import FetchAbortedError, Fetcher
from sheetbend.sources.s3.listing import PinnedObject, format_of, list_objects
from sheetbend.sources.s3.packing import pack
from sheetbend.sources.s3.settings import OPTIONS, S3Settings
from sheetbend.sources.s3.types import spark_schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["S3DataSource"]

_VERSION = 1
_BATCH_ROWS = 8192


class S3DataSource:
    """Objects of an S3 bucket as a table: Parquet, CSV or JSON lines, the latter two also compressed.

    The schema is the user's, else that of the first object by key. Each object is pinned when partitions are planned,
    and a query that meets another one at that key fails. Folders named ``key=value`` make no columns.
    """

    OPTIONS = OPTIONS

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        """The schema, with types that Spark has.

        Raises:
            OptionError: An option is missing or wrong.
            TableNotFoundError: There is no such bucket, or nothing under the path.
            AuthenticationError: Credentials are missing or were refused.
            SourceConnectionError: The endpoint does not answer.
            SheetbendError: The first object is not what its format says.
        """
        options = Options.of(options)
        settings = S3Settings.of(options)
        if options.schema is not None:
            return spark_schema(options.schema, where="the schema given")
        return _infer(settings, list_objects(settings))

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        """One spec for each group of objects, the groups about equally large; raises as :meth:`infer_schema` does."""
        options = Options.of(options)
        settings = S3Settings.of(options)
        objects = list_objects(settings)
        given = options.schema is not None
        schema = spark_schema(options.schema, where="the schema given") if given else _infer(settings, objects)
        shared = {
            "version": _VERSION,
            "format": format_of(settings, objects),
            "schema": base64.b64encode(schema.serialize()).decode("ascii"),
            "given": given,
        }
        groups = pack(objects, max_bytes=settings.max_partition_bytes, minimum=settings.num_partitions)
        return [{**shared, "objects": [item.to_json() for item in group]} for group in groups]

    def read_partition(
        self, partition_spec: PartitionSpec, options: Mapping[str, str], context: ReadContext | None = None
    ) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a group's objects, in the order of their keys.

        Raises:
            ObjectChangedError: An object was replaced or deleted since the partitions were planned.
            SheetbendError: An object cannot be read or does not fit the schema; the message names it.
        """
        from sheetbend.sources.s3.formats import read_object  # noqa: PLC0415 - as in _infer

        if partition_spec.get("version") != _VERSION:
            raise PluginError(f"A partition spec of version {_VERSION} was expected: {partition_spec.get('version')}.")
        settings = S3Settings.of(Options.of(options))
        context = context or ReadContext(batch_size=_BATCH_ROWS, partition=0)
        try:
            with Fetcher(settings) as fetcher:
                context.on_cancel(fetcher.abort)
                for values in partition_spec["objects"]:
                    item = PinnedObject(**values)
                    with closing(read_object(fetcher, settings, partition_spec, item, context.batch_size)) as batches:
                        for batch in batches:
                            if context.cancelled:
                                return
                            yield batch
        except FetchAbortedError:
            return


def _infer(settings: S3Settings, objects: list[PinnedObject]) -> pa.Schema:
    from sheetbend.sources.s3.formats import infer_objects  # noqa: PLC0415 - pyarrow's readers take 20 MB

    return infer_objects(settings, objects)
