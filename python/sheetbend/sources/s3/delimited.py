"""CSV objects, streamed block by block."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv as pacsv

from sheetbend.errors import SheetbendError
from sheetbend.sources.s3.broken import reading
from sheetbend.sources.s3.columns import conform, match_names, reads_as_text
from sheetbend.sources.s3.object_file import ObjectFile
from sheetbend.sources.s3.types import spark_type

if TYPE_CHECKING:
    from sheetbend.sources.s3.fetcher import Fetcher
    from sheetbend.sources.s3.listing import PinnedObject
    from sheetbend.sources.s3.settings import CsvDialect

__all__ = ["infer_csv", "read_csv"]

_BLOCK_BYTES = 1024 * 1024
"""A row must fit into a block. pyarrow reads up to 32 blocks ahead of a slow consumer, so they are small."""
_READAHEAD_BYTES = 4 * 1024 * 1024
_FIRST_ROW_BYTES = 1024 * 1024


def infer_csv(fetcher: Fetcher, item: PinnedObject, dialect: CsvDialect) -> pa.Schema:
    """The columns of one object: named by its header, else ``_c0``, ``_c1``, ..., as in Spark.

    All are strings, or with option ``inferSchema`` what the values of the first 1 MiB are.

    Raises:
        SheetbendError: The object has no first row, or is not CSV.
    """
    with reading(item, "CSV"):
        source = ObjectFile(fetcher, item, readahead=_READAHEAD_BYTES)
        first = _first_row(source, item, dialect)
        if not first:
            raise SheetbendError(f"Object {item.url} has no row to take columns from: give the schema.")
        names = _names(first, dialect)
        if not dialect.infer:
            return pa.schema([(name, pa.string()) for name in names])
        with _open(source, item, dialect, len(names), {}) as reader:
            return pa.schema([(name, _guessed(field.type)) for name, field in zip(names, reader.schema, strict=True)])


def read_csv(
    fetcher: Fetcher, item: PinnedObject, schema: pa.Schema, dialect: CsvDialect, *, given: bool
) -> Generator[pa.RecordBatch, None, None]:
    """The rows of one object with the columns of ``schema``.

    With a header columns are found by name, without one by position. A schema that the user gave (``given``) may name
    fewer than there are, and may rename all columns of a header by position.

    Raises:
        SheetbendError: A row or value does not fit the schema; the message names the object.
    """
    with reading(item, "CSV"):
        source = ObjectFile(fetcher, item, readahead=_READAHEAD_BYTES)
        first = _first_row(source, item, dialect)
        if not first:
            return
        places = _places(schema, _names(first, dialect), item, dialect, given=given)
        types = {
            places[field.name]: pa.string() if reads_as_text(field.type, json=False) else field.type for field in schema
        }
        with _open(source, item, dialect, len(first), types) as reader:
            for batch in reader:
                yield conform(batch, schema, places, where=item.url)


def _open(
    source: ObjectFile, item: PinnedObject, dialect: CsvDialect, width: int, types: dict[str, pa.DataType]
) -> pacsv.CSVStreamingReader:
    """A reader whose columns are called by their positions; ``types`` says which to read, all where it is empty."""
    return pacsv.open_csv(
        _stream(source, item),
        read_options=pacsv.ReadOptions(
            block_size=_BLOCK_BYTES,
            column_names=[str(place) for place in range(width)],
            skip_rows_after_names=1 if dialect.header else 0,
            encoding=dialect.encoding,
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=dialect.sep,
            quote_char=dialect.quote or False,
            escape_char=dialect.escape or False,
            newlines_in_values=True,
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=types,
            include_columns=list(types) or None,
            null_values=["", dialect.null],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _stream(source: ObjectFile, item: PinnedObject) -> pa.NativeFile:
    source.seek(0)
    return pa.input_stream(source, compression=item.compression)


def _first_row(source: ObjectFile, item: PinnedObject, dialect: CsvDialect) -> list[str]:
    """The values of the first row that is not blank; empty where there is none."""
    head = _stream(source, item).read(_FIRST_ROW_BYTES)
    text = head.decode(dialect.encoding, errors="replace").removeprefix("\ufeff")
    rows = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.sep,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape or None,
    )
    try:
        return next((row for row in rows if row), [])
    except csv.Error as error:
        raise SheetbendError(f"Object {item.url} cannot be read as CSV: {error} in its first row.") from None


def _names(first: list[str], dialect: CsvDialect) -> list[str]:
    """Spark's names: a value that occurs twice in a header has its position after it."""
    if not dialect.header:
        return [f"_c{place}" for place in range(len(first))]
    folded = [name.lower() for name in first]
    return [
        f"_c{place}" if not name else f"{name}{place}" if folded.count(name.lower()) > 1 else name
        for place, name in enumerate(first)
    ]


def _places(
    schema: pa.Schema, names: list[str], item: PinnedObject, dialect: CsvDialect, *, given: bool
) -> dict[str, str]:
    """For each column of ``schema`` the position, as text, that it has in the object."""
    found = match_names(schema.names, names) if dialect.header else {}
    if dialect.header and len(found) == len(schema.names):
        return {name: str(names.index(there)) for name, there in found.items()}
    fits = len(schema.names) <= len(names) if given and not dialect.header else len(schema.names) == len(names)
    if fits and not found and (given or not dialect.header):
        return {name: str(place) for place, name in enumerate(schema.names)}
    missing = ", ".join(f"'{name}'" for name in schema.names if name not in found)
    raise SheetbendError(
        f"Object {item.url} has the {len(names)} columns {', '.join(names)}; of the {len(schema.names)} that were "
        f"promised it lacks {missing}."
        if dialect.header
        else f"Object {item.url} has {len(names)} columns where {len(schema.names)} were promised."
    )


def _guessed(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_time(kind) else spark_type(kind)
