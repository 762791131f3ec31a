"""The plug-in of ``format("rest")``."""

from __future__ import annotations

import base64
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import islice, pairwise
from typing import Any

import pyarrow as pa

from sheetbend.errors import PluginError, SheetbendError
from sheetbend.options import Options
from sheetbend.plugin import PartitionSpec, ReadContext
from sheetbend.sources.rest.client import ReadCancelledError, RestClient
from sheetbend.sources.rest.convert import BatchBuilder
from sheetbend.sources.rest.pages import PageRange, read_pages, total_pages
from sheetbend.sources.rest.settings import OPTIONS, RestSettings
from sheetbend.sources.rest.shape import infer_schema
from sheetbend.sources.rest.url import shown

__all__ = ["RESTAPIDataSource"]

_VERSION = 1
_BATCH_ROWS = 8192


class RESTAPIDataSource:
    """The JSON records of an HTTP API as a table, page by page.

    The schema is the user's, else what a sample of the first records has. Pages that are numbered, where their number
    is known, are read in several partitions; else one partition goes from page to page.
    """

    OPTIONS = OPTIONS

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        """The schema, each column nullable.

        Raises:
            OptionError: An option is missing or wrong, or the user's schema has a type that JSON has not.
            AuthenticationError, TableNotFoundError, SourceConnectionError, SheetbendError: See
                :meth:`~sheetbend.sources.rest.client.RestClient.get`.
        """
        options = Options.of(options)
        settings = RestSettings.of(options)
        if options.schema is not None:
            BatchBuilder(options.schema)
            return _nullable(options.schema)
        with closing(RestClient(settings, _context())) as client:
            return _infer(client, settings)

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        """Specs of page ranges about equally long; a single one where the number of pages is not known."""
        options = Options.of(options)
        settings = RestSettings.of(options)
        with closing(RestClient(settings, _context())) as client:
            schema = _infer(client, settings) if options.schema is None else _nullable(options.schema)
            ranges = _ranges(settings, total_pages(client, settings))
        shared = {"version": _VERSION, "schema": base64.b64encode(schema.serialize()).decode("ascii")}
        return [{**shared, "first": part.first, "pages": part.pages, "known": part.known} for part in ranges]

    def read_partition(
        self, partition_spec: PartitionSpec, options: Mapping[str, str], context: ReadContext | None = None
    ) -> Generator[pa.RecordBatch, None, None]:
        """One batch for each page that has records.

        Raises:
            SheetbendError: A record does not fit the schema; the message names field, record and page. For the rest
                see :meth:`infer_schema`.
        """
        if partition_spec.get("version") != _VERSION:
            raise PluginError(f"A partition spec of version {_VERSION} was expected: {partition_spec.get('version')}.")
        context = context or _context()
        settings = RestSettings.of(Options.of(options))
        builder = BatchBuilder(pa.ipc.read_schema(pa.py_buffer(base64.b64decode(partition_spec["schema"]))))
        pages = PageRange(partition_spec["first"], partition_spec["pages"], partition_spec["known"])
        client = RestClient(settings, context)
        context.on_cancel(client.abort)
        try:
            for page in read_pages(client, settings, pages):
                if context.cancelled:
                    return
                if page.records:
                    yield builder.build(page.records, page=page.name)
        except ReadCancelledError:
            return
        finally:
            client.close()


def _infer(client: RestClient, settings: RestSettings) -> pa.Schema:
    (whole,) = _ranges(replace(settings, partitions=1), settings.paging.total)
    pages = read_pages(client, settings, whole)
    schema = infer_schema(islice((record for page in pages for record in page.records), settings.sample))
    if not schema.names:
        raise SheetbendError(f"{shown(settings.endpoint)} has no records to take columns from: give the schema.")
    return schema


def _ranges(settings: RestSettings, pages: int | None) -> list[PageRange]:
    start, most = settings.paging.start, settings.paging.most
    if pages is None:
        return [PageRange(start, most, known=False)]
    pages = min(pages, most or pages)
    parts = max(1, min(settings.partitions, pages))
    edges = [start + pages * part // parts for part in range(parts + 1)]
    return [PageRange(first, end - first, known=True) for first, end in pairwise(edges)]


def _nullable(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, field.type) for field in schema])


def _context() -> ReadContext:
    return ReadContext(batch_size=_BATCH_ROWS, partition=0)
