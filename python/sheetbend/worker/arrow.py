"""Arrow data of a plug-in as pyarrow has it, and as bytes."""

from __future__ import annotations

import ctypes
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
        if issubclass(type(item), pa.RecordBatch):  # its class may lie
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
    capsule = _exported(schema, "__arrow_c_schema__")
    try:
        _check_capsule(capsule, "__arrow_c_schema__", "arrow_schema")
        imported = pa.Schema._import_from_c_capsule(capsule)
        _check_text(imported)
    except (PluginError, TypeError, ValueError, pa.ArrowException) as error:
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


def without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with texts and bytes in place of views: a part of those brings what all parts show.

    Older releases of pyarrow cannot cast views, and give the batch as it is.
    """
    plain = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    fields = [field.with_type(plain.get(field.type, field.type)) for field in batch.schema]
    schema = pa.schema(fields, batch.schema.metadata)
    try:
        return batch if schema == batch.schema else batch.cast(schema)
    except pa.ArrowNotImplementedError:
        return batch


def _batch(item: object) -> pa.RecordBatch:
    capsules = _exported(item, "__arrow_c_array__")
    if not isinstance(capsules, tuple) or len(capsules) != 2:
        found = type(capsules).__name__
        raise PluginError(f"{_UNFIT}__arrow_c_array__ returned {found}, expected a tuple of two PyCapsules")
    _check_capsule(capsules[0], "__arrow_c_array__", "arrow_schema")
    _check_capsule(capsules[1], "__arrow_c_array__", "arrow_array")
    try:
        array = pa.Array._import_from_c_capsule(*capsules)
        array.validate()
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise PluginError(f"{_UNFIT}{error}") from None
    if not pa.types.is_struct(array.type):
        raise PluginError(f"{_UNFIT}an Arrow array of {array.type} came, expected record batches")
    if array.null_count:
        raise PluginError(f"{_UNFIT}a struct array with NULL rows came, expected record batches")
    return pa.RecordBatch.from_struct_array(array)


def _stream(item: object) -> Iterator[pa.RecordBatch]:
    capsule = _exported(item, "__arrow_c_stream__")
    _check_capsule(capsule, "__arrow_c_stream__", "arrow_array_stream")
    try:
        with pa.RecordBatchReader._import_from_c_capsule(capsule) as reader:
            for batch in reader:
                batch.validate()
                yield batch
    except (pa.ArrowException, OSError) as error:
        what = str(error) or "an error without a message"
        raise SheetbendError(f"failed: its Arrow stream ended with: {what}") from None


def _exported(item: object, method: str) -> object:
    exported: object = getattr(item, method)()
    return exported


def _check_capsule(capsule: object, method: str, name: str) -> None:
    is_valid = ctypes.pythonapi.PyCapsule_IsValid
    if type(capsule).__name__ != "PyCapsule":
        raise PluginError(f"{_UNFIT}{method} returned {type(capsule).__name__}, expected a PyCapsule '{name}'")
    if not is_valid(ctypes.py_object(capsule), ctypes.c_char_p(name.encode())):
        raise PluginError(f"{_UNFIT}{method} returned a PyCapsule of another name, expected '{name}'")


def _check_text(schema: pa.Schema) -> None:
    """Raises :class:`UnicodeDecodeError` for metadata that are not UTF-8, as the engine needs them to be."""
    for metadata in [schema.metadata, *(field.metadata for field in schema)]:
        for key, value in (metadata or {}).items():
            (key + value).decode()
