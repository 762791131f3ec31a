"""Waiting for the signal that ends a process that serves."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable
from types import FrameType

__all__ = ["until_signalled"]


def until_signalled(has_ended: Callable[[], bool], stop: Callable[[], None]) -> int:
    """Waits for SIGINT or SIGTERM, then calls ``stop``.

    A second signal ends the process at once, with status 128 + signal. Only the main thread may call this, since only
    it can handle signals. Returns the number of the signal, 0 where ``has_ended``, which is asked once a second, says
    that there is nothing to wait for.
    """
    reader, writer = os.pipe()
    received: list[int] = []

    # A handler that sets an Event could dead-lock with the thread it interrupts; a pipe cannot.
    def on_signal(number: int, _frame: FrameType | None) -> None:
        if received:
            os._exit(128 + number)
        received.append(number)
        os.write(writer, b".")

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not select.select([reader], [], [], 1.0)[0]:
            if has_ended():
                break
        stop()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
    return received[0] if received else 0
