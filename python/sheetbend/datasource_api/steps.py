"""The steps of a read or a write, by which Spark reports what fails in them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.errors import PySparkAssertionError

from sheetbend.errors import SheetbendError, SparkError, StepError


class Step(enum.Enum):
    """A step as Spark's message calls it: what is done, and to what."""

    CREATE = ("create", "instance")
    READER = ("initialize", "reader")
    PARTITIONS = ("generate", "read partitions")
    WRITER = ("initialize", "writer")
    COMMIT = ("commit or abort", "write")


@contextmanager
def step(which: Step) -> Iterator[None]:
    """Whatever is raised inside is raised as the cause of a :class:`StepError`, but for what is Spark's own error."""
    action, subject = which.value
    try:
        yield
    except SparkError:
        raise
    except BaseException as error:
        # A SystemExit too: it is to end the query, not a thread of the server.
        raise StepError(action, subject) from error


class TaskError(SheetbendError):
    """A task of a read or a write gives something that is not as promised; the text goes on from the method's name."""


def mismatch(expected: str, actual: str) -> PySparkAssertionError:
    """Spark's error over something of another type than expected."""
    parameters = {"expected": expected, "actual": actual}
    return PySparkAssertionError(errorClass="DATA_SOURCE_TYPE_MISMATCH", messageParameters=parameters)


def type_name(value: object) -> str:
    """The type of a value, in quotes."""
    return f"'{type(value).__name__}'"
