"""Calls of a library that waits for its server for ever, and that only the server can wake."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Any, TypeVar

__all__ = ["Patience"]

_T = TypeVar("_T")


class Patience:
    """Makes calls on a thread of its own, one at a time, and leaves one that takes longer than ``seconds`` to itself.

    Such a call may go on, so what it uses is only touched by what :meth:`tidy` has run behind it.
    """

    def __init__(self, seconds: float) -> None:
        self.lost = False
        """Whether a call was left to itself."""
        self._seconds = seconds
        self._since: float | None = None
        """Since when the server is waited for; None while a call waits for us."""
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="sheetbend-patience", daemon=True).start()

    def call(self, function: Callable[[], _T], *, more_seconds: float = 0.0) -> _T:
        """What the function returns or raises.

        Raises:
            TimeoutError: it has done neither in time.
        """
        future: Future[_T] = Future()
        self._since = time.monotonic()
        self._calls.put((function, future))
        seconds = self._seconds + more_seconds
        left = seconds
        while left > 0 and not wait([future], left).done:
            since = self._since
            left = seconds if since is None else since + seconds - time.monotonic()
        if not future.done():
            self.lost = True
            raise TimeoutError(f"nothing has come for {seconds:g} s")
        try:
            return future.result()
        finally:
            # An error holds this frame, which would hold the error: all that the call used would stay with it.
            del future

    def items(self, source: Iterable[_T]) -> Iterator[_T]:
        """The items, for a call that takes them: to wait for one is not to wait for the server."""
        iterator = iter(source)
        while True:
            self._since = None
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._since = time.monotonic()
            yield item

    def tidy(self, function: Callable[[], object]) -> None:
        """Runs what closes something: now, or when the call that was left to itself has come back."""
        if self.lost:
            self._calls.put((function, Future()))
        else:
            function()

    def end(self) -> None:
        """Ends the thread after the last call."""
        self._calls.put(None)

    def _work(self) -> None:
        while (work := self._calls.get()) is not None:
            function, future = work
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - is raised where it is waited for
                future.set_exception(error)
            # Until the next call, which may never come.
            del work, function, future
