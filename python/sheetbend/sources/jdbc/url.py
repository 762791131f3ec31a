"""JDBC URLs, read as each database's own driver reads them. A URL may hold a password: no error shows one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_plus

from sheetbend.errors import OptionError

__all__ = ["PostgresUrl", "parse_postgresql", "parse_sqlite", "split_url"]

_SUBPROTOCOL = re.compile(r"jdbc:([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)


def split_url(url: str, supported: tuple[str, ...]) -> tuple[str, str]:
    """The subprotocol of a JDBC URL, in lower case, and what follows it.

    Raises:
        OptionError: this is no JDBC URL, or not one of a ``supported`` database.
    """
    shown = ", ".join(f"jdbc:{name}:" for name in supported)
    match = _SUBPROTOCOL.match(url.strip())
    if match is None:
        raise OptionError(f"Option 'url' is no JDBC URL; one starts with {' or '.join(shown.split(', '))}.")
    subprotocol = match.group(1).lower()
    if subprotocol not in supported:
        raise OptionError(f"Option 'url': jdbc:{subprotocol}: is not supported. Supported are: {shown}.")
    return subprotocol, url.strip()[match.end() :]


# --- SQLite -----------------------------------------------------------------------------------------------------------

_SQLITE_PARAMETERS = frozenset({"cache", "immutable", "mode", "nolock", "psow", "vfs"})
"""What SQLite itself reads from a URI. ``mode`` is always ``ro`` here."""

_SQLITE_NO_EFFECT = frozenset(
    {
        "auto_vacuum",
        "busy_timeout",
        "cache_size",
        "foreign_keys",
        "journal_mode",
        "journal_size_limit",
        "locking_mode",
        "mmap_size",
        "open_mode",
        "page_size",
        "secure_delete",
        "synchronous",
        "temp_store",
        "transaction_mode",
        "wal_autocheckpoint",
    }
)
"""Parameters of the usual Java driver that change nothing about what a reader sees."""


def parse_sqlite(rest: str) -> str:
    """The SQLite URI, opened read-only, of what follows ``jdbc:sqlite:``: a path, or ``file:`` and a path.

    Raises:
        OptionError: there is no path, the database is in memory, or a parameter is unknown.
    """
    is_uri = rest.startswith("file:")
    path, _, tail = (rest[len("file:") :] if is_uri else rest).partition("?")
    parameters = _parameters(tail)
    if path in ("", ":memory:") or path.startswith(":") or parameters.get("mode") == "memory":
        raise OptionError(
            "Option 'url': jdbc:sqlite: needs the path of a database file. A database in memory belongs to one "
            "connection, and each partition is read through its own."
        )
    for key in parameters:
        if key not in _SQLITE_PARAMETERS | _SQLITE_NO_EFFECT:
            takes = ", ".join(sorted(_SQLITE_PARAMETERS))
            raise OptionError(f"Option 'url': jdbc:sqlite: has no parameter '{key}'. It takes: {takes}.")
    kept = {key: value for key, value in parameters.items() if key in _SQLITE_PARAMETERS} | {"mode": "ro"}
    escaped = path.partition("#")[0] if is_uri else quote(path)
    return f"file:{escaped}?" + "&".join(f"{key}={quote(value, safe='')}" for key, value in kept.items())


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """Where a PostgreSQL URL points to. ``parameters`` is not shown: it may hold a password."""

    hosts: tuple[str, ...]
    ports: tuple[str, ...]
    database: str | None
    parameters: dict[str, str] = field(repr=False)


def parse_postgresql(rest: str) -> PostgresUrl:
    """What follows ``jdbc:postgresql:``: ``//host:port,.../database?key=value&...``, ``database`` or ``/``.

    Raises:
        OptionError: the text is none of these, or a port is no port.
    """
    server, _, tail = rest.partition("?")
    parameters = _parameters(tail)
    if not server.startswith("//"):
        return PostgresUrl(("localhost",), ("5432",), unquote_plus(server.removeprefix("/")) or None, parameters)
    addresses, _, database = server[2:].partition("/")
    if "@" in addresses:
        raise OptionError(
            "Option 'url': jdbc:postgresql: takes no user before the host; use options 'user' and 'password'."
        )
    if "/" in database:
        raise OptionError(
            "Option 'url': jdbc:postgresql: has a '/' too many; expected jdbc:postgresql://host:port/database."
        )
    pairs = [_address(address) for address in addresses.split(",")]
    return PostgresUrl(
        tuple(host for host, _ in pairs), tuple(port for _, port in pairs), unquote_plus(database) or None, parameters
    )


def _address(text: str) -> tuple[str, str]:
    host, port = text, "5432"
    if ":" in text and text.rindex(":") > text.rfind("]"):
        host, _, port = text.rpartition(":")
        if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
            raise OptionError("Option 'url': jdbc:postgresql: has a port that is no number from 1 to 65535.")
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise OptionError("Option 'url': jdbc:postgresql: wants an IPv6 address in brackets, such as [::1].")
    return (host[1:-1] if bracketed else host) or "localhost", port


def _parameters(text: str) -> dict[str, str]:
    pairs = (item.partition("=") for item in text.split("&") if item)
    return {unquote_plus(key): unquote_plus(value) for key, _, value in pairs}
