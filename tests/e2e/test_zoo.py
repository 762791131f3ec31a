"""A handful of the zoo through a real server: an error of its own for each, and the session goes on."""

from __future__ import annotations

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

HABITS = [
    ("exceptions", "OfLongText", ["ValueError: It begins here."]),
    ("exceptions", "OfNoUtf8", ["FileNotFoundError: no file caf\\udce9.csv"]),
    ("exceptions", "OfOddCharacters", ["a line\nand another", "💥"]),
    ("exceptions", "DeepInTheStack", ["ValueError: the bottom"]),
    ("exceptions", "CauseOfItself", ["ValueError: first"]),
    ("schemas", "NulInAName", ["infer_schema", "NUL"]),
    ("batches", "OtherSchemaLater", ["column 'text' is Int64"]),
    ("streams", "FailsWithTextOfNoUtf8", ["on fire"]),
    ("objects", "CannotBeShownAndFails", ["ValueError: boom"]),
    ("processes", "EndsItsThread", ["SystemExit"]),
]


def load(spark: SparkSession, theme: str, plugin: str) -> DataFrame:
    source = spark.read.format("python").option("python_module", f"tests.plugin.zoo.{theme}")
    return source.option("python_class", plugin).load()


@pytest.mark.parametrize(
    ("theme", "plugin", "words"), HABITS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_bad_habit(spark: SparkSession, theme: str, plugin: str, words: list[str]) -> None:
    with pytest.raises(PySparkException) as caught:
        load(spark, theme, plugin).collect()
    for word in [f"tests.plugin.zoo.{theme}.{plugin}", *words]:
        assert word in str(caught.value)
    assert [row.n for row in load(spark, "base", "Tame").collect()] == [1, 2]


def test_strange_names_arrive(spark: SparkSession) -> None:
    row = load(spark, "schemas", "StrangeNames").collect()[0].asDict()
    assert set(row.values()) == {7}
    assert {"a.b", "two\nlines", "💥", ""} <= set(row)


def test_sources_on_both_sides_of_a_join_above_sources(spark: SparkSession) -> None:
    """Each source reads two more in its partitions, all of them over memory of numpy."""
    sides = [load(spark, "processes", "JoinsTwoSources").groupBy("n").count() for _ in range(2)]
    joined = sides[0].join(sides[1], "n").collect()
    assert len(joined) == 20
    assert {row["count"] for row in joined} == {4 * 8 * 64_000}
