"""Plug-ins whose iterators misbehave: while rows come, at the end, and when they are closed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tests.plugin.zoo.base import THREAD, Case, Gives, Tame, fails, numbers

SHORT = 0.3
"""Seconds that a plug-in blocks: long enough to matter, short enough to wait for."""
FOREVER = 3600.0


class ReturnsNumber(Tame):
    def read_partition(self, *_: Any) -> Any:
        return 42


class ReturnsCoroutine(Tame):
    async def read_partition(self, *_: Any) -> Any:
        return numbers(1)


class YieldsRows(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield {"n": 1, "text": "one"}


class YieldsItself(Tame):
    def read_partition(self, *_: Any) -> Any:
        def rows() -> Iterator[Any]:
            yield generator

        generator = rows()
        return generator


class YieldsThePlugin(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield self


class RaisesAfterTheEnd(Tame):
    """An iterator that must not be asked again once it has ended."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __init__(self) -> None:
        self.left = [numbers(1), numbers(2)]
        self.ended = False

    def __next__(self) -> Any:
        if self.ended:
            raise RuntimeError("asked after the end")
        if self.left:
            return self.left.pop()
        self.ended = True
        raise StopIteration

    def read_partition(self, *_: Any) -> Any:
        return self


class GoesOnAfterTheEnd(RaisesAfterTheEnd):
    """An iterator that has more rows when it is asked again; they are none of the partition's."""

    def __next__(self) -> Any:
        self.ended = not self.ended
        if self.ended:
            return numbers(1)
        raise StopIteration


class SharesOneIterator(Tame):
    """All partitions take their rows from one iterator, which is exhausted by one of them."""

    partitions = 20

    def __init__(self) -> None:
        self.rows = iter([numbers(at) for at in range(30)])

    def read_partition(self, *_: Any) -> Any:
        return self.rows


class Endless(Tame):
    """For a limit: rows without an end, unless it is closed."""

    def read_partition(self, *_: Any) -> Any:
        while True:
            yield numbers(1, 2)


class IgnoresGeneratorExit(Tame):
    def read_partition(self, *_: Any) -> Any:
        while True:
            try:
                yield numbers(1, 2)
            except GeneratorExit:
                yield numbers(3)


class RaisesInFinally(Tame):
    def read_partition(self, *_: Any) -> Any:
        try:
            yield from Endless().read_partition()
        finally:
            raise SystemExit("while closing")


class RaisesAtTheEnd(Tame):
    def read_partition(self, *_: Any) -> Any:
        try:
            yield numbers(1)
        finally:
            raise OSError("cannot commit")


class Closing(Tame):
    """An iterator whose ``close`` is ``closer``."""

    closer: Any = None

    def read_partition(self, *_: Any) -> Any:
        class Rows(list[Any]):
            def __iter__(self) -> Any:
                return Left(self)

        class Left:
            close = self.closer

            def __init__(self, rows: list[Any]) -> None:
                self.rows = list.__iter__(rows)

            def __iter__(self) -> Any:
                return self

            def __next__(self) -> Any:
                return next(self.rows)

        return Rows([numbers(1), numbers(2)])


class CloseRaises(Closing):
    @staticmethod
    def closer(*_: Any) -> None:
        raise OSError("cannot close")


class CloseIsNoFunction(Closing):
    closer = False


class BlocksInDel(Tame):
    """Collected whenever: here, while a batch waits to be dropped."""

    class Slow:
        def __del__(self) -> None:
            time.sleep(SHORT)

    def read_partition(self, *_: Any) -> Any:
        slow = self.Slow()
        yield numbers(1)
        del slow
        yield numbers(2)


class BlocksInFinally(Tame):
    def read_partition(self, *_: Any) -> Any:
        try:
            yield from Endless().read_partition()
        finally:
            time.sleep(SHORT)


class RaisesInClosingAsync(Tame):
    async def read_partition(self, *_: Any) -> Any:
        try:
            while True:
                yield numbers(1, 2)
        finally:
            raise SystemExit("while closing")


class NeverClosesAsync(Tame):
    """Waits for ever in ``finally``: a coroutine that waits can be ended."""

    async def read_partition(self, *_: Any) -> Any:
        try:
            while True:
                yield numbers(1, 2)
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(FOREVER)


class ReadsNothingAsync(Tame):
    """What ``__anext__`` returns cannot be waited for."""

    def __aiter__(self) -> Any:
        return self

    def __anext__(self) -> Any:
        return numbers(1)

    def read_partition(self, *_: Any) -> Any:
        return self


class StartsALoopAsync(Tame):
    """An event loop within an event loop."""

    async def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        waiting = asyncio.sleep(0)
        try:
            asyncio.run(waiting)
        finally:
            waiting.close()


class StopsItsLoop(Tame):
    """The loop belongs to the bridge, and goes on."""

    async def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0)
        yield numbers(2)


class LeavesATask(Tame):
    """A task that would run for ever, and that does not let itself be cancelled at once."""

    async def read_partition(self, *_: Any) -> Any:
        async def stays() -> None:
            try:
                await asyncio.sleep(FOREVER)
            except asyncio.CancelledError:
                await asyncio.sleep(SHORT)

        task = asyncio.create_task(stays())
        yield numbers(1)
        await asyncio.sleep(0)
        yield numbers(2)
        assert not task.done()


class SpecIsIgnored(Tame):
    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str], **more: Any) -> Any:
        assert not more
        return [numbers(1), numbers(2)]


EXPECTED = "expected Arrow data"
BOTH_ROWS = Gives([1, 2])

CASES = (
    Case("returns a number", ReturnsNumber, fails("0", "returned int", EXPECTED)),
    Case("returns a coroutine", ReturnsCoroutine, fails("0", "returned coroutine", EXPECTED)),
    Case("yields rows", YieldsRows, fails("0", "yielded dict", EXPECTED)),
    Case("yields itself", YieldsItself, fails("0", "yielded generator", EXPECTED)),
    Case("yields the plug-in", YieldsThePlugin, fails("0", "yielded tests.plugin.zoo.iterators.Yields", EXPECTED)),
    Case("raises after the end", RaisesAfterTheEnd, BOTH_ROWS),
    Case("goes on after the end", GoesOnAfterTheEnd, Gives([1])),
    Case("shares one iterator", SharesOneIterator, Gives(range(30)), THREAD),  # each worker would have its own
    Case("ignores GeneratorExit", IgnoresGeneratorExit, BOTH_ROWS, limit=2),
    Case("raises in finally", RaisesInFinally, BOTH_ROWS, limit=2),
    Case("raises at the end", RaisesAtTheEnd, fails("0", "failed: OSError: cannot commit")),
    Case("close raises", CloseRaises, fails("0", "failed: OSError: cannot close")),
    Case("close raises early", CloseRaises, Gives([1]), limit=1),
    Case("close is no function", CloseIsNoFunction, BOTH_ROWS),
    Case("blocks in __del__", BlocksInDel, BOTH_ROWS),
    Case("blocks in finally", BlocksInFinally, BOTH_ROWS, limit=2),
    Case("raises in finally, async", RaisesInClosingAsync, BOTH_ROWS, limit=2),
    Case("never ends finally, async", NeverClosesAsync, BOTH_ROWS, limit=2),
    Case("__anext__ cannot be awaited", ReadsNothingAsync, fails("0", "TypeError", "await")),
    Case("a loop in a loop", StartsALoopAsync, fails("0", "RuntimeError: asyncio.run() cannot be called from")),
    Case("stops its loop", StopsItsLoop, BOTH_ROWS),
    Case("leaves a task", LeavesATask, BOTH_ROWS),
    Case("takes more than it is given", SpecIsIgnored, BOTH_ROWS),
)
