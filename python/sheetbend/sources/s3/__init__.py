"""``format("s3")``: Parquet, CSV and JSON lines in S3 and in stores that speak its API."""

from sheetbend.sources.s3.source import S3DataSource

__all__ = ["S3DataSource"]
