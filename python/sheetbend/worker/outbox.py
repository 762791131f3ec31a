"""Sends batches to the server, large ones in memory that both processes map."""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.worker import arrow

if TYPE_CHECKING:
    from sheetbend.plugin import ReadContext
    from sheetbend.worker.connection import Connection

_INLINE_BYTES = 64 << 10
"""Up to this size a batch goes through the socket: a mapping of its own would cost the server more than the copy."""
_PIECE_BYTES = 2 << 20
"""Larger batches are sent in parts, so that few segments do for all of them and stay in the processor's caches."""
_PIECE_ROWS = 1 << 20
"""Rows that take next to nothing, as of NULLs alone, may be more than a stream can count."""
_STEP_BYTES = 256 << 10
"""Sizes of segments that are kept are multiples of this, so that one does for the next batch too."""
_KEPT_BYTES = 32 << 20
"""How large all kept segments may be."""
_UNREAD_BYTES = 4 << 20
_UNREAD_BATCHES = 32
"""How far the worker may be ahead of the server."""


class Outbox:
    """Sends batches, and waits where the server has not read what was sent.

    A batch is written once, as an Arrow stream, into a segment of shared memory, where the server reads it. When the
    last part of it is dropped there, the segment is used again: to write into new memory takes twenty times as long.
    While rows are held for long, as by a sort, segments are given away instead and never waited for.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._unread: deque[int] = deque()
        """The sizes of the batches that the server has not read yet."""
        self._free: list[_Segment] = []
        self._lent: dict[int, _Segment] = {}
        self._dropped: list[int] = []
        """The numbers of segments that are no more, and of which the server does not know that yet."""
        self._next_number = 0

    def send(self, batch: pa.RecordBatch, context: ReadContext) -> None:
        """Sends a batch, or what is wanted of it. To be called by one thread."""
        for piece, size in _pieces(batch):
            self._wait_for_room(size)
            if context.cancelled:
                return
            if size <= _INLINE_BYTES:
                self._send_inline(piece, size)
            else:
                self._send_shared(piece, size)

    def read(self, batches: int, freed: Sequence[int]) -> None:
        """The server has read so many more batches, and has no use for these segments any more."""
        with self._changed:
            for _ in range(batches):
                self._unread.popleft()
            self._free += [self._lent.pop(number) for number in freed]
            self._changed.notify()

    def _wait_for_room(self, size: int) -> None:
        with self._changed:
            while self._unread and (len(self._unread) >= _UNREAD_BATCHES or sum(self._unread) + size > _UNREAD_BYTES):
                self._changed.wait()

    def _send_inline(self, batch: pa.RecordBatch, size: int) -> None:
        sink = pa.BufferOutputStream()
        arrow.write(batch, sink)
        with self._changed:
            self._unread.append(size)
        self._connection.send({"type": "batch"}, sink.getvalue())

    def _send_shared(self, batch: pa.RecordBatch, size: int) -> None:
        segment = self._fitting(size)
        if segment is None:
            self._send_new(batch, size)
            return
        segment.write(batch)
        # Only now: a write that fails leaves everything as it was.
        with self._changed:
            self._free.remove(segment)
            self._lent[segment.number] = segment
            self._unread.append(size)
        self._connection.send({"type": "batch", "segment": {"number": segment.number, "length": size}})

    def _send_new(self, batch: pa.RecordBatch, size: int) -> None:
        with self._changed:
            dropped, self._free = [segment.number for segment in self._free], []
            kept = sum(segment.capacity for segment in self._lent.values()) + size <= _KEPT_BYTES
        self._dropped += dropped
        capacity = -(-size // _STEP_BYTES) * _STEP_BYTES if kept else size
        with _memory_file(capacity) as descriptor:
            segment = _Segment(self._next_number, descriptor, capacity)
            segment.write(batch)
            with self._changed:
                self._unread.append(size)
                if kept:
                    self._lent[segment.number] = segment
            self._next_number += 1
            place = {"number": segment.number, "length": size, "capacity": capacity, "kept": kept}
            header = {"type": "batch", "segment": place, "dropped": self._dropped}
            self._connection.send(header, descriptor=descriptor)
            self._dropped = []

    def _fitting(self, size: int) -> _Segment | None:
        """The smallest free segment that has room for ``size`` bytes."""
        with self._changed:
            fitting = [segment for segment in self._free if segment.capacity >= size]
        return min(fitting, key=lambda segment: segment.capacity, default=None)


class _Segment:
    """Memory that both processes map."""

    def __init__(self, number: int, descriptor: int, capacity: int) -> None:
        self.number = number
        self.capacity = capacity
        self._memory = pa.py_buffer(mmap.mmap(descriptor, capacity))

    def write(self, batch: pa.RecordBatch) -> None:
        arrow.write(batch, pa.FixedSizeBufferWriter(self._memory))


@contextmanager
def _memory_file(size: int) -> Iterator[int]:
    """A file in memory that has no name, and that cannot become smaller where the system knows how to promise that."""
    if hasattr(os, "memfd_create"):
        import fcntl  # noqa: PLC0415 - beside its only use

        descriptor = os.memfd_create("sheetbend", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(descriptor, size)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
            yield descriptor
        finally:
            os.close(descriptor)
    else:
        with tempfile.TemporaryFile(prefix="sheetbend-") as file:
            # Claimed at once: a full disk is an error here, and not a fault when the memory is written.
            os.posix_fallocate(file.fileno(), 0, size)
            yield file.fileno()


def _stream_bytes(batch: pa.RecordBatch) -> int:
    sink = pa.MockOutputStream()
    arrow.write(batch, sink)
    return int(sink.size())


def _pieces(batch: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, int]]:
    """The batch in parts of about one size, each with the bytes of its stream."""
    for start in range(0, max(batch.num_rows, 1), _PIECE_ROWS):
        yield from _pieces_by_size(batch.slice(start, _PIECE_ROWS) if batch.num_rows > _PIECE_ROWS else batch)


def _pieces_by_size(batch: pa.RecordBatch) -> Iterator[tuple[pa.RecordBatch, int]]:
    size = _stream_bytes(batch)
    # Each part would bring the dictionaries of all of them.
    if size <= _PIECE_BYTES or arrow.has_dictionary(batch.schema):
        yield batch, size
        return
    plain = arrow.without_views(batch)
    if plain is not batch:
        yield from _pieces_by_size(plain)
        return
    step = max(1, batch.num_rows * _PIECE_BYTES // size)
    for start in range(0, batch.num_rows, step):
        piece = batch.slice(start, step)
        yield piece, _stream_bytes(piece)
