"""Plug-ins as bytes, for those that the server has as objects.

What can be imported goes as a name. What cannot, such as a class of ``__main__``, goes with its code, for which
cloudpickle must be installed on both sides, alone or as a part of PySpark.
"""

from __future__ import annotations

import importlib
import io
import pickle
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

from sheetbend import _bridge
from sheetbend.errors import PluginError
from sheetbend.registry import class_name

_CLOUDPICKLES = ("cloudpickle", "pyspark.cloudpickle")
_CLOUDPICKLE_MODULES = frozenset({*_CLOUDPICKLES, *(f"{name}.cloudpickle" for name in _CLOUDPICKLES)})


def pack(plugin: object) -> bytes:
    """The bytes that :func:`unpack` makes the plug-in of, a class or an instance, in another process.

    Raises:
        PluginError: It cannot be pickled.
    """
    try:
        packed = pickle.dumps(plugin)
    except Exception as error:  # noqa: BLE001 - whatever a `__reduce__` raises
        return _pack_code(plugin, error)
    # The worker has another `__main__`.
    return _pack_code(plugin, None) if b"__main__" in packed else packed


def pack_class(name: str, pickled: bytes, python_version: str, files: Mapping[str, bytes]) -> bytes:
    """The same for a class that a client has registered; see :func:`sheetbend._bridge.unpickle`. Runs no code of it."""
    return pickle.dumps(_Sent(name, pickled, python_version, dict(files)))


def unpack(packed: bytes) -> object:
    """The plug-in that :func:`pack` was given.

    Raises:
        PluginError: This process lacks a module of it.
    """
    try:
        return _Unpickler(io.BytesIO(packed)).load()
    except ModuleNotFoundError as error:
        raise PluginError(
            f"module '{error.name}' was not found: it is not installed in {sys.prefix}, where the worker process runs"
        ) from None


def _pack_code(plugin: object, refused: Exception | None) -> bytes:
    why = f"{type(refused).__name__}: {refused}" if refused is not None else "it belongs to __main__"
    name = class_name(plugin)
    cloudpickle = _cloudpickle()
    if cloudpickle is None:
        raise PluginError(
            f"{name} cannot be sent to a worker process ({why}). Put the class into a module that can be imported, or "
            "install cloudpickle."
        )
    try:
        packed: bytes = cloudpickle.dumps(plugin)
    except Exception as error:
        raise PluginError(
            f"{name} cannot be sent to a worker process: {type(error).__name__}: {error}. Have it make what cannot be "
            "pickled when it is read."
        ) from error
    return packed


def _cloudpickle() -> Any | None:  # noqa: ANN401 - either module
    for name in _CLOUDPICKLES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


class _Sent(NamedTuple):
    """Becomes a plug-in where it is unpickled."""

    name: str
    pickled: bytes
    python_version: str
    files: dict[str, bytes]

    def __reduce__(self) -> tuple[Any, ...]:
        return _bridge.unpickle, tuple(self)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as in the class above
        """Finds cloudpickle's functions under whichever name this environment has it."""
        if module in _CLOUDPICKLE_MODULES and (cloudpickle := _cloudpickle()) is not None:
            return getattr(sys.modules.get(f"{cloudpickle.__name__}.cloudpickle", cloudpickle), name)
        return super().find_class(module, name)
