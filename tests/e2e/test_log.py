"""What a person sees of sources in the server's log."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from tests.support.server import running_server


def test_what_a_source_logs_is_written_without_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as log, running_server("--log-level", "info", log=log) as server:
        spark = SparkSession.builder.remote(server.url).create()
        reader = spark.read.format("python").option("python_module", "tests.support.tables")
        assert reader.option("python_class", "Foreign").option("password", "open-sesame").load().count() > 0
        spark.stop()
    text = path.read_text()
    assert "INFO sheetbend.source.python: opened with the password *********(redacted)" in text
    assert "open-sesame" not in text
