"""What the engine tells a plug-in while a task runs: whether anybody still waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack

__all__ = ["TaskContext"]


class TaskContext:
    """What the engine tells a method of a plug-in that takes a ``context``. Safe to use from any thread."""

    def __init__(self, *, partition: int) -> None:
        self.partition = partition
        """The position of the partition that the task is about."""
        self._cancelled = threading.Event()
        self._callbacks: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    @property
    def cancelled(self) -> bool:
        """True once nobody waits for the task any more: the query was cancelled, failed, or has rows enough."""
        return self._cancelled.is_set()

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Waits up to ``timeout`` seconds for the cancel; returns whether it has come. A sleep that can be woken."""
        return self._cancelled.wait(timeout)

    def on_cancel(self, callback: Callable[[], object]) -> None:
        """Has ``callback`` called once, from another thread, when the task is cancelled; at once where it is already.

        This is the place to interrupt a call that blocks, such as a statement that a database still runs.
        """
        with self._lock:
            if not self._cancelled.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def cancel(self) -> None:
        """Marks the task as cancelled and runs the callbacks. Called by the engine; a second call does nothing."""
        with self._lock:
            self._cancelled.set()
            callbacks, self._callbacks = self._callbacks, []
        # All of them run, in order, even where one raises.
        with ExitStack() as stack:
            for callback in reversed(callbacks):
                stack.callback(callback)
