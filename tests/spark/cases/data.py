"""The tables that the cases ask about, small enough to know by heart."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from .answers import CONF

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

PEOPLE = "id int, name string, age int, city string, salary decimal(10,2), score double, born date"
PEOPLE_ROWS = [
    (1, "Ann", 31, "Oslo", Decimal("5200.50"), 1.5, dt.date(1993, 2, 28)),
    (2, "Bo", None, "Rome", Decimal("4100.00"), -2.0, dt.date(2000, 2, 29)),
    (3, "Cy", 22, None, None, float("nan"), dt.date(1970, 1, 1)),
    (4, "Di", 31, "Oslo", Decimal("0.05"), None, None),
    (5, None, 45, "Rome", Decimal("4100.00"), 1.5, dt.date(1969, 12, 31)),
]

ORDERS = "order_id bigint, person_id int, amount double, state string"
ORDERS_ROWS = [
    (10, 1, 99.5, "paid"),
    (11, 1, 0.5, "open"),
    (12, 2, 20.0, "paid"),
    (13, 9, 7.25, None),
    (14, None, 1.0, "paid"),
]

NUMBERS = "t tinyint, s smallint, i int, l bigint, f float, d double, m decimal(9,3)"
NUMBERS_ROWS = [
    (1, 2, 3, 4, 1.5, 2.5, Decimal("3.125")),
    (-127, -300, -70000, -5000000000, -0.25, -1e300, Decimal("-999999.999")),
    (0, 0, 0, 0, 0.0, -0.0, Decimal("0")),
    (None, None, None, None, None, None, None),
]

TEXTS = "w string, n int"
TEXTS_ROWS = [("Hello World", 1), ("  pad  ", 2), ("", 0), ("naïve ☕ 日本", 3), ("a,b,,c", -1), (None, None)]


def register(spark: SparkSession) -> None:
    """Makes the tables temporary views of the session, and the settings those that the answers stand for."""
    for key, value in CONF.items():
        spark.conf.set(key, value)
    for name, schema, rows in (
        ("people", PEOPLE, PEOPLE_ROWS),
        ("orders", ORDERS, ORDERS_ROWS),
        ("numbers", NUMBERS, NUMBERS_ROWS),
        ("texts", TEXTS, TEXTS_ROWS),
    ):
        spark.createDataFrame(rows, schema).createOrReplaceTempView(name)
