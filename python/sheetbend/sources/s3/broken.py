"""Errors in what an object holds: they name the object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.errors import SheetbendError
from sheetbend.sources.s3.fetcher import FetchAbortedError

if TYPE_CHECKING:
    from sheetbend.sources.s3.listing import PinnedObject

__all__ = ["reading"]


@contextmanager
def reading(item: PinnedObject, form: str) -> Iterator[None]:
    """Turns pyarrow's exceptions into :class:`SheetbendError` that name the object and the format it was read as."""
    try:
        yield
    except (SheetbendError, FetchAbortedError):
        raise
    except (pa.ArrowException, OSError, EOFError) as error:
        raise SheetbendError(f"Object {item.url} cannot be read as {form}: {error}") from None
