r"""URLs of SQL Server: ``//host\instance:port;property=value;...``, values with special characters in braces."""

from __future__ import annotations

from dataclasses import dataclass, field

from sheetbend.errors import OptionError
from sheetbend.sources.jdbc.dialects.properties import check_properties, parse_port

__all__ = ["SqlServerUrl", "parse_sqlserver"]

_NAME = "sqlserver"
_TAKEN = (
    "serverName",
    "instanceName",
    "portNumber",
    "databaseName",
    "user",
    "password",
    "accessToken",
    "encrypt",
    "trustServerCertificate",
    "hostNameInCertificate",
    "serverCertificate",
    "applicationName",
    "applicationIntent",
    "multiSubnetFailover",
    "loginTimeout",
    "authentication",
    "integratedSecurity",
    "responseBuffering",
    "selectMethod",
    "sendStringParametersAsUnicode",
)
_SAME = {
    "server": "serverName",
    "port": "portNumber",
    "database": "databaseName",
    "username": "user",
    "uid": "user",
    "pwd": "password",
}


@dataclass(frozen=True, slots=True)
class SqlServerUrl:
    """Where a URL points to. ``properties`` is not shown: it may hold a password."""

    host: str
    instance: str | None
    port: int | None
    properties: dict[str, str] = field(repr=False)


def parse_sqlserver(rest: str) -> SqlServerUrl:
    """What follows ``jdbc:sqlserver:``. The place may be left out where the properties say it.

    Raises:
        OptionError: the text is something else, a brace is not closed, or a property is unknown.
    """
    if not rest.startswith("//"):
        raise OptionError("Option 'url': expected jdbc:sqlserver://host\\instance:port;databaseName=name;...")
    place, _, tail = rest[2:].partition(";")
    pairs = {_SAME.get(key.lower(), key): value for key, value in _properties(tail)}
    properties = check_properties(_NAME, pairs, _TAKEN)
    server, colon, port = place.strip().partition(":")
    if server.startswith("["):
        server, closed, port = place.strip()[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise OptionError("Option 'url': jdbc:sqlserver: wants an IPv6 address in brackets, such as [::1]:1433.")
        colon, port = port[:1], port[1:]
    host, _, instance = server.partition("\\")
    host = host or properties.pop("serverName", "")
    if not host or any(character in host for character in "/@=?# {}"):
        raise OptionError("Option 'url': jdbc:sqlserver: has no host, or one that is none.")
    if colon and not port:
        raise OptionError("Option 'url': jdbc:sqlserver: has a colon without a port.")
    port = port or properties.pop("portNumber", "")
    instance = instance or properties.pop("instanceName", "")
    return SqlServerUrl(host, instance or None, parse_port(_NAME, port) if port else None, properties)


def _properties(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        if text[position] in "; ":
            position += 1
            continue
        equals = text.find("=", position)
        semicolon = text.find(";", position)
        if equals < 0 or 0 <= semicolon < equals:
            raise OptionError("Option 'url': jdbc:sqlserver: has a property without '='.")
        key = text[position:equals].strip()
        value, position = _value(text, equals + 1)
        found.append((key, value))
    return found


def _value(text: str, position: int) -> tuple[str, int]:
    """The value that begins here, and where the next property does."""
    start = position + len(text[position:]) - len(text[position:].lstrip())
    if not text.startswith("{", start):
        end = text.find(";", position)
        end = len(text) if end < 0 else end
        return text[position:end].strip(), end + 1
    value = ""
    position = start + 1
    while True:
        closing = text.find("}", position)
        if closing < 0:
            raise OptionError("Option 'url': jdbc:sqlserver: has a value in braces that is not closed.")
        value += text[position:closing]
        if not text.startswith("}}", closing):
            break
        # A closing brace in the value stands twice.
        value += "}"
        position = closing + 2
    after = text[closing + 1 :].lstrip()
    if after and not after.startswith(";"):
        raise OptionError("Option 'url': jdbc:sqlserver: has something between a closing brace and the next ';'.")
    return value, len(text) - len(after) + 1
