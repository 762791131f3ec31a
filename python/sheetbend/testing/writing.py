"""Writes to a plug-in through the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from sheetbend import _native
from sheetbend.isolation import IsolationOptions, as_options
from sheetbend.write import SaveMode

if TYPE_CHECKING:
    import pyarrow as pa
    from typing_extensions import Unpack

__all__ = ["Rows", "write"]

Rows: TypeAlias = "pa.Table | pa.RecordBatch | pa.RecordBatchReader"


def write(
    plugin: object,
    partitions: Sequence[Rows],
    options: Mapping[str, str] | None = None,
    *,
    mode: SaveMode = SaveMode.APPEND,
    schema: pa.Schema | None = None,
    **isolation: Unpack[IsolationOptions],
) -> dict[str, int]:
    """Writes to a plug-in as a server would: the same threads, checks and errors.

    Args:
        plugin: An instance, or a class that is called without arguments.
        partitions: The rows; each of the first 16 is one task, further ones share them.
        options: The options of the writer.
        mode: The save mode.
        schema: The columns; those of the first partition by default.
        isolation: Where the plug-in runs, as in :func:`sheetbend.testing.scan`.

    Returns:
        What the engine has counted, such as ``written_rows``; times are nanoseconds.

    Raises:
        PluginError: The plug-in raised, does not keep the contract, or cannot be written to.
    """
    rows = _Given(partitions, schema if schema is not None else partitions[0].schema)
    return _native.write(plugin, rows, dict(options or {}), mode=mode.value, isolation=as_options(**isolation))


class _Given:
    """A plug-in whose partitions are given."""

    def __init__(self, partitions: Sequence[Rows], schema: pa.Schema) -> None:
        self._partitions = partitions
        self._schema = schema

    def infer_schema(self, options: object) -> pa.Schema:
        return self._schema

    def plan_partitions(self, options: object) -> list[dict[str, int]]:
        return [{"partition": partition} for partition in range(len(self._partitions))]

    def read_partition(self, partition_spec: Mapping[str, int], options: object) -> Rows:
        return self._partitions[partition_spec["partition"]]
