"""Rows of a result, cut out of what a socket gives and turned into record batches column by column.

A row is a packet: three bytes of length, one that counts, then the values one behind the other. Only the lengths of
packets are followed one by one. The values of a column are taken out of all rows of a block at once, beginning where
the column before it ended in each of them.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sheetbend.errors import SheetbendError
from sheetbend.sources.jdbc.drivers.mysql.protocol import server_error
from sheetbend.sources.jdbc.drivers.mysql.values import PADDING, Block, UnreadableError

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.drivers.mysql.values import Nulls, Positions, Reader
    from sheetbend.sources.jdbc.table import Column

__all__ = ["BLOCK_BYTES", "read_batches"]

BLOCK_BYTES = 1 << 20
"""What is decoded at once. More of it leaves the processor's cache and is slower."""

_FIRST_BYTES = 64 << 10
"""The first block is small, so that the first rows are early; each one is twice the one before."""
_HEADER = 4
_CONTINUED = 0xFFFFFF
"""The length of a packet whose row goes on in the next one."""
_ROW = 0x00
_ERROR = 0xFF
_LEAST_RUN = 64
_MOST_RUN = 65536
_ROWS_BETWEEN_RUNS = 1024
_head = struct.Struct("<I").unpack_from


def read_batches(
    connected: socket.socket,
    first: bytes,
    columns: Sequence[Column],
    readers: Sequence[Reader],
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[pa.RecordBatch]:
    """The rows of a result as batches, up to its end.

    Args:
        connected: Where they come from.
        first: What has been received of them before.
        columns: The columns of the batches.
        readers: What takes the values of each column out of rows, in the order of the result.
        block_bytes: What is received before it is decoded, at most.

    Raises:
        ServerError: the server ends the statement before its end.
        SheetbendError: a column has a value that its type cannot hold.
        OSError: the connection is broken.
    """
    schema = pa.schema([column.field for column in columns])
    receiver = _Receiver(connected, first)
    size = min(_FIRST_BYTES, block_bytes)
    while not receiver.ended:
        starts = receiver.receive(size)
        size = min(2 * size, block_bytes)
        if len(starts):
            yield pa.RecordBatch.from_arrays(list(_arrays(receiver.block, starts, columns, readers)), schema=schema)


def _arrays(
    block: Block, starts: Positions, columns: Sequence[Column], readers: Sequence[Reader]
) -> Iterator[pa.Array]:
    # A zero byte, a bit for each column that says whether it is NULL, with two spare ones before, then the values.
    bitmap = starts + (_HEADER + 1)
    at = bitmap + (len(columns) + 9) // 8
    bits = [block.bytes[bitmap + index] for index in range((len(columns) + 9) // 8)]
    some = [bool(byte.any()) for byte in bits]
    for number, (column, reader) in enumerate(zip(columns, readers, strict=True), start=2):
        nulls: Nulls | None = None
        if some[number // 8]:
            nulls = ((bits[number // 8] >> (number % 8)) & 1).astype(np.bool_)
        try:
            array, at = reader(block, at, nulls if nulls is not None and nulls.any() else None)
            yield array if array.type == column.type else array.cast(column.type)
        except (UnreadableError, pa.ArrowInvalid) as error:
            raise SheetbendError(
                f"Column '{column.name}' is {column.declared}, read as {column.type}, which cannot hold a value of a "
                f"row: {error}. Read the table by a query that casts or filters the column."
            ) from None


class _Receiver:
    """A block of bytes in which whole packets are found. What is left of the last one goes to the next block."""

    def __init__(self, connected: socket.socket, first: bytes) -> None:
        self._socket = connected
        self.block = Block(max(len(first), _FIRST_BYTES))
        self.block.data[: len(first)] = first
        self._filled = len(first)
        self._used = 0
        self.ended = False

    def receive(self, size: int) -> Positions:
        """Where rows begin in :attr:`block`, up to the end of the result or until there are ``size`` bytes of them."""
        left = self._filled - self._used
        self.block.data[:left] = self.block.data[self._used : self._filled]
        self._filled, self._used = left, 0
        starts: list[Positions] = []
        while True:
            self._scan(starts)
            if self.ended or (starts and self._filled >= size):
                return np.concatenate(starts) if starts else np.empty(0, np.int64)
            self._fill(size)

    def _fill(self, size: int) -> None:
        data, end = self.block.data, len(self.block.data) - PADDING
        if end < size or self._filled == end:
            # Twice as large where a single row fills it.
            self.block = Block(max(size, 2 * self._filled))
            self.block.data[: self._filled] = data[: self._filled]
            data, end = self.block.data, len(self.block.data) - PADDING
        received = self._socket.recv_into(memoryview(data)[self._filled : end])
        if not received:
            raise ConnectionResetError("the server closed the connection")
        self._filled += received

    def _scan(self, starts: list[Positions]) -> None:
        """Adds the rows that are complete. The packet that ends the result can only be the last one."""
        before = len(starts)
        while True:
            run = self._run()
            rows = self._some()
            starts += [part for part in (run, rows) if len(part)]
            if len(rows) < _ROWS_BETWEEN_RUNS:
                break
        if len(starts) == before:
            return
        last = int(starts[-1][-1])
        kind = self.block.data[last + _HEADER]
        if kind == _ROW:
            return
        if kind == _ERROR:
            raise server_error(bytes(self.block.data[last + _HEADER : self._used]))
        self.ended = True
        starts[-1] = starts[-1][:-1]

    def _run(self) -> Positions:
        """Rows of one length that follow each other, found without a step for each of them."""
        length = self._length(self._used)
        stride = _HEADER + length
        count = min((self._filled - self._used) // stride, _MOST_RUN)
        if count < _LEAST_RUN or length == _CONTINUED:
            return np.empty(0, np.int64)
        heads = np.ndarray((count,), "<u4", self.block.data, self._used, (stride,))
        other = (heads & _CONTINUED) != length
        count = int(other.argmax()) if other.any() else count
        starts = np.arange(self._used, self._used + count * stride, stride, dtype=np.int64)
        self._used += count * stride
        return starts

    def _some(self) -> Positions:
        starts: list[int] = []
        data, filled, position = self.block.data, self._filled, self._used
        for _ in range(_ROWS_BETWEEN_RUNS):
            if position + _HEADER > filled:
                break
            length = _head(data, position)[0] & _CONTINUED
            if length == _CONTINUED:
                end = self._joined(position)
                filled = self._filled
            else:
                end = position + _HEADER + length
            if end > filled:
                break
            starts.append(position)
            position = end
        self._used = position
        return np.array(starts, np.int64)

    def _joined(self, position: int) -> int:
        """Where a row of several packets ends, once the heads of all but the first are taken out; or past the end."""
        heads = [position]
        while self._length(heads[-1]) == _CONTINUED:
            heads.append(heads[-1] + _HEADER + _CONTINUED)
        end = heads[-1] + _HEADER + self._length(heads[-1])
        if end > self._filled:
            return end
        data = self.block.data
        for head in reversed(heads[1:]):
            data[head : self._filled - _HEADER] = data[head + _HEADER : self._filled]
            self._filled -= _HEADER
        return end - _HEADER * (len(heads) - 1)

    def _length(self, position: int) -> int:
        """The length of the packet; one that is not there yet is taken for a long one that is not continued."""
        if position + _HEADER > self._filled:
            return _CONTINUED - 1
        return int(_head(self.block.data, position)[0]) & _CONTINUED
