"""Plug-ins that do harm to the process that they run in."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from sheetbend import OptionSpec, ReadContext
from sheetbend.errors import SourceConnectionError

SCHEMA = pa.schema([pa.field("pid", pa.int64(), nullable=False)])


def pid() -> pa.RecordBatch:
    """One row: the process that this runs in."""
    return pa.record_batch([[os.getpid()]], schema=SCHEMA)


def flood() -> None:
    line = b"x" * 9_999 + b"\n"
    for _ in range(5_000):
        os.write(2, line)


def print_everywhere() -> None:
    print("printed")
    sys.stdout.write("no newline")
    os.write(1, b"\x00\xff raw \n" * 100)
    ctypes.CDLL(None).puts(b"from C")


def linger() -> None:
    atexit.register(time.sleep, 600)
    threading.Thread(target=time.sleep, args=[600]).start()


def leave_threads() -> None:
    def spin() -> None:
        while True:
            time.sleep(0.001)

    for _ in range(5):
        threading.Thread(target=spin, daemon=True).start()


def exit_soon() -> None:
    threading.Timer(0.2, os._exit, [7]).start()


FAULTS: dict[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "exit": lambda: os._exit(3),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "abort": os.abort,
    "bytes": lambda: bytearray(8 << 30),
    "buffer": lambda: pa.allocate_buffer(8 << 30),
    "sleep": lambda: time.sleep(600),
    "hold": lambda: ctypes.PyDLL(None).sleep(600),
    "flood": flood,
    "print": print_everywhere,
    "linger": linger,
    "threads": leave_threads,
    "exit soon": exit_soon,
    "system exit": lambda: sys.exit(5),
}


class Faulty:
    """Does what the option ``fault`` says, where the option ``at`` says. Each partition has two batches of one row."""

    OPTIONS = (
        OptionSpec("fault", "what goes wrong", choices=tuple(FAULTS)),
        OptionSpec("at", "where it goes wrong", default="between"),
        OptionSpec("partitions", "how many", "integer", default="1"),
        OptionSpec("password", "a secret", secret=True),
    )

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        self._reach("infer_schema", options)
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        self._reach("plan_partitions", options)
        return [{}] * int(options.get("partitions", "1"))

    def read_partition(self, spec: Any, options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        self._reach("before", options)
        yield pid()
        self._reach("between", options)
        yield pid()
        self._reach("after", options)

    @staticmethod
    def _reach(place: str, options: Mapping[str, str]) -> None:
        if options.get("at", "between") == place and "fault" in options:
            if "password" in options:
                print(f"the password is {options['password']}")
            FAULTS[options["fault"]]()


class Waiting:
    """Rows without end; says in the file ``log`` what it learns of its end."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Any, options: Mapping[str, str], context: ReadContext) -> Iterator[pa.RecordBatch]:
        log = Path(options["log"])

        def note(text: str) -> None:
            with log.open("a") as file:
                file.write(f"{text}\n")

        context.on_cancel(lambda: note("callback"))
        try:
            yield pid()
            if "wait" in options:
                note(f"waited: {context.wait_cancelled(60)}")
            while True:
                yield pid()
        finally:
            note(f"finally: {context.cancelled}")


class Together:
    """Each partition waits until every other is read too: it tells so by a file in ``folder``."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{"name": name} for name in ("a", "b")]

    def read_partition(self, spec: Any, options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        folder = Path(options["folder"])
        (folder / spec["name"]).touch()
        end = time.monotonic() + 30
        while len(list(folder.iterdir())) < 2:
            if time.monotonic() > end:
                raise TimeoutError("the other partition was not read at the same time")
            time.sleep(0.01)
        yield pid()


class Raising:
    """Raises an error that says what kind it is."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Any, options: Mapping[str, str], context: ReadContext) -> Iterator[pa.RecordBatch]:
        if "cannot" in options:
            yield from ()
            raise SourceConnectionError(f"partition {context.partition} in batches of {context.batch_size}")
        yield pid()
        raise ValueError("of the plug-in")


class Refused:
    """A class that must not be made an instance of in this process."""

    home = os.getpid()

    def __init__(self) -> None:
        self.made_in = os.getpid()

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Any, options: Mapping[str, str]) -> pa.Table:
        return pa.table({"pid": [self.made_in]}, schema=SCHEMA)


class Given:
    """Yields what its instance was made with."""

    def __init__(self, *items: Any, schema: pa.Schema) -> None:
        self.items = items
        self.schema = schema

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return self.schema

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Any, options: Mapping[str, str]) -> Iterator[Any]:
        yield from self.items


class WrongAndStuck:
    """Yields one row, then a batch that is not as promised, then nothing for ever."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Any, options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        yield pid()
        yield pa.record_batch({"wrong": [1]})
        time.sleep(600)


class Many:
    """``count`` batches of ``rows`` rows of int64, in one buffer."""

    SCHEMA = pa.schema([("n", pa.int64())])

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        return self.SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Any, options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        column = pa.array(range(int(options["rows"])), pa.int64())
        for _ in range(int(options["count"])):
            yield pa.record_batch([column], schema=self.SCHEMA)


class Prefix:
    """One row: the environment that it runs in."""

    def infer_schema(self, options: Any) -> pa.Schema:
        return pa.schema([("prefix", pa.string())])

    def plan_partitions(self, options: Any) -> list[dict[str, Any]]:
        return [{}]

    def read_partition(self, spec: Any, options: Any) -> pa.Table:
        return pa.table({"prefix": [sys.prefix]})
