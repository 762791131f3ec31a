"""select, filter, withColumn and their kin: which columns come out, under which name."""

from __future__ import annotations

from .model import Case, frames, over, queries

CASES: list[Case] = [
    *frames(
        {
            "select names": lambda spark, F: spark.table("people").select("id", "name"),
            "select star": lambda spark, F: spark.table("people").select("*"),
            "select star and more": lambda spark, F: spark.table("people").select("*", F.col("id") + 1),
            "select written case": lambda spark, F: spark.table("people").select("ID", F.col("NaMe"), F.expr("AGE")),
            "select by index": lambda spark, F: (lambda df: df.select(df["id"], df.NAME, df[2]))(spark.table("people")),
            "select qualified": lambda spark, F: spark.table("people").alias("p").select("p.id", F.col("p.name")),
            "select qualified star": lambda spark, F: spark.table("people").alias("p").select("p.*"),
            "select literal kinds": lambda spark, F: spark.range(1).select(
                F.lit(1), F.lit("x"), F.lit(2.5), F.lit(True), F.lit(None), F.lit(10**12), F.lit(b"\x01")
            ),
            "select literal decimal and dates": lambda spark, F: spark.range(1).select(
                F.lit(__import__("decimal").Decimal("1.50")),
                F.lit(__import__("datetime").date(2024, 2, 29)),
            ),
            "select alias": lambda spark, F: spark.table("people").select(
                F.col("id").alias("Key"), F.col("id").name("k")
            ),
            "select same twice": lambda spark, F: spark.table("people").select("id", "id"),
            "filter column": lambda spark, F: spark.table("people").filter(F.col("age") > 30).select("id"),
            "filter text": lambda spark, F: spark.table("people").where("age > 30 and city = 'Oslo'").select("id"),
            "filter null is not true": lambda spark, F: spark.table("people").filter(~(F.col("age") > 30)).select("id"),
            "filter on dropped column": lambda spark, F: spark.table("people").select("id").filter("age > 30"),
            "filter chain": lambda spark, F: spark.table("people").filter("id > 1").filter("id < 4").select("id"),
            "filter by constant": lambda spark, F: spark.table("people").filter(F.lit(False)),
            "withColumn new": lambda spark, F: spark.range(2).withColumn("double", F.col("id") * 2),
            "withColumn replaces in place": lambda spark, F: spark.table("orders").withColumn("AMOUNT", F.lit(1)),
            "withColumn uses the old": lambda spark, F: spark.range(2).withColumn("id", F.col("id") + F.col("id")),
            "withColumns": lambda spark, F: spark.range(2).withColumns({"a": F.lit(1), "b": F.col("id") + 1}),
            "withColumnRenamed": lambda spark, F: spark.table("orders").withColumnRenamed("AMOUNT", "total"),
            "withColumnRenamed absent": lambda spark, F: spark.range(1).withColumnRenamed("nope", "x"),
            "withColumnsRenamed": lambda spark, F: spark.range(1).withColumnsRenamed({"id": "a"}),
            "drop": lambda spark, F: spark.table("people").drop("AGE", "nope", "city"),
            "drop column": lambda spark, F: spark.table("people").drop(F.col("age"), F.col("nope")),
            "drop all": lambda spark, F: spark.range(2).drop("id"),
            "toDF": lambda spark, F: spark.range(2).select("id", F.col("id") + 1).toDF("a", "b"),
            "toDF duplicate": lambda spark, F: spark.range(2).select("id", F.col("id") + 1).toDF("a", "A"),
            "toDF wrong number": lambda spark, F: spark.range(2).toDF("a", "b"),
            "selectExpr": lambda spark, F: spark.table("people").selectExpr("id + 1", "upper(name) as N", "age a", "*"),
            "expr": lambda spark, F: spark.range(1).select(F.expr("id + 1"), F.expr("1 AS one"), F.expr("`id`")),
            "backticks": lambda spark, F: spark.range(1).toDF("a.b").select("`a.b`"),
            "dot without backticks": lambda spark, F: spark.range(1).toDF("a.b").select("a.b"),
            "column with space": lambda spark, F: spark.range(1).toDF("a b").select("a b"),
            "colRegex": lambda spark, F: (lambda df: df.select(df.colRegex("`.*a.*`")))(spark.table("people")),
            "struct field": lambda spark, F: spark.range(1).select(F.struct("id").alias("s")).select("s.id", "s.ID"),
            "struct star": lambda spark, F: (
                spark.range(1).select(F.struct("id", F.lit(1).alias("x")).alias("s")).select("s.*")
            ),
            "struct constructor": lambda spark, F: spark.range(1).select(F.struct("id", F.lit(1))),
            "array and map": lambda spark, F: spark.range(1).select(
                F.array(F.lit(1), F.lit(2)), F.create_map(F.lit("a"), F.lit(1)), F.array(F.lit(1), F.lit(2))[1]
            ),
            "getItem and getField": lambda spark, F: spark.range(1).select(
                F.array(F.lit(1)).getItem(0), F.struct("id").getField("id"), F.create_map(F.lit("a"), F.lit(1))["a"]
            ),
            "explode": lambda spark, F: spark.range(2).select("id", F.explode(F.array("id", F.lit(7)))),
            "columns": lambda spark, F: spark.table("people").columns,
            "dtypes": lambda spark, F: [list(pair) for pair in spark.table("people").dtypes],
            "alias of a frame": lambda spark, F: spark.range(1).alias("x").filter("x.id = 0").select("x.id"),
            "to schema": lambda spark, F: spark.range(1).to(spark.createDataFrame([], "id string").schema),
            "transform": lambda spark, F: spark.range(1).transform(lambda df: df.select(F.lit(1).alias("one"))),
            "isEmpty": lambda spark, F: [spark.range(0).isEmpty(), spark.range(1).isEmpty()],
            "count": lambda spark, F: [spark.table("people").count(), spark.range(0).count()],
            "na drop": lambda spark, F: spark.table("people").na.drop().select("id"),
            "na fill": lambda spark, F: (
                spark.table("people").select("id", "age", "city").na.fill({"age": 0, "city": "?"})
            ),
            "dropna subset": lambda spark, F: spark.table("people").dropna(subset=["name", "city"]).select("id"),
            "fillna by type": lambda spark, F: spark.table("people").select("id", "age", "city", "score").fillna(0),
        }
    ),
    *queries(
        "select 1 a, 2 a",
        "select A, a, `A` from (select 1 a)",
        "select ID, Name from people",
        "select p.id, P.NAME from people p where p.ID = 1",
        "select people.id from people where people.id = 1",
        "select *, id from orders o join (select id from people) on person_id = id",
        "select o.*, 1 from orders o where order_id = 10",
        "select a + 1 from (select 1 a)",
        "select `a b` from (select 1 as `a b`)",
        "select 1 as `it``s`",
        "select s.x, s.* from (select named_struct('x', 1, 'y', 'b') s)",
    ),
    *over(
        "people", "id + age", "upper(name)", "salary * 2", "score > 1", "born", "-id", "not (age > 30)", "name || '!'"
    ),
]
