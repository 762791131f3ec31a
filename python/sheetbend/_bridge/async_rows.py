"""Async iterators as plain ones, all of them on one event loop.

One loop for the process, on a thread of its own: what belongs to a loop, such as an HTTP client, can be shared by the
partitions, and those that wait cost no thread that works. An iterator is followed by one task from its first step to
its ``aclose()``: cancel scopes and task groups may not be left in another task than they were entered in.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextvars import ContextVar, copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from sheetbend.plugin import ReadContext

CLOSE_SECONDS = 5.0
"""How long an iterator may take to end once it is told to."""

_log = logging.getLogger(__name__)
_tasks: ContextVar[WeakSet[asyncio.Task[Any]] | None] = ContextVar("tasks of a partition", default=None)
_starting = threading.Lock()
_running: asyncio.AbstractEventLoop | None = None


def drive(rows: AsyncIterator[object], context: ReadContext) -> Iterator[object]:
    """The items of an async iterator. A cancel interrupts what it awaits."""
    follower = _Follower(rows, _loop())
    context.on_cancel(follower.cancel)
    try:
        while not context.cancelled:
            try:
                item = follower.next()
            except StopAsyncIteration:
                return
            yield item
    finally:
        follower.close()


class _Follower:
    """Follows an iterator in a task on the loop, as far as the thread that reads asks for."""

    def __init__(self, rows: AsyncIterator[object], loop: asyncio.AbstractEventLoop) -> None:
        self._rows = rows
        self._loop = loop
        self._asked = asyncio.Event()
        self._closing = False
        self._given: SimpleQueue[tuple[object, BaseException | None]] = SimpleQueue()
        self._ended = threading.Event()
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._task: asyncio.Task[None] | None = None
        context = copy_context()
        context.run(_tasks.set, self._tasks)
        loop.call_soon_threadsafe(self._start, context=context)

    def next(self) -> object:
        """The next item; raises what the iterator raises. Waits without the interpreter."""
        self._loop.call_soon_threadsafe(self._asked.set)
        item, error = self._given.get()
        if error is not None:
            raise error
        return item

    def cancel(self) -> None:
        """Interrupts what the iterator awaits."""
        self._loop.call_soon_threadsafe(self._interrupt)

    def close(self) -> None:
        """Ends the iterator and the tasks that it has left, and waits for that, but not for ever."""
        self._loop.call_soon_threadsafe(self._stop)
        if self._ended.wait(CLOSE_SECONDS):
            return
        self.cancel()
        if not self._ended.wait(CLOSE_SECONDS):
            _log.warning("an async reader goes on, %s s after it was told to end", 2 * CLOSE_SECONDS)

    def _start(self) -> None:
        self._task = self._loop.create_task(self._follow())
        self._task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        # One that is cancelled before its first step says nothing itself.
        if not self._ended.is_set():
            self._given.put((None, asyncio.CancelledError()))
            self._ended.set()

    def _stop(self) -> None:
        self._closing = True
        self._asked.set()

    def _interrupt(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _follow(self) -> None:
        # Nothing may leave the task: an exit or an interrupt of the keyboard would end the loop.
        failed: BaseException | None = None
        try:
            await self._give()
        except BaseException as error:  # noqa: BLE001 - the thread that reads raises it
            failed = error
        try:
            await self._end()
        except BaseException as error:  # noqa: BLE001 - as above
            failed = failed or error
        finally:
            self._given.put((None, failed or StopAsyncIteration()))
            self._ended.set()

    async def _give(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            if self._closing:
                return
            try:
                item = await anext(self._rows)
            except StopAsyncIteration:
                return
            self._given.put((item, None))

    async def _end(self) -> None:
        closer: Callable[[], Coroutine[object, object, object]] | None = getattr(self._rows, "aclose", None)
        if closer is not None:
            await closer()
        left = [task for task in self._tasks if task is not self._task and not task.done()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _loop() -> asyncio.AbstractEventLoop:
    global _running  # noqa: PLW0603 - there is one for the process
    with _starting:
        if _running is None:
            _running = asyncio.new_event_loop()
            _running.set_task_factory(_make_task)
            # A daemon: it ends with the process, which waits for the reads before.
            threading.Thread(target=_run, args=(_running,), name="sheetbend-async", daemon=True).start()
        return _running


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while True:
        # A task that a reader has made may raise these, which end a loop.
        with contextlib.suppress(SystemExit, KeyboardInterrupt):
            loop.run_forever()


def _make_task(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    **how: Any,  # noqa: ANN401 - differs with the version of Python
) -> asyncio.Task[Any]:
    """Makes a task, and takes note of it where it comes from a partition."""
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **how)
    tasks = _tasks.get()
    if tasks is not None:
        tasks.add(task)
    return task
