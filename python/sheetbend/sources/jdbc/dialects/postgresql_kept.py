"""Rows of a write to PostgreSQL that wait in a folder of this machine until the commit copies them.

The server takes as long to insert rows from a staging table as to copy them anew, so to stage them is in vain.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend.errors import SheetbendError
from sheetbend.sources.jdbc.writing.spool import make_spool, spool, spooled, sweep

if TYPE_CHECKING:
    from sheetbend.sources.jdbc.writing.rows import Rows
    from sheetbend.write import CommitMessage

__all__ = ["keep", "kept_rows", "make_folder"]


def make_folder(write_id: str) -> str | None:
    """The folder of a write, which only its user can read; None where none can be made."""
    place = Path(tempfile.gettempdir()) / "postgresql"
    with contextlib.suppress(SheetbendError):
        sweep(place)
        return str(make_spool(place, write_id))
    return None


def keep(folder: str | None, partition: int, rows: Rows, limit: int) -> tuple[int, pa.RecordBatchReader | None]:
    """Keeps about ``limit`` bytes of the first rows. Returns how many they are, and the others where there are any."""
    # On another machine there is no such folder.
    if folder is None or not Path(folder).is_dir():
        return 0, rows.reader
    batches = iter(rows)
    spool(Path(folder), partition, rows.schema, _up_to(batches, limit))
    kept, first = rows.count, next(batches, None)
    if first is None:
        return kept, None
    return kept, pa.RecordBatchReader.from_batches(rows.schema, chain([first], batches))


def kept_rows(folder: str | None, messages: Sequence[CommitMessage]) -> tuple[int, pa.RecordBatchReader | None]:
    """How many rows all partitions have kept, and the rows where there are any.

    The reader raises :class:`SheetbendError` where a file is gone.
    """
    partitions = {int(message["partition"]): int(message["kept"]) for message in messages if message["kept"]}
    if folder is None or not partitions:
        return 0, None
    readers = spooled(Path(folder), partitions)
    first = next(readers)
    batches = chain(first, chain.from_iterable(readers))
    return sum(partitions.values()), pa.RecordBatchReader.from_batches(first.schema, batches)


def _up_to(batches: Iterator[pa.RecordBatch], limit: int) -> Iterator[pa.RecordBatch]:
    taken = 0
    for batch in batches:
        yield batch
        taken += batch.nbytes
        if taken >= limit:
            return
