"""Values that are missing: na.fill, na.drop, na.replace; and describe and summary."""

from __future__ import annotations

from .model import Case, frames

CASES: list[Case] = [
    *frames(
        {
            "fill text": lambda spark, F: spark.table("people").fillna("x").select("id", "name", "city"),
            "fill a fraction": lambda spark, F: spark.table("people").na.fill(1.7).select("age", "score", "salary"),
            "fill a boolean": lambda spark, F: spark.table("people").na.fill(True).select("id", "name"),
            "fill of a subset": lambda spark, F: (
                spark.table("people").na.fill(0, subset=["age", "name"]).select("age", "name", "salary")
            ),
            "fill an unknown column": lambda spark, F: spark.table("people").na.fill({"nope": 1}),
            "drop where all are missing": lambda spark, F: (
                spark.table("people").na.drop("all", subset=["age", "score"]).select("id")
            ),
            "drop below a number": lambda spark, F: spark.table("people").na.drop(thresh=6).select("id"),
            "drop by an unknown column": lambda spark, F: spark.table("people").na.drop(subset=["nope"]),
            "replace text": lambda spark, F: (
                spark.table("people").na.replace({"Ann": "Z", "Bo": None}).select("name", "city")
            ),
            "replace numbers": lambda spark, F: (
                spark.table("people").replace([1, 2], [10, 20]).select("id", "age", "score")
            ),
            "replace in a subset": lambda spark, F: (
                spark.table("people").replace(31, 32, subset=["age"]).select("id", "age")
            ),
            "describe": lambda spark, F: spark.table("people").describe(),
            "describe columns": lambda spark, F: spark.table("people").describe("name", "age"),
            "summary of some": lambda spark, F: spark.table("people").summary("count", "count_distinct", "max"),
            "to a schema": lambda spark, F: spark.table("people").to(
                spark.createDataFrame([], "name string, ID long, nope string").schema
            ),
        }
    ),
]
