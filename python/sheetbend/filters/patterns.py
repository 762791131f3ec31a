"""Patterns of ``LIKE``, taken apart once and written again for whoever matches them."""

from __future__ import annotations

import enum
import re
from typing import TypeAlias

__all__ = ["LIKE_ESCAPE", "Parts", "Wildcard", "like_pattern", "needs_escape", "parse", "regex"]


class Wildcard(enum.Enum):
    """What stands for other characters."""

    ONE = "_"
    """Any one character."""
    ANY = "%"
    """Any characters, or none."""


Parts: TypeAlias = "tuple[str | Wildcard, ...]"
"""A pattern: texts that stand for themselves, between wildcards. No two texts and no two ``ANY`` are neighbours."""

LIKE_ESCAPE = "!"
"""The escape character of :func:`like_pattern`. Not a backslash, which some databases read twice."""

_WITH_MEANING = re.compile(r"[%_!\\]")
_WITH_MEANING_IN_REGEX = re.compile(r"[\\.+*?()|\[\]{}^$]")


def parse(pattern: str, escape: str | None) -> Parts:
    """The parts of a pattern of ``LIKE``.

    The character after ``escape`` stands for itself, and so does an ``escape`` at the end.
    """
    parts: list[str | Wildcard] = []
    characters = iter(pattern)
    for character in characters:
        part: str | Wildcard = character
        if character == escape:
            part = next(characters, character)
        elif character in ("%", "_"):
            part = Wildcard(character)
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif not (part is Wildcard.ANY and parts and parts[-1] is part):
            parts.append(part)
    return tuple(parts)


def needs_escape(parts: Parts) -> bool:
    """Whether :func:`like_pattern` must be matched with :data:`LIKE_ESCAPE`, whatever the database's own escape is."""
    return any(isinstance(part, str) and _WITH_MEANING.search(part) for part in parts)


def like_pattern(parts: Parts) -> str:
    """The pattern with :data:`LIKE_ESCAPE`."""
    return "".join(part.value if isinstance(part, Wildcard) else re.sub(r"([%_!])", r"!\1", part) for part in parts)


def regex(parts: Parts) -> str:
    """A regular expression of RE2 that matches the whole of what the pattern matches."""
    wildcards = {Wildcard.ONE: ".", Wildcard.ANY: ".*"}
    body = "".join(
        wildcards[part] if isinstance(part, Wildcard) else _WITH_MEANING_IN_REGEX.sub(r"\\\g<0>", part)
        for part in parts
    )
    return rf"\A(?s:{body})\z"
