"""What a failed request means: obstore's exceptions as Sheetbend's."""

from __future__ import annotations

import re

from sheetbend.errors import AuthenticationError, SheetbendError, SourceConnectionError, TableNotFoundError

__all__ = ["ObjectChangedError", "explain", "failures"]

_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_SYSTEM = re.compile(r'message: "([A-Z][^"]*)"')
_REFUSED = {"PermissionDeniedError", "UnauthenticatedError"}
_DENIED = {"AccessDenied", "AllAccessDisabled", "ExpiredToken", "InvalidAccessKeyId", "InvalidToken"}
_DENIED |= {"SignatureDoesNotMatch", "RequestTimeTooSkewed", "InvalidSecurity", "TokenRefreshRequired"}
_ELSEWHERE = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}

_NO_CREDENTIALS = (
    "No credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where Sheetbend runs, "
    "or option 'anonymous' to true for a public bucket."
)


class ObjectChangedError(SheetbendError):
    """An object is not the one that was planned for: it was replaced or deleted while the query ran."""


def failures() -> tuple[type[Exception], ...]:
    """What obstore raises where a request fails."""
    from obstore.exceptions import BaseError  # noqa: PLC0415 - an optional dependency

    return (BaseError, OSError, ValueError)


def explain(error: Exception, *, bucket: str, key: str | None = None, endpoint: str | None = None) -> SheetbendError:
    """The exception to raise for ``error``, which obstore raised at a request for ``key`` or a listing of ``bucket``.

    Its text is not passed on: it holds the response, and S3 answers a bad signature with the text that was signed.
    """
    text, name = str(error), type(error).__name__
    code, status = _first(_CODE, text), _first(_STATUS, text) or ""
    what = f"object s3://{bucket}/{key}" if key else f"bucket '{bucket}'"
    at = endpoint or "AWS"
    denied = name in _REFUSED or code in _DENIED or status in ("401", "403")
    reason = code or _first(_SYSTEM, text) or (f"HTTP {status}" if status else "no answer")
    rules: tuple[tuple[bool, type[SheetbendError], str], ...] = (
        (code == "NoSuchBucket", TableNotFoundError, f"There is no bucket '{bucket}' at {at}."),
        ("169.254.169.254" in text or "/latest/api/token" in text, AuthenticationError, _NO_CREDENTIALS),
        (
            code in _ELSEWHERE or "Received redirect" in text,
            SheetbendError,
            f"The {what} is in another region, it seems: set option 'region' ({code or 'redirect'}).",
        ),
        (denied, AuthenticationError, f"Access to {what} at {at} was denied ({code or 'no reason given'})."),
        (
            isinstance(error, FileNotFoundError),
            ObjectChangedError,
            f"The {what} changed during the query: it is gone. Run the query again.",
        ),
        (
            name == "PreconditionError",
            ObjectChangedError,
            f"The {what} changed during the query: it was replaced. Run the query again.",
        ),
        (
            name == "InvalidPathError",
            SheetbendError,
            f"The {what} has a key with an empty segment, '.' or '..', which cannot be read.",
        ),
        (
            "HTTP error" in text or status.startswith("5"),
            SourceConnectionError,
            f"Could not reach {at} for {what}: {reason}.",
        ),
    )
    for holds, kind, message in rules:
        if holds:
            return kind(message)
    return SheetbendError(f"A request for {what} at {at} failed: {code or (f'HTTP {status}' if status else name)}.")


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None
