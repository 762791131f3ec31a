"""The exceptions that Sheetbend raises, and that a plug-in may raise to have a typed error reach the client.

Any exception of a plug-in reaches the PySpark client, with its traceback. These add two things that a Spark user
catches by: an error condition (``getCondition()``) and a SQLSTATE (``getSqlState()``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

__all__ = [
    "AuthenticationError",
    "ColumnError",
    "OptionError",
    "PluginError",
    "SheetbendError",
    "SourceConnectionError",
    "TableExistsError",
    "TableNotFoundError",
    "UnsupportedSaveModeError",
    "UnsupportedWriteError",
]


class SheetbendError(Exception):
    """Base of every exception of this package; the message says what is wrong and what is expected."""

    condition: ClassVar[str] = "PYTHON_DATA_SOURCE_ERROR"
    """The error condition that the client sees."""
    sql_state: ClassVar[str] = "38000"
    """The SQLSTATE that the client sees, five characters."""


class PluginError(SheetbendError):
    """A plug-in does not keep the contract: a method is missing, or returned something of the wrong type."""

    condition = "INVALID_PYTHON_DATA_SOURCE"


class SparkError(SheetbendError):
    """An error as Spark reports it: its message is a sentence of Spark's, and needs no place before it.

    Private: it is for what speaks PySpark's interfaces.
    """

    def __init__(
        self, message: str, *, condition: str, sql_state: str, parameters: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        # Of the instance: Spark has many.
        self.condition = condition  # type: ignore[misc]
        self.sql_state = sql_state  # type: ignore[misc]
        self.parameters = dict(parameters or {})
        """Parameters of the message, by name."""


class StepError(SparkError):
    """A step of PySpark's data source API failed; the exception's cause is what was raised in it. Private."""

    def __init__(self, action: str, subject: str) -> None:
        super().__init__(
            f"Failed to {action} Python data source {subject}",
            condition="PYTHON_DATA_SOURCE_ERROR",
            sql_state="38000",
            parameters={"action": action, "type": subject},
        )


class OptionError(SheetbendError, ValueError):
    """An option is missing, unknown, or has a value that it does not take."""

    condition = "INVALID_DATA_SOURCE_OPTION"
    sql_state = "22023"


class SourceConnectionError(SheetbendError, ConnectionError):
    """The source could not be reached."""

    condition = "DATA_SOURCE_CONNECTION_FAILED"
    sql_state = "08001"


class AuthenticationError(SheetbendError, PermissionError):
    """The source refused the user or the credentials."""

    condition = "DATA_SOURCE_AUTHENTICATION_FAILED"
    sql_state = "28000"


class TableNotFoundError(SheetbendError, LookupError):
    """The source has no such table, bucket or resource."""

    condition = "TABLE_OR_VIEW_NOT_FOUND"
    sql_state = "42P01"


class TableExistsError(SheetbendError):
    """There is a table already where none was to be."""

    condition = "TABLE_OR_VIEW_ALREADY_EXISTS"
    sql_state = "42P07"


class ColumnError(SheetbendError):
    """A column that is to be written is none that the table has or can have.

    Args:
        message: What is wrong.
        condition: The condition that Spark has for it.
        sql_state: The SQLSTATE of the condition.
        parameters: Parameters of the condition's message, by name.
    """

    def __init__(self, message: str, *, condition: str, sql_state: str, parameters: Mapping[str, str]) -> None:
        super().__init__(message)
        # Of the instance: Spark tells several.
        self.condition = condition  # type: ignore[misc]
        self.sql_state = sql_state  # type: ignore[misc]
        self.parameters = dict(parameters)


class UnsupportedWriteError(SheetbendError):
    """The source cannot be written to, or not in this way."""

    condition = "UNSUPPORTED_FEATURE.TABLE_OPERATION"
    sql_state = "0A000"


class UnsupportedSaveModeError(SheetbendError):
    """The source cannot be written to in this save mode."""

    condition = "UNSUPPORTED_DATA_SOURCE_SAVE_MODE"
    sql_state = "0A000"
