"""The Python half of the bridge: what the engine calls to drive a plug-in.

Private. Every function here is called attached to the interpreter, by one thread at a time per object, and raises what
the plug-in raises. What a plug-in does wrong without raising becomes a :class:`PluginError` that says what is expected.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import math
import re
import sys
import traceback
import types
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote, quote_plus, unquote

from sheetbend import options as options_module
from sheetbend import plugin as plugin_module
from sheetbend import registry
from sheetbend.errors import PluginError, SheetbendError
from sheetbend.options import Options, OptionSpec, check_options
from sheetbend.plugin import DataSourcePlugin, ReadContext
from sheetbend.registry import class_name

if TYPE_CHECKING:
    import pyarrow as pa

_SECRET_KEY = re.compile(r"(?i)secret|passw|pwd|token|credential|(access|private|api)[._-]?key|authorization")
_SECRET_IN_URL = re.compile(r"://[^:/?#@\s]*:([^/?#\s]+)@|(?i:(?:password|passwd|pwd|secret|token)=)([^&;\s]+)")
_SHORTEST_SECRET = 3
"""Shorter values are not replaced in messages: they would be found by chance in any text."""

_MAX_DEPTH = 100
"""How deep a partition spec may nest. The limit also ends the check of a spec that contains itself."""

_EXPECTED_ROWS = (
    "expected Arrow data: an object with __arrow_c_stream__ or __arrow_c_array__ (a pyarrow.RecordBatchReader, Table "
    "or RecordBatch, ...), or an iterator, generator or async iterator of such objects"
)


# --- Finding the plug-in --------------------------------------------------------------------------


def load(module: str, name: str) -> DataSourcePlugin:
    """The plug-in of the class ``name`` (dots reach into it) in ``module``."""
    if not module or not name:
        missing = "python_module" if not module else "python_class"
        raise PluginError(f"option '{missing}' is required: it names the {missing[7:]} of the plug-in")
    return adopt(registry.attribute_of(_import(module), name))


def adopt(candidate: object) -> DataSourcePlugin:
    """The plug-in that ``candidate``, an instance or a class, stands for, once it is known to have its methods."""
    registry.check_methods(candidate)
    return cast("DataSourcePlugin", candidate() if isinstance(candidate, type) else candidate)


def _import(module: str) -> types.ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Only where it is the module itself that is missing, not one that it imports.
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            raise
        raise PluginError(
            f"module '{module}' was not found: '{error.name}' is neither installed in {sys.prefix} nor on the server's "
            "PYTHONPATH"
        ) from None


# --- Options --------------------------------------------------------------------------------------


class Configured(NamedTuple):
    """The options of a source, and every text that must not leave the bridge."""

    options: Options
    secrets: list[str]


def configure(
    plugin: object,
    values: Mapping[str, str],
    paths: Sequence[str],
    predicates: Sequence[str],
    schema: pa.Schema | None,
) -> Configured:
    """The options as ``plugin`` gets them: one path is the option ``path``, several are ``paths``, a JSON list."""
    values = dict(values)
    if len(paths) == 1:
        values["path"] = paths[0]
    elif paths:
        values["paths"] = json.dumps(list(paths))
    specs = _option_specs(plugin)
    secret_keys = [spec.name for spec in specs or () if spec.secret]
    secret_keys += [key for key in values if _SECRET_KEY.search(key)]
    options = Options(values, schema=schema, predicates=predicates, secrets=secret_keys)
    return Configured(options, _secret_texts(options))


def check(plugin: object, source: str, options: Options) -> None:
    """Checks the options against the plug-in's ``OPTIONS``, where it has any."""
    specs = _option_specs(plugin)
    if specs is not None:
        check_options(specs, options, source=source)


def _option_specs(plugin: object) -> Sequence[OptionSpec] | None:
    specs = getattr(plugin, "OPTIONS", None)
    if specs is None:
        return None
    if not isinstance(specs, Sequence) or not all(isinstance(spec, OptionSpec) for spec in specs):
        raise PluginError(f"OPTIONS is {_describe(specs)}, expected a sequence of sheetbend.options.OptionSpec")
    return specs


def _secret_texts(options: Options) -> list[str]:
    """The secrets in every spelling in which a driver may repeat them, longest first."""
    plain = {value for key, value in options.items() if key.lower() in options.secrets}
    for value in options.values():
        plain.update(group for match in _SECRET_IN_URL.finditer(value) for group in match.groups() if group)
    plain |= {unquote(value) for value in plain}
    spelled = {spell(value) for value in plain for spell in (str, quote, quote_plus, _in_repr, _in_json)}
    return sorted((text for text in spelled if len(text) >= _SHORTEST_SECRET), key=len, reverse=True)


def _in_repr(value: str) -> str:
    return repr(value)[1:-1]


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


# --- Planning -------------------------------------------------------------------------------------


def infer_schema(plugin: DataSourcePlugin, options: Options) -> object:
    """An object with ``__arrow_c_schema__``."""
    schema = plugin.infer_schema(options)
    # A pyarrow field or type exports a schema too, but is none; a class has the method, but exports nothing.
    if not hasattr(schema, "__arrow_c_schema__") or isinstance(schema, type) or _is_field_or_type(schema):
        raise PluginError(f"returned {_describe(schema)}, expected a pyarrow.Schema")
    return schema


def _is_field_or_type(schema: object) -> bool:
    return any(
        cls.__module__ == "pyarrow.lib" and cls.__name__ in ("DataType", "Field") for cls in type(schema).__mro__
    )


def plan_partitions(plugin: DataSourcePlugin, options: Options) -> list[str]:
    """The partition specs as JSON texts."""
    specs: object = plugin.plan_partitions(options)
    if isinstance(specs, (str, bytes, bytearray)) or not isinstance(specs, Sequence):
        raise PluginError(f"returned {_describe(specs)}, expected a list of dicts")
    return [_spec_to_json(spec, position) for position, spec in enumerate(specs)]


def _spec_to_json(spec: object, position: int) -> str:
    if not isinstance(spec, dict):
        raise PluginError(f"returned {_describe(spec)} as partition spec {position}, expected a dict of JSON values")
    _check_json(spec, position)
    try:
        return json.dumps(spec)
    except ValueError as error:  # an integer of too many digits
        raise PluginError(f"returned partition spec {position}, which cannot be written as JSON: {error}") from None


def _check_json(spec: object, position: int) -> None:
    pending: list[tuple[object, tuple[str | int, ...]]] = [(spec, ())]
    while pending:
        value, path = pending.pop()
        returned = f"returned partition spec {position}"
        if len(path) > _MAX_DEPTH:
            raise PluginError(f"{returned} nested more than {_MAX_DEPTH} levels deep")
        if isinstance(value, dict):
            for key, child in value.items():
                if not isinstance(key, str):
                    raise PluginError(
                        f"{returned} with the key {key!r} in {_path(path)}, expected str, got {type(key).__name__}"
                    )
                pending.append((child, (*path, key)))
        elif isinstance(value, (list, tuple)):
            pending.extend((child, (*path, index)) for index, child in enumerate(value))
        elif isinstance(value, float) and not math.isfinite(value):
            raise PluginError(f"{returned} with {value} at {_path(path)}: JSON has no such number")
        elif value is not None and not isinstance(value, (str, int, float)):
            raise PluginError(
                f"{returned} with {_describe(value)} at {_path(path)}, expected a JSON value "
                "(str, int, float, bool, None, list or dict)"
            )


def _path(path: tuple[str | int, ...]) -> str:
    return "spec" + "".join(f"[{part!r}]" for part in path)


# --- Reading --------------------------------------------------------------------------------------


def new_context(batch_size: int, partition: int) -> ReadContext:
    """What a reader is told of the read."""
    return ReadContext(batch_size=batch_size, partition=partition)


def read_partition(plugin: DataSourcePlugin, spec: str, options: Options, context: ReadContext) -> Iterator[object]:
    """The rows of one partition: an iterator of objects with ``__arrow_c_stream__`` or ``__arrow_c_array__``."""
    method: Callable[..., Any] = plugin.read_partition
    more = (context,) if takes_context(plugin) else ()
    rows = method(json.loads(spec), options, *more)
    # A class has the methods of what it makes, but is none of it; what has no rows at all may be iterated over too.
    if not isinstance(rows, (str, bytes, bytearray, Mapping, type)):
        if hasattr(rows, "__arrow_c_stream__") or hasattr(rows, "__arrow_c_array__"):
            return iter((rows,))
        if hasattr(rows, "__iter__"):
            return iter(rows)
        if hasattr(rows, "__aiter__"):
            return _drive(aiter(rows), context)
    if inspect.iscoroutine(rows):
        rows.close()
    raise PluginError(f"returned {_describe(rows)}, {_EXPECTED_ROWS}")


def unexpected_item(item: object) -> str:
    """What is wrong with an item of the iterator that ``read_partition`` returned."""
    return f"yielded {_describe(item)}, {_EXPECTED_ROWS}"


def takes_context(plugin: DataSourcePlugin) -> bool:
    """Whether ``read_partition`` has a third parameter for the context: one of that name, or without a default."""
    try:
        parameters = inspect.signature(plugin.read_partition).parameters.values()
    except (TypeError, ValueError):  # a function in C without a signature
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    third = [parameter for parameter in parameters if parameter.kind in positional][2:3]
    return any(parameter.name == "context" or parameter.default is inspect.Parameter.empty for parameter in third)


def close(rows: object) -> None:
    """Ends an iterator early, so that the ``finally`` blocks of a generator run."""
    closer: Callable[[], object] | None = getattr(rows, "close", None)
    if closer is not None:
        closer()


def _drive(rows: AsyncIterator[object], context: ReadContext) -> Iterator[object]:
    """Runs an async iterator on an event loop of its own, which a cancel interrupts."""
    loop = asyncio.new_event_loop()
    task: asyncio.Task[object] | None = None

    def interrupt() -> None:
        if task is not None:
            task.cancel()

    def on_cancel() -> None:
        try:
            loop.call_soon_threadsafe(interrupt)
        except RuntimeError:  # the loop is closed: the rows have ended
            return

    async def following() -> object:
        return await anext(rows)

    context.on_cancel(on_cancel)
    try:
        while not context.cancelled:
            task = loop.create_task(following())
            try:
                item = loop.run_until_complete(task)
            except StopAsyncIteration:
                return
            task = None
            yield item
    finally:
        task = None
        try:
            _finish(loop, rows)
        finally:
            loop.close()


def _finish(loop: asyncio.AbstractEventLoop, rows: AsyncIterator[object]) -> None:
    closer = getattr(rows, "aclose", None)
    if closer is not None:
        loop.run_until_complete(closer())
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())


# --- Failures -------------------------------------------------------------------------------------


class Failure(NamedTuple):
    """An exception, as the engine passes it on."""

    text: str
    contract: bool
    """Whether the bridge raised it, over something that a plug-in returned or an option; the text says what."""
    traceback: str | None
    condition: str
    sql_state: str
    transient: bool


_OWN_FILES = frozenset({__file__, options_module.__file__, plugin_module.__file__, registry.__file__})
_PERMANENT = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


def failure(error: BaseException) -> Failure:
    """What to say of ``error``. It has a traceback where it comes from code of the plug-in."""
    report = traceback.TracebackException.from_exception(error)
    contract = isinstance(error, SheetbendError) and all(frame.filename in _OWN_FILES for frame in report.stack)
    _cut(report)
    raised_here = not report.stack and report.__cause__ is None and report.__context__ is None
    return Failure(
        text=_text(error) if contract else f"{type(error).__name__}: {_text(error)}",
        contract=contract,
        traceback=None if contract or raised_here else "".join(report.format()).rstrip(),
        condition=_text_attribute(error, "condition", SheetbendError.condition),
        sql_state=_text_attribute(error, "sql_state", SheetbendError.sql_state),
        transient=isinstance(error, OSError) and not isinstance(error, _PERMANENT),
    )


def _cut(report: traceback.TracebackException | None) -> None:
    """Takes the frames of this file out of a traceback and of those that it follows from."""
    pending = [report]
    while pending:
        one = pending.pop()
        if one is None:
            continue
        one.stack = traceback.StackSummary.from_list([frame for frame in one.stack if frame.filename != __file__])
        pending += [one.__cause__, one.__context__]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - what a plug-in raises may fail in any way
        return "(its text cannot be had)"


def _text_attribute(error: BaseException, name: str, default: str) -> str:
    value = getattr(type(error), name, None)
    return value if isinstance(value, str) else default


def _describe(value: object) -> str:
    """A short name of what ``value`` is: its type, and which class where it is one. Never its content."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {class_name(value)}"
    if isinstance(value, (list, tuple)) and value:
        return f"a {type(value).__name__} of {type(value[0]).__name__}"
    module = type(value).__module__
    return type(value).__name__ if module == "builtins" else f"{module}.{type(value).__name__}"
