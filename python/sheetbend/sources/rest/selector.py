"""Selectors: a small part of JSONPath that says where in a document the records or a link are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sheetbend.errors import OptionError

__all__ = ["NothingSelectedError", "Selector"]

_LONGEST = 1000
_TOKEN = re.compile(
    r"""\.?(?P<field>[^\W\d][\w-]*)"""
    r"""|\.?\[\s*(?:(?P<index>-?\d{1,9})|(?P<all>\*)|'(?P<single>(?:[^'\\]|\\.)*)'|"(?P<double>(?:[^"\\]|\\.)*)")\s*\]"""
)
_EVERY = object()


class NothingSelectedError(Exception):
    """The document has no such place. The message says what is there instead."""


@dataclass(frozen=True)
class Selector:
    """A path such as ``$.data.items[*]``: fields, quoted fields (``['a b']``), indexes (``[0]``, ``[-1]``) and ``[*]``.

    ``$`` is the document and may be left out; ``$`` alone is all of it.
    """

    text: str
    steps: tuple[object, ...]

    @classmethod
    def parse(cls, text: str, *, option: str) -> Selector:
        """Raises :class:`OptionError` for what is not of this form; the message says at which character."""
        if len(text) > _LONGEST:
            raise OptionError(f"Option '{option}' is longer than {_LONGEST} characters.")
        stripped = text.strip()
        position = 1 if stripped.startswith("$") else 0
        steps: list[object] = []
        while position < len(stripped):
            token = _TOKEN.match(stripped, position)
            if token is None or (position and token["field"] and stripped[position] != "."):
                raise OptionError(
                    f"Option '{option}' is no selector at character {position + 1}: '{stripped[position:][:20]}'. "
                    "Expected .field, ['field'], [0] or [*], as in $.data.items[*]."
                )
            steps.append(_step(token))
            position = token.end()
        if not stripped:
            raise OptionError(f"Option '{option}' is empty; '$' selects the whole document.")
        return cls(stripped, tuple(steps))

    def select(self, document: Any) -> list[Any]:  # noqa: ANN401 - JSON
        """What is at the path: one value, or with ``[*]`` any number. A null on the way selects nothing.

        Raises:
            NothingSelectedError: No value on the way has the field or index that comes next.
        """
        values = [document]
        for step in self.steps:
            present = [value for value in values if value is not None]
            found = [item for value in present for item in _children(value, step)]
            if not found and present and not (step is _EVERY and any(isinstance(value, list) for value in present)):
                raise NothingSelectedError(
                    f"selector '{self.text}' finds no {_named(step)} in {_described(present[0])}"
                )
            values = found
        return values


def _step(token: re.Match[str]) -> object:
    if token["all"]:
        return _EVERY
    if token["index"]:
        return int(token["index"])
    if token["field"]:
        return token["field"]
    quoted = token["single"] if token["single"] is not None else token["double"]
    return re.sub(r"\\(.)", r"\1", quoted)


def _children(value: Any, step: object) -> list[Any]:  # noqa: ANN401 - JSON
    if step is _EVERY:
        return value if isinstance(value, list) else []
    if isinstance(step, int):
        return [value[step]] if isinstance(value, list) and -len(value) <= step < len(value) else []
    return [value[step]] if isinstance(value, dict) and step in value else []


def _named(step: object) -> str:
    if step is _EVERY:
        return "list"
    return f"element {step}" if isinstance(step, int) else f"field '{step}'"


def _described(value: Any) -> str:  # noqa: ANN401 - JSON
    """What is there, without values: keys of an object, length of a list, the type of anything else."""
    if isinstance(value, dict):
        keys = ", ".join(f"'{key}'" for key in list(value)[:20])
        return f"an object with {'the keys ' + keys if value else 'no keys'}{', ...' if len(value) > 20 else ''}"
    if isinstance(value, list):
        return f"a list of {len(value)} elements"
    return {str: "a text", bool: "a truth value"}.get(type(value), "a number")
