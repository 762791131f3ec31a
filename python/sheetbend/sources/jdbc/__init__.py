"""The JDBC source: relational databases behind the options that Spark's own ``jdbc`` format takes."""

from __future__ import annotations

from sheetbend.sources.jdbc.source import JDBCArrowDataSource

__all__ = ["JDBCArrowDataSource"]
