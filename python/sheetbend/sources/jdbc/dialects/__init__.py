"""One module for each database: how to connect, ask for a table's columns, read, and tell an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sheetbend.sources.jdbc.dialects.base import Dialect
from sheetbend.sources.jdbc.dialects.postgresql import PostgresDialect
from sheetbend.sources.jdbc.dialects.sqlite import SqliteDialect
from sheetbend.sources.jdbc.url import split_url

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["Dialect", "dialect_of"]

_DIALECTS: dict[str, type[PostgresDialect | SqliteDialect]] = {
    "postgresql": PostgresDialect,
    "sqlite": SqliteDialect,
}


def dialect_of(options: Options) -> Dialect:
    """The dialect of the option ``url``, ready to connect with these options; it does not connect yet.

    Raises:
        OptionError: the URL is missing, malformed or of another database.
    """
    subprotocol, rest = split_url(options.require("url"), tuple(_DIALECTS))
    return _DIALECTS[subprotocol](rest, options)
