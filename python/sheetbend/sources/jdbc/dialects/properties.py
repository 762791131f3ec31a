"""Parts of URLs that several Java drivers have: ``//host:port/path?key=value&...`` and ``key=value;...``.

No error shows more of a URL than the name of a property.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from sheetbend.errors import OptionError

__all__ = ["Address", "check_properties", "parse_address", "parse_port", "query_properties", "truth"]

_HOST = re.compile(r"\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[^\s\[\]:/@?#;,()=]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a URL points to. ``properties`` is not shown: it may hold a password."""

    host: str
    port: int | None
    path: tuple[str, ...]
    properties: dict[str, str] = field(repr=False)


def parse_address(name: str, rest: str) -> Address:
    """What follows ``jdbc:<name>:``, as ``//host:port/path?key=value&...``.

    Raises:
        OptionError: the text is something else, or a port is no port.
    """
    server, _, query = rest.partition("?")
    if not server.startswith("//"):
        raise OptionError(f"Option 'url': expected jdbc:{name}://host:port/..., with properties as ?key=value.")
    place, _, path = server[2:].partition("/")
    if "@" in place:
        raise OptionError(
            f"Option 'url': jdbc:{name}: takes no user before the host; use options 'user' and 'password'."
        )
    host, port = place, ""
    if ":" in place and place.rindex(":") > place.rfind("]"):
        host, _, port = place.rpartition(":")
    if not _HOST.fullmatch(host):
        raise OptionError(f"Option 'url': jdbc:{name}: has a host that is none; expected name:port or [::1]:port.")
    return Address(
        host.strip("[]"),
        parse_port(name, port) if port else None,
        tuple(unquote_plus(part) for part in path.split("/") if part),
        query_properties(query),
    )


def parse_port(name: str, text: str) -> int:
    """A port; raises :class:`OptionError` where it is none."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise OptionError(f"Option 'url': jdbc:{name}: has a port that is no number from 1 to 65535.")
    return int(text)


def query_properties(text: str) -> dict[str, str]:
    """The properties of ``key=value&...``."""
    pairs = (item.partition("=") for item in text.split("&") if item)
    return {unquote_plus(key): unquote_plus(value) for key, _, value in pairs}


def check_properties(name: str, given: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """The properties by their names as in ``known``, whatever their case.

    Raises:
        OptionError: one is not known.
    """
    names = {one.lower(): one for one in known}
    for key in given:
        if key.lower() not in names:
            near = difflib.get_close_matches(key.lower(), names, n=1)
            hint = f" Did you mean '{names[near[0]]}'?" if near else f" It takes: {', '.join(sorted(known))}."
            raise OptionError(f"Option 'url': jdbc:{name}: has no property '{key}'.{hint}")
    return {names[key.lower()]: value for key, value in given.items()}


def truth(name: str, properties: Mapping[str, str], key: str, *, default: bool = False) -> bool:
    """A property that is true or false; raises :class:`OptionError` for anything else."""
    word = properties.get(key, str(default)).strip().lower()
    if word not in ("true", "false", "1", "0", "yes", "no"):
        raise OptionError(f"Option 'url': jdbc:{name}: property '{key}' must be true or false.")
    return word in ("true", "1", "yes")
