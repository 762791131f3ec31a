"""What is said to be never NULL never is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from pyspark.errors import PySparkException
from pyspark.sql.connect.session import SparkSession
from pyspark.sql.types import ArrayType, DataType, MapType, StructType

from tests.spark.cases import answers
from tests.spark.cases.nullability import OF_A_NUMBER
from tests.support.server import ServerProcess

from . import examples

CLAIMS = [
    f"SELECT {text} FROM range(3)" for line in OF_A_NUMBER.strip().splitlines() for text in line.strip().split("; ")
]


def test_no_example_has_null_where_its_schema_has_none(server: ServerProcess) -> None:
    queries = sorted({query for asked in examples.load().values() for query in asked} | set(CLAIMS))
    spark = SparkSession.builder.remote(server.url).create()
    for key, value in answers.CONF.items():
        spark.conf.set(key, value)

    def broken(query: str) -> list[str]:
        try:
            frame = spark.sql(query)
            rows = frame.collect()
        except PySparkException:  # An error claims nothing.
            return []
        return [f"{query}: {where}" for row in rows for where in nulls(row, frame.schema, "row")]

    with ThreadPoolExecutor(4) as pool:
        found = [line for lines in pool.map(broken, queries) for line in lines]
    spark.stop()
    assert not found, "\n".join(found[:24])


def nulls(value: object, kind: DataType, where: str) -> Iterator[str]:
    """Each place in ``value`` that is NULL, though its type says that it is not."""
    match value, kind:
        case ((list() | tuple()), StructType()):
            parts = [
                (part, field.dataType, field.nullable, field.name) for part, field in zip(value, kind, strict=True)
            ]
        case list(), ArrayType():
            parts = [(part, kind.elementType, kind.containsNull, "element") for part in value]
        case dict(), MapType():
            parts = [(part, kind.valueType, kind.valueContainsNull, "value") for part in value.values()]
        case _:
            return
    for part, inner, nullable, name in parts:
        if part is None and not nullable:
            yield f"{where}.{name}"
        yield from nulls(part, inner, f"{where}.{name}")
