"""For authors of plug-ins: reads a plug-in through the engine, or writes to it, without a server.

reader = scan(MySource(), {"path": "data.bin"}, columns=["id"], limit=10)
table = reader.read_all()
write(MySource(), [table], {"path": "copy.bin"})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from sheetbend import _native
from sheetbend.isolation import IsolationOptions, as_options
from sheetbend.testing.writing import write

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["explain", "scan", "write"]


def scan(
    plugin: object,
    options: Mapping[str, str] | None = None,
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    **isolation: Unpack[IsolationOptions],
) -> pa.RecordBatchReader:
    """Reads a plug-in as a query would: the same planning, threads, checks and errors.

    Rows come in no order of partitions, while the plug-in still produces. Closing the reader, or dropping it, cancels
    the read. Buffers are the plug-in's own, where no column had to be cast.

    Args:
        plugin: An instance, or a class that is called without arguments.
        options: The options of the reader.
        columns: The columns to read; all by default.
        limit: The most rows to read.
        isolation: Where the plug-in runs: on threads of this process, or with ``isolation="process"`` in workers.

    Raises:
        PluginError: The plug-in does not keep the contract, or raised while the read was planned. What goes wrong
            while rows are read is raised by the reader, as an error of pyarrow with the same text.
    """
    planned = _native.scan(plugin, dict(options or {}), columns=columns, limit=limit, isolation=as_options(**isolation))
    return pa.RecordBatchReader.from_stream(planned)


def explain(
    plugin: object,
    options: Mapping[str, str] | None = None,
    *,
    columns: Sequence[str] | None = None,
    limit: int | None = None,
    analyze: bool = False,
) -> str:
    """The physical plan of a read; with ``analyze``, what it cost after it has been run to its end."""
    planned = _native.scan(plugin, dict(options or {}), columns=columns, limit=limit)
    if analyze:
        for _ in pa.RecordBatchReader.from_stream(planned):
            pass
    return planned.explain(metrics=analyze)
