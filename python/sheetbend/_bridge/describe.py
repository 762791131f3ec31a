"""What a value is, in a few words."""

from __future__ import annotations

from sheetbend.registry import class_name


def describe(value: object) -> str:
    """A short name of what ``value`` is: its type, and which class where it is one. Never its content."""
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {class_name(value)}"
    if isinstance(value, (list, tuple)) and value:
        return f"a {type(value).__name__} of {type(value[0]).__name__}"
    module = type(value).__module__
    return type(value).__name__ if module == "builtins" else f"{module}.{type(value).__name__}"
