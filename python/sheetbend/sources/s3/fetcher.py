"""Byte ranges of pinned objects, fetched so that a request under way can be given up from another thread."""

from __future__ import annotations

import asyncio
import io
import threading
import time
import weakref
from typing import TYPE_CHECKING

from sheetbend.sources.s3.failure import ObjectChangedError, explain, failures
from sheetbend.sources.s3.store import open_store

if TYPE_CHECKING:
    from obstore.store import S3Store
    from typing_extensions import Self

    from sheetbend.sources.s3.listing import PinnedObject
    from sheetbend.sources.s3.settings import S3Settings

__all__ = ["FetchAbortedError", "Fetcher"]

_SETTLE_SECONDS = 1.0


class FetchAbortedError(Exception):
    """The read was cancelled: nobody waits for the bytes."""


class Fetcher:
    """Fetches ranges one at a time, from whichever thread asks: pyarrow reads from threads of its own.

    obstore's blocking calls cannot be interrupted, its awaitable ones can. So each request is a task on an event loop
    that belongs to this fetcher and runs only while a request does, in the thread that made it.
    """

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._stores: dict[str, S3Store] = {}
        self._loop = asyncio.new_event_loop()
        self._running = threading.Lock()
        self._state = threading.Lock()
        self._task: asyncio.Task[bytes] | None = None
        self._aborted = False
        self._files: weakref.WeakSet[io.IOBase] = weakref.WeakSet()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        # An exception that is on its way keeps files alive by its traceback.
        if kind is None or kind is GeneratorExit:
            self._settle()

    def track(self, file: io.IOBase) -> None:
        """Has the end of this fetcher wait until nothing refers to ``file`` any more."""
        self._files.add(file)

    def fetch(self, item: PinnedObject, start: int, end: int) -> bytes:
        """The bytes from ``start`` up to ``end``, exclusive; ``end`` is not beyond the object's pinned size.

        Raises:
            FetchAbortedError: :meth:`abort` was called.
            ObjectChangedError: The object is no longer the pinned one.
            AuthenticationError, SourceConnectionError, TableNotFoundError: See :mod:`sheetbend.sources.s3.failure`.
        """
        with self._running:
            store = self._store(item.bucket)
            with self._state:
                if self._aborted:
                    raise FetchAbortedError
                self._task = self._loop.create_task(_get(store, item, start, end))
            try:
                return self._loop.run_until_complete(self._task)
            except asyncio.CancelledError:
                raise FetchAbortedError from None
            except failures() as error:
                raise explain(error, bucket=item.bucket, key=item.key, endpoint=self._settings.endpoint) from None
            finally:
                with self._state:
                    self._task = None

    def abort(self) -> None:
        """Ends the request under way, and has each later one raise. Safe from any thread, and more than once."""
        with self._state:
            self._aborted = True
            if self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    def close(self) -> None:
        """Aborts, waits for the request under way to end, and lets go of the connections."""
        self.abort()
        with self._running:
            self._stores.clear()
            if not self._loop.is_closed():
                self._loop.close()

    def _settle(self) -> None:
        """Waits for pyarrow's threads to let go of the files that they read.

        They do it some moments after the last batch was taken, for which they need the interpreter; where that has
        begun to shut down meanwhile, the process is aborted (seen in one of fifteen short scripts).
        """
        end = time.monotonic() + _SETTLE_SECONDS
        while self._files and time.monotonic() < end:
            time.sleep(0.001)

    def _store(self, bucket: str) -> S3Store:
        if bucket not in self._stores:
            self._stores[bucket] = open_store(self._settings, bucket)
        return self._stores[bucket]


async def _get(store: S3Store, item: PinnedObject, start: int, end: int) -> bytes:
    if item.etag is None:
        result = await store.get_async(item.key, options={"range": (start, end)})
    else:
        result = await store.get_async(item.key, options={"range": (start, end), "if_match": item.etag})
    data = bytes(await result.bytes_async())
    if result.meta["size"] != item.size or len(data) != end - start:
        raise ObjectChangedError(
            f"The object {item.url} changed during the query: it had {item.size} bytes and has "
            f"{result.meta['size']}. Run the query again."
        )
    return data
