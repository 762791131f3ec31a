"""Plug-ins that break the contract, one way each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from sheetbend.errors import AuthenticationError, SourceConnectionError

SCHEMA = pa.schema([pa.field("n", pa.int64(), nullable=False), pa.field("text", pa.string())])


def batch(*values: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(values, pa.int64()), [str(value) for value in values]], schema=SCHEMA)


class Whole:
    """Keeps the contract; the classes below break one part of it."""

    def infer_schema(self, options: Mapping[str, str]) -> Any:
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return [{}]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        return iter([batch(1, 2)])


class WithoutMethods:
    """Not a source at all."""


class WithoutPartitions:
    def infer_schema(self, options: Mapping[str, str]) -> Any:
        return SCHEMA

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        return iter([batch(1, 2)])


class ConstructorRaises(Whole):
    def __init__(self) -> None:
        raise RuntimeError("no licence found")


class SchemaIsADict(Whole):
    def infer_schema(self, options: Mapping[str, str]) -> Any:
        return {"n": "bigint"}


class SchemaRaises(Whole):
    def infer_schema(self, options: Mapping[str, str]) -> Any:
        raise KeyError("catalogue")


class PartitionsAreText(Whole):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return "all of them"


class PartitionsAreNumbers(Whole):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return [1, 2]


class PartitionsAreNotJson(Whole):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return [{"connection": object()}]


class ReturnsNumber(Whole):
    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        return 42


class YieldsRows(Whole):
    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield {"n": 1, "text": "one"}


class WrongType(Whole):
    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield pa.record_batch({"n": ["one"], "text": ["1"]})


class MissingColumn(Whole):
    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield pa.record_batch({"n": pa.array([1], pa.int64())})


class NullWhereNoneMayBe(Whole):
    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        yield pa.record_batch({"n": pa.array([None], pa.int64()), "text": ["1"]})


class FailsInTheMiddle(Whole):
    def plan_partitions(self, options: Mapping[str, str]) -> Any:
        return [{"page": 1}, {"page": 2}]

    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        yield batch(1, 2)
        if spec["page"] == 2:
            raise ValueError("page 2 is torn")


class Exits(Whole):
    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        raise SystemExit(3)


class ConnectionFails(Whole):
    def infer_schema(self, options: Mapping[str, str]) -> Any:
        raise SourceConnectionError("Nobody answers at db.example:5432.")


class CredentialsFail(Whole):
    def read_partition(self, spec: Mapping[str, Any], options: Mapping[str, str]) -> Any:
        raise AuthenticationError("The user 'reader' was refused.")
