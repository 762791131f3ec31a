"""A database's driver is loaded when the database is read, and no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sheetbend.errors import SheetbendError
from sheetbend.options import Options
from sheetbend.sources.jdbc.dialects import dialect_of

URLS = {"sqlite": "jdbc:sqlite:/data/orders.db", "postgresql": "jdbc:postgresql://db.example/orders"}


@pytest.mark.parametrize("missing", URLS)
def test_a_driver_that_is_not_installed_is_named_and_the_others_work(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tuple(f"sheetbend.sources.jdbc.{room}.{missing}" for room in ("dialects", "drivers"))
    for module in [name for name in sys.modules if name.startswith(packages)]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, f"adbc_driver_{missing}", None)
    for database, url in URLS.items():
        if database != missing:
            assert dialect_of(Options({"url": url})).quote("n") == '"n"'
    with pytest.raises(SheetbendError) as caught:
        dialect_of(Options({"url": URLS[missing]}))
    assert str(caught.value) == (
        f"Source 'jdbc' needs the package 'adbc-driver-{missing}' for jdbc:{missing}: pip install 'sheetbend[jdbc]'."
    )


@pytest.mark.parametrize(
    ("script", "unwanted"),
    [
        (
            "import sheetbend; sheetbend.Server(port=0)",
            {"adbc_driver_manager", "httpx", "obstore", "pandas", "pyarrow.compute", "pyarrow.parquet"},
        ),
        (
            "from sheetbend.options import Options; from sheetbend.sources.jdbc.dialects import dialect_of; "
            f"dialect_of(Options({{'url': {URLS['sqlite']!r}}}))",
            {"adbc_driver_postgresql", "pyarrow.dataset"},
        ),
    ],
    ids=["a server", "SQLite"],
)
def test_what_is_not_read_is_not_loaded(script: str, unwanted: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert not unwanted & set(done.stdout.split())
