"""Reads through the plug-in as the engine does."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from sheetbend.options import Options, check_options
from sheetbend.sources.jdbc import JDBCArrowDataSource

TYPES = Path(__file__).parents[2] / "types"


def batches(spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """The batches of one partition, each checked against the promised schema."""
    source = JDBCArrowDataSource()
    promised = source.infer_schema(Options.of(options))
    for item in source.read_partition(spec, Options.of(options)):
        parts = [item] if isinstance(item, pa.RecordBatch) else pa.RecordBatchReader.from_stream(item)
        for batch in parts:
            assert batch.schema.equals(promised), f"{batch.schema} is not {promised}"
            yield batch


def partitions(options: Mapping[str, str]) -> list[pa.Table]:
    """Every partition, read whole."""
    options = Options.of(options)
    source = JDBCArrowDataSource()
    check_options(source.OPTIONS, options, source="jdbc")
    schema = source.infer_schema(options).remove_metadata()
    specs = source.plan_partitions(options)
    return [pa.Table.from_batches(batches(spec, options), schema).combine_chunks() for spec in specs]


def read(options: Mapping[str, str]) -> pa.Table:
    """The whole table."""
    return pa.concat_tables(partitions(options))


def cases(database: str, kind: str) -> list[dict[str, str]]:
    """The cases of ``tests/types/<database>.toml``."""
    # By name: Python 3.10 has no such module, and the type checker looks with its eyes.
    tomllib: Any = importlib.import_module("tomllib")
    found: list[dict[str, str]] = tomllib.loads((TYPES / f"{database}.toml").read_text())[kind]
    return found
