"""The 22 queries of TPC-H in the DataFrame API: the same rows as :mod:`.sql`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeAlias

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

Tables: TypeAlias = Callable[[str], DataFrame]
"""Gives a table by its name."""

REVENUE = f.col("l_extendedprice") * (1 - f.col("l_discount"))


def day(text: str) -> Column:
    """A date, written as ``yyyy-MM-dd``."""
    return f.lit(dt.date.fromisoformat(text))


def q1(t: Tables) -> DataFrame:
    charge = REVENUE * (1 + f.col("l_tax"))
    return (
        t("lineitem")
        .filter(f.col("l_shipdate") <= day("1998-09-02"))
        .groupBy("l_returnflag", "l_linestatus")
        .agg(
            f.sum("l_quantity").alias("sum_qty"),
            f.sum("l_extendedprice").alias("sum_base_price"),
            f.sum(REVENUE).alias("sum_disc_price"),
            f.sum(charge).alias("sum_charge"),
            f.avg("l_quantity").alias("avg_qty"),
            f.avg("l_extendedprice").alias("avg_price"),
            f.avg("l_discount").alias("avg_disc"),
            f.count("*").alias("count_order"),
        )
        .orderBy("l_returnflag", "l_linestatus")
    )


def q2(t: Tables) -> DataFrame:
    europe = (
        t("region")
        .filter(f.col("r_name") == "EUROPE")
        .join(t("nation"), f.col("r_regionkey") == f.col("n_regionkey"))
        .join(t("supplier"), f.col("n_nationkey") == f.col("s_nationkey"))
        .join(t("partsupp"), f.col("s_suppkey") == f.col("ps_suppkey"))
    )
    brass = t("part").filter((f.col("p_size") == 15) & f.col("p_type").endswith("BRASS"))
    offers = brass.join(europe, f.col("p_partkey") == f.col("ps_partkey"))
    cheapest = offers.groupBy(f.col("p_partkey").alias("part")).agg(f.min("ps_supplycost").alias("least"))
    return (
        offers.join(cheapest, (f.col("p_partkey") == f.col("part")) & (f.col("ps_supplycost") == f.col("least")))
        .select("s_acctbal", "s_name", "n_name", "p_partkey", "p_mfgr", "s_address", "s_phone", "s_comment")
        .orderBy(f.desc("s_acctbal"), "n_name", "s_name", "p_partkey")
        .limit(100)
    )


def q3(t: Tables) -> DataFrame:
    orders = t("orders").filter(f.col("o_orderdate") < day("1995-03-15"))
    lines = t("lineitem").filter(f.col("l_shipdate") > day("1995-03-15"))
    return (
        t("customer")
        .filter(f.col("c_mktsegment") == "BUILDING")
        .join(orders, f.col("c_custkey") == f.col("o_custkey"))
        .join(lines, f.col("o_orderkey") == f.col("l_orderkey"))
        .groupBy("l_orderkey", "o_orderdate", "o_shippriority")
        .agg(f.sum(REVENUE).alias("revenue"))
        .select("l_orderkey", "revenue", "o_orderdate", "o_shippriority")
        .orderBy(f.desc("revenue"), "o_orderdate")
        .limit(10)
    )


def q4(t: Tables) -> DataFrame:
    late = t("lineitem").filter(f.col("l_commitdate") < f.col("l_receiptdate"))
    return (
        t("orders")
        .filter((f.col("o_orderdate") >= day("1993-07-01")) & (f.col("o_orderdate") < day("1993-10-01")))
        .join(late, f.col("o_orderkey") == f.col("l_orderkey"), "left_semi")
        .groupBy("o_orderpriority")
        .agg(f.count("*").alias("order_count"))
        .orderBy("o_orderpriority")
    )


def q5(t: Tables) -> DataFrame:
    orders = t("orders").filter(f.col("o_orderdate").between("1994-01-01", "1994-12-31"))
    same_nation = (f.col("l_suppkey") == f.col("s_suppkey")) & (f.col("c_nationkey") == f.col("s_nationkey"))
    return (
        t("customer")
        .join(orders, f.col("c_custkey") == f.col("o_custkey"))
        .join(t("lineitem"), f.col("o_orderkey") == f.col("l_orderkey"))
        .join(t("supplier"), same_nation)
        .join(t("nation"), f.col("s_nationkey") == f.col("n_nationkey"))
        .join(t("region").filter("r_name = 'ASIA'"), f.col("n_regionkey") == f.col("r_regionkey"))
        .groupBy("n_name")
        .agg(f.sum(REVENUE).alias("revenue"))
        .orderBy(f.desc("revenue"))
    )


def q6(t: Tables) -> DataFrame:
    return (
        t("lineitem")
        .filter((f.col("l_shipdate") >= day("1994-01-01")) & (f.col("l_shipdate") < day("1995-01-01")))
        .filter(f.col("l_discount").between(0.05, 0.07) & (f.col("l_quantity") < 24))
        .agg(f.sum(f.col("l_extendedprice") * f.col("l_discount")).alias("revenue"))
    )


def q7(t: Tables) -> DataFrame:
    supplier_nation = t("nation").select(f.col("n_nationkey").alias("sn_key"), f.col("n_name").alias("supp_nation"))
    customer_nation = t("nation").select(f.col("n_nationkey").alias("cn_key"), f.col("n_name").alias("cust_nation"))
    pair = (f.col("supp_nation") == "FRANCE") & (f.col("cust_nation") == "GERMANY")
    other = (f.col("supp_nation") == "GERMANY") & (f.col("cust_nation") == "FRANCE")
    return (
        t("supplier")
        .join(t("lineitem"), f.col("s_suppkey") == f.col("l_suppkey"))
        .filter(f.col("l_shipdate").between(day("1995-01-01"), day("1996-12-31")))
        .join(t("orders"), f.col("l_orderkey") == f.col("o_orderkey"))
        .join(t("customer"), f.col("o_custkey") == f.col("c_custkey"))
        .join(supplier_nation, f.col("s_nationkey") == f.col("sn_key"))
        .join(customer_nation, f.col("c_nationkey") == f.col("cn_key"))
        .filter(pair | other)
        .groupBy("supp_nation", "cust_nation", f.year("l_shipdate").alias("l_year"))
        .agg(f.sum(REVENUE).alias("revenue"))
        .orderBy("supp_nation", "cust_nation", "l_year")
    )


def q8(t: Tables) -> DataFrame:
    america = t("nation").join(
        t("region").filter(f.col("r_name") == "AMERICA"), f.col("n_regionkey") == f.col("r_regionkey"), "left_semi"
    )
    seller = t("nation").select(f.col("n_nationkey").alias("sn_key"), f.col("n_name").alias("nation"))
    of_brazil = f.when(f.col("nation") == "BRAZIL", f.col("volume")).otherwise(0)
    return (
        t("part")
        .filter(f.col("p_type") == "ECONOMY ANODIZED STEEL")
        .join(t("lineitem"), f.col("p_partkey") == f.col("l_partkey"))
        .join(t("supplier"), f.col("l_suppkey") == f.col("s_suppkey"))
        .join(t("orders"), f.col("l_orderkey") == f.col("o_orderkey"))
        .filter(f.col("o_orderdate").between(day("1995-01-01"), day("1996-12-31")))
        .join(t("customer"), f.col("o_custkey") == f.col("c_custkey"))
        .join(america, f.col("c_nationkey") == f.col("n_nationkey"))
        .join(seller, f.col("s_nationkey") == f.col("sn_key"))
        .select(f.year("o_orderdate").alias("o_year"), REVENUE.alias("volume"), "nation")
        .groupBy("o_year")
        .agg((f.sum(of_brazil) / f.sum("volume")).alias("mkt_share"))
        .orderBy("o_year")
    )


def q9(t: Tables) -> DataFrame:
    stock = (f.col("ps_suppkey") == f.col("l_suppkey")) & (f.col("ps_partkey") == f.col("l_partkey"))
    amount = REVENUE - f.col("ps_supplycost") * f.col("l_quantity")
    return (
        t("part")
        .filter(f.col("p_name").contains("green"))
        .join(t("lineitem"), f.col("p_partkey") == f.col("l_partkey"))
        .join(t("supplier"), f.col("l_suppkey") == f.col("s_suppkey"))
        .join(t("partsupp"), stock)
        .join(t("orders"), f.col("l_orderkey") == f.col("o_orderkey"))
        .join(t("nation"), f.col("s_nationkey") == f.col("n_nationkey"))
        .select(f.col("n_name").alias("nation"), f.year("o_orderdate").alias("o_year"), amount.alias("amount"))
        .groupBy("nation", "o_year")
        .agg(f.sum("amount").alias("sum_profit"))
        .orderBy("nation", f.desc("o_year"))
    )


def q10(t: Tables) -> DataFrame:
    orders = t("orders").filter(
        (f.col("o_orderdate") >= day("1993-10-01")) & (f.col("o_orderdate") < day("1994-01-01"))
    )
    return (
        t("customer")
        .join(orders, f.col("c_custkey") == f.col("o_custkey"))
        .join(t("lineitem").filter("l_returnflag = 'R'"), f.col("o_orderkey") == f.col("l_orderkey"))
        .join(t("nation"), f.col("c_nationkey") == f.col("n_nationkey"))
        .groupBy("c_custkey", "c_name", "c_acctbal", "c_phone", "n_name", "c_address", "c_comment")
        .agg(f.sum(REVENUE).alias("revenue"))
        .select("c_custkey", "c_name", "revenue", "c_acctbal", "n_name", "c_address", "c_phone", "c_comment")
        .orderBy(f.desc("revenue"))
        .limit(20)
    )


def q11(t: Tables) -> DataFrame:
    value = f.col("ps_supplycost") * f.col("ps_availqty")
    german = (
        t("partsupp")
        .join(t("supplier"), f.col("ps_suppkey") == f.col("s_suppkey"))
        .join(t("nation").filter("n_name = 'GERMANY'"), f.col("s_nationkey") == f.col("n_nationkey"))
    )
    total = german.agg((f.sum(value) * f.lit("0.0001").cast("decimal(5,4)")).alias("least"))
    return (
        german.groupBy("ps_partkey")
        .agg(f.sum(value).alias("value"))
        .crossJoin(total)
        .filter(f.col("value") > f.col("least"))
        .select("ps_partkey", "value")
        .orderBy(f.desc("value"))
    )


def q12(t: Tables) -> DataFrame:
    urgent = f.col("o_orderpriority").isin("1-URGENT", "2-HIGH")
    lines = t("lineitem").filter(
        f.col("l_shipmode").isin("MAIL", "SHIP")
        & (f.col("l_commitdate") < f.col("l_receiptdate"))
        & (f.col("l_shipdate") < f.col("l_commitdate"))
        & (f.col("l_receiptdate") >= day("1994-01-01"))
        & (f.col("l_receiptdate") < day("1995-01-01"))
    )
    return (
        t("orders")
        .join(lines, f.col("o_orderkey") == f.col("l_orderkey"))
        .groupBy("l_shipmode")
        .agg(
            f.sum(f.when(urgent, 1).otherwise(0)).alias("high_line_count"),
            f.sum(f.when(urgent, 0).otherwise(1)).alias("low_line_count"),
        )
        .orderBy("l_shipmode")
    )


def q13(t: Tables) -> DataFrame:
    orders = t("orders").filter(~f.col("o_comment").like("%special%requests%"))
    return (
        t("customer")
        .join(orders, f.col("c_custkey") == f.col("o_custkey"), "left")
        .groupBy("c_custkey")
        .agg(f.count("o_orderkey").alias("c_count"))
        .groupBy("c_count")
        .agg(f.count("*").alias("custdist"))
        .orderBy(f.desc("custdist"), f.desc("c_count"))
    )


def q14(t: Tables) -> DataFrame:
    promoted = f.when(f.col("p_type").startswith("PROMO"), REVENUE).otherwise(0)
    return (
        t("lineitem")
        .filter((f.col("l_shipdate") >= day("1995-09-01")) & (f.col("l_shipdate") < day("1995-10-01")))
        .join(t("part"), f.col("l_partkey") == f.col("p_partkey"))
        .agg((f.sum(promoted) * 100 / f.sum(REVENUE)).alias("promo_revenue"))
    )


def q15(t: Tables) -> DataFrame:
    revenue = (
        t("lineitem")
        .filter((f.col("l_shipdate") >= day("1996-01-01")) & (f.col("l_shipdate") < day("1996-04-01")))
        .groupBy(f.col("l_suppkey").alias("supplier_no"))
        .agg(f.sum(REVENUE).alias("total_revenue"))
    )
    most = revenue.agg(f.max("total_revenue").alias("most"))
    return (
        t("supplier")
        .join(revenue, f.col("s_suppkey") == f.col("supplier_no"))
        .join(most, f.col("total_revenue") == f.col("most"))
        .select("s_suppkey", "s_name", "s_address", "s_phone", "total_revenue")
        .orderBy("s_suppkey")
    )


def q16(t: Tables) -> DataFrame:
    complaints = t("supplier").filter(f.col("s_comment").like("%Customer%Complaints%"))
    parts = t("part").filter(
        (f.col("p_brand") != "Brand#45")
        & ~f.col("p_type").startswith("MEDIUM POLISHED")
        & f.col("p_size").isin(49, 14, 23, 45, 19, 3, 36, 9)
    )
    return (
        parts.join(t("partsupp"), f.col("p_partkey") == f.col("ps_partkey"))
        .join(complaints, f.col("ps_suppkey") == f.col("s_suppkey"), "left_anti")
        .groupBy("p_brand", "p_type", "p_size")
        .agg(f.countDistinct("ps_suppkey").alias("supplier_cnt"))
        .orderBy(f.desc("supplier_cnt"), "p_brand", "p_type", "p_size")
    )


def q17(t: Tables) -> DataFrame:
    parts = t("part").filter("p_brand = 'Brand#23' and p_container = 'MED BOX'")
    usual = t("lineitem").groupBy(f.col("l_partkey").alias("part")).agg((f.avg("l_quantity") * 0.2).alias("least"))
    return (
        parts.join(t("lineitem"), f.col("p_partkey") == f.col("l_partkey"))
        .join(usual, f.col("p_partkey") == f.col("part"))
        .filter(f.col("l_quantity") < f.col("least"))
        .agg((f.sum("l_extendedprice") / 7).alias("avg_yearly"))
    )


def q18(t: Tables) -> DataFrame:
    large = (
        t("lineitem")
        .groupBy(f.col("l_orderkey").alias("large_key"))
        .agg(f.sum("l_quantity").alias("total"))
        .filter("total > 300")
    )
    return (
        t("orders")
        .join(large, f.col("o_orderkey") == f.col("large_key"), "left_semi")
        .join(t("customer"), f.col("o_custkey") == f.col("c_custkey"))
        .join(t("lineitem"), f.col("o_orderkey") == f.col("l_orderkey"))
        .groupBy("c_name", "c_custkey", "o_orderkey", "o_orderdate", "o_totalprice")
        .agg(f.sum("l_quantity").alias("quantity"))
        .orderBy(f.desc("o_totalprice"), "o_orderdate")
        .limit(100)
    )


def q19(t: Tables) -> DataFrame:
    def of(brand: str, containers: list[str], least: int, size: int) -> Column:
        return (
            (f.col("p_brand") == brand)
            & f.col("p_container").isin(containers)
            & f.col("l_quantity").between(least, least + 10)
            & f.col("p_size").between(1, size)
        )

    wanted = (
        of("Brand#12", ["SM CASE", "SM BOX", "SM PACK", "SM PKG"], 1, 5)
        | of("Brand#23", ["MED BAG", "MED BOX", "MED PKG", "MED PACK"], 10, 10)
        | of("Brand#34", ["LG CASE", "LG BOX", "LG PACK", "LG PKG"], 20, 15)
    )
    return (
        t("lineitem")
        .filter(f.col("l_shipmode").isin("AIR", "AIR REG") & (f.col("l_shipinstruct") == "DELIVER IN PERSON"))
        .join(t("part"), f.col("l_partkey") == f.col("p_partkey"))
        .filter(wanted)
        .agg(f.sum(REVENUE).alias("revenue"))
    )


def q20(t: Tables) -> DataFrame:
    shipped = (
        t("lineitem")
        .filter((f.col("l_shipdate") >= day("1994-01-01")) & (f.col("l_shipdate") < day("1995-01-01")))
        .groupBy("l_partkey", "l_suppkey")
        .agg((f.sum("l_quantity") * 0.5).alias("half"))
    )
    same = (f.col("ps_partkey") == f.col("l_partkey")) & (f.col("ps_suppkey") == f.col("l_suppkey"))
    stocked = (
        t("partsupp")
        .join(t("part").filter("p_name like 'forest%'"), f.col("ps_partkey") == f.col("p_partkey"), "left_semi")
        .join(shipped, same)
        .filter(f.col("ps_availqty") > f.col("half"))
    )
    return (
        t("supplier")
        .join(t("nation").filter("n_name = 'CANADA'"), f.col("s_nationkey") == f.col("n_nationkey"))
        .join(stocked, f.col("s_suppkey") == f.col("ps_suppkey"), "left_semi")
        .select("s_name", "s_address")
        .orderBy("s_name")
    )


def q21(t: Tables) -> DataFrame:
    l1, l2, l3 = t("lineitem").alias("l1"), t("lineitem").alias("l2"), t("lineitem").alias("l3")
    late = f.col("l1.l_receiptdate") > f.col("l1.l_commitdate")
    another = (f.col("l2.l_orderkey") == f.col("l1.l_orderkey")) & (f.col("l2.l_suppkey") != f.col("l1.l_suppkey"))
    another_late = (
        (f.col("l3.l_orderkey") == f.col("l1.l_orderkey"))
        & (f.col("l3.l_suppkey") != f.col("l1.l_suppkey"))
        & (f.col("l3.l_receiptdate") > f.col("l3.l_commitdate"))
    )
    return (
        l1.filter(late)
        .join(t("supplier"), f.col("l1.l_suppkey") == f.col("s_suppkey"))
        .join(t("orders").filter("o_orderstatus = 'F'"), f.col("l1.l_orderkey") == f.col("o_orderkey"))
        .join(t("nation").filter("n_name = 'SAUDI ARABIA'"), f.col("s_nationkey") == f.col("n_nationkey"))
        .join(l2, another, "left_semi")
        .join(l3, another_late, "left_anti")
        .groupBy("s_name")
        .agg(f.count("*").alias("numwait"))
        .orderBy(f.desc("numwait"), "s_name")
        .limit(100)
    )


def q22(t: Tables) -> DataFrame:
    customers = (
        t("customer")
        .withColumn("cntrycode", f.substring("c_phone", 1, 2))
        .filter(f.col("cntrycode").isin("13", "31", "23", "29", "30", "18", "17"))
    )
    usual = customers.filter("c_acctbal > 0").agg(f.avg("c_acctbal").alias("usual"))
    return (
        customers.join(usual, f.col("c_acctbal") > f.col("usual"))
        .join(t("orders"), f.col("c_custkey") == f.col("o_custkey"), "left_anti")
        .groupBy("cntrycode")
        .agg(f.count("*").alias("numcust"), f.sum("c_acctbal").alias("totacctbal"))
        .orderBy("cntrycode")
    )


QUERIES: dict[int, Callable[[Tables], DataFrame]] = dict(
    enumerate(
        (q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11, q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22), start=1
    )
)
"""By number."""
