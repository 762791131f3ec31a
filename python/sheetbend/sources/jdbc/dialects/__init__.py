"""One module for each database: how to connect, ask for a table's columns, read, and tell an error.

A module and its driver are imported when a URL of that database is first read: the others need not be installed, and
a server that reads no database does not load any.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from sheetbend.errors import SheetbendError
from sheetbend.sources.jdbc.dialects.base import Dialect
from sheetbend.sources.jdbc.url import split_url

if TYPE_CHECKING:
    from sheetbend.options import Options

__all__ = ["Dialect", "dialect_of"]

_DIALECTS = {
    "postgresql": "sheetbend.sources.jdbc.dialects.postgresql:PostgresDialect",
    "sqlite": "sheetbend.sources.jdbc.dialects.sqlite:SqliteDialect",
}
"""The class of each subprotocol, made with what follows it in the URL and the options."""


def dialect_of(options: Options) -> Dialect:
    """The dialect of the option ``url``, ready to connect with these options; it does not connect yet.

    Raises:
        OptionError: the URL is missing, malformed or of another database.
        SheetbendError: the database's driver is not installed.
    """
    subprotocol, rest = split_url(options.require("url"), tuple(_DIALECTS))
    module, _, name = _DIALECTS[subprotocol].partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0].replace("_", "-")
        raise SheetbendError(
            f"Source 'jdbc' needs the package '{package}' for jdbc:{subprotocol}: pip install 'sheetbend[jdbc]'."
        ) from error
    dialect: Dialect = getattr(found, name)(rest, options)
    return dialect
