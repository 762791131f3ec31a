"""Rows as the literals of an INSERT, made by column: no Python client of MySQL sends columns.

For sessions in UTC whose ``sql_mode`` leaves the backslash its meaning.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from sheetbend.errors import SheetbendError
from sheetbend.sources.jdbc.types import WALL_CLOCK

__all__ = ["created_type", "value_lists"]

_CREATED: dict[pa.DataType, str] = {
    pa.bool_(): "bit(1)",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "longtext character set utf8mb4",
    pa.large_string(): "longtext character set utf8mb4",
    pa.string_view(): "longtext character set utf8mb4",
    pa.binary(): "longblob",
    pa.large_binary(): "longblob",
    pa.binary_view(): "longblob",
    pa.date32(): "date",
}
_ESCAPES = ((b"\\", b"\\\\"), (b"'", b"\\'"), (b"\0", b"\\0"))


def created_type(kind: pa.DataType) -> str | None:
    """The type of a new column; None for what there is none for. Moments have their microseconds, unlike Spark's."""
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp(6)" if kind.tz else "datetime(6)"
    return _CREATED.get(kind)


def value_lists(batch: pa.RecordBatch, most_bytes: int) -> Iterator[bytes]:
    """What follows VALUES for the rows of a batch, in pieces of about so many bytes at most.

    Raises:
        SheetbendError: a value has no literal; the message names the column.
    """
    columns = [_literals(values, name) for name, values in zip(batch.schema.names, batch.columns, strict=True)]
    rows = pc.binary_join_element_wise(*columns, pa.scalar(b",", pa.binary()))
    yield from _joined(pc.binary_join_element_wise(b"(", rows, b")", b""), most_bytes)


def _joined(rows: pa.Array, most_bytes: int) -> Iterator[bytes]:
    if len(rows) > 1 and rows.nbytes > most_bytes:
        middle = len(rows) // 2
        yield from _joined(rows.slice(0, middle), most_bytes)
        yield from _joined(rows.slice(middle), most_bytes)
    elif len(rows):
        whole = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), rows)
        yield pc.binary_join(whole, b",")[0].as_py()


def _literals(values: pa.Array, name: str) -> pa.Array:
    kind = values.type
    if pa.types.is_boolean(kind):
        texts = values.cast(pa.int8()).cast(pa.string()).cast(pa.binary())
    elif pa.types.is_floating(kind):
        if not pc.all(pc.is_finite(values)).as_py() and pc.any(pc.invert(pc.is_finite(values))).as_py():
            raise SheetbendError(f"Column '{name}' has NaN or an infinity, which the database does not store.")
        texts = values.cast(pa.string()).cast(pa.binary())
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        plain = values.cast(WALL_CLOCK) if pa.types.is_timestamp(kind) else values
        texts = _quoted(plain.cast(pa.string()).cast(pa.binary()), b"'")
    elif pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        texts = values.cast(pa.string()).cast(pa.binary())
    else:
        is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
        texts = values.cast(pa.binary()) if is_bytes else values.cast(pa.string()).cast(pa.binary())
        for character, escaped in _ESCAPES:
            texts = pc.replace_substring(texts, character, escaped)
        texts = _quoted(texts, b"_binary'" if is_bytes else b"'")
    return pc.fill_null(texts, pa.scalar(b"NULL", pa.binary()))


def _quoted(texts: pa.Array, opening: bytes) -> pa.Array:
    return pc.binary_join_element_wise(opening, texts, b"'", b"")
