"""A script as a user writes it, which makes a report of a shop's files: what it finds on the way is one answer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from pyspark.errors import AnalysisException, ArithmeticException, NumberFormatException, ParseException
from pyspark.sql import Window
from pyspark.sql.types import DoubleType, LongType, StringType, StructField, StructType

from . import answers
from .model import Case

SALES = """\
id,shop,product,amount,price,sold_at
1,Oslo,tea,2,3.50,2024-01-05 10:00:00
2,Oslo,coffee,1,12.00,2024-01-05 18:30:00
3,Rome,tea,,3.50,2024-01-31 23:59:59
4,Rome,bread,5,1.20,2024-02-01 00:00:00
5,Paris,coffee,3,11.50,2024-02-10 09:15:00
6,Paris,tea,4,,2024-02-29 12:00:00
7,Oslo,bread,10,1.10,2024-03-03 08:00:00
8,,coffee,1,12.00,2024-03-04 08:00:00
"""
PRODUCTS = """\
{"name": "tea", "tags": ["hot", "leaf"], "origin": {"country": "IN", "km": 7000}}
{"name": "coffee", "tags": ["hot"], "origin": {"country": "ET", "km": 5900.5}}
{"name": "salt", "tags": []}
"""


def _report(spark: Any, F: ModuleType) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def note(name: str, make: Callable[[], Any], *, ordered: bool = False) -> None:
        answer = answers.ask(spark, Case(name, lambda _spark, _functions: make(), ordered=ordered))
        found[name] = answers.essence(answer)

    with tempfile.TemporaryDirectory(prefix="script-") as directory:
        folder = Path(directory)
        (folder / "sales.csv").write_text(SALES, encoding="utf-8")
        (folder / "products.json").write_text(PRODUCTS, encoding="utf-8")

        # Reading, with a schema that is found and one that is given.
        sales = spark.read.option("header", True).option("inferSchema", True).csv(f"{folder}/sales.csv")
        products = spark.read.json(f"{folder}/products.json")
        note("schema of sales", lambda: [[field.name, field.dataType.simpleString()] for field in sales.schema])
        note("schema of products", lambda: [products.schema.simpleString()])
        note("sales", lambda: sales)

        # Cleaning.
        clean = (
            sales.na.fill({"amount": 0, "shop": "unknown"})
            .withColumn("price", F.coalesce("price", F.lit(3.5)).cast("decimal(10,2)"))
            .withColumn("total", F.col("amount") * F.col("price"))
            .withColumn("month", F.date_format("sold_at", "yyyy-MM"))
        )
        clean.createOrReplaceTempView("clean_sales")
        note("clean", lambda: clean.orderBy("id"), ordered=True)
        note("incomplete", lambda: sales.exceptAll(sales.na.drop()).select("id"))

        # Joins, with what does not match on either side.
        joined = clean.alias("s").join(products.alias("p"), F.col("s.product") == F.col("p.name"), "full")
        note("joined", lambda: joined.select("s.id", "p.name", F.col("p.origin.country").alias("country")))
        note("unsold", lambda: products.join(clean, products.name == clean["product"], "left_anti").select("name"))
        note(
            "tags",
            lambda: (
                joined.where(F.col("s.id").isNotNull())
                .select("s.shop", F.explode_outer("p.tags").alias("tag"))
                .groupBy("tag")
                .agg(F.count("*").alias("sales"), F.sort_array(F.collect_set("shop")).alias("shops"))
            ),
        )

        # Windows.
        by_shop = Window.partitionBy("shop").orderBy("sold_at")
        ranked = clean.select(
            "id",
            "shop",
            F.row_number().over(by_shop).alias("nth"),
            F.sum("total").over(by_shop.rowsBetween(Window.unboundedPreceding, 0)).alias("running"),
            F.lag("product").over(by_shop).alias("before"),
            F.datediff("sold_at", F.lag("sold_at").over(by_shop)).alias("days"),
            F.round(F.percent_rank().over(Window.orderBy("total", "id")), 4).alias("rank"),
        )
        note("ranked", lambda: ranked.orderBy("shop", "nth"), ordered=True)
        note("best of each shop", lambda: spark.sql(
            "select shop, product, total from (select *, rank() over (partition by shop order by total desc) r "
            "from clean_sales) where r = 1 order by shop, product"
        ), ordered=True)  # fmt: skip

        # Groups, pivots and statistics.
        note("months", lambda: clean.groupBy("month").pivot("shop").agg(F.sum("total")).orderBy("month"), ordered=True)
        note(
            "cube",
            lambda: (
                clean.cube("shop", "product")
                .agg(F.grouping_id().alias("level"), F.sum("amount").alias("amount"), F.avg("price").alias("price"))
                .where("level > 0")
            ),
        )
        note("long", lambda: clean.unpivot(["id"], ["amount", "price"], "what", "value").where("id <= 2"))
        note("crosstab", lambda: clean.crosstab("shop", "product"))
        note("described", lambda: clean.select("amount", "price", "shop").describe(), ordered=True)
        note("quantiles", lambda: clean.approxQuantile(["amount", "total"], [0.25, 0.5, 0.75], 0.0))
        note("covariance", lambda: round(clean.stat.cov("amount", "price"), 6))
        note("many", lambda: clean.groupBy("product").count().where(F.col("count") > F.lit(2)))

        # SQL with parameters, a common table and a subquery.
        query = """
            with totals as (select shop, sum(total) as total from clean_sales group by shop)
            select shop, total, total > (select avg(total) from totals) as above
            from totals where total >= :least order by total desc, shop
        """
        note("totals", lambda: spark.sql(query, args={"least": 5}), ordered=True)
        note("frame in text", lambda: spark.sql("select count(*) n from {sales} where amount is null", sales=sales))

        # Rows of the script's own.
        rates = StructType([StructField("shop", StringType(), False), StructField("rate", DoubleType())])
        rate = spark.createDataFrame([("Oslo", 0.1), ("Rome", None), ("Nice", 2.0)], rates)
        note("rates", lambda: clean.join(F.broadcast(rate), "shop", "left").select("id", "shop", "rate"))
        note("in kroner", lambda: rate.select("shop", F.when(F.col("rate") > 1, "dear").otherwise("cheap").alias("is")))
        columns = StructType([StructField("id", LongType()), StructField("note", StringType())])
        note("as a schema", lambda: clean.to(columns).limit(1).select("id", "note"))

        # Writing, and reading what was written.
        path = f"{folder}/by_month"
        clean.drop("sold_at").write.partitionBy("month").parquet(path)
        note("written", lambda: spark.read.parquet(path).where("month = '2024-02'").select("id", "total", "month"))
        clean.where("id = 1").write.mode("append").partitionBy("month").parquet(path)
        note("appended", lambda: spark.read.parquet(path).count())

        # What goes wrong, as a script catches it.
        note("no column", lambda: clean.select("totl"))
        note("no table", lambda: spark.table("no_sales"))
        note("no text", lambda: spark.sql("selec 1"))
        note("there already", lambda: clean.write.parquet(path))
        note("no number", lambda: clean.select(F.col("shop").cast("int")).where("shop is not null"))
        note("no quotient", lambda: clean.select(F.col("id") / (F.col("amount") - F.col("amount"))))
        note("no group", lambda: clean.groupBy("shop").agg(F.col("id")))
        found["caught"] = [
            _caught(AnalysisException, lambda: clean.select("totl").schema),
            _caught(ParseException, lambda: spark.sql("select 1 +")),
            _caught(NumberFormatException, lambda: spark.sql("select cast('x' as int)").collect()),
            _caught(ArithmeticException, lambda: spark.sql("select 1 / 0").collect()),
        ]
        spark.catalog.dropTempView("clean_sales")
        note("gone", lambda: spark.catalog.tableExists("clean_sales"))
    return found


def _caught(kind: type[Exception], fails: Callable[[], Any]) -> list[Any]:
    """The condition of the exception, which must be of the kind."""
    try:
        fails()
    except kind as error:
        return [type(error).__name__, error.getCondition(), error.getSqlState()]  # type: ignore[attr-defined]
    return []


CASES: list[Case] = [Case("report of a shop", _report)]
