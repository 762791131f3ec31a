"""Async iterators as plain ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sheetbend.plugin import ReadContext


def drive(rows: AsyncIterator[object], context: ReadContext) -> Iterator[object]:
    """Runs an async iterator on an event loop of its own, which a cancel interrupts."""
    loop = asyncio.new_event_loop()
    task: asyncio.Task[object] | None = None

    def interrupt() -> None:
        if task is not None:
            task.cancel()

    def on_cancel() -> None:
        try:
            loop.call_soon_threadsafe(interrupt)
        except RuntimeError:  # the loop is closed: the rows have ended
            return

    async def following() -> object:
        return await anext(rows)

    context.on_cancel(on_cancel)
    try:
        while not context.cancelled:
            task = loop.create_task(following())
            try:
                item = loop.run_until_complete(task)
            except StopAsyncIteration:
                return
            task = None
            yield item
    finally:
        task = None
        try:
            _finish(loop, rows)
        finally:
            loop.close()


def _finish(loop: asyncio.AbstractEventLoop, rows: AsyncIterator[object]) -> None:
    closer = getattr(rows, "aclose", None)
    if closer is not None:
        loop.run_until_complete(closer())
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
