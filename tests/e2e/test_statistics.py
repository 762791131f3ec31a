"""What is known of a source before it is read chooses plans, leaves partitions out and answers counts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from tests.support.explain import plan_of


def measured(spark: SparkSession, name: str = "Measured", **options: Any) -> DataFrame:
    reader = spark.read.format("python").option("python_module", "tests.support.measured")
    return reader.option("python_class", name).options(**options).load()


def test_the_smaller_side_of_a_join_is_built(spark: SparkSession) -> None:
    small, large = measured(spark, partitions=1), measured(spark, partitions=12)
    for joined in (small.join(large, "k"), large.join(small, "k")):
        assert re.findall(r"specs=(\d+)", plan_of(joined)) == ["1", "12"]
        assert joined.count() == 10


def test_partitions_that_have_no_row_of_the_filter_are_not_read(spark: SparkSession) -> None:
    frame = measured(spark, partitions=10, exact=True, allowed="3,4").where("k BETWEEN 35 AND 44")
    assert "specs=2, partitions=2, projection=[k, name], pruned=8" in plan_of(frame)
    assert sorted(row.k for row in frame.collect()) == list(range(35, 45))
    assert measured(spark, partitions=10, exact=True, allowed="").where("k IS NULL OR k > 100").count() == 0


def test_estimates_leave_nothing_out(spark: SparkSession) -> None:
    frame = measured(spark, partitions=10).where("k BETWEEN 35 AND 44")
    assert "specs=10" in plan_of(frame)
    assert frame.count() == 10
    with pytest.raises(PythonException, match="partition 0 is read"):
        measured(spark, partitions=2, allowed="1").where("k > 10").collect()


def test_exact_counts_are_answered_without_a_read(spark: SparkSession) -> None:
    frame = measured(spark, partitions=10, exact=True, allowed="")
    assert frame.count() == 100
    assert frame.agg(sf.count("*").alias("n"), sf.count("k")).collect() == [(100, 100)]
    frame.createOrReplaceTempView("measured_exactly")
    assert spark.sql("SELECT count(*) FROM measured_exactly").collect() == [(100,)]


def test_a_bound_is_no_answer(spark: SparkSession) -> None:
    """The least value may be above an exact bound, so the rows are asked."""
    found = measured(spark, partitions=3, exact=True).agg(sf.min("k"), sf.max("k")).collect()
    assert found == [(0, 29)]
    with pytest.raises(PythonException, match="is read"):
        measured(spark, partitions=3, exact=True, allowed="").agg(sf.min("k")).collect()


def test_a_join_leaves_out_partitions_of_its_other_side(spark: SparkSession) -> None:
    keys = spark.createDataFrame([(42,), (47,), (71,)], ["k"])
    frame = measured(spark, partitions=20, exact=True, allowed="4,7")
    joined = frame.join(keys, "k")
    assert "dynamic_filters=[" in plan_of(joined)
    assert sorted(row.name for row in joined.collect()) == ["n42", "n47", "n71"]


def test_a_reader_may_ask_which_keys_are_wanted(spark: SparkSession) -> None:
    keys = spark.createDataFrame([(42,), (47,)], ["k"])
    told = {row.name for row in measured(spark, partitions=6, tells=True).join(keys, "k").collect()}
    (text,) = told
    assert "k" in text
    assert "42" in text
    assert "47" in text
    assert {row.name for row in measured(spark, partitions=2, tells=True).collect()} == {"wanted None"}


def test_a_plug_in_of_three_methods_may_know_its_rows(spark: SparkSession) -> None:
    assert measured(spark, "Counted").where("k > 1").count() == 2
    assert measured(spark, "Counted", rows=70).count() == 70


def test_statistics_that_fail_say_so(spark: SparkSession) -> None:
    with pytest.raises(Exception, match="statistics failed: OSError: no statistics"):
        measured(spark, "Counted", fails=True).collect()
    with pytest.raises(Exception, match=r"statistics returned dict, expected a sheetbend\.scan\.Statistics"):
        measured(spark, "Counted", wrong=True).collect()
