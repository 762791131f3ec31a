"""Secrets: where they come from, and how they are kept out of what people read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus

from sheetbend.errors import OptionError
from sheetbend.options import REDACTED

__all__ = ["Redactor", "resolve"]

_SHORTEST = 4
"""Shorter texts are left: they are in every message, and guessed faster than read."""


def resolve(value: str, *, option: str) -> str:
    """The value itself, or what ``env:NAME`` or ``file:PATH`` refers to; whitespace at the end of a file is cut.

    Raises:
        OptionError: The variable is not set or the file cannot be read; the message names it and the option.
    """
    kind, colon, name = value.partition(":")
    if not colon or kind not in ("env", "file"):
        return value
    if kind == "env":
        if name not in os.environ:
            raise OptionError(f"Option '{option}' refers to the environment variable '{name}', which is not set.")
        return os.environ[name]
    try:
        return Path(name).read_text(encoding="utf-8").rstrip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise OptionError(f"Option '{option}' refers to the file '{name}', which cannot be read: {reason}.") from None


class Redactor:
    """Takes secrets out of texts, also where they are written as in a URL."""

    def __init__(self, secrets: Iterable[str]) -> None:
        words = {word for secret in secrets for word in (secret, *secret.split())}
        forms = {form for word in words for form in (word, quote(word, safe=""), quote_plus(word))}
        # The longest first: a secret may be part of another.
        self._forms = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    def __call__(self, text: str) -> str:
        """``text`` with each secret replaced."""
        for form in self._forms:
            text = text.replace(form, REDACTED)
        return text
