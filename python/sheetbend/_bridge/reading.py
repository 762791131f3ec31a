"""Reads one partition of a plug-in, in whichever form it gives its rows."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from sheetbend._bridge.async_rows import drive
from sheetbend._bridge.configure import secret_texts
from sheetbend._bridge.describe import describe
from sheetbend._bridge.scrubbing import ScrubbedLogger
from sheetbend.errors import PluginError
from sheetbend.plugin import DataSourcePlugin, Metrics, ReadContext

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.filters import Filter
    from sheetbend.options import Options

_EXPECTED_ROWS = (
    "expected Arrow data: an object with __arrow_c_stream__ or __arrow_c_array__ (a pyarrow.RecordBatchReader, Table "
    "or RecordBatch, ...), or an iterator, generator or async iterator of such objects"
)


_Wanted: TypeAlias = "Callable[[], tuple[str, pa.Schema, pa.RecordBatch]] | None"


class Told(NamedTuple):
    """What the engine says of a read."""

    batch_size: int
    partition: int
    remaining: float | None
    """Seconds until the query is cancelled."""
    wanted: _Wanted
    """Gives a filter that all rows pass that are wanted: JSON, the schema of the table, the literals."""
    add: Callable[[str, int], object]
    """Is given the name of a metric that the reader counts, and what is added to it."""


def new_context(
    source: str, options: Options, told: tuple[int, int, float | None, _Wanted, Callable[[str, int], object]]
) -> ReadContext:
    """What a reader of ``source`` is told; ``told`` is a :class:`Told`."""
    batch_size, partition, remaining, wanted, add = Told(*told)
    return ReadContext(
        batch_size=batch_size,
        partition=partition,
        deadline=None if remaining is None else time.monotonic() + remaining,
        metrics=Metrics(add),
        logger=ScrubbedLogger(f"sheetbend.source.{source}", lambda: secret_texts(options)),
        dynamic_filter=None if wanted is None else partial(_filter, wanted),
    )


def _filter(wanted: Callable[[], tuple[str, pa.Schema, pa.RecordBatch]]) -> Filter:
    # It needs pyarrow, and most reads do not ask for it.
    from sheetbend._wire import from_wire  # noqa: PLC0415

    text, schema, literals = wanted()
    return from_wire(json.loads(text), literals, schema)


def read_partition(plugin: DataSourcePlugin, spec: str, options: Options, context: ReadContext) -> Iterator[object]:
    """The rows of one partition: an iterator of objects with ``__arrow_c_stream__`` or ``__arrow_c_array__``."""
    method: Callable[..., Any] = plugin.read_partition
    more = (context,) if _reads_with_context(method) else ()
    rows = method(json.loads(spec), options, *more)
    # A class has the methods of what it makes, but is none of it; what has no rows at all may be iterated over too.
    if not isinstance(rows, (str, bytes, bytearray, Mapping, type)):
        if hasattr(rows, "__arrow_c_stream__") or hasattr(rows, "__arrow_c_array__"):
            return iter((rows,))
        if hasattr(rows, "__iter__"):
            return iter(rows)
        if hasattr(rows, "__aiter__"):
            return drive(aiter(rows), context)
    if inspect.iscoroutine(rows):
        rows.close()
    raise PluginError(f"returned {describe(rows)}, {_EXPECTED_ROWS}")


def unexpected_item(item: object) -> str:
    """What is wrong with an item of the iterator that ``read_partition`` returned."""
    return f"yielded {describe(item)}, {_EXPECTED_ROWS}"


_with_context: WeakKeyDictionary[Callable[..., object], bool] = WeakKeyDictionary()
"""Whether functions of classes take a context: to look at a signature takes longer than all else of a small read."""


def _reads_with_context(method: Callable[..., object]) -> bool:
    function = getattr(method, "__func__", None)
    if not isinstance(function, FunctionType):
        return takes_context(method, after=2)
    known = _with_context.get(function)
    if known is None:
        known = _with_context[function] = takes_context(method, after=2)
    return known


def takes_context(method: Callable[..., object], *, after: int) -> bool:
    """Whether a method has one more parameter than ``after``, for the context: of that name, or without a default."""
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):  # a function in C without a signature
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    further = [parameter for parameter in parameters if parameter.kind in positional][after : after + 1]
    return any(parameter.name == "context" or parameter.default is inspect.Parameter.empty for parameter in further)


def close(rows: object) -> None:
    """Ends an iterator early, so that the ``finally`` blocks of a generator run."""
    closer: Callable[[], object] | None = getattr(rows, "close", None)
    if callable(closer):
        closer()
