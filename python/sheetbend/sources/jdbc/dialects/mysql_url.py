"""URLs of MySQL and MariaDB, as the Java drivers of both read them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from sheetbend.errors import OptionError

__all__ = ["MySqlUrl", "parse_mysql"]

_PORT = 3306
_MODES = {
    "mysql": ("loadbalance", "replication"),
    "mariadb": ("failover", "loadbalance", "load-balance-read", "replication", "sequential"),
}
"""How a driver chooses between several hosts. A reader tries them in their order, whatever is said."""
_KEY_VALUES = re.compile(r"\(\s*([\w-]+)\s*=\s*([^()]*?)\s*\)", re.ASCII)
_ADDRESS = re.compile(rf"(?:address\s*=\s*)?(?:{_KEY_VALUES.pattern})+", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MySqlUrl:
    """Where a URL points to. What may hold a password is not shown."""

    hosts: tuple[tuple[str, int], ...]
    """Names and ports."""
    database: str | None
    parameters: dict[str, str] = field(repr=False)
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_mysql(name: str, rest: str) -> MySqlUrl:
    """What follows ``jdbc:mysql:`` or ``jdbc:mariadb:``: ``//host:port,.../database?key=value&...``.

    A host is ``name``, ``name:port``, ``[::1]:port`` or ``address=(host=name)(port=number)``; for MySQL a user and a
    password may stand before it, and ``(host=name,port=number)`` is one too.

    Raises:
        OptionError: the text is none of these, or a port is no port.
    """
    mode, slashes, text = rest.partition("//")
    if not slashes or (mode and mode.lower().rstrip(":") not in _MODES[name]) or (mode and not mode.endswith(":")):
        raise OptionError(f"Option 'url': expected jdbc:{name}://host:port/database?key=value.")
    server, _, query = text.partition("?")
    addresses, _, database = server.partition("/")
    decode = unquote_plus if name == "mysql" else str
    hosts: list[tuple[str, int]] = []
    user = password = None
    for address in _split(addresses):
        credentials, at, host = address.rpartition("@")
        if at:
            if name != "mysql":
                raise OptionError(
                    f"Option 'url': jdbc:{name}: takes no user before the host; use options 'user' and 'password'."
                )
            user, colon, secret = (decode(part) for part in credentials.partition(":"))
            password = secret if colon else None
        hosts.append(_host(name, host))
    pairs = (item.partition("=") for item in query.split("&") if item)
    parameters = {decode(key).strip(): decode(value) for key, _, value in pairs}
    return MySqlUrl(tuple(hosts), decode(database) or None, parameters, user, password)


def _split(addresses: str) -> list[str]:
    """At commas that are in no parentheses; a list of hosts may stand in brackets."""
    if addresses.startswith("[") and addresses.endswith("]") and not _is_ipv6(addresses[1:-1]):
        addresses = addresses[1:-1]
    return re.split(r",(?![^()]*\))", addresses)


def _host(name: str, text: str) -> tuple[str, int]:
    text = text.strip()
    if re.fullmatch(r"\([^()]*,[^()]*\)", text):
        text = text.replace(",", ")(")
    if _ADDRESS.fullmatch(text):
        known = {key.lower(): value for key, value in _KEY_VALUES.findall(text)}
        if "host" not in known:
            raise OptionError(f"Option 'url': jdbc:{name}: has an address without '(host=...)'.")
        return known["host"].strip("[]"), _port(name, known.get("port", ""))
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        if not closed or not _is_ipv6(host) or (port and not port.startswith(":")):
            raise OptionError(f"Option 'url': jdbc:{name}: wants an IPv6 address in brackets, such as [::1]:3306.")
        return host, _port(name, port[1:])
    host, _, port = text.partition(":")
    if ":" in port:
        raise OptionError(f"Option 'url': jdbc:{name}: wants an IPv6 address in brackets, such as [::1]:3306.")
    if any(character in host for character in "()=[] "):
        raise OptionError(f"Option 'url': jdbc:{name}: has a host that is none; expected name:port.")
    return host or "localhost", _port(name, port)


def _is_ipv6(text: str) -> bool:
    return text.count(":") >= 2 and re.fullmatch(r"[0-9A-Fa-f:.]+(%\w+)?", text, re.ASCII) is not None


def _port(name: str, text: str) -> int:
    if not text:
        return _PORT
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise OptionError(f"Option 'url': jdbc:{name}: has a port that is no number from 1 to 65535.")
    return int(text)
