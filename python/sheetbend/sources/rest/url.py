"""URLs: which may be followed, with what, and how they are shown."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from sheetbend.errors import SheetbendError

__all__ = ["follow", "same_origin", "shown"]

_PORTS = {"http": 80, "https": 443}


def shown(url: str) -> str:
    """The URL without user and query: either may hold a secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that is not one"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"


def same_origin(left: str, right: str) -> bool:
    """Whether scheme, host and port are the same: what a browser calls one origin."""
    return _origin(left) == _origin(right)


def follow(base: str, link: str, *, endpoint: str) -> str:
    """The absolute URL of ``link`` on the page ``base``.

    Raises:
        SheetbendError: It is not one of http or https, or leaves https where the endpoint is encrypted.
    """
    try:
        url = urljoin(base, link.strip())
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise SheetbendError(f"A link on {shown(base)} leads to no http or https URL.")
    if parts.scheme == "http" and urlsplit(endpoint).scheme == "https":
        raise SheetbendError(
            f"A link on {shown(base)} leads to {shown(url)}, which is not encrypted as the endpoint is."
        )
    return parts._replace(fragment="").geturl()


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
