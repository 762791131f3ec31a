"""Log records without secrets."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from sheetbend.options import REDACTED

if TYPE_CHECKING:
    LoggerAdapter = logging.LoggerAdapter[logging.Logger]
else:
    LoggerAdapter = logging.LoggerAdapter

_ExcInfo: TypeAlias = "tuple[type[BaseException], BaseException, TracebackType | None]"


class ScrubbedLogger(LoggerAdapter):
    """A logger that takes every secret out of what it is given, also out of tracebacks.

    Args:
        name: The logger's name.
        secrets: Gives the texts that must not be logged, longest first; asked when something is logged first.
    """

    def __init__(self, name: str, secrets: Callable[[], Sequence[str]]) -> None:
        super().__init__(logging.getLogger(name), {})
        self._ask = secrets
        self._secrets: Sequence[str] | None = None

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401 - as the base has it
        """Logs ``msg % args``; every other method of a logger comes here."""
        if not self.isEnabledFor(level):
            return
        text = _message(msg, args)
        raised = _exception(kwargs.pop("exc_info", None))
        if raised is not None:
            text = f"{text}\n{''.join(traceback.format_exception(raised)).rstrip()}"
        # The caller is one frame further away than from a plain adapter.
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        self.logger.log(level, "%s", self._scrub(text), **kwargs)

    def _scrub(self, text: str) -> str:
        if self._secrets is None:
            self._secrets = self._ask()
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        return text


def _message(msg: object, args: tuple[object, ...]) -> str:
    if not args:
        return str(msg)
    try:
        return str(msg) % (args[0] if len(args) == 1 and isinstance(args[0], dict) else args)
    except (KeyError, TypeError, ValueError):
        # A record that is badly made is no reason for a query to fail.
        return f"{msg} {args}"


def _exception(given: bool | BaseException | _ExcInfo | None) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1]
    return sys.exc_info()[1] if given else None
