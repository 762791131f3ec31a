"""What a source is found and checked by: a name that a query can use, a class in a module, its three methods."""

from __future__ import annotations

import difflib
import importlib
import inspect
import re
from collections.abc import Callable
from types import ModuleType

from sheetbend.datasource_api import adapted
from sheetbend.errors import PluginError

__all__ = [
    "attribute_of",
    "check_methods",
    "check_name",
    "checked",
    "class_name",
    "import_plugin",
    "instance_of",
    "optional_methods",
]

_METHODS = {
    "infer_schema": ("options",),
    "plan_partitions": ("options",),
    "read_partition": ("partition_spec", "options"),
}
"""The methods that a plug-in must have, with the arguments that they are called with."""

_OPTIONAL_METHODS = {"plan_scan": ("request", "options"), "statistics": ("options",)}
"""The methods that it may have."""

_RESERVED_NAMES = frozenset({"python"})
"""Formats that the server has without any plug-in."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def check_name(name: str) -> str:
    """The name of a source in the form it is kept in, which is lower case.

    Raises:
        PluginError: It is no name, or one that the server keeps for itself.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PluginError(
            f"{name!r} is no name for a source. A name starts with a letter and goes on with letters, digits, '_', '.' "
            "or '-'."
        )
    if name.lower() in _RESERVED_NAMES:
        raise PluginError(f"The name '{name}' is kept for format(\"{name}\"); choose another one.")
    return name.lower()


def instance_of(datasource: object, *, name: str) -> object:
    """A plug-in, checked: the instance itself, or one made of the class that was given.

    Args:
        datasource: An instance, a class whose constructor needs no arguments, or a subclass of PySpark's
            ``DataSource``.
        name: How the source is called in errors.

    Raises:
        PluginError: A method is missing or takes other arguments, or the class cannot be made an instance of.
    """
    datasource = adapted(checked(datasource, name=name))
    if not isinstance(datasource, type):
        return datasource
    try:
        return datasource()
    except Exception as error:
        raise PluginError(
            f"Source '{name}': {class_name(datasource)}() raised {type(error).__name__}: {error}. "
            "Register an instance where the constructor needs arguments."
        ) from error


def checked(datasource: object, *, name: str) -> object:
    """The instance or class itself, which has the methods of a plug-in.

    Args:
        datasource: An instance or a class, or a subclass of PySpark's ``DataSource``.
        name: How the source is called in errors.

    Raises:
        PluginError: A method is missing or takes other arguments.
    """
    try:
        check_methods(adapted(datasource))
    except PluginError as error:
        raise PluginError(f"Source '{name}': {error}") from None
    return datasource


def import_plugin(reference: str, *, name: str) -> object:
    """The class or instance that ``module:attribute`` names, not checked yet.

    Raises:
        PluginError: The text has another form, the module cannot be imported, or it has no such attribute.
    """
    module_name, separator, attribute = reference.partition(":")
    if not (separator and module_name and attribute):
        raise PluginError(f"Source '{name}': expected 'module:Class', got '{reference}'.")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise PluginError(
            f"Source '{name}': the module '{module_name}' cannot be imported: {type(error).__name__}: {error}"
        ) from error
    try:
        return attribute_of(module, attribute)
    except PluginError as error:
        raise PluginError(f"Source '{name}': {error}") from None


def attribute_of(module: ModuleType, name: str) -> object:
    """What ``name``, in which dots reach further, is in ``module``.

    Raises:
        PluginError: There is none; the nearest names of classes are in the message.
    """
    found: object = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise PluginError(
                f"module '{module.__name__}' has no class '{name}'.{_near_classes(part, found)}"
            ) from None
    return found


def check_methods(datasource: object) -> None:
    """Checks that an instance or a class has the three methods, and that all it has take what they are called with.

    Raises:
        PluginError: They are not as expected; the message names the class, and every method that is missing.
    """
    missing = [method for method in _METHODS if not _has(datasource, method)]
    if missing:
        expected = [f"{method}({', '.join(arguments)})" for method, arguments in _METHODS.items()]
        raise PluginError(
            f"{class_name(datasource)} lacks {_listed(missing)}. A data source is a class with the methods "
            f"{_listed(expected)}."
        )
    for method in (*_METHODS, *optional_methods(datasource)):
        _check_signature(getattr(datasource, method), method, datasource)


def optional_methods(datasource: object) -> list[str]:
    """Which of the methods that a plug-in may have this one has. A class takes one away by setting it to None."""
    return [method for method in _OPTIONAL_METHODS if _has(datasource, method)]


def _has(datasource: object, method: str) -> bool:
    return callable(getattr(datasource, method, None))


def class_name(datasource: object) -> str:
    """How the class of a plug-in, of which this is an instance or the class itself, is called in messages and plans."""
    datasource = getattr(datasource, "__wrapped__", datasource)  # a class of another API
    owner = datasource if isinstance(datasource, type) else type(datasource)
    return f"{owner.__module__}.{owner.__qualname__}"


def _near_classes(name: str, owner: object) -> str:
    members = getattr(owner, "__dict__", {})  # dots may have led to an object that has none
    classes = [key for key, value in members.items() if isinstance(value, type) and not key.startswith("_")]
    near = difflib.get_close_matches(name, classes, n=3, cutoff=0.5)
    if near:
        return f" Did you mean {' or '.join(map(repr, near))}?"
    return f" It has: {', '.join(sorted(classes)[:20])}." if classes else " It has no public class."


def _check_signature(function: Callable[..., object], method: str, datasource: object) -> None:
    arguments = (_METHODS | _OPTIONAL_METHODS)[method]
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # A method of an extension module may not say what it takes.
    owner = datasource if isinstance(datasource, type) else type(datasource)
    # A plain function that is reached through its class still has its `self`.
    static = isinstance(inspect.getattr_static(owner, method, None), staticmethod | classmethod)
    unbound = isinstance(datasource, type) and not static
    given = (*(("self",) if unbound else ()), *arguments)
    # A reader may ask for a third argument, its context.
    forms = [given, (*given, "context")] if method == "read_partition" else [given]
    if not any(_takes(signature, form) for form in forms):
        expected = f"{method}({', '.join(('self', *arguments) if not static else arguments)})"
        raise PluginError(
            f"{class_name(owner)}.{method}{signature} does not take what it is called with; expected {expected}."
        )


def _takes(signature: inspect.Signature, arguments: tuple[str, ...]) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
