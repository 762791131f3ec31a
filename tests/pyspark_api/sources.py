"""Data sources as users of PySpark write them. The server can import this module; other tests send theirs as pickles."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import Row
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import IntegerType, LongType, StringType, StructType


class FakePeople(DataSource):
    """Made-up people: the schema decides which columns there are."""

    @classmethod
    def name(cls) -> str:
        return "people"

    def schema(self) -> str:
        return "name string, town string, age int"

    def reader(self, schema: StructType) -> DataSourceReader:
        return FakePeopleReader(schema, self.options)


class FakePeopleReader(DataSourceReader):
    def __init__(self, schema: StructType, options: Any) -> None:
        self.schema = schema
        self.rows = int(options.get("numRows", "3"))
        self.seed = int(options.get("seed", "1"))

    def read(self, partition: InputPartition) -> Iterator[tuple[Any, ...]]:
        dice = random.Random(self.seed)
        for _ in range(self.rows):
            yield tuple(self._value(field.name, field.dataType, dice) for field in self.schema)

    def _value(self, name: str, data_type: Any, dice: random.Random) -> Any:
        if isinstance(data_type, StringType):
            return f"{name} {dice.randrange(100)}"
        assert isinstance(data_type, (IntegerType, LongType)), data_type
        return dice.randrange(100)


@dataclass
class Range(InputPartition):
    start: int
    end: int


class Counter(DataSource):
    """A source that keeps state from one method to the next, and has several partitions."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.calls = ["init"]

    @classmethod
    def name(cls) -> str:
        return "counter"

    def schema(self) -> StructType:
        self.calls.append("schema")
        return StructType().add("number", LongType(), False).add("calls", StringType())

    def reader(self, schema: StructType) -> DataSourceReader:
        self.calls.append("reader")
        return CounterReader(self)


class CounterReader(DataSourceReader):
    def __init__(self, source: Counter) -> None:
        self.source = source

    def partitions(self) -> list[InputPartition]:
        self.source.calls.append("partitions")
        parts, rows = (int(self.source.options[key]) for key in ("Parts", "Rows"))
        return [Range(part * rows, (part + 1) * rows) for part in range(parts)]

    def read(self, partition: InputPartition) -> Iterator[Row]:
        assert isinstance(partition, Range)
        self.source.calls.append("read")
        for number in range(partition.start, partition.end):
            yield Row(calls=" ".join(self.source.calls), number=number)


class Batches(DataSource):
    """A source that yields Arrow batches."""

    def schema(self) -> pa.Schema:
        return pa.schema([pa.field("number", pa.int64(), nullable=False), ("words", pa.list_(pa.string()))])

    def reader(self, schema: StructType) -> DataSourceReader:
        return BatchesReader()


class BatchesReader(DataSourceReader):
    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        for start in range(0, 30, 10):
            numbers = range(start, start + 10)
            yield pa.record_batch({"words": [["word"] * (number % 3) for number in numbers], "number": list(numbers)})
