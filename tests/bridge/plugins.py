"""Plug-ins and helpers for the tests of the bridge."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from sheetbend import _native
from sheetbend.errors import PluginError

NUMBERS = pa.schema([("n", pa.int64())])


class Given:
    """A plug-in of what a test gives it."""

    def __init__(
        self,
        read: Callable[..., Any],
        *,
        schema: Any = NUMBERS,
        specs: Any = ({},),
    ) -> None:
        self._read = read
        self._schema = schema
        self._specs = specs

    def infer_schema(self, options: Any) -> Any:
        return self._schema(options) if callable(self._schema) else self._schema

    def plan_partitions(self, options: Any) -> Any:
        return self._specs(options) if callable(self._specs) else self._specs

    def read_partition(self, partition_spec: Any, options: Any, context: Any) -> Any:
        return self._read(partition_spec, options, context)


def given(rows: Any, **how: Any) -> Given:
    """A plug-in whose partitions are each ``rows``."""
    return Given(lambda spec, options, context: rows, **how)


def numbers(*values: int | None) -> pa.RecordBatch:
    return pa.record_batch([pa.array(values, pa.int64())], schema=NUMBERS)


def reader(plugin: object, options: dict[str, str] | None = None, **arguments: Any) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_stream(_native.scan(plugin, options or {}, **arguments))


def read(plugin: object, options: dict[str, str] | None = None, **arguments: Any) -> pa.Table:
    return reader(plugin, options, **arguments).read_all()


def failure(plugin: object, options: dict[str, str] | None = None, **arguments: Any) -> str:
    """The text of the error that reading ``plugin`` ends with."""
    with pytest.raises((PluginError, pa.ArrowException, OSError)) as caught:
        read(plugin, options, **arguments)
    return str(caught.value)


def eventually(condition: Callable[[], Any], what: str, timeout: float = 10) -> None:
    """Waits until ``condition`` holds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"not within {timeout} s: {what}"
        time.sleep(0.005)
