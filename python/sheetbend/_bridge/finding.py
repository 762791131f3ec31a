"""Finds a plug-in by module and class."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast
from weakref import WeakSet

from sheetbend import registry
from sheetbend.datasource_api import adapted
from sheetbend.errors import PluginError

if TYPE_CHECKING:
    from sheetbend.plugin import DataSourcePlugin


_checked: WeakSet[type] = WeakSet()
"""Classes that are known to have the methods of a plug-in."""


def load(module: str, name: str) -> DataSourcePlugin:
    """The plug-in of the class ``name`` (dots reach into it) in ``module``."""
    if not module or not name:
        missing = "python_module" if not module else "python_class"
        raise PluginError(f"option '{missing}' is required: it names the {missing[7:]} of the plug-in")
    return adopt(registry.attribute_of(_import(module), name))


def adopt(candidate: object) -> DataSourcePlugin:
    """The plug-in that ``candidate``, an instance or a class, stands for, once it is known to have its methods."""
    plugin = adapted(candidate)
    if not isinstance(plugin, type) or plugin not in _checked:
        registry.check_methods(plugin)
    if isinstance(plugin, type):
        _checked.add(plugin)
    return cast("DataSourcePlugin", plugin() if isinstance(plugin, type) else plugin)


def unpickle(name: str, pickled: bytes, python_version: str, files: Mapping[str, bytes]) -> DataSourcePlugin:
    """The plug-in of a class that a client has registered as ``name``; ``files`` are the Python files it has sent."""
    try:
        from sheetbend.datasource_api.registered import RegisteredPlugin  # noqa: PLC0415 - imports PySpark
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "pyspark":
            raise
        raise PluginError(
            f"a class that a client registers needs PySpark in the server's Python ({sys.prefix}), where it is not "
            "installed: pip install 'sheetbend[pyspark]'"
        ) from None
    return cast("DataSourcePlugin", RegisteredPlugin(name, pickled, python_version, files))


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
