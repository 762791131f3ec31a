"""An object as a file that pyarrow reads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sheetbend.sources.s3.fetcher import Fetcher
    from sheetbend.sources.s3.listing import PinnedObject

__all__ = ["ObjectFile"]


class ObjectFile(io.RawIOBase):
    """A pinned object to read and seek in. It holds nothing that needs closing.

    Args:
        fetcher: What gets the bytes.
        item: The object.
        readahead: Bytes to fetch at once and keep, for readers that go through the object in small steps. With 0 each
            read is one request for exactly its bytes, for readers that know what they need.
    """

    def __init__(self, fetcher: Fetcher, item: PinnedObject, *, readahead: int = 0) -> None:
        super().__init__()
        fetcher.track(self)
        self._fetcher = fetcher
        self._item = item
        self._readahead = readahead
        self._position = 0
        self._buffer = memoryview(b"")
        self._buffer_start = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Does nothing: pyarrow closes what it has read, and the same file may be read again."""

    def tell(self) -> int:
        """The position in the object, in bytes."""
        return self._position

    def size(self) -> int:
        """Bytes of the object, as listed."""
        return self._item.size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves the position, also beyond the end; sends no request."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._item.size}[whence]
        if base + offset < 0:
            raise ValueError("seek to a negative position")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Up to ``size`` bytes, fewer where kept ones end: with a ``readahead`` of 0 only at the end of the object."""
        left = max(self._item.size - self._position, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        if not wanted:
            return b""
        if not self._readahead:
            data = self._fetcher.fetch(self._item, self._position, self._position + wanted)
        else:
            data = self._kept(wanted)
        self._position += len(data)
        return data

    def _kept(self, wanted: int) -> bytes:
        offset = self._position - self._buffer_start
        if not 0 <= offset < len(self._buffer):
            end = min(self._position + max(wanted, self._readahead), self._item.size)
            # Let go of the old bytes before the new ones come: else memory holds both.
            self._buffer = memoryview(b"")
            self._buffer = memoryview(self._fetcher.fetch(self._item, self._position, end))
            self._buffer_start, offset = self._position, 0
        return bytes(self._buffer[offset : offset + wanted])
