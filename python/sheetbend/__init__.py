"""PySpark clients read Python data sources through a Rust engine.

A source is a class with three methods (:mod:`sheetbend.plugin`); :class:`Server` makes it a table.
"""

from importlib.metadata import PackageNotFoundError, version

from sheetbend.context import TaskContext
from sheetbend.discovery import Discovered, discover
from sheetbend.errors import SheetbendError
from sheetbend.options import Options, OptionSpec
from sheetbend.plugin import DataSourcePlugin, ReadContext
from sheetbend.server import Server
from sheetbend.write import SaveMode, SupportsWrite, WriteRequest, WriteTask

__all__ = [
    "DataSourcePlugin",
    "Discovered",
    "OptionSpec",
    "Options",
    "ReadContext",
    "SaveMode",
    "Server",
    "SheetbendError",
    "SupportsWrite",
    "TaskContext",
    "WriteRequest",
    "WriteTask",
    "__version__",
    "discover",
]

try:
    __version__ = version("sheetbend")
except PackageNotFoundError:
    # The source tree without an installed package, as when its Python half is tested alone.
    __version__ = "0+unknown"
