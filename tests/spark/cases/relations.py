"""The relations that the other topics leave out: transpose, hints, schemas, lateral joins, subqueries as columns."""

from __future__ import annotations

from .model import Case, frames

CASES: list[Case] = [
    *frames(
        {
            "transpose": lambda spark, F: spark.sql(
                "select * from values ('b', 3, 4), ('a', 1, 2) t(k, x, y)"
            ).transpose(),
            "transpose by a column": lambda spark, F: spark.sql(
                "select * from values (3, 'b', 4), (1, 'a', 2) t(x, k, y)"
            ).transpose("k"),
            "transpose by an expression": lambda spark, F: spark.sql("select 1 a, 2 b").transpose(F.col("a") + 1),
            "transpose widens": lambda spark, F: spark.sql("select 'k' k, 1 i, 2L l, 1.5D d").transpose(),
            "transpose of other types": lambda spark, F: spark.sql("select 'k' k, 1 i, 'x' s").transpose(),
            "transpose no types": lambda spark, F: spark.sql("select 'k' k, 1 i, true s").transpose(),
            "transpose a null index": lambda spark, F: spark.sql(
                "select * from values ('b', 1), (null, 2) t(k, x)"
            ).transpose(),
            "transpose numbers and dates": lambda spark, F: spark.sql(
                "select * from values (date'2024-01-01', 1), (date'2023-01-01', 2) t(k, x)"
            ).transpose(),
            "transpose doubles as names": lambda spark, F: spark.sql(
                "select * from values (1.5D, 1), (1.5D, 1) t(k, x)"
            ).transpose(),
            "transpose one column": lambda spark, F: spark.sql("select 'a' k").transpose(),
            "transpose of nothing": lambda spark, F: spark.sql("select 1 k, 2 x, 3 y limit 0").transpose(),
            "transpose an array index": lambda spark, F: spark.sql("select array(1) k, 1 x").transpose(),
            "transpose an unknown column": lambda spark, F: spark.range(1).transpose("nope"),
            "hints": lambda spark, F: (
                spark.table("people").hint("merge").hint("shuffle_hash").hint("rebalance", 3, "id").select("id")
            ),
            "hint of no name": lambda spark, F: spark.range(2).hint("nope_hint", "x", 3, 1.5, [1, 2]),
            "hint to repartition": lambda spark, F: spark.range(2).hint("repartition", 3),
            "hint keeps df['a']": lambda spark, F: (lambda df: df.hint("broadcast").select(df["id"]))(spark.range(2)),
            "to widens": lambda spark, F: spark.sql("select 1 a, 'x' b").to(
                spark.createDataFrame([], "b string, a long").schema
            ),
            "to narrows": lambda spark, F: spark.sql("select 1L a").to(spark.createDataFrame([], "a int").schema),
            "to no cast": lambda spark, F: spark.sql("select true a").to(spark.createDataFrame([], "a int").schema),
            "to text from a number": lambda spark, F: spark.sql("select 1 a").to(
                spark.createDataFrame([], "a string").schema
            ),
            "to drops columns": lambda spark, F: spark.table("people").to(
                spark.createDataFrame([], "id int, name string").schema
            ),
            "to a struct in another order": lambda spark, F: spark.sql("select struct(1 x, 'a' y) s").to(
                spark.createDataFrame([], "s struct<y string, x long>").schema
            ),
            "to a struct with a new field": lambda spark, F: spark.sql("select struct(1 x) s").to(
                spark.createDataFrame([], "s struct<x int, z string>").schema
            ),
            "to an array of structs": lambda spark, F: spark.sql("select array(struct(1 x, 2 y)) s").to(
                spark.createDataFrame([], "s array<struct<y long>>").schema
            ),
            "to a map": lambda spark, F: spark.sql("select map('k', 1) s").to(
                spark.createDataFrame([], "s map<string, long>").schema
            ),
            "to not null": lambda spark, F: spark.sql("select 1 a").to(
                spark.createDataFrame([], "a int not null").schema
            ),
            "to not null of a nullable column": lambda spark, F: spark.sql("select cast(null as int) a").to(
                spark.createDataFrame([], "a int not null").schema
            ),
            "to not null of no column": lambda spark, F: spark.sql("select 1 a").to(
                spark.createDataFrame([], "z int not null").schema
            ),
            "to a doubled name": lambda spark, F: spark.sql("select 1 a, 2 a").to(
                spark.createDataFrame([], "a int").schema
            ),
            "to a nested field that does not fit": lambda spark, F: spark.sql("select struct(true x) s").to(
                spark.createDataFrame([], "s struct<x int>").schema
            ),
            "unpivot": lambda spark, F: spark.sql("select 1 id, 2 a, 3 b").unpivot("id", ["a", "b"], "k", "v"),
            "unpivot all others": lambda spark, F: spark.sql("select 1 id, 2 a, 3L b").unpivot("id", None, "k", "v"),
            "unpivot without ids": lambda spark, F: spark.sql("select 1 a, 2.5 b").melt([], ["a", "b"], "k", "v"),
            "unpivot keeps nulls": lambda spark, F: (
                spark.table("people").unpivot(["id"], ["name", "city"], "what", "is").where("id > 2")
            ),
            "unpivot no common type": lambda spark, F: spark.sql("select 1 a, true b").unpivot(
                [], ["a", "b"], "k", "v"
            ),
            "unpivot no column": lambda spark, F: spark.range(1).unpivot("id", [], "k", "v"),
            "unpivot nothing left": lambda spark, F: spark.range(1).unpivot("id", None, "k", "v"),
            "unpivot an unknown column": lambda spark, F: spark.range(1).unpivot("id", ["nope"], "k", "v"),
            "unpivot an expression": lambda spark, F: spark.sql("select 1 a, 2 b").unpivot(
                [F.col("a") + 1], ["b"], "k", "v"
            ),
            "lateral join": lambda spark, F: (
                spark.table("people")
                .alias("p")
                .lateralJoin(
                    spark.table("orders")
                    .alias("o")
                    .where(F.col("o.person_id") == F.col("p.id").outer())
                    .select("amount")
                )
                .select("name", "amount")
            ),
            "lateral join left": lambda spark, F: (
                spark.table("people")
                .alias("p")
                .lateralJoin(
                    spark.table("orders")
                    .alias("o")
                    .where(F.col("o.person_id") == F.col("p.id").outer())
                    .select("amount"),
                    how="left",
                )
                .select("id", "amount")
            ),
            "lateral join on": lambda spark, F: (
                spark.range(3)
                .lateralJoin(spark.range(5).select(F.col("id").alias("k")), on=F.col("id") == F.col("k"))
                .select("id", "k")
            ),
            "lateral join of no kind": lambda spark, F: spark.range(1).lateralJoin(spark.range(1), how="right"),
            "lateral join with explode": lambda spark, F: spark.sql("select 1 id, array(2, 3) a").lateralJoin(
                spark.tvf.explode(F.col("a").outer())
            ),
            "scalar": lambda spark, F: spark.table("people").select(
                "id", spark.table("orders").select(F.max("amount")).scalar().alias("m")
            ),
            "scalar with outer": lambda spark, F: (
                spark.table("people")
                .alias("p")
                .select(
                    "id",
                    spark.table("orders")
                    .alias("o")
                    .where(F.col("o.person_id") == F.col("p.id").outer())
                    .select(F.sum("amount"))
                    .scalar()
                    .alias("total"),
                )
            ),
            "scalar of two rows": lambda spark, F: spark.range(1).select(spark.range(2).scalar()),
            "scalar of two columns": lambda spark, F: spark.range(1).select(spark.sql("select 1, 2").scalar()),
            "scalar name": lambda spark, F: spark.range(1).select(spark.sql("select 1 a").scalar()),
            "exists": lambda spark, F: (
                spark.table("people")
                .alias("p")
                .where(spark.table("orders").alias("o").where(F.col("o.person_id") == F.col("p.id").outer()).exists())
                .select("id")
            ),
            "not exists": lambda spark, F: (
                spark.table("people")
                .alias("p")
                .where(~spark.table("orders").alias("o").where(F.col("o.person_id") == F.col("p.id").outer()).exists())
                .select("id")
            ),
            "exists as a column": lambda spark, F: spark.range(1).select(spark.range(0).exists().alias("e")),
            "isin a frame": lambda spark, F: (
                spark.table("people").where(F.col("id").isin(spark.table("orders").select("person_id"))).select("id")
            ),
            "isin a frame of two": lambda spark, F: (
                spark.table("people").where(F.struct("id", "age").isin(spark.sql("select 1, 31"))).select("id")
            ),
            "grouping sets": lambda spark, F: (
                spark.table("people")
                .groupingSets([["city"], ["age"], []], "city", "age")
                .agg(F.count("*").alias("n"), F.grouping_id().alias("g"))
            ),
            "grouping sets of expressions": lambda spark, F: (
                spark.table("people")
                .groupingSets([[F.col("id") % 2], []], F.col("id") % 2)
                .agg(F.sum("id"), F.grouping(F.col("id") % 2))
            ),
            "rollup": lambda spark, F: spark.table("people").rollup("city", "age").count(),
            "cube": lambda spark, F: spark.table("people").cube("city", "age").agg(F.grouping("city"), F.max("id")),
            "with metadata": lambda spark, F: [
                dict(field.metadata) for field in spark.range(1).withMetadata("id", {"a": 1, "b": [True]}).schema
            ],
            "alias with metadata": lambda spark, F: [
                dict(field.metadata)
                for field in spark.range(1).select(F.col("id").alias("k", metadata={"x": "y"})).schema
            ],
            "zipWithIndex": lambda spark, F: spark.range(5, 8, 1, 1).zipWithIndex(),
            "toJSON": lambda spark, F: spark.table("people").where("id < 3").toJSON(),
            "tail of an order": lambda spark, F: [row["id"] for row in spark.range(9).orderBy(F.desc("id")).tail(2)],
            "isEmpty": lambda spark, F: [spark.range(1).isEmpty(), spark.range(0).isEmpty()],
            "isLocal, isStreaming": lambda spark, F: [spark.range(1).isStreaming, spark.sql("show tables").isStreaming],
            "inputFiles of rows": lambda spark, F: list(spark.range(1).inputFiles()),
            "sameSemantics": lambda spark, F: [
                spark.range(3).sameSemantics(spark.range(3)),
                spark.range(3).sameSemantics(spark.range(4)),
                spark.range(3).select("id").semanticHash() == spark.range(3).select("id").semanticHash(),
            ],
            "repartitionByRange": lambda spark, F: spark.range(3).repartitionByRange(2, "id"),
            "repartition by an unknown column": lambda spark, F: spark.range(3).repartition(2, "nope"),
            "repartitionById": lambda spark, F: spark.range(3).repartitionById(2, F.col("id").cast("int")),
            "sortWithinPartitions": lambda spark, F: spark.range(3, 0, -1, 1).sortWithinPartitions("id"),
            "html": lambda spark, F: _html(spark, spark.sql("select 1 a, '<b>' b, cast(null as int) `n&m`")),
            "html cut": lambda spark, F: _html(spark, spark.sql("select id, repeat('x', 30) from range(30)")),
            "read JSON of a frame": lambda spark, F: spark.read.json(
                spark.sql("""select * from values ('{"a": 1, "b": "x"}'), ('{"a": 2.5}'), ('{bad') t(v)""")
            ),
            "read JSON of a frame with a schema": lambda spark, F: spark.read.schema("a int, c string").json(
                spark.sql("""select * from values ('{"a": 1, "c": "x"}'), ('{"a": 2}') t(v)""")
            ),
            "read CSV of a frame": lambda spark, F: spark.read.csv(
                spark.sql("select * from values ('1,x'), ('2,y') t(v)"), schema="a int, b string"
            ),
            "read CSV of a frame and infer": lambda spark, F: spark.read.csv(
                spark.sql("select * from values ('k,v'), ('2,y') t(v)"), header=True, inferSchema=True
            ),
            "withField": lambda spark, F: spark.sql("select struct(1 x, 2 y) s").select(
                F.col("s").withField("z", F.lit(3)).alias("added"),
                F.col("s").withField("x", F.lit("a")).alias("replaced"),
                F.col("s").dropFields("y").alias("dropped"),
            ),
            "withField deep": lambda spark, F: spark.sql("select struct(struct(1 x, 2 y) t) s").select(
                F.col("s").withField("t.x", F.lit(9)).alias("a"), F.col("s").dropFields("t.y").alias("b")
            ),
            "withField of null": lambda spark, F: spark.sql(
                "select if(id = 0, struct(1 x), null) s from range(2)"
            ).select(F.col("s").withField("y", F.lit(2)).cast("string").alias("s")),
            "withField of a number": lambda spark, F: spark.range(1).select(F.col("id").withField("a", F.lit(1))),
            "withField keeps its name": lambda spark, F: spark.sql("select struct(1 x) s").select(
                F.col("s").withField("y", F.lit(2))
            ),
            "dropFields all": lambda spark, F: spark.sql("select struct(1 x) s").select(F.col("s").dropFields("x")),
            "dropFields of no name": lambda spark, F: spark.sql("select struct(1 x) s").select(
                F.col("s").dropFields("nope").alias("s")
            ),
            "withColumns twice": lambda spark, F: spark.range(1).withColumns({"a": F.lit(1), "A": F.lit(2)}),
            "withColumnsRenamed": lambda spark, F: spark.sql("select 1 a, 2 b").withColumnsRenamed(
                {"a": "b", "b": "a"}
            ),
            "toDF": lambda spark, F: spark.sql("select 1, 2").toDF("x", "y"),
            "toDF too few": lambda spark, F: spark.sql("select 1, 2").toDF("x"),
            "union all by name of structs": lambda spark, F: spark.sql("select struct(1 x, 2 y) s").unionByName(
                spark.sql("select struct(3 y, 4 z) s"), allowMissingColumns=True
            ),
            "drop an expression": lambda spark, F: spark.sql("select 1 a, 2 b").drop(F.col("a"), F.col("nope")),
            "observe": lambda spark, F: spark.range(3).observe("o", F.count(F.lit(1)).alias("n")),
            "checkpoint": lambda spark, F: spark.range(3).localCheckpoint(),
        }
    ),
    Case(
        "hint to coalesce by text",
        lambda spark, F: spark.range(2).hint("coalesce", "x"),
        differs="a hint changes no row, so nobody reads what it says",
    ),
]


def _html(spark: object, frame: object) -> object:
    spark.conf.set("spark.sql.repl.eagerEval.enabled", "true")  # type: ignore[attr-defined]
    try:
        return frame._repr_html_()  # type: ignore[attr-defined]
    finally:
        spark.conf.unset("spark.sql.repl.eagerEval.enabled")  # type: ignore[attr-defined]
