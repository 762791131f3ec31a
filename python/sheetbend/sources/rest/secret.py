"""Secrets, kept out of what people read."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from sheetbend.options import REDACTED

__all__ = ["Redactor"]

_SHORTEST = 4
"""Shorter texts are left: they are in every message, and guessed faster than read."""


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
