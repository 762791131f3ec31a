"""The rows of a task on their way to a driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sheetbend.errors import SheetbendError

if TYPE_CHECKING:
    from sheetbend.context import TaskContext
    from sheetbend.sources.jdbc.writing.options import WriteOptions

__all__ = ["Rows"]

_NUL = "\0"


class Rows:
    """The rows of a task under the names of the table's columns, counted as they are read.

    Args:
        batches: What the engine gives.
        names: The table's names for the columns, in their order.
        options: What becomes of NUL characters, and how many rows a batch has at most.
        context: Ends the rows when the task is cancelled: a driver need not notice that its statement was.
        keeps_nul: Whether the database stores a NUL character.
    """

    def __init__(
        self,
        batches: pa.RecordBatchReader,
        names: Sequence[str],
        options: WriteOptions,
        context: TaskContext | None = None,
        *,
        keeps_nul: bool = False,
    ) -> None:
        self.count = 0
        self.error: SheetbendError | None = None
        """What was wrong with a row: drivers that pull from :attr:`reader` make another error of it."""
        self._batches = batches
        self._nul = options.nul_replacement
        self._batch_rows = options.batch_rows
        self._context = context
        self.schema = pa.schema([field.with_name(name) for field, name in zip(batches.schema, names, strict=True)])
        self._texts = [
            index
            for index, field in enumerate(self.schema)
            if _is_text(_element(field.type)) and not (keeps_nul and self._nul is None)
        ]

    @property
    def reader(self) -> pa.RecordBatchReader:
        """The rows as a stream, which can be read once."""
        return pa.RecordBatchReader.from_batches(self.schema, iter(self))

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                if self._context is not None and self._context.cancelled:
                    raise SheetbendError("The write was cancelled.")
                yield from self._pieces(self._checked(batch))
        except SheetbendError as error:
            self.error = error
            raise

    def _checked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = batch.columns
        for index in self._texts:
            if _has_nul(columns[index]):
                columns[index] = self._without_nul(columns[index], self.schema.field(index))
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        step = self._batch_rows or max(1, batch.num_rows)
        for start in range(0, batch.num_rows, step):
            piece = batch.slice(start, step)
            self.count += piece.num_rows
            yield piece

    def _without_nul(self, values: pa.Array, field: pa.Field) -> pa.Array:
        if self._nul is None or not _is_text(field.type):
            hint = "" if not _is_text(field.type) else " Remove them, or give option 'nullByteReplacement'."
            raise SheetbendError(
                f"Column '{field.name}' has a text with a NUL character, which the database does not store.{hint}"
            )
        return pc.replace_substring(values, _NUL, self._nul)


def _has_nul(values: pa.Array) -> bool:
    while not _is_text(values.type):
        values = values.flatten()
    return bool(pc.any(pc.match_substring(values, _NUL)).as_py())


def _element(kind: pa.DataType) -> pa.DataType:
    while pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    return kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
