"""Values of one column, taken out of many rows at once.

A reader gets a block of bytes, where the column's value begins in each row, and which rows have none. It returns the
values as an Arrow array, and where the next column's begin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = [
    "PADDING",
    "Block",
    "Nulls",
    "Positions",
    "Reader",
    "UnreadableError",
    "binary",
    "bit",
    "boolean",
    "nothing",
    "number",
    "parsed",
    "text",
    "unsigned_long",
]

Positions: TypeAlias = npt.NDArray[np.int64]
Nulls: TypeAlias = npt.NDArray[np.bool_]

PADDING = 16
"""Bytes behind a block. A value that is NULL in the last row may be looked for there."""

_KINDS = {
    "i1": pa.int8(),
    "u1": pa.int16(),
    "<i2": pa.int16(),
    "<u2": pa.int32(),
    "<i4": pa.int32(),
    "<u4": pa.int64(),
    "<i8": pa.int64(),
    "<f4": pa.float32(),
    "<f8": pa.float64(),
}
_TWO_BYTES, _THREE_BYTES, _EIGHT_BYTES = 0xFC, 0xFD, 0xFE


class UnreadableError(ValueError):
    """A value that the column's Arrow type has no place for."""


class Block:
    """Bytes, and views of them as numbers that begin at every byte."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size + PADDING)
        self.bytes = np.frombuffer(self.data, np.uint8)
        self._views: dict[str, npt.NDArray[Any]] = {}

    def numbers(self, code: str, at: Positions) -> npt.NDArray[Any]:
        """The numbers of a type such as ``<i8`` that begin at these positions."""
        if code not in self._views:
            width = np.dtype(code).itemsize
            self._views[code] = np.ndarray((len(self.data) - width + 1,), code, self.data, strides=(1,))
        return self._views[code][at]


Reader: TypeAlias = Callable[[Block, Positions, Nulls | None], tuple[pa.Array, Positions]]


def number(code: str) -> Reader:
    """Reads numbers of a type such as ``<i8``. An unsigned one is widened to one with a sign."""
    kind = _KINDS[code]
    sent, wanted = np.dtype(code), np.dtype(kind.to_pandas_dtype())

    def read(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
        values = block.numbers(code, at).astype(wanted, copy=False)
        return array(kind, values, nulls), after(at, sent.itemsize, nulls)

    return read


def unsigned_long(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
    """Reads unsigned integers of 64 bits as decimals of 20 digits."""
    halves = np.zeros((len(at), 2), np.uint64)
    halves[:, 0] = block.numbers("<u8", at)
    return array(pa.decimal128(20, 0), halves, nulls), after(at, 8, nulls)


def boolean(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
    """Reads integers of 8 bits as booleans; zero is false."""
    return _booleans(block.bytes[at] != 0, nulls), after(at, 1, nulls)


def bit(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
    """Reads strings of one bit as booleans."""
    starts, ends = spans(block, at, nulls)
    return _booleans(block.bytes[starts] != 0, nulls), ends


def nothing(_block: Block, at: Positions, _nulls: Nulls | None) -> tuple[pa.Array, Positions]:
    """Reads a column of which the server knows that it is NULL everywhere."""
    return pa.nulls(len(at)), at


def binary(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
    """Reads strings of bytes."""
    starts, ends = spans(block, at, nulls)
    # An array over the block as it is, of the values and of what is between them; every other one is then copied out.
    offsets = np.empty(2 * len(at) + 1, np.int32)
    offsets[0:-1:2] = starts
    offsets[1::2] = ends
    offsets[-1] = ends[-1]
    data = pa.py_buffer(block.data)
    whole = pa.Array.from_buffers(pa.binary(), 2 * len(at), [None, pa.py_buffer(offsets), data])
    values = whole.take(pa.array(np.arange(0, 2 * len(at), 2, dtype=np.int64)))
    if nulls is None:
        return values, ends
    return pa.Array.from_buffers(pa.binary(), len(at), [_validity(nulls), *values.buffers()[1:]]), ends


def text(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
    """Reads strings in UTF-8, and checks that they are."""
    values, ends = binary(block, at, nulls)
    return values.cast(pa.string()), ends


def parsed(kind: pa.DataType) -> Reader:
    """Reads numbers that are sent as text."""

    def read(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
        values, ends = text(block, at, nulls)
        return values.cast(kind), ends

    return read


# --- For readers --------------------------------------------------------------------------------


def after(at: Positions, size: int | Positions, nulls: Nulls | None) -> Positions:
    """Where the next column begins; a NULL takes no room."""
    return at + size if nulls is None else np.where(nulls, at, at + size)


def array(kind: pa.DataType, values: npt.NDArray[Any], nulls: Nulls | None) -> pa.Array:
    """An array over the values, which it keeps."""
    return pa.Array.from_buffers(kind, len(values), [_validity(nulls), pa.py_buffer(np.ascontiguousarray(values))])


def spans(block: Block, at: Positions, nulls: Nulls | None) -> tuple[Positions, Positions]:
    """Where strings of bytes begin and end. Their length is a byte, or a byte that says how many hold it."""
    first = block.bytes[at]
    if nulls is not None:
        first = np.where(nulls, np.uint8(0), first)
    sizes = first.astype(np.int64)
    starts = after(at, 1, nulls)
    if len(at) and int(first.max()) >= _TWO_BYTES:
        for code, width, number_code in ((_TWO_BYTES, 2, "<u2"), (_THREE_BYTES, 3, "<u4"), (_EIGHT_BYTES, 8, "<i8")):
            rows = first == code
            long = block.numbers(number_code, at[rows] + 1).astype(np.int64)
            sizes[rows] = long & 0xFFFFFF if width == 3 else long
            starts[rows] += width
    return starts, starts + sizes


def _booleans(values: Nulls, nulls: Nulls | None) -> pa.Array:
    bits = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [_validity(nulls), bits])


def _validity(nulls: Nulls | None) -> pa.Buffer | None:
    return None if nulls is None else pa.py_buffer(np.packbits(~nulls, bitorder="little"))
