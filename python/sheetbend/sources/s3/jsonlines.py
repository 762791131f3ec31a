"""JSON lines objects, read block by block."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import json as pajson

from sheetbend.errors import SheetbendError
from sheetbend.sources.s3.broken import reading
from sheetbend.sources.s3.columns import conform, reads_as_text
from sheetbend.sources.s3.object_file import ObjectFile
from sheetbend.sources.s3.types import spark_type

if TYPE_CHECKING:
    from sheetbend.sources.s3.fetcher import Fetcher
    from sheetbend.sources.s3.listing import PinnedObject

__all__ = ["infer_json", "read_json"]

_BLOCK_BYTES = 4 * 1024 * 1024
_LONGEST_LINE_BYTES = 256 * 1024 * 1024


def infer_json(fetcher: Fetcher, item: PinnedObject) -> pa.Schema:
    """The fields of the records in the first 4 MiB of one object. As in Spark text stays text, whatever it looks like.

    Raises:
        SheetbendError: The object has no field, or is not JSON lines.
    """
    with reading(item, "JSON lines"):
        first = next(_blocks(fetcher, item), b"")
        guessed = [(field.name, _guessed(field.type)) for field in (_parse(first, None).schema if first else ())]
    schema = pa.schema([(name, kind) for name, kind in guessed if kind is not None])
    if not schema.names:
        raise SheetbendError(f"Object {item.url} has no field to make a column of: give the schema.")
    return schema


def read_json(fetcher: Fetcher, item: PinnedObject, schema: pa.Schema) -> Generator[pa.RecordBatch, None, None]:
    """The records of one object with the columns of ``schema``; a field that a record lacks is null.

    Raises:
        SheetbendError: A line is not JSON, or a value does not fit the schema; the message names the object.
    """
    text = pa.schema([(f.name, pa.string() if reads_as_text(f.type, json=True) else f.type) for f in schema])
    names = {name: name for name in schema.names}
    with reading(item, "JSON lines"):
        for block in _blocks(fetcher, item):
            for batch in _parse(block, text).to_batches():
                yield conform(batch, schema, names, where=item.url)


def _blocks(fetcher: Fetcher, item: PinnedObject) -> Iterator[bytes]:
    """Whole lines, about 4 MiB at a time; none is blank altogether.

    pyarrow's streaming reader is not used: it reads 32 blocks ahead of a slow consumer, in threads of its own.
    """
    stream = pa.input_stream(ObjectFile(fetcher, item, readahead=_BLOCK_BYTES), compression=item.compression)
    begun: list[bytes] = []
    length = 0
    while part := stream.read(_BLOCK_BYTES):
        end = part.rfind(b"\n") + 1
        length += len(part)
        if not end and length <= _LONGEST_LINE_BYTES:
            begun.append(part)
            continue
        if not end:
            raise SheetbendError(f"Object {item.url} has a line of more than {_LONGEST_LINE_BYTES} bytes.")
        block = b"".join([*begun, part[:end]])
        begun = [part[end:]]
        length = len(part) - end
        if block.strip():
            yield block
    rest = b"".join(begun)
    if rest.strip():
        yield rest


def _parse(block: bytes, schema: pa.Schema | None) -> pa.Table:
    return pajson.read_json(
        pa.BufferReader(block),
        # One block for pyarrow too: each record is within it, however long.
        read_options=pajson.ReadOptions(block_size=len(block) + 1, use_threads=False),
        parse_options=pajson.ParseOptions(
            explicit_schema=schema, unexpected_field_behavior="infer" if schema is None else "ignore"
        ),
    )


def _guessed(kind: pa.DataType) -> pa.DataType | None:
    """The type to promise; None for a struct without fields, which Spark leaves out."""
    if pa.types.is_timestamp(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        fields = [(field.name, _guessed(field.type)) for field in kind]
        kept = [(name, kind) for name, kind in fields if kind is not None]
        return pa.struct(kept) if kept else None
    if pa.types.is_list(kind):
        item = _guessed(kind.value_type)
        return None if item is None else pa.list_(item)
    return spark_type(kind)
