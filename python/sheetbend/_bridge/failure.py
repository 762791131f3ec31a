"""Exceptions, as the engine passes them on."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import NamedTuple

from sheetbend import options as options_module
from sheetbend import plugin as plugin_module
from sheetbend import references, registry
from sheetbend.errors import ColumnError, SheetbendError, SparkError, StepError


class Failure(NamedTuple):
    """An exception, as the engine passes it on."""

    text: str
    contract: bool
    """Whether the bridge raised it, over something that a plug-in returned or an option; the text says what."""
    traceback: str | None
    condition: str
    sql_state: str
    transient: bool
    parameters: dict[str, str]
    """Parameters of the condition's message, beside those that every failure of a plug-in has."""
    whole: bool
    """Whether the text is a sentence by itself, rather than what goes on from the name of the method."""


_OWN_ROOMS = tuple(str(Path(__file__).parents[1] / room) for room in ("_bridge", "_wire", "datasource_api", "worker"))
_OWN_FILES = frozenset({options_module.__file__, plugin_module.__file__, references.__file__, registry.__file__})
_PERMANENT = (FileExistsError, FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
_CONDITION = re.compile(r"[A-Z0-9_]+(\.[A-Z0-9_]+)*")
_SQL_STATE = re.compile(r"[A-Z0-9]{5}")
_MOST_TEXT = 8_000
"""Characters of a message: more are of no use to who reads it, and may not fit into an answer to the client."""
_MOST_TRACEBACK = 40_000


def failure(error: BaseException) -> Failure:
    """What to say of ``error``. It has a traceback where it comes from code of the plug-in."""
    if isinstance(error, StepError) and error.__cause__ is not None:
        return _of_step(error, failure(error.__cause__))
    report = traceback.TracebackException.from_exception(error)
    contract = isinstance(error, SheetbendError) and all(
        _is_own(frame) or frame.filename in _OWN_FILES for frame in report.stack
    )
    _cut(report)
    raised_here = not report.stack and report.__cause__ is None and report.__context__ is None
    return Failure(
        text=_sendable(_text(error) if contract else f"{type(error).__name__}: {_text(error)}", _MOST_TEXT),
        contract=contract,
        traceback=None if contract or raised_here else _sendable("".join(report.format()).rstrip(), _MOST_TRACEBACK),
        condition=_code(error, "condition", _CONDITION, SheetbendError.condition),
        sql_state=_code(error, "sql_state", _SQL_STATE, SheetbendError.sql_state),
        transient=isinstance(error, OSError) and not isinstance(error, _PERMANENT),
        parameters=error.parameters if isinstance(error, (ColumnError, SparkError)) else {},
        whole=isinstance(error, SparkError),
    )


def _of_step(error: StepError, cause: Failure) -> Failure:
    return cause._replace(
        text=f"{error}: {cause.text}",
        contract=True,
        condition=error.condition,
        sql_state=error.sql_state,
        parameters={**error.parameters, "msg": cause.traceback or cause.text},
        whole=True,
    )


def _is_own(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(_OWN_ROOMS)


def _cut(report: traceback.TracebackException | None) -> None:
    """Takes the frames of the bridge out of a traceback and of those that it follows from."""
    pending = [report]
    while pending:
        one = pending.pop()
        if one is None:
            continue
        one.stack = traceback.StackSummary.from_list([frame for frame in one.stack if not _is_own(frame)])
        pending += [one.__cause__, one.__context__]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - what a plug-in raises may fail in any way
        return "(its text cannot be had)"


def _sendable(text: str, most: int) -> str:
    """The beginning and the end of a long text, in characters that UTF-8 has."""
    left_out = len(text) - most
    if left_out > 0:
        text = f"{text[: most // 2]}\n... {left_out:,} characters left out ...\n{text[-most // 2 :]}"
    return text.encode("utf-8", "backslashreplace").decode()


def _code(error: BaseException, name: str, form: re.Pattern[str], default: str) -> str:
    try:
        value = getattr(error if isinstance(error, SheetbendError) else type(error), name, None)
    except Exception:  # noqa: BLE001 - as above
        return default
    return value if isinstance(value, str) and form.fullmatch(value) else default
