"""The 22 queries of TPC-H in the DataFrame API: the same rows as :mod:`.sql`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeAlias

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

Tables: TypeAlias = Callable[[str], DataFrame]
"""Gives a table by its name."""

REVENUE = F.col("l_extendedprice") * (1 - F.col("l_discount"))


def day(text: str) -> Column:
    """A date, written as ``yyyy-MM-dd``."""
    return F.lit(dt.date.fromisoformat(text))


def q1(t: Tables) -> DataFrame:
    charge = REVENUE * (1 + F.col("l_tax"))
    return (
        t("lineitem")
        .filter(F.col("l_shipdate") <= day("1998-09-02"))
        .groupBy("l_returnflag", "l_linestatus")
        .agg(
            F.sum("l_quantity").alias("sum_qty"),
            F.sum("l_extendedprice").alias("sum_base_price"),
            F.sum(REVENUE).alias("sum_disc_price"),
            F.sum(charge).alias("sum_charge"),
            F.avg("l_quantity").alias("avg_qty"),
            F.avg("l_extendedprice").alias("avg_price"),
            F.avg("l_discount").alias("avg_disc"),
            F.count("*").alias("count_order"),
        )
        .orderBy("l_returnflag", "l_linestatus")
    )


def q2(t: Tables) -> DataFrame:
    europe = (
        t("region")
        .filter(F.col("r_name") == "EUROPE")
        .join(t("nation"), F.col("r_regionkey") == F.col("n_regionkey"))
        .join(t("supplier"), F.col("n_nationkey") == F.col("s_nationkey"))
        .join(t("partsupp"), F.col("s_suppkey") == F.col("ps_suppkey"))
    )
    brass = t("part").filter((F.col("p_size") == 15) & F.col("p_type").endswith("BRASS"))
    offers = brass.join(europe, F.col("p_partkey") == F.col("ps_partkey"))
    cheapest = offers.groupBy(F.col("p_partkey").alias("part")).agg(F.min("ps_supplycost").alias("least"))
    return (
        offers.join(cheapest, (F.col("p_partkey") == F.col("part")) & (F.col("ps_supplycost") == F.col("least")))
        .select("s_acctbal", "s_name", "n_name", "p_partkey", "p_mfgr", "s_address", "s_phone", "s_comment")
        .orderBy(F.desc("s_acctbal"), "n_name", "s_name", "p_partkey")
        .limit(100)
    )


def q3(t: Tables) -> DataFrame:
    orders = t("orders").filter(F.col("o_orderdate") < day("1995-03-15"))
    lines = t("lineitem").filter(F.col("l_shipdate") > day("1995-03-15"))
    return (
        t("customer")
        .filter(F.col("c_mktsegment") == "BUILDING")
        .join(orders, F.col("c_custkey") == F.col("o_custkey"))
        .join(lines, F.col("o_orderkey") == F.col("l_orderkey"))
        .groupBy("l_orderkey", "o_orderdate", "o_shippriority")
        .agg(F.sum(REVENUE).alias("revenue"))
        .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
        .orderBy(F.desc("revenue"), "o_orderdate")
        .limit(10)
    )


def q4(t: Tables) -> DataFrame:
    late = t("lineitem").filter(F.col("l_commitdate") < F.col("l_receiptdate"))
    return (
        t("orders")
        .filter((F.col("o_orderdate") >= day("1993-07-01")) & (F.col("o_orderdate") < day("1993-10-01")))
        .join(late, F.col("o_orderkey") == F.col("l_orderkey"), "left_semi")
        .groupBy("o_orderpriority")
        .agg(F.count("*").alias("order_count"))
        .orderBy("o_orderpriority")
    )


def q5(t: Tables) -> DataFrame:
    orders = t("orders").filter(F.col("o_orderdate").between("1994-01-01", "1994-12-31"))
    same_nation = (F.col("l_suppkey") == F.col("s_suppkey")) & (F.col("c_nationkey") == F.col("s_nationkey"))
    return (
        t("customer")
        .join(orders, F.col("c_custkey") == F.col("o_custkey"))
        .join(t("lineitem"), F.col("o_orderkey") == F.col("l_orderkey"))
        .join(t("supplier"), same_nation)
        .join(t("nation"), F.col("s_nationkey") == F.col("n_nationkey"))
        .join(t("region").filter("r_name = 'ASIA'"), F.col("n_regionkey") == F.col("r_regionkey"))
        .groupBy("n_name")
        .agg(F.sum(REVENUE).alias("revenue"))
        .orderBy(F.desc("revenue"))
    )


def q6(t: Tables) -> DataFrame:
    return (
        t("lineitem")
        .filter((F.col("l_shipdate") >= day("1994-01-01")) & (F.col("l_shipdate") < day("1995-01-01")))
        .filter(F.col("l_discount").between(0.05, 0.07) & (F.col("l_quantity") < 24))
        .agg(F.sum(F.col("l_extendedprice") * F.col("l_discount")).alias("revenue"))
    )


def q7(t: Tables) -> DataFrame:
    supplier_nation = t("nation").select(F.col("n_nationkey").alias("sn_key"), F.col("n_name").alias("supp_nation"))
    customer_nation = t("nation").select(F.col("n_nationkey").alias("cn_key"), F.col("n_name").alias("cust_nation"))
    pair = (F.col("supp_nation") == "FRANCE") & (F.col("cust_nation") == "GERMANY")
    other = (F.col("supp_nation") == "GERMANY") & (F.col("cust_nation") == "FRANCE")
    return (
        t("supplier")
        .join(t("lineitem"), F.col("s_suppkey") == F.col("l_suppkey"))
        .filter(F.col("l_shipdate").between(day("1995-01-01"), day("1996-12-31")))
        .join(t("orders"), F.col("l_orderkey") == F.col("o_orderkey"))
        .join(t("customer"), F.col("o_custkey") == F.col("c_custkey"))
        .join(supplier_nation, F.col("s_nationkey") == F.col("sn_key"))
        .join(customer_nation, F.col("c_nationkey") == F.col("cn_key"))
        .filter(pair | other)
        .groupBy("supp_nation", "cust_nation", F.year("l_shipdate").alias("l_year"))
        .agg(F.sum(REVENUE).alias("revenue"))
        .orderBy("supp_nation", "cust_nation", "l_year")
    )


def q8(t: Tables) -> DataFrame:
    america = t("nation").join(
        t("region").filter(F.col("r_name") == "AMERICA"), F.col("n_regionkey") == F.col("r_regionkey"), "left_semi"
    )
    seller = t("nation").select(F.col("n_nationkey").alias("sn_key"), F.col("n_name").alias("nation"))
    of_brazil = F.when(F.col("nation") == "BRAZIL", F.col("volume")).otherwise(0)
    return (
        t("part")
        .filter(F.col("p_type") == "ECONOMY ANODIZED STEEL")
        .join(t("lineitem"), F.col("p_partkey") == F.col("l_partkey"))
        .join(t("supplier"), F.col("l_suppkey") == F.col("s_suppkey"))
        .join(t("orders"), F.col("l_orderkey") == F.col("o_orderkey"))
        .filter(F.col("o_orderdate").between(day("1995-01-01"), day("1996-12-31")))
        .join(t("customer"), F.col("o_custkey") == F.col("c_custkey"))
        .join(america, F.col("c_nationkey") == F.col("n_nationkey"))
        .join(seller, F.col("s_nationkey") == F.col("sn_key"))
        .select(F.year("o_orderdate").alias("o_year"), REVENUE.alias("volume"), "nation")
        .groupBy("o_year")
        .agg((F.sum(of_brazil) / F.sum("volume")).alias("mkt_share"))
        .orderBy("o_year")
    )


def q9(t: Tables) -> DataFrame:
    stock = (F.col("ps_suppkey") == F.col("l_suppkey")) & (F.col("ps_partkey") == F.col("l_partkey"))
    amount = REVENUE - F.col("ps_supplycost") * F.col("l_quantity")
    return (
        t("part")
        .filter(F.col("p_name").contains("green"))
        .join(t("lineitem"), F.col("p_partkey") == F.col("l_partkey"))
        .join(t("supplier"), F.col("l_suppkey") == F.col("s_suppkey"))
        .join(t("partsupp"), stock)
        .join(t("orders"), F.col("l_orderkey") == F.col("o_orderkey"))
        .join(t("nation"), F.col("s_nationkey") == F.col("n_nationkey"))
        .select(F.col("n_name").alias("nation"), F.year("o_orderdate").alias("o_year"), amount.alias("amount"))
        .groupBy("nation", "o_year")
        .agg(F.sum("amount").alias("sum_profit"))
        .orderBy("nation", F.desc("o_year"))
    )


def q10(t: Tables) -> DataFrame:
    orders = t("orders").filter(
        (F.col("o_orderdate") >= day("1993-10-01")) & (F.col("o_orderdate") < day("1994-01-01"))
    )
    return (
        t("customer")
        .join(orders, F.col("c_custkey") == F.col("o_custkey"))
        .join(t("lineitem").filter("l_returnflag = 'R'"), F.col("o_orderkey") == F.col("l_orderkey"))
        .join(t("nation"), F.col("c_nationkey") == F.col("n_nationkey"))
        .groupBy("c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment")
        .agg(F.sum(REVENUE).alias("revenue"))
        .select("c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment")
        .orderBy(F.desc("revenue"))
        .limit(20)
    )


def q11(t: Tables) -> DataFrame:
    value = F.col("ps_supplycost") * F.col("ps_availqty")
    german = (
        t("partsupp")
        .join(t("supplier"), F.col("ps_suppkey") == F.col("s_suppkey"))
        .join(t("nation").filter("n_name = 'GERMANY'"), F.col("s_nationkey") == F.col("n_nationkey"))
    )
    total = german.agg((F.sum(value) * F.lit("0.0001").cast("decimal(5,4)")).alias("least"))
    return (
        german.groupBy("ps_partkey")
        .agg(F.sum(value).alias("value"))
        .crossJoin(total)
        .filter(F.col("value") > F.col("least"))
        .select("ps_partkey", "value")
        .orderBy(F.desc("value"))
    )


def q12(t: Tables) -> DataFrame:
    urgent = F.col("o_orderpriority").isin("1-URGENT", "2-HIGH")
    lines = t("lineitem").filter(
        F.col("l_shipmode").isin("MAIL", "SHIP")
        & (F.col("l_commitdate") < F.col("l_receiptdate"))
        & (F.col("l_shipdate") < F.col("l_commitdate"))
        & (F.col("l_receiptdate") >= day("1994-01-01"))
        & (F.col("l_receiptdate") < day("1995-01-01"))
    )
    return (
        t("orders")
        .join(lines, F.col("o_orderkey") == F.col("l_orderkey"))
        .groupBy("l_shipmode")
        .agg(
            F.sum(F.when(urgent, 1).otherwise(0)).alias("high_line_count"),
            F.sum(F.when(urgent, 0).otherwise(1)).alias("low_line_count"),
        )
        .orderBy("l_shipmode")
    )


def q13(t: Tables) -> DataFrame:
    orders = t("orders").filter(~F.col("o_comment").like("%special%requests%"))
    return (
        t("customer")
        .join(orders, F.col("c_custkey") == F.col("o_custkey"), "left")
        .groupBy("c_custkey")
        .agg(F.count("o_orderkey").alias("c_count"))
        .groupBy("c_count")
        .agg(F.count("*").alias("custdist"))
        .orderBy(F.desc("custdist"), F.desc("c_count"))
    )


def q14(t: Tables) -> DataFrame:
    promoted = F.when(F.col("p_type").startswith("PROMO"), REVENUE).otherwise(0)
    return (
        t("lineitem")
        .filter((F.col("l_shipdate") >= day("1995-09-01")) & (F.col("l_shipdate") < day("1995-10-01")))
        .join(t("part"), F.col("l_partkey") == F.col("p_partkey"))
        .agg((F.sum(promoted) * 100 / F.sum(REVENUE)).alias("promo_revenue"))
    )


def q15(t: Tables) -> DataFrame:
    revenue = (
        t("lineitem")
        .filter((F.col("l_shipdate") >= day("1996-01-01")) & (F.col("l_shipdate") < day("1996-04-01")))
        .groupBy(F.col("l_suppkey").alias("supplier_no"))
        .agg(F.sum(REVENUE).alias("total_revenue"))
    )
    most = revenue.agg(F.max("total_revenue").alias("most"))
    return (
        t("supplier")
        .join(revenue, F.col("s_suppkey") == F.col("supplier_no"))
        .join(most, F.col("total_revenue") == F.col("most"))
        .select("s_suppkey", "s_name", "s_address", "s_phone", "total_revenue")
        .orderBy("s_suppkey")
    )


def q16(t: Tables) -> DataFrame:
    complaints = t("supplier").filter(F.col("s_comment").like("%Customer%Complaints%"))
    parts = t("part").filter(
        (F.col("p_brand") != "Brand#45")
        & ~F.col("p_type").startswith("MEDIUM POLISHED")
        & F.col("p_size").isin(49, 14, 23, 45, 19, 3, 36, 9)
    )
    return (
        parts.join(t("partsupp"), F.col("p_partkey") == F.col("ps_partkey"))
        .join(complaints, F.col("ps_suppkey") == F.col("s_suppkey"), "left_anti")
        .groupBy("p_brand", "p_type", "p_size")
        .agg(F.countDistinct("ps_suppkey").alias("supplier_cnt"))
        .orderBy(F.desc("supplier_cnt"), "p_brand", "p_type", "p_size")
    )


def q17(t: Tables) -> DataFrame:
    parts = t("part").filter("p_brand = 'Brand#23' and p_container = 'MED BOX'")
    usual = t("lineitem").groupBy(F.col("l_partkey").alias("part")).agg((F.avg("l_quantity") * 0.2).alias("least"))
    return (
        parts.join(t("lineitem"), F.col("p_partkey") == F.col("l_partkey"))
        .join(usual, F.col("p_partkey") == F.col("part"))
        .filter(F.col("l_quantity") < F.col("least"))
        .agg((F.sum("l_extendedprice") / 7).alias("avg_yearly"))
    )


def q18(t: Tables) -> DataFrame:
    large = (
        t("lineitem")
        .groupBy(F.col("l_orderkey").alias("large_key"))
        .agg(F.sum("l_quantity").alias("total"))
        .filter("total > 300")
    )
    return (
        t("orders")
        .join(large, F.col("o_orderkey") == F.col("large_key"), "left_semi")
        .join(t("customer"), F.col("o_custkey") == F.col("c_custkey"))
        .join(t("lineitem"), F.col("o_orderkey") == F.col("l_orderkey"))
        .groupBy("c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice")
        .agg(F.sum("l_quantity").alias("quantity"))
        .orderBy(F.desc("o_totalprice"), "o_orderdate")
        .limit(100)
    )


def q19(t: Tables) -> DataFrame:
    def of(brand: str, containers: list[str], least: int, size: int) -> Column:
        return (
            (F.col("p_brand") == brand)
            & F.col("p_container").isin(containers)
            & F.col("l_quantity").between(least, least + 10)
            & F.col("p_size").between(1, size)
        )

    wanted = (
        of("Brand#12", ["SM CASE", "SM BOX", "SM PACK", "SM PKG"], 1, 5)
        | of("Brand#23", ["MED BAG", "MED BOX", "MED PKG", "MED PACK"], 10, 10)
        | of("Brand#34", ["LG CASE", "LG BOX", "LG PACK", "LG PKG"], 20, 15)
    )
    return (
        t("lineitem")
        .filter(F.col("l_shipmode").isin("AIR", "AIR REG") & (F.col("l_shipinstruct") == "DELIVER IN PERSON"))
        .join(t("part"), F.col("l_partkey") == F.col("p_partkey"))
        .filter(wanted)
        .agg(F.sum(REVENUE).alias("revenue"))
    )


def q20(t: Tables) -> DataFrame:
    shipped = (
        t("lineitem")
        .filter((F.col("l_shipdate") >= day("1994-01-01")) & (F.col("l_shipdate") < day("1995-01-01")))
        .groupBy("l_partkey", "l_suppkey")
        .agg((F.sum("l_quantity") * 0.5).alias("half"))
    )
    same = (F.col("ps_partkey") == F.col("l_partkey")) & (F.col("ps_suppkey") == F.col("l_suppkey"))
    stocked = (
        t("partsupp")
        .join(t("part").filter("p_name like 'forest%'"), F.col("ps_partkey") == F.col("p_partkey"), "left_semi")
        .join(shipped, same)
        .filter(F.col("ps_availqty") > F.col("half"))
    )
    return (
        t("supplier")
        .join(t("nation").filter("n_name = 'CANADA'"), F.col("s_nationkey") == F.col("n_nationkey"))
        .join(stocked, F.col("s_suppkey") == F.col("ps_suppkey"), "left_semi")
        .select("s_name", "s_address")
        .orderBy("s_name")
    )


def q21(t: Tables) -> DataFrame:
    l1, l2, l3 = t("lineitem").alias("l1"), t("lineitem").alias("l2"), t("lineitem").alias("l3")
    late = F.col("l1.l_receiptdate") > F.col("l1.l_commitdate")
    another = (F.col("l2.l_orderkey") == F.col("l1.l_orderkey")) & (F.col("l2.l_suppkey") != F.col("l1.l_suppkey"))
    another_late = (
        (F.col("l3.l_orderkey") == F.col("l1.l_orderkey"))
        & (F.col("l3.l_suppkey") != F.col("l1.l_suppkey"))
        & (F.col("l3.l_receiptdate") > F.col("l3.l_commitdate"))
    )
    return (
        l1.filter(late)
        .join(t("supplier"), F.col("l1.l_suppkey") == F.col("s_suppkey"))
        .join(t("orders").filter("o_orderstatus = 'F'"), F.col("l1.l_orderkey") == F.col("o_orderkey"))
        .join(t("nation").filter("n_name = 'SAUDI ARABIA'"), F.col("s_nationkey") == F.col("n_nationkey"))
        .join(l2, another, "left_semi")
        .join(l3, another_late, "left_anti")
        .groupBy("s_name")
        .agg(F.count("*").alias("numwait"))
        .orderBy(F.desc("numwait"), "s_name")
        .limit(100)
    )


def q22(t: Tables) -> DataFrame:
    customers = (
        t("customer")
        .withColumn("cntrycode", F.substring("c_phone", 1, 2))
        .filter(F.col("cntrycode").isin("13", "31", "23", "29", "30", "18", "17"))
    )
    usual = customers.filter("c_acctbal > 0").agg(F.avg("c_acctbal").alias("usual"))
    return (
        customers.join(usual, F.col("c_acctbal") > F.col("usual"))
        .join(t("orders"), F.col("c_custkey") == F.col("o_custkey"), "left_anti")
        .groupBy("cntrycode")
        .agg(F.count("*").alias("numcust"), F.sum("c_acctbal").alias("totacctbal"))
        .orderBy("cntrycode")
    )


QUERIES: dict[int, Callable[[Tables], DataFrame]] = {
    number: query
    for number, query in enumerate(
        (q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11, q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22), start=1
    )
}
"""By number."""
