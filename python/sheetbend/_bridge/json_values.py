"""Values of a plug-in that travel as JSON."""

from __future__ import annotations

import json
import math

from sheetbend._bridge.describe import describe
from sheetbend.errors import PluginError

_MAX_DEPTH = 100
"""How deep a value may nest. The limit also ends the check of a value that contains itself."""


def to_json(value: object, what: str, root: str) -> str:
    """``value`` as JSON text.

    Args:
        value: What a method of a plug-in returned.
        what: How errors call it, such as ``partition spec 3``.
        root: How errors call it where they name a place in it, such as ``spec['key'][0]``.

    Raises:
        PluginError: It is no JSON value; the message says where.
    """
    _check(value, what, root)
    try:
        return json.dumps(value)
    except ValueError as error:  # an integer of too many digits
        raise PluginError(f"returned {what}, which cannot be written as JSON: {error}") from None


def _check(whole: object, what: str, root: str) -> None:
    returned = f"returned {what}"
    pending: list[tuple[object, tuple[str | int, ...]]] = [(whole, ())]
    while pending:
        value, path = pending.pop()
        if len(path) > _MAX_DEPTH:
            raise PluginError(f"{returned} nested more than {_MAX_DEPTH} levels deep")
        if isinstance(value, dict):
            for key, child in value.items():
                if not isinstance(key, str):
                    where = f"with the key {_shown(key)} in {_at(root, path)}"
                    raise PluginError(f"{returned} {where}, expected str, got {type(key).__name__}")
                pending.append((child, (*path, key)))
        elif isinstance(value, (list, tuple)):
            pending.extend((child, (*path, index)) for index, child in enumerate(value))
        elif isinstance(value, float) and not math.isfinite(value):
            raise PluginError(f"{returned} with {value} at {_at(root, path)}: JSON has no such number")
        elif value is not None and not isinstance(value, (str, int, float)):
            raise PluginError(
                f"{returned} with {describe(value)} at {_at(root, path)}, expected a JSON value "
                "(str, int, float, bool, None, list or dict)"
            )


def _at(root: str, path: tuple[str | int, ...]) -> str:
    return root + "".join(f"[{_shown(part)}]" for part in path)


def _shown(key: object) -> str:
    try:
        return repr(key)
    except Exception:  # noqa: BLE001 - what a plug-in made a key of may fail in any way
        return "that cannot be shown"
