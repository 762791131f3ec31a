"""Connections to MySQL and MariaDB: PyMySQL logs in, and rows are read here, by column.

No Python client of these databases has columns: each makes an object of every value. This is two to twenty times as
fast, in constant memory, and holds the interpreter only between calls of numpy and pyarrow.
"""

from __future__ import annotations

from sheetbend.sources.jdbc.drivers.mysql.session import ERRORS, MySqlSession

__all__ = ["ERRORS", "MySqlSession"]
