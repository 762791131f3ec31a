"""A cap on the tasks of a write that are connected to the database at the same time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sheetbend.errors import SheetbendError

if TYPE_CHECKING:
    from sheetbend.context import TaskContext

__all__ = ["slot"]

_WAIT_SECONDS = 0.1
_slots: dict[str, tuple[threading.BoundedSemaphore, int]] = {}
"""The semaphore of a write, and how many tasks use it or wait for it."""
_lock = threading.Lock()


@contextlib.contextmanager
def slot(write_id: str, limit: int | None, context: TaskContext | None) -> Iterator[None]:
    """Waits until fewer than ``limit`` tasks of the write are inside; None is no limit. Of this process alone.

    Raises:
        SheetbendError: the task was cancelled while it waited.
    """
    if limit is None:
        yield
        return
    semaphore = _enter(write_id, limit)
    try:
        while not semaphore.acquire(timeout=_WAIT_SECONDS):
            if context is not None and context.cancelled:
                raise SheetbendError("The write was cancelled while a task waited for its turn.")
        try:
            yield
        finally:
            semaphore.release()
    finally:
        _leave(write_id)


def _enter(write_id: str, limit: int) -> threading.BoundedSemaphore:
    with _lock:
        semaphore, users = _slots.get(write_id) or (threading.BoundedSemaphore(limit), 0)
        _slots[write_id] = (semaphore, users + 1)
        return semaphore


def _leave(write_id: str) -> None:
    with _lock:
        semaphore, users = _slots.pop(write_id)
        if users > 1:
            _slots[write_id] = (semaphore, users - 1)
