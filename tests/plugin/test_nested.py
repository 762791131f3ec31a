"""Plug-ins that use the engine while the engine uses them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sheetbend import testing
from tests.bridge.plugins import NUMBERS, Given, given, numbers
from tests.plugin.sinks import Sink, write


def test_a_plug_in_reads_another_one() -> None:
    inner = Given(lambda *_: (numbers(n) for n in range(50)))
    outer = given(None)
    outer._read = lambda *_: testing.scan(inner)
    assert testing.scan(outer).read_all().num_rows == 50
    outer._read = lambda *_: iter(list(testing.scan(inner)))
    assert testing.scan(outer).read_all().num_rows == 50


def test_a_plug_in_writes_to_another_one() -> None:
    target = Sink()

    def writing(sink: Sink, task: Any, batches: pa.RecordBatchReader, context: Any) -> Any:
        testing.write(target, [batches])
        return {"partition": 0, "rows": 0}

    sink = Sink(write=writing, commit=lambda handle, messages: sink.committed.add(handle["write"]))
    write(sink, Given(lambda *_: (numbers(n) for n in range(50))))
    assert sorted(row["n"] for row in target.rows) == list(range(50))


def test_rows_in_the_interpreter_s_memory_are_written_by_many_tasks() -> None:
    """Buffers of numpy take the interpreter when they are dropped, on both sides of a write."""

    def read(spec: Any, options: Any, context: Any) -> Any:
        for n in range(20):
            yield pa.record_batch([pa.array(np.full(1_000, n))], schema=NUMBERS)

    sink = Sink()
    write(sink, Given(read, specs=[{"at": at} for at in range(64)]))
    assert len(sink.rows) == 64 * 20 * 1_000
