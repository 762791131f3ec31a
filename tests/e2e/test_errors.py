"""Bad input gets one clear error that names what is wrong, as the exception a Spark user catches; the server goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import AnalysisException, IllegalArgumentException, PySparkException, PythonException
from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(autouse=True)
def server_goes_on(spark: SparkSession) -> Iterator[None]:
    yield
    assert spark.read.format("numbers").option("rows", 3).load().count() == 3


def load(spark: SparkSession, plugin: str, module: str = "tests.support.faulty") -> DataFrame:
    reader = spark.read.format("python").option("python_module", module).option("python_class", plugin)
    return reader.load()


def error_of(frame: DataFrame) -> PySparkException:
    with pytest.raises(PySparkException) as caught:
        frame.collect()
    return caught.value


def message_of(error: PySparkException) -> str:
    """The message without its traceback."""
    return str(error).partition("Traceback")[0]


def test_an_unknown_format_names_the_nearest(spark: SparkSession) -> None:
    error = error_of(spark.read.format("numbres").load())
    # Spark raises a Java exception here that the client has no class for.
    assert isinstance(error, PySparkException)
    assert error.getCondition() == "DATA_SOURCE_NOT_FOUND"
    assert error.getSqlState() == "42K02"
    assert "numbres" in str(error)
    assert "'numbers'" in str(error)


def test_a_module_that_is_not_there(spark: SparkSession) -> None:
    error = error_of(load(spark, "Whole", module="no.such.module"))
    assert isinstance(error, AnalysisException)
    assert "no.such.module" in message_of(error) or "'no'" in message_of(error)


def test_a_class_that_is_not_there(spark: SparkSession) -> None:
    error = error_of(load(spark, "Wohle"))
    assert isinstance(error, AnalysisException)
    assert "Wohle" in message_of(error)
    assert "tests.support.faulty" in message_of(error)


@pytest.mark.parametrize("option", ["python_module", "python_class"])
def test_an_option_that_is_missing(spark: SparkSession, option: str) -> None:
    options = {"python_module": "tests.support.faulty", "python_class": "Whole"}
    del options[option]
    error = error_of(spark.read.format("python").options(**options).load())
    assert isinstance(error, AnalysisException)
    assert option in message_of(error)


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        ("WithoutMethods", ["WithoutMethods", "infer_schema", "plan_partitions", "read_partition"]),
        ("WithoutPartitions", ["WithoutPartitions", "plan_partitions"]),
        ("ConstructorRaises", ["ConstructorRaises", "no licence found"]),
        ("SchemaIsADict", ["SchemaIsADict", "infer_schema", "dict"]),
        ("SchemaRaises", ["SchemaRaises", "infer_schema", "catalogue"]),
    ],
)
def test_a_class_that_breaks_the_contract_before_it_is_read(spark: SparkSession, plugin: str, words: list[str]) -> None:
    error = error_of(load(spark, plugin))
    assert isinstance(error, AnalysisException)
    assert error.getCondition()
    for word in words:
        assert word in str(error)


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        ("PartitionsAreText", ["plan_partitions", "str"]),
        ("PartitionsAreNumbers", ["plan_partitions", "int"]),
        ("PartitionsAreNotJson", ["plan_partitions", "connection", "JSON"]),
        ("ReturnsNumber", ["read_partition", "int"]),
        ("YieldsRows", ["read_partition", "dict"]),
        ("WrongType", ["'n'", "Int64", "Utf8|string"]),
        ("MissingColumn", ["'text'"]),
        ("NullWhereNoneMayBe", ["'n'", "null|NULL"]),
        ("FailsInTheMiddle", ["read_partition", "partition 1", "page 2 is torn"]),
        ("Exits", ["read_partition", "SystemExit"]),
    ],
)
def test_a_class_that_breaks_the_contract_when_it_is_read(spark: SparkSession, plugin: str, words: list[str]) -> None:
    error = error_of(load(spark, plugin))
    # The client keeps no condition of a PythonException, so it has to be in the text.
    assert error.getCondition() or re.search(r"\[(INVALID_PYTHON_DATA_SOURCE|PYTHON_DATA_SOURCE_ERROR)\]", str(error))
    for word in words:
        assert re.search(word, str(error)), f"{word} in {error}"


def test_an_exception_arrives_with_its_traceback(spark: SparkSession) -> None:
    error = error_of(load(spark, "FailsInTheMiddle"))
    assert isinstance(error, PythonException)
    assert "Traceback (most recent call last)" in str(error)
    assert "tests/support/faulty.py" in str(error)
    assert 'raise ValueError("page 2 is torn")' in str(error)


def test_an_exception_of_the_package_brings_its_condition(spark: SparkSession) -> None:
    unreachable = error_of(load(spark, "ConnectionFails"))
    assert unreachable.getCondition() == "DATA_SOURCE_CONNECTION_FAILED"
    assert unreachable.getSqlState() == "08001"
    assert "Nobody answers at db.example:5432." in str(unreachable)
    refused = error_of(load(spark, "CredentialsFail"))
    assert refused.getCondition() == "DATA_SOURCE_AUTHENTICATION_FAILED"
    assert refused.getSqlState() == "28000"


def test_an_option_that_a_source_does_not_take(spark: SparkSession) -> None:
    error = error_of(spark.read.format("numbers").option("row", "3").load())
    assert error.getCondition() == "INVALID_DATA_SOURCE_OPTION"
    assert "'row'" in str(error)
    assert "'rows'" in str(error)


def test_an_option_with_a_value_that_it_does_not_take(spark: SparkSession) -> None:
    error = error_of(spark.read.format("numbers").option("rows", "many").load())
    assert error.getCondition() == "INVALID_DATA_SOURCE_OPTION"
    assert "rows" in str(error)
    assert "many" in str(error)


class TestJdbc:
    """The built-in database source refuses what it cannot do, in words of its own."""

    @staticmethod
    def error(spark: SparkSession, **options: Any) -> PySparkException:
        return error_of(spark.read.format("jdbc").options(**options).load())

    @pytest.mark.parametrize("url", ["sqlite:/tmp/x.db", "jdbc:informix://db:1521/x", "http://db", "jdbc:"])
    def test_a_bad_url(self, spark: SparkSession, url: str) -> None:
        error = self.error(spark, url=url, dbtable="orders")
        assert isinstance(error, IllegalArgumentException)
        assert error.getCondition() == "INVALID_DATA_SOURCE_OPTION"
        assert "url" in str(error).lower()
        assert "jdbc:sqlite:" in str(error)

    def test_a_missing_url(self, spark: SparkSession) -> None:
        error = self.error(spark, dbtable="orders")
        assert error.getCondition() == "INVALID_DATA_SOURCE_OPTION"
        assert "'url'" in str(error)

    def test_a_missing_table(self, spark: SparkSession, orders_db: Path) -> None:
        error = self.error(spark, url=f"jdbc:sqlite:{orders_db}", dbtable="ordres")
        assert isinstance(error, AnalysisException)
        assert error.getCondition() == "TABLE_OR_VIEW_NOT_FOUND"
        assert error.getSqlState() == "42P01"
        assert "ordres" in str(error)

    def test_neither_table_nor_query(self, spark: SparkSession, orders_db: Path) -> None:
        error = self.error(spark, url=f"jdbc:sqlite:{orders_db}")
        assert error.getCondition() == "INVALID_DATA_SOURCE_OPTION"
        assert "dbtable" in str(error)
        assert "query" in str(error)

    def test_an_unknown_option(self, spark: SparkSession, orders_db: Path) -> None:
        error = self.error(spark, url=f"jdbc:sqlite:{orders_db}", dbtable="orders", fetchSise=10)
        assert error.getCondition() == "INVALID_DATA_SOURCE_OPTION"
        assert "fetchSise" in str(error)
        assert "fetchsize" in str(error).lower().replace("fetchsise", "")

    def test_bounds_that_are_no_numbers(self, spark: SparkSession, orders_db: Path) -> None:
        error = self.error(
            spark,
            url=f"jdbc:sqlite:{orders_db}",
            dbtable="orders",
            partitionColumn="id",
            lowerBound="first",
            upperBound="last",
            numPartitions=4,
        )
        assert error.getCondition() == "INVALID_DATA_SOURCE_OPTION"
        assert "lowerBound" in str(error)
        assert "first" in str(error)

    def test_a_partition_column_without_bounds(self, spark: SparkSession, orders_db: Path) -> None:
        error = self.error(spark, url=f"jdbc:sqlite:{orders_db}", dbtable="orders", partitionColumn="id")
        assert error.getCondition() == "INVALID_DATA_SOURCE_OPTION"
        for name in ("lowerBound", "upperBound", "numPartitions"):
            assert name in str(error)

    def test_a_database_that_does_not_answer(self, spark: SparkSession) -> None:
        error = self.error(spark, url="jdbc:postgresql://127.0.0.1:1/none", dbtable="orders", password="geheim-4711")
        assert error.getCondition() == "DATA_SOURCE_CONNECTION_FAILED"
        assert "geheim-4711" not in str(error)
