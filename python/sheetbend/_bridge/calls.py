"""Calls of a plug-in's methods, in a form that crosses the border of a process too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sheetbend._bridge import planning

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.plugin import DataSourcePlugin


class Message(NamedTuple):
    """What goes into a call, or comes out of it."""

    json: str = ""
    schema: object | None = None
    """An object with ``__arrow_c_schema__``."""
    batch: object | None = None
    """An object with ``__arrow_c_array__``: values that have an Arrow type."""


def call(
    plugin: DataSourcePlugin, options: Options, method: str, message: tuple[str, object | None, object | None]
) -> Message:
    """Calls ``method`` of ``plugin``."""
    return _CALLS[method](plugin, options, Message(*message))


def _infer_schema(plugin: DataSourcePlugin, options: Options, _message: Message) -> Message:
    return Message(schema=planning.infer_schema(plugin, options))


def _plan_partitions(plugin: DataSourcePlugin, options: Options, _message: Message) -> Message:
    import pyarrow as pa  # noqa: PLC0415 - a server that plans nothing has no use for it

    specs = planning.plan_partitions(plugin, options)
    return Message(batch=pa.record_batch([pa.array(specs, pa.string())], names=["spec"]))


_CALLS: dict[str, Callable[[DataSourcePlugin, Options, Message], Message]] = {
    "infer_schema": _infer_schema,
    "plan_partitions": _plan_partitions,
}
