"""A new HTTP server for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.http_server import HttpServer, running_http


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with running_http() as server:
        yield server
