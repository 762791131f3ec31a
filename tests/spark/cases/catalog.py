"""``spark.catalog``, the cache, and what else a session knows of itself."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .model import Case, frames


def _table(table: Any) -> list[object]:
    return [table.name, table.catalog, table.namespace, table.description, table.tableType, table.isTemporary]


def _column(column: Any) -> list[object]:
    return [column.name, column.description, column.dataType, column.nullable, column.isPartition, column.isBucket]


def _function(function: Any) -> list[object]:
    return [function.name, function.catalog, function.namespace, function.className, function.isTemporary]


def _database(database: Any) -> list[object]:
    return [database.name, database.catalog, database.description]


def _level(level: Any) -> list[object]:
    return [level.useDisk, level.useMemory, level.useOffHeap, level.deserialized, level.replication]


def _cached_view(spark: Any, F: ModuleType) -> Any:
    spark.range(3).createOrReplaceTempView("to_cache")
    found = [spark.catalog.isCached("to_cache")]
    spark.catalog.cacheTable("to_cache")
    found.append(spark.catalog.isCached("to_cache"))
    found.append(spark.table("to_cache").count())
    spark.catalog.uncacheTable("to_cache")
    return [*found, spark.catalog.isCached("to_cache")]


def _cleared(spark: Any, F: ModuleType) -> Any:
    spark.range(3).createOrReplaceTempView("to_clear")
    spark.catalog.cacheTable("to_clear")
    spark.catalog.clearCache()
    return spark.catalog.isCached("to_clear")


def _levels(spark: Any, F: ModuleType) -> Any:
    from pyspark import StorageLevel

    frame = spark.range(7).filter("id > 2")
    found = [_level(frame.storageLevel)]
    frame.cache()
    found.append(_level(frame.storageLevel))
    found.append(_level(spark.range(7).filter("id > 2").storageLevel))
    frame.unpersist()
    found.append(_level(frame.storageLevel))
    frame.persist(StorageLevel.DISK_ONLY)
    found.append(_level(frame.storageLevel))
    found.append(frame.is_cached)
    frame.unpersist()
    return [*found, frame.is_cached]


def _random_is_kept(spark: Any, F: ModuleType) -> Any:
    frame = spark.range(100).withColumn("r", F.rand()).cache()
    same = frame.collect() == frame.collect()
    frame.unpersist()
    return same


def _random_below_is_kept(spark: Any, F: ModuleType) -> Any:
    frame = spark.range(100).withColumn("r", F.rand()).cache()
    total = [frame.agg(F.sum("r")).first()[0] for _ in range(2)]
    frame.unpersist()
    return total[0] == total[1]


def _checkpointed(spark: Any, F: ModuleType) -> Any:
    frame = spark.range(100).withColumn("r", F.rand()).localCheckpoint()
    return [frame.collect() == frame.collect(), frame.filter("id < 10").count(), frame.columns]


def _cached_by_name(spark: Any, F: ModuleType) -> Any:
    spark.sql("cache table by_name as select id * 2 d from range(50)")
    found = [spark.table("by_name").count(), spark.catalog.isCached("by_name")]
    spark.sql("uncache table by_name")
    found += [spark.catalog.isCached("by_name"), spark.catalog.tableExists("by_name")]
    spark.catalog.dropTempView("by_name")
    return found


def _global_view(spark: Any, F: ModuleType) -> Any:
    spark.range(2).createOrReplaceGlobalTempView("everywhere")
    found = [spark.table("global_temp.everywhere").count(), spark.catalog.tableExists("global_temp.everywhere")]
    found += [spark.catalog.dropGlobalTempView("everywhere"), spark.catalog.dropGlobalTempView("everywhere")]
    return found


def _global_twice(spark: Any, F: ModuleType) -> Any:
    spark.range(2).createOrReplaceGlobalTempView("once_only")
    try:
        spark.range(2).createGlobalTempView("once_only")
    finally:
        spark.catalog.dropGlobalTempView("once_only")


def _observed(spark: Any, F: ModuleType) -> Any:
    from pyspark.sql import Observation

    seen = Observation("seen")
    rows = spark.range(10).observe(seen, F.count(F.lit(1)).alias("n"), F.max("id").alias("most")).filter("id > 7")
    return [rows.count(), seen.get]


def _progress(spark: Any, F: ModuleType) -> Any:
    calls: list[bool] = []

    def handler(stages: Any, inflight_tasks: int, operation_id: str | None, done: bool) -> None:
        calls.append(done)

    spark.registerProgressHandler(handler)
    try:
        spark.range(1000).agg(F.sum("id")).collect()
    finally:
        spark.removeProgressHandler(handler)
    return bool(calls) and calls[-1]


def _cloned(spark: Any, F: ModuleType) -> Any:
    spark.range(4).createOrReplaceTempView("before_clone")
    spark.conf.set("x.before", "1")
    other = spark.cloneSession()
    try:
        other.range(1).createOrReplaceTempView("after_clone")
        return [
            other.table("before_clone").count(),
            other.conf.get("x.before"),
            spark.catalog.tableExists("after_clone"),
            other.session_id == spark.session_id,
        ]
    finally:
        other.client.release_session()


CASES: list[Case] = [
    *frames(
        {
            "currentDatabase": lambda spark, F: spark.catalog.currentDatabase(),
            "currentCatalog": lambda spark, F: spark.catalog.currentCatalog(),
            "setCurrentDatabase": lambda spark, F: [
                spark.catalog.setCurrentDatabase("default"),
                spark.catalog.currentDatabase(),
            ],
            "setCurrentDatabase of none": lambda spark, F: spark.catalog.setCurrentDatabase("nope"),
            "setCurrentCatalog": lambda spark, F: spark.catalog.setCurrentCatalog("spark_catalog"),
            "setCurrentCatalog of none": lambda spark, F: spark.catalog.setCurrentCatalog("nope"),
            "listCatalogs": lambda spark, F: [[c.name, c.description] for c in spark.catalog.listCatalogs()],
            "listCatalogs of a pattern": lambda spark, F: len(spark.catalog.listCatalogs("nope*")),
            "listDatabases": lambda spark, F: [_database(d) for d in spark.catalog.listDatabases()],
            "listDatabases of a pattern": lambda spark, F: [_database(d) for d in spark.catalog.listDatabases("def*")],
            "getDatabase": lambda spark, F: _database(spark.catalog.getDatabase("default")),
            "getDatabase of the catalog": lambda spark, F: _database(
                spark.catalog.getDatabase("spark_catalog.default")
            ),
            "getDatabase of none": lambda spark, F: _database(spark.catalog.getDatabase("nope")),
            "databaseExists": lambda spark, F: [
                spark.catalog.databaseExists(name)
                for name in ("default", "DEFAULT", "nope", "spark_catalog.default", "nope.default")
            ],
            "listTables": lambda spark, F: [_table(t) for t in spark.catalog.listTables(pattern="people")],
            "listTables in default": lambda spark, F: [
                _table(t) for t in spark.catalog.listTables("default", "people")
            ],
            "listTables in none": lambda spark, F: spark.catalog.listTables("nope"),
            "getTable": lambda spark, F: _table(spark.catalog.getTable("people")),
            "getTable in default": lambda spark, F: _table(spark.catalog.getTable("default.people")),
            "getTable of none": lambda spark, F: _table(spark.catalog.getTable("nope")),
            "getTable in none": lambda spark, F: _table(spark.catalog.getTable("nope.nope")),
            "tableExists": lambda spark, F: [
                spark.catalog.tableExists(name)
                for name in ("people", "PEOPLE", "nope", "default.people", "nope.people", "global_temp.nope")
            ],
            "tableExists in": lambda spark, F: [
                spark.catalog.tableExists("people", "default"),
                spark.catalog.tableExists("people", "nope"),
            ],
            "listColumns": lambda spark, F: [_column(c) for c in spark.catalog.listColumns("people")],
            "listColumns of none": lambda spark, F: spark.catalog.listColumns("nope"),
            "listColumns in none": lambda spark, F: spark.catalog.listColumns("people", "nope"),
            "listFunctions": lambda spark, F: [f.name for f in spark.catalog.listFunctions(pattern="concat*")],
            "listFunctions in none": lambda spark, F: spark.catalog.listFunctions("nope"),
            "getFunction": lambda spark, F: _function(spark.catalog.getFunction("upper"))[:3],
            "getFunction of none": lambda spark, F: _function(spark.catalog.getFunction("nope")),
            "functionExists": lambda spark, F: [
                spark.catalog.functionExists(name) for name in ("upper", "UPPER", "nope", "default.upper", "nope.upper")
            ],
            "functionExists in": lambda spark, F: [
                spark.catalog.functionExists("upper", "default"),
                spark.catalog.functionExists("nope", "default"),
            ],
            "dropTempView of none": lambda spark, F: spark.catalog.dropTempView("nope"),
            "dropGlobalTempView of none": lambda spark, F: spark.catalog.dropGlobalTempView("nope"),
            "isCached of none": lambda spark, F: spark.catalog.isCached("nope"),
            "cacheTable of none": lambda spark, F: spark.catalog.cacheTable("nope"),
            "uncacheTable of none": lambda spark, F: spark.catalog.uncacheTable("nope"),
            "refreshTable of none": lambda spark, F: spark.catalog.refreshTable("nope"),
            "refreshTable": lambda spark, F: spark.catalog.refreshTable("people"),
            "refreshByPath": lambda spark, F: spark.catalog.refreshByPath("some/path"),
            "recoverPartitions of none": lambda spark, F: spark.catalog.recoverPartitions("nope"),
            "createTable of an unknown format": lambda spark, F: spark.catalog.createTable("t9", source="nope").columns,
            "cached view": _cached_view,
            "cleared": _cleared,
            "storage levels": _levels,
            "random is kept": _random_is_kept,
            "random below is kept": _random_below_is_kept,
            "checkpointed": _checkpointed,
            "cached by name": _cached_by_name,
            "global view": _global_view,
            "global view twice": _global_twice,
            "a view's qualifier": lambda spark, F: [
                spark.range(1).createOrReplaceTempView("a.qualified"),
                spark.table("qualified").count(),
                spark.catalog.dropTempView("qualified"),
            ],
            "observed": _observed,
            "progress": _progress,
            "cloned": _cloned,
            "sameSemantics": lambda spark, F: [
                spark.range(3).sameSemantics(spark.range(3)),
                spark.range(3).sameSemantics(spark.range(4)),
            ],
            "unset setting": lambda spark, F: spark.conf.get("x.not.there"),
            "setting with default": lambda spark, F: [spark.conf.get("x.not.there", "d"), spark.conf.get("x.q", None)],
            "setting types": lambda spark, F: [
                [spark.conf.set("x.v", value), spark.conf.get("x.v")][1] for value in (True, 5, "text")
            ],
            "setting isModifiable": lambda spark, F: [
                spark.conf.isModifiable(key)
                for key in ("spark.sql.ansi.enabled", "spark.sql.warehouse.dir", "nope", "spark.sql.shuffle.partitions")
            ],
            "setting of the server": lambda spark, F: spark.conf.set("spark.sql.warehouse.dir", "x"),
            "setting of another type": lambda spark, F: spark.conf.set("spark.sql.shuffle.partitions", "x"),
        }
    ),
]
