from __future__ import annotations

from collections.abc import Iterator

import pytest

from sheetbend import _native
from tests.bridge.plugins import eventually
from tests.plugin.processes import children, workers


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    eventually(lambda: not _native.reads_under_way(), "all threads of plug-ins have ended")
    eventually(lambda: "Z" not in children().values(), "no ended process is left")


@pytest.fixture(autouse=True, scope="module")
def _no_worker_is_left() -> Iterator[None]:
    yield
    _native.end_workers()
    assert not workers()
