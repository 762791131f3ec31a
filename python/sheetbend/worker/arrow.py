"""Arrow data of a plug-in as pyarrow has it, and as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from sheetbend._bridge import unexpected_item
from sheetbend.errors import PluginError, SheetbendError

_UNFIT = "gave Arrow data that cannot be taken: "


class Batches:
    """Makes batches of what ``read_partition`` gave, with NULLs allowed everywhere: they are checked later."""

    def __init__(self) -> None:
        self._last: tuple[pa.Schema, pa.Schema | None] | None = None
        """The schema that came last, and how it goes on where that is another: batches of a source mostly agree."""

    def of(self, item: Any) -> Iterator[pa.RecordBatch]:  # noqa: ANN401 - whatever a plug-in yields
        """The batches of an item."""
        if isinstance(item, pa.RecordBatch):
            yield self._nullable(item)
        elif hasattr(item, "__arrow_c_array__") and not isinstance(item, type):
            yield self._nullable(_batch(item))
        elif hasattr(item, "__arrow_c_stream__") and not isinstance(item, type):
            yield from map(self._nullable, _stream(item))
        else:
            raise PluginError(unexpected_item(item))

    def _nullable(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = batch.schema
        if self._last is None or not self._last[0].equals(found, check_metadata=True):
            strict = not all(field.nullable for field in found)
            fields = [field.with_nullable(True) for field in found]
            self._last = found, pa.schema(fields, found.metadata) if strict else None
        nullable = self._last[1]
        return batch if nullable is None else pa.RecordBatch.from_arrays(batch.columns, schema=nullable)


def write(batch: pa.RecordBatch, sink: pa.NativeFile) -> None:
    """Writes a batch as an Arrow stream of its own, with its schema and dictionaries."""
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)


def schema_bytes(schema: object) -> bytes:
    """A schema, or whatever exports one, as an Arrow stream without batches."""
    try:
        imported = pa.schema(schema)
    except (TypeError, pa.ArrowException) as error:
        raise PluginError(f"returned no schema of a table: {error}") from None
    sink = pa.BufferOutputStream()
    pa.ipc.new_stream(sink, imported).close()
    return bytes(sink.getvalue())


def batch_bytes(batch: object) -> bytes:
    """A batch, or whatever exports one, as an Arrow stream."""
    sink = pa.BufferOutputStream()
    write(pa.record_batch(batch), sink)
    return bytes(sink.getvalue())


def read_schema(stream: bytes) -> pa.Schema:
    """What :func:`schema_bytes` was given."""
    return pa.ipc.open_stream(stream).schema


def read_batch(stream: bytes) -> pa.RecordBatch:
    """What :func:`batch_bytes` was given."""
    return pa.ipc.open_stream(stream).read_next_batch()


def has_dictionary(schema: pa.Schema) -> bool:
    """Whether a column has a dictionary, at any depth. Such a one goes with each batch."""
    pending = list(schema.types)
    while pending:
        kind = pending.pop()
        if pa.types.is_dictionary(kind):
            return True
        pending += [kind.field(index).type for index in range(kind.num_fields)]
    return False


def _batch(item: Any) -> pa.RecordBatch:  # noqa: ANN401
    array = pa.array(item)
    if not pa.types.is_struct(array.type):
        raise PluginError(f"{_UNFIT}an Arrow array of {array.type} came, expected record batches")
    if array.null_count:
        raise PluginError(f"{_UNFIT}a struct array with NULL rows came, expected record batches")
    return pa.RecordBatch.from_struct_array(array)


def _stream(item: object) -> Iterator[pa.RecordBatch]:
    try:
        with pa.RecordBatchReader.from_stream(item) as reader:
            yield from reader
    except (pa.ArrowException, OSError) as error:
        raise SheetbendError(f"failed: its Arrow stream ended with: {error}") from None
