"""What a plug-in says before it is read: its schema and its partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from sheetbend._bridge.describe import describe
from sheetbend._bridge.json_values import to_json
from sheetbend.errors import PluginError

if TYPE_CHECKING:
    import pyarrow as pa

    from sheetbend.options import Options
    from sheetbend.plugin import DataSourcePlugin, SupportsStatistics
    from sheetbend.scan import Statistics


def infer_schema(plugin: DataSourcePlugin, options: Options) -> object:
    """An object with ``__arrow_c_schema__``."""
    schema = plugin.infer_schema(options)
    # A pyarrow field or type exports a schema too, but is none; a class has the method, but exports nothing.
    if (
        not hasattr(schema, "__arrow_c_schema__")
        or isinstance(schema, type)
        or _is_pyarrow(schema, "DataType", "Field")
    ):
        raise PluginError(f"returned {describe(schema)}, expected a pyarrow.Schema")
    if _is_pyarrow(schema, "Schema"):
        _check_names(cast("pa.Schema", schema))
    return schema


def _is_pyarrow(value: object, *names: str) -> bool:
    return any(cls.__module__ == "pyarrow.lib" and cls.__name__ in names for cls in type(value).__mro__)


def _check_names(schema: pa.Schema) -> None:
    """Refuses names that do not come over whole: those of the Arrow C interface are UTF-8 and end at a NUL."""
    try:
        names = schema.names
    except UnicodeDecodeError as error:
        raise PluginError(f"returned a schema with a column whose name is no UTF-8: {error.object!r}") from None
    for name in names:
        if "\0" in name:
            raise PluginError(f"returned a schema with a NUL in the name of column {name!r}")


def plan_partitions(plugin: DataSourcePlugin, options: Options) -> list[str]:
    """The partition specs as JSON texts."""
    specs: object = plugin.plan_partitions(options)
    if isinstance(specs, (str, bytes, bytearray)) or not isinstance(specs, Sequence):
        raise PluginError(f"returned {describe(specs)}, expected a list of dicts")
    return [spec_to_json(spec, position) for position, spec in enumerate(specs)]


def statistics(plugin: DataSourcePlugin, options: Options) -> Statistics | None:
    """What the plug-in knows of its table."""
    from sheetbend.scan import Statistics  # noqa: PLC0415 - most plug-ins know nothing

    known: object = cast("SupportsStatistics", plugin).statistics(options)
    if known is not None and not isinstance(known, Statistics):
        raise PluginError(f"returned {describe(known)}, expected a sheetbend.scan.Statistics")
    return known


def spec_to_json(spec: object, position: int) -> str:
    """A partition spec as a JSON text."""
    if not isinstance(spec, dict):
        raise PluginError(f"returned {describe(spec)} as partition spec {position}, expected a dict of JSON values")
    return to_json(spec, f"partition spec {position}", "spec")
