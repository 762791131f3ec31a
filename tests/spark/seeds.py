"""Writes what the recorded cases send to a server: first inputs for the fuzz targets.

``python -m tests.spark.seeds FOLDER`` makes ``FOLDER/plan`` (messages) and ``FOLDER/sql`` (texts), a file for each.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from pyspark.sql.connect.session import SparkSession

import sheetbend
from tests.spark.cases import TOPICS, answers, data
from tests.spark.functions import examples

MOST_BYTES = 2048
"""Larger inputs make each case slow, and say little that smaller ones do not."""


class _Recording:
    """A stub of the service that keeps the plans it sends."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub
        self.plans: list[Any] = []

    def ExecutePlan(self, request: Any, **arguments: Any) -> Any:  # noqa: N802 - the protocol's name
        self.plans.append(request.plan)
        return self._stub.ExecutePlan(request, **arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stub, name)


def main() -> None:
    """Asks every case of a server of this package."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    logging.disable(logging.ERROR)  # The client logs every error that it raises.
    with sheetbend.Server(port=0) as server:
        spark = SparkSession.builder.remote(server.url).create()
        recording = _Recording(spark.client._stub)
        spark.client._stub = recording  # type: ignore[assignment]
        data.register(spark)
        for cases in TOPICS.values():
            for case in cases:
                with suppress(Exception):  # What comes of it is no matter here.
                    answers.ask(spark, case)
        spark.stop()
    texts = [query for queries in examples.load().values() for query in queries]
    texts += [plan.command.sql_command.input.sql.query for plan in recording.plans]
    _write(folder / "plan", [plan.SerializeToString() for plan in recording.plans])
    _write(folder / "sql", [text.encode() for text in texts])


def _write(folder: Path, inputs: list[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for content in inputs:
        if 0 < len(content) <= MOST_BYTES:
            (folder / hashlib.sha1(content, usedforsecurity=False).hexdigest()).write_bytes(content)


if __name__ == "__main__":
    main()
