"""Calls of a plug-in's methods, in a form that crosses the border of a process too."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sheetbend._bridge import planning, writing

if TYPE_CHECKING:
    from sheetbend.options import Options
    from sheetbend.plugin import DataSourcePlugin, SupportsScanPlanning
    from sheetbend.scan import ScanRequest


class Message(NamedTuple):
    """What goes into a call, or comes out of it."""

    json: str = ""
    schema: Any = None
    """A pyarrow.Schema, or another object with ``__arrow_c_schema__``; or None."""
    batch: Any = None
    """A pyarrow.RecordBatch, or another object with ``__arrow_c_array__``: values that have an Arrow type. Or None."""


def call(plugin: DataSourcePlugin, options: Options, method: str, message: tuple[str, Any, Any]) -> Message:
    """Calls ``method`` of ``plugin``."""
    return _CALLS[method](plugin, options, Message(*message))


def _infer_schema(plugin: DataSourcePlugin, options: Options, _message: Message) -> Message:
    return Message(schema=planning.infer_schema(plugin, options))


def _plan_partitions(plugin: DataSourcePlugin, options: Options, _message: Message) -> Message:
    return Message(json=json.dumps(planning.plan_partitions(plugin, options)))


def _plan_scan(plugin: DataSourcePlugin, options: Options, message: Message) -> Message:
    return _answer(message, lambda request: cast("SupportsScanPlanning", plugin).plan_scan(request, options))


def _statistics(plugin: DataSourcePlugin, options: Options, message: Message) -> Message:
    from sheetbend.scan import ScanPlan  # noqa: PLC0415 - as of _answer

    return _answer(message, lambda _: ScanPlan([], statistics=planning.statistics(plugin, options)))


def _answer(message: Message, plan: Callable[[ScanRequest], object]) -> Message:
    """The plan for the request in a message."""
    # They need pyarrow, and a server that plans nothing does not.
    from sheetbend._wire import answer_to_wire, request_from_wire  # noqa: PLC0415

    request = request_from_wire(message.json, message.batch, message.schema)
    json, partitions = answer_to_wire(plan(request), request, planning.spec_to_json)
    return Message(json, batch=partitions)


def _begin_write(plugin: DataSourcePlugin, options: Options, message: Message) -> Message:
    return Message(json=writing.begin_write(plugin, options, json.loads(message.json), message.schema))


def _commit_write(plugin: DataSourcePlugin, options: Options, message: Message) -> Message:
    writing.writer(plugin).commit_write(**json.loads(message.json), options=options)
    return Message()


def _abort_write(plugin: DataSourcePlugin, options: Options, message: Message) -> Message:
    writing.writer(plugin).abort_write(**json.loads(message.json), options=options)
    return Message()


_CALLS: dict[str, Callable[[DataSourcePlugin, Options, Message], Message]] = {
    "infer_schema": _infer_schema,
    "plan_partitions": _plan_partitions,
    "plan_scan": _plan_scan,
    "statistics": _statistics,
    "begin_write": _begin_write,
    "commit_write": _commit_write,
    "abort_write": _abort_write,
}
