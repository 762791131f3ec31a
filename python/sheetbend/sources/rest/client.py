"""Requests: one page at a time, with retries, limits and a way to end them from another thread."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sheetbend.errors import AuthenticationError, SheetbendError, SourceConnectionError, TableNotFoundError
from sheetbend.sources.rest.retry import is_transient, wait_before_retry
from sheetbend.sources.rest.url import follow, same_origin, shown

if TYPE_CHECKING:
    import httpx

    from sheetbend.plugin import ReadContext
    from sheetbend.sources.rest.settings import RestSettings

__all__ = ["Document", "ReadCancelledError", "RestClient"]

_MOST_REDIRECTS = 5
_CONNECT_SECONDS = 10.0
_SHOWN_BYTES = 200
_REDIRECTS = (301, 302, 303, 307, 308)
_ENCODINGS = ("", "identity", "gzip", "deflate")


class ReadCancelledError(Exception):
    """The read was cancelled: nobody waits for the answer."""


@dataclass(frozen=True)
class Document:
    """What a URL answered: the JSON, the link of the header ``Link`` with ``rel=next``, and a digest of the body."""

    url: str
    value: Any
    next_link: str | None
    digest: bytes


class RestClient:
    """Gets JSON documents. One thread at a time may call :meth:`get`, any thread :meth:`abort`.

    Credentials, which are all headers of the user, go to the endpoint's origin alone: not to where a redirect or a
    next link leads elsewhere.

    Raises:
        SheetbendError: httpx is not installed.
    """

    def __init__(self, settings: RestSettings, context: ReadContext) -> None:
        try:
            import httpx  # noqa: PLC0415 - an optional dependency
        except ImportError as error:
            raise SheetbendError("Source 'rest' needs the package 'httpx': pip install 'sheetbend[rest]'.") from error
        self._settings = settings
        self._context = context
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._aborted = False
        self._client = httpx.Client(
            verify=_trust(),
            headers={"User-Agent": "sheetbend", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
        )

    def get(self, url: str, params: tuple[tuple[str, str], ...] = ()) -> Document:
        """The document at ``url`` with ``params`` as its query, which else is that of ``url``.

        Raises:
            ReadCancelledError: The read was cancelled.
            AuthenticationError: The answer is 401, 403 or 407.
            TableNotFoundError: The answer is 404 or 410.
            SourceConnectionError: There is no answer, or still one that says "not now" after all retries.
            SheetbendError: The answer is another error, too large, or no JSON.
        """
        import httpx  # noqa: PLC0415 - an optional dependency

        policy = self._settings.retry
        full = str(httpx.URL(url, params=params)) if params else url
        end = time.monotonic() + policy.deadline
        for attempt in range(policy.retries + 1):
            retry_after = None
            try:
                return self._once(full, end)
            except _NotNowError as error:
                failure, retry_after = str(error), error.retry_after
            except httpx.TransportError as error:
                self._raise_if_cancelled()
                if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
                    raise self._error(SheetbendError, f"GET {shown(url)} cannot be sent: {error}") from None
                failure = f"no answer ({type(error).__name__}: {error})"
            except httpx.DecodingError:
                raise self._error(SheetbendError, f"GET {shown(url)} was answered with a broken archive.") from None
            delay = wait_before_retry(policy, attempt, retry_after)
            if attempt == policy.retries or time.monotonic() + delay >= end:
                break
            if self._context.wait_cancelled(delay):
                raise ReadCancelledError
        raise self._error(
            SourceConnectionError, f"GET {shown(url)} failed {attempt + 1} times, at last with {failure}."
        )

    def abort(self) -> None:
        """Ends the request under way. Closing a socket does not wake the thread that reads from it; this does."""
        with self._lock:
            self._aborted = True
            for connection in self._sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()

    def _once(self, url: str, end: float) -> Document:
        visited = url
        for _ in range(_MOST_REDIRECTS + 1):
            self._raise_if_cancelled()
            request = self._client.build_request(
                "GET",
                visited,
                headers=self._credentials(visited),
                timeout=self._timeout(max(end - time.monotonic(), 0.01)),
                extensions={"trace": self._trace},
            )
            if not same_origin(visited, self._settings.endpoint):
                request.headers.pop("Cookie", None)
            with _unlogged(), self._streamed(request) as response:
                if response.status_code not in _REDIRECTS or "Location" not in response.headers:
                    return self._document(response, visited, end)
                visited = follow(visited, response.headers["Location"], endpoint=self._settings.endpoint)
        raise SheetbendError(f"GET {shown(url)} was redirected more than {_MOST_REDIRECTS} times.")

    @contextmanager
    def _streamed(self, request: httpx.Request) -> Iterator[httpx.Response]:
        response = self._client.send(request, stream=True)
        try:
            yield response
        finally:
            response.close()

    def _document(self, response: httpx.Response, url: str, end: float) -> Document:
        status = response.status_code
        if not 200 <= status < 300:
            self._raise_status(response, url)
        body = self._body(response, url, end)
        try:
            value = json.loads(body) if body.strip() else None
        except (ValueError, RecursionError) as error:
            kind = response.headers.get("Content-Type", "no content type")
            reason = "it is nested too deep" if isinstance(error, RecursionError) else f"it starts {_start(body)}"
            raise self._error(
                SheetbendError, f"GET {shown(url)} was answered with {kind}, not JSON: {reason}"
            ) from None
        link = response.links.get("next", {}).get("url")
        return Document(url, value, link, hashlib.sha256(body).digest())

    def _body(self, response: httpx.Response, url: str, end: float) -> bytes:
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            # Not asked for; and a few bytes of some encodings stand for gigabytes.
            raise self._error(SheetbendError, f"GET {shown(url)} was answered in the encoding '{encoding[:20]}'.")
        parts, size, most = [], 0, self._settings.max_bytes
        for part in response.iter_bytes():
            size += len(part)
            if size > most:
                raise self._error(
                    SheetbendError,
                    f"GET {shown(url)} was answered with more than {most} bytes: ask for smaller pages, or raise "
                    "option 'maxResponseBytes'.",
                )
            parts.append(part)
            self._raise_if_cancelled()
            if time.monotonic() > end:
                raise _NotNowError(f"a body that took longer than {self._settings.retry.deadline:g} seconds", None)
        # A connection that is shut down looks like the end of a body whose length was not told.
        self._raise_if_cancelled()
        return b"".join(parts)

    def _raise_status(self, response: httpx.Response, url: str) -> None:
        status, what = response.status_code, f"GET {shown(url)} was answered with status {response.status_code}"
        if is_transient(status):
            raise _NotNowError(f"status {status}", response.headers.get("Retry-After"))
        if status in (401, 403, 407):
            raise self._error(AuthenticationError, f"{what}: check the options 'token' and 'headers'.")
        if status in (404, 410):
            raise self._error(TableNotFoundError, f"{what}: there is no such resource.")
        encoded = response.headers.get("Content-Encoding", "") not in _ENCODINGS
        body = b"" if encoded else next(response.iter_bytes(), b"")
        raise self._error(SheetbendError, f"{what}: {_start(body)}")

    def _timeout(self, left: float) -> tuple[float, float, float, float]:
        """Seconds for connecting, reading, writing and waiting for a connection, with ``left`` until the deadline."""
        step = min(self._settings.retry.timeout, left)
        return (min(step, _CONNECT_SECONDS), step, step, step)

    def _credentials(self, url: str) -> Mapping[str, str]:
        return self._settings.headers if same_origin(url, self._settings.endpoint) else {}

    def _error(self, kind: type[SheetbendError], message: str) -> SheetbendError:
        return kind(self._settings.redact(message))

    def _raise_if_cancelled(self) -> None:
        if self._aborted or self._context.cancelled:
            raise ReadCancelledError

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpx's transport: keeps each socket, to be able to shut it down."""
        if not event.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        connection = info["return_value"].get_extra_info("socket")
        if connection is None:
            return
        with self._lock:
            self._sockets.add(connection)
            if self._aborted:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The certificates to trust. Reading them takes longer than many requests, so it is done once in a process."""
    import httpx  # noqa: PLC0415 - an optional dependency

    return httpx.create_ssl_context()


class _NotNowError(Exception):
    """An answer that may be another one later."""

    def __init__(self, message: str, retry_after: str | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def _start(body: bytes) -> str:
    text = body[:_SHOWN_BYTES].decode("utf-8", errors="replace")
    return repr(text + ("..." if len(body) > _SHOWN_BYTES else ""))


_QUIET = threading.local()


class _OwnRequests(logging.Filter):
    """Drops what httpx and httpcore log about our requests: URLs with their query, and headers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is of a thread that makes none of our requests just now."""
        return not getattr(_QUIET, "on", False)


@contextmanager
def _unlogged() -> Iterator[None]:
    for name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"):
        logging.getLogger(name).addFilter(_FILTER)
    _QUIET.on = True
    try:
        yield
    finally:
        _QUIET.on = False


_FILTER = _OwnRequests()
