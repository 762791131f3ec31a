"""Plug-ins that harm the process they run in, or start what they do not end."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from sheetbend.testing import scan
from tests.plugin.zoo.base import NUMBERS, PROCESS, THREAD, Case, Gives, Tame, fails, numbers


class HoldsTheInterpreter(Tame):
    """A call in C that sleeps and does not let the interpreter go: in a process of its own only that one stands."""

    def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        ctypes.PyDLL(None).sleep(3600)


class Exits(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        os._exit(7)


class Aborts(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        os.abort()


class ReadsFromAddressZero(Tame):
    def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        ctypes.string_at(0)


class KillsItself(Tame):
    """As the system does where memory is short."""

    def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        os.kill(os.getpid(), signal.SIGKILL)


class ExitsWhenAskedForASchema(Tame):
    def infer_schema(self, options: Mapping[str, str]) -> Any:
        os._exit(7)


class HoldsTheInterpreterAWhile(Tame):
    partitions = 4

    def read_partition(self, *_: Any) -> Any:
        yield numbers(1)
        ctypes.PyDLL(None).usleep(200_000)
        yield numbers(2)


class LeavesAThread(Tame):
    """The thread goes on when the rows have ended."""

    def read_partition(self, *_: Any) -> Any:
        ended = threading.Event()
        threading.Thread(target=ended.wait, args=(5,), daemon=True).start()
        yield numbers(1, 2)


class EndsItsThread(Tame):
    def read_partition(self, *_: Any) -> Any:
        import _thread

        yield numbers(1)
        _thread.exit()


class Forks(Tame):
    def read_partition(self, *_: Any) -> Any:
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        yield numbers(1, 2)


class WritesToStandardOutput(Tame):
    """Where another program may expect a protocol."""

    def read_partition(self, *_: Any) -> Any:
        os.write(1, b"\0" * 100_000 + b"\n")
        yield numbers(1, 2)


class SetsASignalHandler(Tame):
    """Only the main thread may, and a reader has a thread of its own."""

    def read_partition(self, *_: Any) -> Any:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        yield numbers(1)


class SwitchesSlowly(Tame):
    """Has the interpreter change hands so rarely that whoever waits for it waits long."""

    partitions = 4

    def read_partition(self, *_: Any) -> Any:
        before = sys.getswitchinterval()
        sys.setswitchinterval(0.5)
        try:
            yield numbers(1)
            end = time.monotonic() + 0.2
            while time.monotonic() < end:
                pass
            yield numbers(2)
        finally:
            sys.setswitchinterval(before)


# --- The bridge within the bridge -----------------------------------------------------------------


class NumpyBacked(Tame):
    """Memory of numpy, which takes the interpreter when it is freed; more of it than a channel holds."""

    partitions = 8
    batches, rows = 20, 64_000

    def read_partition(self, *_: Any) -> Any:
        for value in range(self.batches):
            memory = np.full(self.rows, value, dtype=np.int64)
            yield pa.record_batch([pa.array(memory), pa.nulls(self.rows, pa.string())], schema=NUMBERS)


class JoinsTwoSources(Tame):
    """Reads two sources at a time, batch by batch, and joins them: a Python stage above Python sources."""

    partitions = 4

    def read_partition(self, *_: Any) -> Any:
        left, right = scan(NumpyBacked), scan(NumpyBacked)
        for one, other in zip(left, right, strict=True):
            yield pa.record_batch([one.column("n"), other.column("text")], schema=NUMBERS)


class ReadsBeforeItIsRead(Tame):
    """Asks another source for the schema, and for the partitions."""

    def infer_schema(self, options: Mapping[str, str]) -> Any:
        return scan(Tame).schema

    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return [{"n": n} for n in scan(Tame).read_all()["n"].to_pylist()]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield numbers(spec["n"])


class ReadsItself(Tame):
    """A source that reads itself, down to the depth that an option gives."""

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        depth = int(options["depth"])
        return scan(type(self), {"depth": str(depth - 1)}) if depth else [numbers(1, 2)]


class LeavesTheOtherUnread(Tame):
    """Reads the first batch of an endless source, and forgets it."""

    class Endless(Tame):
        def read_partition(self, *_: Any) -> Any:
            while True:
                yield numbers(1, 2)

    def read_partition(self, *_: Any) -> Any:
        yield scan(self.Endless).read_next_batch().slice(0, 2)


class FailsInTheOther(Tame):
    """The error of a source within another one has both in its text."""

    class Inner(Tame):
        def read_partition(self, *_: Any) -> Any:
            raise ValueError("the inner one")

    def read_partition(self, *_: Any) -> Any:
        yield from scan(self.Inner)


JOINED = JoinsTwoSources.partitions * NumpyBacked.partitions * NumpyBacked.batches * NumpyBacked.rows

CASES = (
    Case(
        "holds the interpreter for ever",
        HoldsTheInterpreter,
        fails("0", "gave nothing for 3s (isolation_batch_timeout)"),
        PROCESS,
        options={"isolation_batch_timeout": "3s"},
    ),
    Case("os._exit", Exits, fails("0", "exit", "7"), PROCESS),
    Case("abort", Aborts, fails("0", "SIGABRT"), PROCESS),
    Case("segmentation fault", ReadsFromAddressZero, fails("0", "SIGSEGV"), PROCESS),
    Case("killed", KillsItself, fails("0", "SIGKILL"), PROCESS),
    Case("os._exit in infer_schema", ExitsWhenAskedForASchema, fails("infer_schema", "exit", "7"), PROCESS),
    Case("holds the interpreter a while", HoldsTheInterpreterAWhile, Gives([1, 2] * 4)),
    Case("leaves a thread", LeavesAThread, Gives([1, 2])),
    Case("ends its thread", EndsItsThread, fails("0", "failed: SystemExit")),
    Case("forks", Forks, Gives([1, 2])),
    Case("writes to standard output", WritesToStandardOutput, Gives([1, 2])),
    Case("sets a signal handler", SetsASignalHandler, fails("0", "signal only works in main thread"), THREAD),
    Case("switches slowly", SwitchesSlowly, Gives([1, 2] * 4)),
    Case("joins two sources", JoinsTwoSources, Gives([JOINED], "rows"), deadly=True),
    Case("reads before it is read", ReadsBeforeItIsRead, Gives([1, 2]), deadly=True),
    Case("reads itself, 20 deep", ReadsItself, Gives([1, 2]), options={"depth": "20"}),
    Case("leaves the other unread", LeavesTheOtherUnread, Gives([1, 2]), deadly=True),
    Case(
        "fails in the other",
        FailsInTheOther,
        fails("0", "Inner): read_partition of partition 0", "the inner one"),
        deadly=True,
    ),
)
