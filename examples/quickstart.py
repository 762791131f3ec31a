"""What a stock PySpark client does with a Sheetbend server. `make demo` runs it against `serve.py`.

python examples/quickstart.py sc://127.0.0.1:15002 orders.db
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def read_orders(spark: SparkSession, database: Path) -> DataFrame:
    """A table of a database, read in four partitions at the same time."""
    return (
        spark.read.format("jdbc")
        .option("url", f"jdbc:sqlite:{database}")
        .option("dbtable", "orders")
        .option("partitionColumn", "id")
        .option("lowerBound", 1)
        .option("upperBound", 1_000_001)
        .option("numPartitions", 4)
        .load()
    )


def read_weather(spark: SparkSession) -> DataFrame:
    """A class of one's own, found by its name."""
    return (
        spark.read.format("python")
        .option("python_module", "weather")
        .option("python_class", "WeatherDataSource")
        .load()
    )


def read_targets(spark: SparkSession) -> DataFrame:
    """A source that was registered on the server by name."""
    return spark.read.format("targets").load()


def show(title: str, frame: DataFrame) -> None:
    """Prints a table, how many rows it has, and how long it took to get them."""
    print(f"\n{title}\n")
    started = time.monotonic()
    frame.show()
    print(f"{time.monotonic() - started:.2f} s")


def main() -> None:
    """Reads three sources, joins them, and prints what comes."""
    parser = argparse.ArgumentParser(description="Reads three sources through a Sheetbend server.")
    parser.add_argument("url", help="of the server, as it prints it: sc://127.0.0.1:PORT")
    parser.add_argument("database", type=Path, help="made by orders_db.py")
    arguments = parser.parse_args()

    spark = SparkSession.builder.remote(arguments.url).getOrCreate()
    orders = read_orders(spark, arguments.database.resolve())
    weather = read_weather(spark)
    targets = read_targets(spark)

    print('The orders, from a database through format("jdbc"):\n')
    orders.printSchema()
    started = time.monotonic()
    rows = orders.count()
    print(f"{rows} rows, {time.monotonic() - started:.2f} s")
    show("Five of them:", orders.orderBy("id").limit(5))

    revenue = orders.groupBy("region").agg(f.count("*").alias("orders"), f.sum("amount").alias("revenue"))
    show("Revenue by region:", revenue.orderBy("region"))

    print('\nThe weather, from a class of one\'s own through format("python"):\n')
    weather.printSchema()
    show("The warmest days:", weather.orderBy(f.desc("celsius"), "day").limit(5))

    show("Targets, from a source registered by name:", targets.orderBy("region"))

    rainy = orders.join(weather, (orders["region"] == weather["region"]) & (orders["ordered_on"] == weather["day"]))
    by_rain = rainy.groupBy("rain").agg(
        f.count("*").alias("orders"), f.avg("celsius").alias("celsius"), f.sum("amount").alias("revenue")
    )
    show("Orders joined with the weather of their region and day:", by_rain.orderBy("rain"))

    revenue.createOrReplaceTempView("revenue")
    targets.createOrReplaceTempView("targets")
    missed = spark.sql(
        "SELECT t.region, r.revenue, t.target FROM revenue r JOIN targets t ON r.region = t.region "
        "WHERE r.revenue < t.target ORDER BY t.region"
    )
    show("Regions below their target, in SQL:", missed)

    print("\nThe plan of the join with the weather:\n")
    by_rain.explain()
    spark.stop()


if __name__ == "__main__":
    main()
