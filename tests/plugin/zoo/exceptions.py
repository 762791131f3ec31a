"""Plug-ins that raise: anything, anywhere."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from sheetbend import _native
from tests.plugin.zoo.base import Case, Tame, fails, numbers


def recurse() -> None:
    recurse()


def panic() -> None:
    """A real one: the Arrow library of extension modules in Rust takes it for granted that names are UTF-8."""
    _native.scan(Tame, {}, schema=pa.schema([pa.field(b"\xff", pa.int64())]))


def raises(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


ACTS: dict[str, tuple[Callable[[], None], str]] = {
    "ValueError": (raises(ValueError("boom")), "ValueError: boom"),
    "SystemExit": (raises(SystemExit(3)), "SystemExit: 3"),
    "KeyboardInterrupt": (raises(KeyboardInterrupt("boom")), "KeyboardInterrupt: boom"),
    "GeneratorExit": (raises(GeneratorExit("boom")), "GeneratorExit: boom"),
    "CancelledError": (raises(asyncio.CancelledError("boom")), "CancelledError: boom"),
    "MemoryError": (raises(MemoryError("boom")), "MemoryError: boom"),
    "StopIteration": (raises(StopIteration("boom")), "StopIteration"),
    "recursion": (recurse, "RecursionError: maximum recursion depth exceeded"),
    "panic": (panic, "native code panicked: The external API has a non-utf8 as name"),
}
"""What may happen, and what is said of it."""


class Raises(Tame):
    """Does what the option ``act`` names where the option ``at`` says."""

    partitions = 3

    def infer_schema(self, options: Mapping[str, str]) -> Any:
        self._act("infer_schema", options)
        return self.schema

    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        self._act("plan_partitions", options)
        return super().plan_partitions(options)

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        if spec["at"] == 1:
            self._act("read_partition", options)
        return self._rows(spec["at"], options)

    def _rows(self, partition: int, options: Mapping[str, str]) -> Any:
        for batch in range(6):
            if partition == 1:
                self._act(f"batch {batch}", options)
            yield numbers(batch)

    def _act(self, here: str, options: Mapping[str, str]) -> None:
        if options["at"] == here:
            ACTS[options["act"]][0]()


class RaisesAsync(Raises):
    """The same in an async generator."""

    async def _rows(self, partition: int, options: Mapping[str, str]) -> Any:
        for row in super()._rows(partition, options):
            await asyncio.sleep(0)
            yield row


class RaisesInIterator(Raises):
    """The same in an iterator that is no generator, where StopIteration is the end of the rows."""

    def _rows(self, partition: int, options: Mapping[str, str]) -> Any:
        def row(batch: int) -> pa.RecordBatch:
            if partition == 1:
                self._act(f"batch {batch}", options)
            return numbers(batch)

        return map(row, range(6))


class RaisesWhenMade(Tame):
    def __init__(self) -> None:
        raise SystemExit("no licence found")


# --- Exceptions that are strange themselves -------------------------------------------------------


class Throws(Tame):
    """Raises what ``error`` makes."""

    def error(self) -> BaseException:
        return NotImplementedError()

    def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        raise self.error()


class WithoutText(Throws):
    class MuteError(Exception):
        def __str__(self) -> str:
            raise SystemExit("no text")

        __repr__ = __str__

    def error(self) -> BaseException:
        return self.MuteError()


class OfLongText(Throws):
    """100 MB, of which no log and no client has any use."""

    def error(self) -> BaseException:
        return ValueError("It begins here. " + "x" * 100_000_000 + " It ends here.")


class OfNoUtf8(Throws):
    """As of the name of a file that is no UTF-8."""

    def error(self) -> BaseException:
        return FileNotFoundError("no file caf\udce9.csv")


class OfOddCharacters(Throws):
    def error(self) -> BaseException:
        return ValueError("a NUL \0, a line\nand another, \u202e, \x1b[31m, 💥")


class CauseOfItself(Throws):
    """A chain of causes that is a circle."""

    def error(self) -> BaseException:
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        first.__context__ = first
        return first


class ChainOfThousands(Throws):
    def error(self) -> BaseException:
        error = ValueError("the last")
        for at in range(10_000):
            following = ValueError(f"after {at}")
            following.__cause__ = error
            error = following
        return error


class DeepInTheStack(Throws):
    """A traceback of 10,000 frames, of two functions by turns, so that none can be left out as a repetition."""

    def error(self) -> BaseException:
        def ping(depth: int) -> BaseException:
            return pong(depth - 1) if depth else ValueError("the bottom")

        def pong(depth: int) -> BaseException:
            return ping(depth - 1) if depth else ValueError("the bottom")

        def sink(depth: int) -> None:
            if not depth:
                raise ping(0)
            float_up(depth - 1)

        def float_up(depth: int) -> None:
            sink(depth - 1)

        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(20_000)
        try:
            sink(10_000)
        except ValueError as error:
            return error
        finally:
            sys.setrecursionlimit(limit)
        return AssertionError("unreachable")


class OfLyingClass(Throws):
    """The name of its class is a number, and its condition and SQLSTATE cannot be sent to anybody."""

    class Lying(type):
        @property
        def __name__(cls) -> Any:  # type: ignore[override]
            return 5

    class LiarError(Exception, metaclass=Lying):
        condition = "\udce9"
        sql_state = "far too long, \0 and more"

    def error(self) -> BaseException:
        return self.LiarError("liar")


class OfPricklyClass(Throws):
    """Its class answers every question with an exception."""

    class Prickly(type):
        def __getattr__(cls, name: str) -> Any:
            raise RuntimeError(f"do not ask for {name}")

    class HedgehogError(Exception, metaclass=Prickly):
        pass

    def error(self) -> BaseException:
        return self.HedgehogError("curled up")


_PLACES = {"infer_schema": "infer_schema", "plan_partitions": "plan_partitions", "read_partition": "1"}
_BATCHES = (0, 1, 5)


def _raising(plugin: type, act: str, at: str, place: str, said: str) -> Case:
    return Case(
        f"{plugin.__name__} {act} at {at}", plugin, fails(place, "failed: " + said), options={"act": act, "at": at}
    )


CASES = (
    Case("raises when made", RaisesWhenMade, fails("it cannot be loaded", "SystemExit: no licence found")),
    *(_raising(Raises, act, at, place, said) for act, (_, said) in ACTS.items() for at, place in _PLACES.items()),
    *(
        _raising(plugin, act, f"batch {batch}", "1", "RuntimeError: " if act == "StopIteration" else said)
        for plugin in (Raises, RaisesAsync)
        for act, (_, said) in ACTS.items()
        for batch in _BATCHES
    ),
    *(
        _raising(RaisesInIterator, act, f"batch {batch}", "1", said)
        for act, (_, said) in ACTS.items()
        if act != "StopIteration"
        for batch in _BATCHES
    ),
    Case("its text raises", WithoutText, fails("0", "failed: MuteError: ")),
    Case("its text is 100 MB", OfLongText, fails("0", "failed: ValueError: It begins here. xxx")),
    Case("its text is no UTF-8", OfNoUtf8, fails("0", "FileNotFoundError: no file caf\\udce9.csv")),
    Case(
        "its text has odd characters", OfOddCharacters, fails("0", "ValueError: a NUL \\0, a line\nand another", "💥")
    ),
    Case(
        "a circle of causes", CauseOfItself, fails("0", "ValueError: first", "ValueError: second", "in read_partition")
    ),
    Case("10,000 causes", ChainOfThousands, fails("0", "failed: ValueError: after 9999", "in read_partition")),
    Case(
        "10,000 frames",
        DeepInTheStack,
        fails("0", "failed: ValueError: the bottom", "in read_partition", "in float_up"),
    ),
    Case("a class that lies", OfLyingClass, fails("0", "failed: ", "liar")),
    Case("a class that raises", OfPricklyClass, fails("0", "failed: HedgehogError: curled up")),
)
