"""Writing to a plug-in: the beginning, the rows of one partition, and the end."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from sheetbend._bridge.describe import describe
from sheetbend._bridge.json_values import to_json
from sheetbend._bridge.reading import takes_context
from sheetbend.context import TaskContext
from sheetbend.errors import PluginError, UnsupportedWriteError
from sheetbend.registry import class_name
from sheetbend.write import SaveMode, SupportsWrite, WriteRequest, WriteTask

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.options import Options

_METHODS = ("begin_write", "write_partition", "commit_write", "abort_write")


def writer(plugin: object) -> SupportsWrite:
    """The plug-in as one that is written to.

    Raises:
        UnsupportedWriteError: It lacks methods for that; the message names them.
    """
    missing = [method for method in _METHODS if not callable(getattr(plugin, method, None))]
    if missing:
        raise UnsupportedWriteError(
            f"cannot be called: {class_name(plugin)} cannot be written to, for it lacks {', '.join(missing)}. A source "
            f"that is written to has the methods {', '.join(_METHODS)}."
        )
    return cast("SupportsWrite", plugin)


def begin_write(plugin: object, options: Options, request: dict[str, Any], schema: object) -> str:
    """The handle as JSON text; ``null`` where nothing is to be written."""
    mode = SaveMode(request.pop("mode"))
    wanted = WriteRequest(mode=mode, schema=cast("pa.Schema", schema), **request)
    handle: object = writer(plugin).begin_write(wanted, options)
    if handle is None and mode is SaveMode.IGNORE:
        return "null"
    if not isinstance(handle, dict):
        only = " None, for nothing to write, is for mode 'ignore' alone." if handle is None else ""
        raise PluginError(f"returned {describe(handle)}, expected a dict of JSON values.{only}")
    return to_json(handle, "a handle", "handle")


def new_write_context(partition: int) -> TaskContext:
    """What a writer is told of its task."""
    return TaskContext(partition=partition)


def write_partition(
    plugin: object, work: str, batches: pa.RecordBatchReader, options: Options, context: TaskContext
) -> str:
    """Writes the rows of one partition; the commit message as JSON text.

    Args:
        plugin: The plug-in.
        work: JSON text of an object with ``handle`` and ``task``.
        batches: The rows.
        options: The options of the writer.
        context: For a method that takes it.
    """
    parsed = json.loads(work)
    method: Callable[..., object] = writer(plugin).write_partition
    more = (context,) if takes_context(method, after=4) else ()
    message = method(parsed["handle"], WriteTask(**parsed["task"]), batches, options, *more)
    if message is None:
        return "{}"
    if isinstance(message, dict):
        return to_json(message, "a message", "message")
    if inspect.iscoroutine(message):
        message.close()
    raise PluginError(f"returned {describe(message)}, expected a dict of JSON values, or None for an empty message")
