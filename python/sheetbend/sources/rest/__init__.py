"""``format("rest")``: JSON records of an HTTP API."""

from sheetbend.sources.rest.source import RESTAPIDataSource

__all__ = ["RESTAPIDataSource"]
