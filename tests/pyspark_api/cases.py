"""Data sources of PySpark's own API, each with a question to it; ``answers.json`` has what a real Apache Spark answered."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark import cloudpickle
from pyspark.sql import Row
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.session import SparkSession
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import IntegerType, StringType, StructField, StructType, VariantVal

# A server knows nothing of this module: its classes and functions go there by value.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

NAME = "asked"
SCHEMA = "id int, s string"


@dataclass(frozen=True)
class Case:
    """A data source, and a question to it."""

    name: str
    source: type[DataSource]
    act: Callable[[DataFrame], Any]
    schema: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    differs: str = ""
    """Why Sheetbend is to answer otherwise."""

    def ask(self, spark: SparkSession) -> Any:
        """What the server answers; an exception is an answer too."""
        spark.dataSource.register(self.source)
        reader = spark.read.format(NAME).options(**self.options)
        return self.act((reader.schema(self.schema) if self.schema else reader).load())


def rows(frame: DataFrame) -> list[str]:
    return sorted(map(repr, frame.collect()))


def json_schema(frame: DataFrame) -> str:
    return frame.schema.json()


def source(**members: Any) -> type[DataSource]:
    """A class with the members; ``read`` and ``partitions`` are those of its reader."""
    reading: dict[str, Any] = {
        name: members.pop(name) for name in ("read", "partitions", "pushFilters") if name in members
    }
    reader = type("AskedReader", (DataSourceReader,), {"read": lambda self, partition: iter([(1, "a")]), **reading})
    given = {
        "name": classmethod(lambda cls: NAME),
        "schema": lambda self: SCHEMA,
        "reader": lambda self, schema: reader(),
        **members,
    }
    return type("Asked", (DataSource,), {name: value for name, value in given.items() if value is not None})


def raises(error: BaseException) -> Callable[..., Any]:
    def method(*_arguments: Any, **_named: Any) -> Any:
        raise error

    return method


def gives(value: Any) -> Callable[..., Any]:
    return lambda *_arguments, **_named: value


def yields(*items: Any) -> Callable[..., Iterator[Any]]:
    return lambda *_arguments: iter(items)


def values() -> Iterator[Case]:
    """One value of one column: the expression is evaluated at the server."""

    class Evaluated(DataSource):
        @classmethod
        def name(cls) -> str:
            return NAME

        def reader(self, schema: StructType) -> DataSourceReader:
            expression = self.options["value"]
            names = {"dt": dt, "D": Decimal, "np": np, "Row": Row, "VariantVal": VariantVal}

            class Reader(DataSourceReader):
                def read(self, partition: InputPartition) -> Iterator[tuple[Any]]:
                    yield (eval(expression, names),)

            return Reader()

    for data_type, expressions in VALUES.items():
        for expression in expressions:
            name = f"{data_type}: {expression}"
            differs = DIFFERENT_VALUES.get(name, "")
            yield Case(name, Evaluated, rows, f"v {data_type}", {"value": expression}, differs)


_ZONED = "dt.datetime(2020,1,2,3,4,5,tzinfo=dt.timezone(dt.timedelta(hours=5)))"

VALUES: dict[str, list[str]] = {
    "int": [
        "1",
        "True",
        "1.0",
        "1.5",
        "'1'",
        "D('1')",
        "D('1.5')",
        "None",
        "2**31",
        "np.int64(3)",
        "np.float64(1.5)",
        "float('nan')",
        "b'1'",
        "[1]",
    ],
    "tinyint": ["127", "128"],
    "bigint": ["2**63 - 1", "2**63", "1.0", "'1'", "dt.datetime(1970,1,1)"],
    "float": ["1", "1.5", "'1.5'", "D('1.5')", "True", "1e300", "None"],
    "double": ["1", "1.5", "'1.5'", "D('1.5')", "True", "float('nan')", "2**60", "None"],
    "string": [
        "'a'",
        "1",
        "1.5",
        "True",
        "None",
        "b'ab'",
        "[1, 'x']",
        "{'a': 1}",
        "(1, 2)",
        "D('1.50')",
        "dt.date(2020,1,2)",
        "dt.datetime(2020,1,2,3,4,5)",
        "object",
        r"'\ud800'",
    ],
    "boolean": ["True", "1", "0", "'true'", "None", "1.0", "np.bool_(True)"],
    "binary": ["b'ab'", "bytearray(b'ab')", "'ab'", "memoryview(b'ab')", "None", "1", "[1,2]"],
    "decimal(5,2)": [
        "D('1.5')",
        "D('1.555')",
        "D('12345.6')",
        "1",
        "1.5",
        "'1.5'",
        "None",
        "D('NaN')",
        "D('Infinity')",
    ],
    "date": ["dt.date(2020,1,2)", "dt.datetime(2020,1,2,3,4)", "'2020-01-02'", "1", "None"],
    "timestamp": [
        "dt.datetime(2020,1,2,3,4,5)",
        "dt.datetime(2020,1,2,3,4,5,tzinfo=dt.timezone.utc)",
        _ZONED,
        "dt.date(2020,1,2)",
        "'2020-01-02 03:04:05'",
        "1",
        "None",
    ],
    "timestamp_ntz": ["dt.datetime(2020,1,2,3,4,5)", _ZONED, "dt.date(2020,1,2)", "1"],
    "interval day to second": ["dt.timedelta(days=1, seconds=2)", "1", "'1'"],
    "array<int>": ["[1, None]", "(1, 2)", "range(2)", "np.array([1,2])", "{1}", "'ab'", "None", "['1']", "[1.5]"],
    "array<string>": ["[1, 'a', True, None]", "['a', None]", "'ab'", "[]"],
    "array<array<string>>": ["[['a', None], None, []]", "[['a', 1]]", "[('a',)]"],
    "array<timestamp>": [f"[{_ZONED}, None]", "['x']"],
    "map<string,int>": ["{'a': 1, 'b': None}", "[('a', 1)]", "{1: 1}", "{None: 1}", "None", "{'a': '1'}", "{}"],
    "struct<x:int,y:string>": [
        "(1, 'a')",
        "[1, 'a']",
        "{'x': 1, 'y': 'a'}",
        "{'y': 'a', 'x': 1}",
        "{'x': 1}",
        "{'x': 1, 'y': 'a', 'z': 3}",
        "Row(y='a', x=1)",
        "Row(x=1, z='a')",
        "Row(1, 'a')",
        "(1,)",
        "(1, 'a', 3)",
        "None",
        "('1', 'a')",
    ],
    "struct<a:array<struct<b:map<string,date>>>>": [
        "([{'b': {'k': dt.date(2020,1,2)}}, None],)",
        "([{'b': {'k': 'x'}}],)",
    ],
    "struct<x:int NOT NULL>": ["(None,)", "{'x': None}", "{}", "None"],
    "void": ["None", "1"],
    "variant": ["None", "VariantVal.parseJson('1')"],
    "int NOT NULL": ["1", "None"],
    "string NOT NULL": ["'a'", "None"],
}

_NOT_NULL = "Spark does not look, and its JVM fails over it; here the row and the column are named"
_VARIANT = "the type VARIANT is not there yet"

DIFFERENT_VALUES = {
    "int NOT NULL: None": _NOT_NULL,
    "string NOT NULL: None": _NOT_NULL,
    "variant: None": _VARIANT,
    "variant: VariantVal.parseJson('1')": _VARIANT,
}


def schemas() -> Iterator[Case]:
    """What ``schema()`` may return."""
    struct = StructType(
        [StructField("id", IntegerType(), False, {"comment": "x", "k": 1}), StructField("s", StringType())]
    )
    arrow = pa.schema([pa.field("id", pa.int32(), nullable=False), ("s", pa.string())])
    bad_type = "Spark's own fault is java.lang.NegativeArraySizeException; here the types that it may be are named"
    for name, schema, act, differs in [
        ("DDL", "id int, s string", json_schema, ""),
        ("DDL in upper case", "ID INT, S STRING", json_schema, ""),
        ("DDL, NOT NULL and COMMENT", "id int NOT NULL COMMENT 'x', s string", json_schema, ""),
        ("DDL, struct<>", "struct<id:int,s:string>", json_schema, ""),
        ("DDL, names in backticks", "`a b` int, `c``d` string", json_schema, ""),
        ("DDL, all types", ALL_TYPES, json_schema, ""),
        ("DDL, a bare type", "int", json_schema, ""),
        ("DDL, colons", "id: int, s: string", json_schema, "colons are read too, as they are in spark.read.schema"),
        ("DDL, empty", "", json_schema, ""),
        ("DDL, a type that is none", "id intt, s", json_schema, "the type is named, as UNSUPPORTED_DATATYPE"),
        ("StructType", struct, json_schema, ""),
        ("StructType, rows", struct, rows, ""),
        ("StructType without columns", StructType([]), rows, ""),
        ("a DataType that is no struct", IntegerType(), json_schema, ""),
        ("an Arrow schema", arrow, rows, "Spark takes none"),
        ("5", 5, json_schema, bad_type),
        ("None", None, json_schema, "the types that it may be are named, where Spark's assertion says nothing"),
        ("a dict", {"id": "int"}, json_schema, bad_type),
        ("names that differ in case", "a int, A string", rows, ""),
    ]:
        yield Case(f"schema: {name}", source(schema=gives(schema)), act, differs=differs)
    for error in (ValueError("boom"), NotImplementedError("nope"), SystemExit(3), KeyboardInterrupt(), MemoryError()):
        yield Case(f"schema: raises {type(error).__name__}", source(schema=raises(error)), json_schema)
    yield Case("schema: none", source(schema=None), json_schema)
    yield Case(
        "schema: given by the user", source(schema=raises(ValueError())), json_schema, "a int NOT NULL, b string"
    )
    yield Case("schema: given by the user, rows", source(schema=None), rows, "a int NOT NULL, b string")
    yield Case("__init__ raises", source(__init__=raises(ValueError("boom in init"))), json_schema)


ALL_TYPES = (
    "a tinyint, b smallint, c bigint, d float, e double, f decimal(10,2), g date, h timestamp, i timestamp_ntz, j binary, "
    "k boolean, l array<int>, m map<string,int>, n struct<x:int>, q void"
)


def planning() -> Iterator[Case]:
    """What ``reader()`` and ``partitions()`` may return."""
    for name, reader in [
        ("none", None),
        ("returns None", gives(None)),
        ("returns an object", gives(object())),
        ("raises", raises(ValueError("boom in reader"))),
        ("raises SystemExit", raises(SystemExit(2))),
    ]:
        yield Case(f"reader: {name}", source(reader=reader), rows)
        yield Case(f"reader: {name}, only the schema", source(reader=reader), json_schema)
    for name, partitions in [
        ("none", gives([])),
        ("None", gives(None)),
        ("a tuple", gives((InputPartition(1),))),
        ("an iterator", lambda self: iter([InputPartition(1)])),
        ("a list of int", gives([1, 2])),
        ("a mixed list", gives([InputPartition(1), 2])),
        ("three", gives([InputPartition(i) for i in range(3)])),
        ("of a class of one's own", lambda self: [Own(1, "x"), Own(2, "y")]),
        ("with a function", lambda self: [Own(1, lambda: "f")]),
        ("raises", raises(ValueError("boom in partitions"))),
        ("raises NotImplementedError", raises(NotImplementedError("x"))),
    ]:
        yield Case(f"partitions: {name}", source(partitions=partitions, read=read_partition), rows)


@dataclass
class Own(InputPartition):
    number: int
    text: Any


def read_partition(_reader: DataSourceReader, partition: InputPartition) -> Iterator[tuple[int, str]]:
    shown = type(partition).__name__
    yield (1, f"{shown} {getattr(partition, 'value', None)} {getattr(partition, 'number', None)}")


def reading() -> Iterator[Case]:
    """What ``read()`` may return and yield."""
    named = [("id", pa.int32()), ("s", pa.string())]
    one = pa.record_batch([pa.array([1], pa.int32()), pa.array(["a"])], schema=pa.schema(named))
    widened = "a batch is taken by the names of its columns, and narrower types are widened"
    yield from (Case(f"read: yields {name}", source(read=yields(*items)), rows) for name, items in ITEMS.items())
    for name, batch, differs in [
        ("as promised", one, ""),
        ("of no rows", one.slice(0, 0), ""),
        ("with metadata", one.replace_schema_metadata({"k": "v"}), ""),
        ("of one column", one.select(["id"]), ""),
        ("of three columns", pa.record_batch({"id": pa.array([1], pa.int32()), "s": ["a"], "x": [1]}), ""),
        ("of other names", one.rename_columns(["x", "s"]), ""),
        ("of names in other case", one.rename_columns(["ID", "S"]), ""),
        ("in another order", one.select(["s", "id"]), widened),
        ("of int16", pa.record_batch({"id": pa.array([1], pa.int16()), "s": ["a"]}), widened),
        (
            "of large_string",
            pa.record_batch({"id": pa.array([1], pa.int32()), "s": pa.array(["a"], pa.large_string())}),
            widened,
        ),
        ("of int64", pa.record_batch({"id": [1], "s": ["a"]}), "the message is Sheetbend's, for any plug-in"),
    ]:
        yield Case(f"read: yields a batch {name}", source(read=yields(batch)), rows, differs=differs)
    yield Case("read: yields a batch, then a tuple", source(read=yields(one, (2, "b"))), rows)
    yield Case("read: yields a tuple, then a batch", source(read=yields((2, "b"), one)), rows)
    for name, result in [
        ("a list", [(1, "a")]),
        ("None", None),
        ("a tuple", (1, "a")),
        ("a batch", one),
        ("a table", pa.table(one)),
        ("a string", "ab"),
    ]:
        yield Case(f"read: returns {name}", source(read=gives(result)), rows)
    yield Case("read: returns a map", source(read=lambda self, part: map(with_letter, [1, 2])), rows)
    yield Case(
        "read: returns a reader of batches", source(read=lambda self, part: pa.table(one_batch()).to_reader()), rows
    )
    yield Case("read: is an async generator", source(read=asynchronous), rows)
    yield Case(
        "read: many rows", source(read=many), lambda frame: frame.selectExpr("sum(id)", "count(s)").collect()[0][:]
    )
    for name, error in [
        ("ValueError", ValueError("boom in read")),
        ("SystemExit", SystemExit(2)),
        ("KeyboardInterrupt", KeyboardInterrupt()),
        ("StopIteration", StopIteration()),
    ]:
        differs = "it is the RuntimeError that Python makes of it" if name == "StopIteration" else ""
        yield Case(f"read: raises {name}", source(read=raises(error)), rows, differs=differs)
        yield Case(f"read: raises {name} half way", source(read=half_way(error)), rows)
    yield Case("read: never ends to recurse", source(read=recurses), rows)


def with_letter(number: int) -> tuple[int, str]:
    return number, "a"


def one_batch() -> pa.Table:
    return pa.table({"id": pa.array([1], pa.int32()), "s": ["a"]})


ITEMS: dict[str, tuple[Any, ...]] = {
    "nothing": (),
    "tuples": ((1, "a"), (2, None)),
    "lists": ([1, "a"], [2, "b"]),
    "Rows by name, swapped": (Row(s="a", id=1), Row(s="b", id=2)),
    "Rows of names in two orders": (Row(s="a", id=1), Row(id=2, s="b")),
    "Rows without names": (Row(*[1, "a"]), Row(*[2, "b"])),
    "Rows and tuples": (Row(s="a", id=1), (2, "b"), [3, "c"]),
    "a Row of other names": (Row(x=1, y="a"),),
    "a Row of names in other case": (Row(ID=1, S="a"),),
    "a Row too long": (Row(id=1, s="a", x=1),),
    "a dict": ({"id": 1, "s": "a"},),
    "a dict of another length": ({"id": 1},),
    "None": (None,),
    "a tuple, then None": ((1, "a"), None),
    "an int": (1,),
    "a string of two": ("ab",),
    "a string of one": ("a",),
    "a set": ({1, "a"},),
    "an array": (np.array([1, 2]),),
    "a tuple too short": ((1,),),
    "a tuple too long": ((1, "a", 3),),
    "a second tuple too short": ((1, "a"), (2,)),
    "an empty tuple": ((),),
}


def half_way(error: BaseException) -> Callable[..., Iterator[Any]]:
    def read(_reader: DataSourceReader, _partition: InputPartition) -> Iterator[Any]:
        yield (1, "a")
        raise error

    return read


def many(_reader: DataSourceReader, _partition: InputPartition) -> Iterator[Any]:
    return ((i, None if i % 3 else f"s{i}") for i in range(50_000))


def recurses(reader: DataSourceReader, partition: InputPartition) -> Iterator[Any]:
    return recurses(reader, partition)


async def asynchronous(_reader: DataSourceReader, _partition: InputPartition) -> Any:
    yield (1, "a")


CASES: list[Case] = [*values(), *schemas(), *planning(), *reading()]
