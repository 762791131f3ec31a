"""How a server comes to data sources of PySpark's API, and what it costs one that has none."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

import sheetbend
from sheetbend.errors import PluginError
from sheetbend.interop.pyspark import as_data_source
from sheetbend.testing import scan
from tests.pyspark_api import sources
from tests.support.server import ROOT, running_server
from tests.support.tables import Numbers

NO_PYSPARK = "raise ModuleNotFoundError(\"No module named 'pyspark'\", name='pyspark')\n"


@pytest.fixture
def here() -> Iterator[tuple[sheetbend.Server, SparkSession]]:
    with sheetbend.Server(port=0) as server:
        session = SparkSession.builder.remote(server.url).create()
        yield server, session
        session.stop()


def test_registered_by_the_server(here: tuple[sheetbend.Server, SparkSession]) -> None:
    server, session = here
    # The name is the server's; the class goes by another one.
    server.register_datasource("folk", sources.FakePeople)
    assert session.read.format("folk").option("numRows", 2).load().count() == 2


def test_the_testing_scan_reads_one() -> None:
    table = scan(sources.FakePeople, {"numRows": "5"}, columns=["age", "name"]).read_all()
    assert table.column_names == ["age", "name"]
    assert table.num_rows == 5


def test_a_plug_in_that_was_made_a_data_source_is_a_plug_in_again() -> None:
    table = scan(as_data_source(Numbers, "numbers"), {"rows": "6"}).read_all()
    assert table.num_rows == scan(Numbers, {"rows": "6"}).read_all().num_rows


def test_an_object_is_no_class() -> None:
    with pytest.raises(PluginError, match="lacks infer_schema"):
        sheetbend.Server(port=0).register_datasource("folk", sources.FakePeople({}))


def test_packages_are_found(tmp_path: Path) -> None:
    """Those of PySpark's rule, and those of Sheetbend's entry points."""
    module = "from tests.pyspark_api.sources import FakePeople\nclass DefaultSource(FakePeople): pass\n"
    (tmp_path / "pyspark_people.py").write_text(module)
    (tmp_path / "pyspark_package").mkdir()
    rename = "    @classmethod\n    def name(cls): return 'packed'\n"
    (tmp_path / "pyspark_package" / "__init__.py").write_text(module.replace(": pass", f":\n{rename}"))
    (tmp_path / "pyspark_broken.py").write_text("raise ImportError('libfoo.so is missing')")
    (tmp_path / "pyspark_nothing.py").write_text("")
    metadata = tmp_path / "folk-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: folk\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[sheetbend.datasources]\nfolk = tests.pyspark_api.sources:FakePeople\n")
    with running_server("--python-path", str(ROOT), python_path=tmp_path) as server:
        session = SparkSession.builder.remote(server.url).create()
        for name in ("people", "packed", "folk"):
            assert session.read.format(name).option("numRows", 2).load().count() == 2
        with pytest.raises(AnalysisException, match=r"libfoo\.so is missing"):
            session.read.format("pyspark_broken").load().count()
        with pytest.raises(Exception, match="DATA_SOURCE_NOT_FOUND"):
            session.read.format("pyspark_nothing").load().count()
        session.stop()


def test_a_server_without_pyspark_says_so(tmp_path: Path) -> None:
    (tmp_path / "pyspark.py").write_text(NO_PYSPARK)
    arguments = ("--register", "numbers=tests.support.tables:Numbers", "--python-path", str(ROOT))
    with running_server(*arguments, python_path=tmp_path) as server:
        session = SparkSession.builder.remote(server.url).create()
        assert session.read.format("numbers").load().count() == 10
        session.dataSource.register(sources.FakePeople)
        with pytest.raises(AnalysisException, match=r"needs PySpark in the server's Python .*sheetbend\[pyspark\]"):
            session.read.format("people").load().count()
        assert session.read.format("numbers").load().count() == 10
        session.stop()


def test_a_server_without_such_sources_does_not_import_pyspark() -> None:
    script = (
        "import sys, sheetbend, tests.support.tables as tables\n"
        "with sheetbend.Server(port=0) as server:\n"
        "    server.register_datasource('numbers', tables.Numbers)\n"
        "    from sheetbend.testing import scan\n"
        "    assert scan(tables.Numbers).read_all().num_rows\n"
        "    print([name for name in sys.modules if name.partition('.')[0] == 'pyspark'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_naive_datetimes_are_of_the_machines_zone() -> None:
    """As in Spark, whatever the session's zone is; a value with a zone is that instant."""
    script = (
        "import datetime as dt, pyarrow as pa\n"
        "from pyspark.sql.types import ArrayType, StructType, TimestampType\n"
        "from sheetbend.datasource_api.rows import RowsToBatches\n"
        "schema = StructType().add('t', 'timestamp').add('n', 'timestamp_ntz')\n"
        "schema = schema.add('a', ArrayType(TimestampType()))\n"
        "zone = dt.timezone(dt.timedelta(hours=5))\n"
        "noon = dt.datetime(2020, 7, 1, 12)\n"
        "rows = [(noon, noon, [noon]), (noon.replace(tzinfo=zone), None, [noon.replace(tzinfo=zone), None])]\n"
        "for batch in RowsToBatches(schema, 'x', 100).convert(iter(rows)):\n"
        "    for row in batch.cast(pa.schema([('t', pa.timestamp('us')), ('n', pa.timestamp('us')),\n"
        "                                     ('a', pa.list_(pa.timestamp('us')))])).to_pylist():\n"
        "        print(row['t'].hour, row['n'] and row['n'].hour, [at and at.hour for at in row['a']])\n"
    )
    environment = {**os.environ, "TZ": "America/New_York"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.splitlines() == ["16 12 [16]", "7 None [7, None]"], done.stderr


def test_rows_of_many_values_do_not_wait_in_memory() -> None:
    """Large rows make small batches."""
    from pyspark.sql.types import StructType

    from sheetbend.datasource_api.rows import RowsToBatches

    schema = StructType().add("text", "string")
    text = "x" * 100_000
    batches = list(RowsToBatches(schema, "large", 8192).convert((text,) for _ in range(2_000)))
    assert sum(batch.num_rows for batch in batches) == 2_000
    assert max(batch.nbytes for batch in batches) < 8 << 20
