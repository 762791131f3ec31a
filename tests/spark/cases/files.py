"""Files: Parquet, CSV, JSON and text, read and written. The cases write what they read."""

from __future__ import annotations

import gzip
import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from .create import EVERY, EVERY_ROW
from .model import Case, Run, frames

_ROOT = tempfile.TemporaryDirectory(prefix="files-")
"""Both servers run on this machine, and as this user."""
_NUMBERS = itertools.count()


def _new() -> str:
    """A path at which there is nothing yet."""
    return f"{_ROOT.name}/{next(_NUMBERS)}"


def _folder(files: Mapping[str, str | bytes]) -> str:
    """A folder of files by their names, which may have folders in them."""
    folder = Path(_new())
    folder.mkdir()
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(folder)


def _csv(text: str, schema: str | None = None, **options: Any) -> Run:
    """Reads a file of this text as CSV."""
    return lambda spark, F: spark.read.csv(_folder({"a.csv": text}), schema, **options)


def _json(text: str, schema: str | None = None, **options: Any) -> Run:
    return lambda spark, F: spark.read.json(_folder({"a.json": text}), schema, **options)


def _text(text: str, **options: Any) -> Run:
    return lambda spark, F: spark.read.text(_folder({"a.txt": text}), **options)


def _saved(frame: Any, form: str, **options: Any) -> str:
    path = _new()
    frame.coalesce(1).write.format(form).options(**options).save(path)
    return path


def _lines(select: str, form: str, **options: Any) -> Run:
    """The lines that a query is written as."""
    return lambda spark, F: spark.read.text(_saved(spark.sql(select), form, **options))


def _every_type(spark: Any, F: ModuleType) -> Any:
    return spark.read.parquet(_saved(spark.createDataFrame([EVERY_ROW, (None,) * 13], EVERY), "parquet"))


def _nested(form: str) -> Run:
    rows = [([1, None], {"k": 1.5}, (1, "x"), [(1,), None]), (None, None, None, None), ([], {}, (None, None), [])]
    schema = "a array<int>, h map<string,double>, s struct<p: int, q: string>, z array<struct<w: bigint>>"
    return lambda spark, F: (
        spark.read.schema(schema).format(form).load(_saved(spark.createDataFrame(rows, schema), form))
    )


def _default_source(spark: Any, F: ModuleType) -> Any:
    path = _new()
    spark.range(3).write.save(path)
    return spark.read.load(path)


def _many_paths(spark: Any, F: ModuleType) -> Any:
    return spark.read.parquet(*(_saved(spark.range(start, start + 2), "parquet") for start in (0, 10)))


def _named(*names: str) -> dict[str, str]:
    return {name: f"{name}\n" for name in names}


def _found(pattern: str, **options: Any) -> Run:
    """The text of the files that a path finds."""
    names = (
        "a1.txt",
        "a2.txt",
        "b1.txt",
        "b2.csv",
        "_hidden.txt",
        ".dot.txt",
        "sub/c1.txt",
        "_sub/d1.txt",
        "s=1/e.txt",
    )
    return lambda spark, F: spark.read.options(**options).text(f"{_folder(_named(*names))}{pattern}").select("value")


def _partitioned(values: str, schema: str | None = None, **conf: Any) -> Run:
    """Reads folders `p=<value>` for each of some values."""

    def run(spark: Any, F: ModuleType) -> Any:
        reader = spark.read.format("csv")
        reader = reader.schema(schema) if schema else reader
        return reader.load(_folder({f"p={value}/a.csv": str(at) for at, value in enumerate(values.split())}))

    return run


def _two_levels(spark: Any, F: ModuleType) -> Any:
    path = _new()
    frame = spark.sql("select id, id % 2 as odd, concat('v ', id % 3, '/=:') as name from range(6)")
    frame.write.partitionBy("odd", "name").parquet(path)
    return spark.read.parquet(path)


def _partition_filter(spark: Any, F: ModuleType) -> Any:
    return _two_levels(spark, F).filter("odd = 1 and name like 'v 1%' or id = 2").select("id", "odd")


def _null_partition(spark: Any, F: ModuleType) -> Any:
    path = _new()
    spark.sql("select id, nullif(id, 1) as k, if(id = 0, '', 'x') as t from range(3)").write.partitionBy("k", "t").json(
        path
    )
    return spark.read.json(path)


def _one_partition(spark: Any, F: ModuleType) -> Any:
    path = _new()
    spark.sql("select id, id % 2 as odd from range(4)").write.partitionBy("odd").parquet(path)
    return spark.read.parquet(f"{path}/odd=1")


def _base_path(spark: Any, F: ModuleType) -> Any:
    path = _new()
    spark.sql("select id, id % 2 as odd from range(4)").write.partitionBy("odd").parquet(path)
    return spark.read.option("basePath", path).parquet(f"{path}/odd=1")


def _merged(merge: bool) -> Run:
    def run(spark: Any, F: ModuleType) -> Any:
        path = _new()
        spark.sql("select 1 as a, 'x' as b").write.parquet(f"{path}/k=1")
        spark.sql("select 2 as a, 2.5d as c").write.parquet(f"{path}/k=2")
        return (
            spark.read.option("mergeSchema", merge).parquet(path).select("k", "a")
            if not merge
            else (spark.read.option("mergeSchema", merge).parquet(path))
        )

    return run


def _merge_conflict(spark: Any, F: ModuleType) -> Any:
    path = _new()
    spark.sql("select 1 as a").write.parquet(f"{path}/k=1")
    spark.sql("select 'x' as a").write.parquet(f"{path}/k=2")
    return spark.read.option("mergeSchema", True).parquet(path)


def _as_schema(select: str, schema: str) -> Run:
    """A query's rows, written as Parquet and read with another schema."""
    return lambda spark, F: spark.read.schema(schema).parquet(_saved(spark.sql(select), "parquet"))


def _direct(spark: Any, F: ModuleType) -> Any:
    path = _saved(spark.range(3), "parquet")
    return spark.sql(f"select max(id) as m, count(*) from parquet.`{path}` where id > 0")


def _table_using(spark: Any, F: ModuleType) -> Any:
    path = _saved(spark.range(3), "parquet")
    spark.sql(f"create or replace temporary view using_files using parquet options (path '{path}')")
    return spark.sql("select sum(id) from using_files")


def _twice(mode: str) -> Run:
    """Writes two times to one path."""

    def run(spark: Any, F: ModuleType) -> Any:
        path = _new()
        spark.range(2).write.parquet(path)
        spark.range(10, 12).write.mode(mode).parquet(path)
        return spark.read.parquet(path)

    return run


def _names_written(spark: Any, F: ModuleType) -> Any:
    """Names without what is random in them."""
    path = Path(_saved(spark.range(2), "parquet"))
    return sorted(f"{name.split('-')[0]}{name[name.rindex('-') :] if '-' in name else ''}" for name in _visible(path))


def _visible(path: Path) -> list[str]:
    return [file.name for file in path.iterdir() if not file.name.startswith(".")]


def _compressed(form: str, codec: str) -> Run:
    def run(spark: Any, F: ModuleType) -> Any:
        path = _saved(spark.range(2), form, compression=codec)
        names = [name[name.rindex("-c000") :] for name in _visible(Path(path)) if name.startswith("part-")]
        return [names, [row[0] for row in spark.read.format(form).load(path).collect()]]

    return run


def _failed_write(spark: Any, F: ModuleType) -> Any:
    spark.sql("select 1 / (id - 1) as x from range(3)").write.parquet(_new())


def _onto_itself(spark: Any, F: ModuleType) -> Any:
    path = _saved(spark.range(2), "parquet")
    spark.read.parquet(path).write.mode("overwrite").parquet(path)


def _write(select: str, form: str, *partitions: str, **options: Any) -> Run:
    return lambda spark, F: (
        spark.sql(select).write.partitionBy(*partitions).format(form).options(**options).save(_new())
    )


def _gzip(spark: Any, F: ModuleType) -> Any:
    return spark.read.csv(_folder({"a.csv.gz": gzip.compress(b"1,x\n2,y\n")}))


_TYPED = (
    "i,l,d,dec,b,day,at,s,n\n1,3000000000,1.5,12345678901234567890,true,2024-02-29,2024-02-29 12:30:00,x,\n"
    "2,4,2,1,FALSE,2024-03-01,2024-03-01T01:02:03.5,5,\n"
)
_PEOPLE = "id,name\n1,Ann\n2,Bo\n"
_BAD_ROWS = "1,a\nx,b\n3\n4,d,e\n"
_BAD_JSON = '{"a": 1, "b": "x"}\n{"a": \n[1, 2]\n{"a": "y", "b": "z"}\n\n{"a": 3}\n'
_KEPT = "a int, b string, _corrupt_record string"

_PARQUET: dict[str, Run] = {
    "parquet every type": _every_type,
    "parquet nested": _nested("parquet"),
    "parquet default source": _default_source,
    "parquet many paths": _many_paths,
    "parquet merged schema": _merged(True),
    "parquet schema of one file": _merged(False),
    "parquet schemas that do not merge": _merge_conflict,
    "parquet schema of fewer columns": _as_schema("select 1 as a, 'x' as b", "b string"),
    "parquet schema of more columns": _as_schema("select 1 as a, 'x' as b", "c double, a int"),
    "parquet schema in another case": _as_schema("select 1 as Abc, 'x' as b", "ABC int, B string"),
    "parquet schema of wider types": _as_schema("select 1 as a, 1.5f as b", "a bigint, b double"),
    "parquet schema of narrower types": _as_schema("select 1L as a", "a int"),
    "parquet schema of other types": _as_schema("select 'x' as a", "a int"),
    "parquet in SQL": _direct,
    "parquet view": _table_using,
    "parquet no such path": lambda spark, F: spark.read.parquet(f"{_ROOT.name}/nope"),
    "parquet no match of a glob": lambda spark, F: spark.read.parquet(f"{_ROOT.name}/nope*"),
    "parquet empty folder": lambda spark, F: spark.read.parquet(_folder({})),
    "parquet hidden files alone": lambda spark, F: spark.read.parquet(_folder({"_x": "1", ".y": "2"})),
    "parquet that is none": lambda spark, F: spark.read.parquet(_folder({"a.parquet": "this is no such file"})),
    "parquet that is empty": lambda spark, F: spark.read.parquet(_folder({"a.parquet": ""})),
    "parquet no path": lambda spark, F: spark.read.format("parquet").load(),
    "parquet no such SQL path": lambda spark, F: spark.sql(f"select * from parquet.`{_ROOT.name}/nope`"),
    "parquet columns of one name": _write("select 1 as a, 2 as A", "parquet"),
    "parquet filter": lambda spark, F: spark.read.parquet(_saved(spark.range(100), "parquet")).filter("id > 97"),
    "parquet count": lambda spark, F: spark.read.parquet(_saved(spark.range(100), "parquet")).count(),
}

_PATHS: dict[str, Run] = {
    "paths folder": _found(""),
    "paths star": _found("/a*"),
    "paths braces": _found("/{a,b}1.txt"),
    "paths range": _found("/[a-a][0-9].txt"),
    "paths one letter": _found("/?1.txt"),
    "paths filter": _found("", pathGlobFilter="*.csv"),
    "paths recursive": _found("", recursiveFileLookup=True),
    "paths hidden": _found("/_hidden.txt"),
    "paths of folders": _found("/s*"),
}

_PARTITIONS: dict[str, Run] = {
    "partitions int": _partitioned("1 2"),
    "partitions bigint": _partitioned("1 3000000000"),
    "partitions double": _partitioned("1 2.5"),
    "partitions exponent": _partitioned("1e3 2.5"),
    "partitions decimal": _partitioned("12345678901234567890123 1"),
    "partitions date": _partitioned("2024-01-31 2024-02-29"),
    "partitions timestamp": _partitioned("2024-01-31%2012%3A30%3A00 2024-02-29"),
    "partitions text": _partitioned("1 a"),
    "partitions date and int": _partitioned("2024-01-31 7"),
    "partitions null": _partitioned("1 __HIVE_DEFAULT_PARTITION__"),
    "partitions null alone": _partitioned("__HIVE_DEFAULT_PARTITION__"),
    "partitions leading zeros": _partitioned("01 02"),
    "partitions escaped": _partitioned("a%3Db c%20d"),
    "partitions true": _partitioned("true false"),
    "partitions with a schema": _partitioned("1 2", "x string, p string"),
    "partitions with a schema in front": _partitioned("1 2", "p bigint, x string"),
    "partitions with a schema without": _partitioned("1 2", "x string"),
    "partitions that differ": lambda spark, F: spark.read.text(_folder({"p=1/a.txt": "x", "q=2/b.txt": "y"})),
    "partitions and a file": lambda spark, F: spark.read.text(_folder({"p=1/a.txt": "x", "b.txt": "y"})),
    "partitions two levels": _two_levels,
    "partitions filter": _partition_filter,
    "partitions of nulls": _null_partition,
    "partitions one of them": _one_partition,
    "partitions base path": _base_path,
}

_CSV: dict[str, Run] = {
    "csv plain": _csv(_PEOPLE),
    "csv header": _csv(_PEOPLE, header=True),
    "csv types": _csv(_TYPED, header=True, inferSchema=True),
    "csv types of one row": _csv("1\n2.5\nx\n", inferSchema=True),
    "csv types of dates": _csv("2024-01-01\n2024-01-02 10:00:00\n", inferSchema=True),
    "csv types of dates and numbers": _csv("2024-01-01,1\n5,true\n", inferSchema=True),
    "csv types of whole and bool": _csv("1\ntrue\n", inferSchema=True),
    "csv types date pattern": _csv("31/12/2024\n01/02/2023\n", inferSchema=True, dateFormat="dd/MM/yyyy"),
    "csv types time pattern": _csv("31/12/2024 10:11\n", inferSchema=True, timestampFormat="dd/MM/yyyy HH:mm"),
    "csv date pattern": _csv("31/12/2024\n2024-01-01\n", "d date", dateFormat="dd/MM/yyyy"),
    "csv time pattern": _csv("31.12.2024 10:11\n", "t timestamp", timestampFormat="dd.MM.yyyy HH:mm"),
    "csv schema": _csv(_PEOPLE, "id int, name string", header=True),
    "csv schema of every type": _csv(
        "true,1,2,3,4,1.5,2.5,1.25,x,2024-01-01,2024-01-01 10:00:00,2024-01-01T10:00:00.123456\n",
        "b boolean, t tinyint, s smallint, i int, l bigint, f float, d double, m decimal(10,3), c string, day date, "
        "at timestamp, wall timestamp_ntz",
    ),
    "csv schema that fits not": _csv("a,1.5,x,300,2024-13-01\n", "a int, b int, c boolean, d tinyint, e date"),
    "csv schema of decimals": _csv("1.236\n123456\n\n-0.5\n", "m decimal(5,2)"),
    "csv schema of doubles": _csv("NaN\nInf\n-Inf\n1e400\n 1\n1d\n0x1\n", "d double"),
    "csv schema of binary": _csv("abc\n", "x binary"),
    "csv schema of arrays": _csv("abc\n", "x array<int>"),
    "csv separator": _csv("1;a\n2;b\n", sep=";"),
    "csv separator of tabs": _csv("1\ta\n2\tb\n", sep="\\t"),
    "csv separator of two letters": _csv("1||a\n2||b|c\n", sep="||"),
    "csv separator empty": _csv("1\n", sep=""),
    "csv quotes": _csv('"a,b","c ""d""",e\n'),
    "csv quotes escaped": _csv('"a \\"b\\" c",d\n"x\\\\y",z\n'),
    "csv quote in the middle": _csv('a"b,c\n"d"e,f\n'),
    "csv quote of its own": _csv("'a,b',c\n", quote="'"),
    "csv quote that is not closed": _csv('"a,b\nc,d\n'),
    "csv no quote": _csv('"a,b"\n', quote=""),
    "csv escape of its own": _csv('"a ""b"" c",d\n', escape='"'),
    "csv nulls": _csv('a,,NULL\n"",x,"NULL"\n', nullValue="NULL"),
    "csv empty": _csv('a,,""\n', emptyValue="E"),
    "csv comment": _csv("#x\n1,a\n# y\n2,b\n", comment="#"),
    "csv spaces": _csv(" a , b \n"),
    "csv spaces left out": _csv(' a ," b "\n', ignoreLeadingWhiteSpace=True, ignoreTrailingWhiteSpace=True),
    "csv empty lines": _csv("1,a\n\n \n2,b\n"),
    "csv crlf": _csv("1,a\r\n2,b\r\n"),
    "csv cr": _csv("1,a\r2,b\r"),
    "csv lineSep": _csv("1,a|2,b|", lineSep="|"),
    "csv lines in values": _csv('1,"a\nb"\n2,c\n', multiLine=True),
    "csv lines in values without": _csv('1,"a\nb"\n2,c\n'),
    "csv rows of other lengths": _csv("1,2\n3\n4,5,6\n"),
    "csv permissive": _csv(_BAD_ROWS, "a int, b string"),
    "csv corrupt": _csv(_BAD_ROWS, _KEPT),
    "csv corrupt of another name": _csv(_BAD_ROWS, "a int, b string, bad string", columnNameOfCorruptRecord="bad"),
    "csv drop malformed": _csv(_BAD_ROWS, "a int, b string", mode="DROPMALFORMED"),
    "csv fail fast": _csv(_BAD_ROWS, "a int, b string", mode="FAILFAST"),
    "csv fail fast on lengths": _csv("1,a\n3\n", "a int, b string", mode="FAILFAST"),
    "csv mode that is none": _csv("1\n", mode="nope"),
    "csv header with empty names": _csv("a,,a,A\n1,2,3,4\n", header=True),
    "csv header and other schema": _csv("x,y\n1,2\n", "a int, b int", header=True),
    "csv header and other schema enforced not": _csv("x,y\n1,2\n", "a int, b int", header=True, enforceSchema=False),
    "csv header alone": _csv("a,b\n", header=True),
    "csv header of a short row": _csv("a,b\n1\n2,3,4\n", header=True),
    "csv nothing": _csv(""),
    "csv empty folder": lambda spark, F: spark.read.csv(_folder({})),
    "csv bom": _csv("\ufeffa,b\n1,2\n", header=True),
    "csv two files with headers": lambda spark, F: spark.read.csv(
        _folder({"a.csv": "a,b\n1,2\n", "b.csv": "a,b\n3,4\n"}), header=True
    ),
    "csv gzip": _gzip,
    "csv one column": lambda spark, F: spark.read.csv(_folder({"a.csv": "1,a\nx,b\n"}), "a int, b string").select("b"),
    "csv drop malformed one column": lambda spark, F: spark.read.csv(
        _folder({"a.csv": _BAD_ROWS}), "a int, b string", mode="DROPMALFORMED"
    ).select("b"),
    "csv count": lambda spark, F: spark.read.csv(_folder({"a.csv": _PEOPLE}), header=True).count(),
    "csv not utf-8": lambda spark, F: spark.read.csv(_folder({"a.csv": b"a\xff,b\n"})),
    "csv latin 1": lambda spark, F: spark.read.csv(
        _folder({"a.csv": "ü,b\n".encode("latin-1")}), encoding="ISO-8859-1"
    ),
    "csv header that is no boolean": _csv("1\n", header="maybe"),
}

_JSON: dict[str, Run] = {
    "json types": _json(
        '{"s": "x", "i": 1, "d": 1.5, "b": true, "n": null}\n{"i": 2.5, "a": [1, 2], "o": {"z": 1, "y": "q"}}\n'
    ),
    "json types that differ": _json('{"a": 1, "b": [1], "c": {"x": 1}}\n{"a": "t", "b": ["x"], "c": {"y": true}}\n'),
    "json types of big numbers": _json(
        '{"a": 12345678901234567890, "b": 1e400, "c": 1e5, "d": 1234567890123456789012345678901234567890123}\n'
    ),
    "json types of dates": _json('{"a": "2024-01-01", "b": "2024-01-01T10:00:00Z"}\n'),
    "json types of empty": _json('{"a": {}, "b": [], "c": [null], "d": [{}]}\n'),
    "json primitives as text": _json('{"a": 1, "b": true, "c": {"d": 1.50}}\n', primitivesAsString=True),
    "json decimals": _json('{"a": 1.25, "b": 10.5}\n', prefersDecimal=True),
    "json timestamps": lambda spark, F: spark.read.option("inferTimestamp", True).json(
        _folder({"a.json": '{"a": "2024-01-01T10:00:00Z"}\n'})
    ),
    "json of scalars": _json('{"a": 1}\n5\n"x"\n'),
    "json of arrays": _json('[{"a": 1}, {"a": 2}]\n{"a": 3}\n'),
    "json many lines": _json('{"a": 1,\n "b": "x\\ny"}\n', multiLine=True),
    "json many lines array": _json('[{"a": 1},\n {"a": 2}]\n', multiLine=True),
    "json corrupt": _json(_BAD_JSON),
    "json corrupt kept": _json(_BAD_JSON, _KEPT),
    "json permissive": _json(_BAD_JSON, "a int, b string"),
    "json corrupt of another name": _json(_BAD_JSON, columnNameOfCorruptRecord="bad"),
    "json drop malformed": _json(_BAD_JSON, mode="DROPMALFORMED"),
    "json drop malformed with schema": _json(_BAD_JSON, "a int, b string", mode="DROPMALFORMED"),
    "json fail fast": _json(_BAD_JSON, mode="FAILFAST"),
    "json fail fast with schema": _json(_BAD_JSON, "a int, b string", mode="FAILFAST"),
    "json schema": _json(
        '{"b": true, "t": 1, "i": 3, "l": 4, "f": 1.5, "d": 2, "m": 1.25, "c": "x", "day": "2024-01-01", '
        '"at": "2024-01-01T10:00:00Z", "wall": "2024-01-01T10:00:00.123456", "x": "AQI="}\n',
        "b boolean, t tinyint, i int, l bigint, f float, d double, m decimal(10,3), c string, day date, at timestamp, "
        "wall timestamp_ntz, x binary",
    ),
    "json schema that fits not": _json(
        '{"i": 1.5, "l": "x", "s": {"a": 1}, "d": "NaN", "t": 300, "a": 5, "m": 123456.7}\n',
        "i int, l bigint, s string, d double, t tinyint, a array<int>, m decimal(5,2)",
    ),
    "json schema in another case": _json('{"Abc": 1}\n', "abc int"),
    "json nested": _nested("json"),
    "json field twice": _json('{"a": 1, "a": 2}\n'),
    "json fields that differ in case": _json('{"a": 1, "A": 2}\n'),
    "json empty lines": _json('\n{"a": 1}\n   \n'),
    "json nothing": _json(""),
    "json empty folder": lambda spark, F: spark.read.json(_folder({})),
    "json comments": _json('/* x */ {"a": 1}\n', allowComments=True),
    "json single quotes": _json("{'a': 1}\n"),
    "json no quotes": _json("{a: 1}\n"),
    "json leading zeros": _json('{"a": 01}\n'),
    "json control characters": _json('{"a": "x\ty"}\n'),
    "json date pattern": _json('{"d": "31/12/2024"}\n', "d date", dateFormat="dd/MM/yyyy"),
    "json time pattern": _json('{"t": "31/12/2024 10:30"}\n', "t timestamp", timestampFormat="dd/MM/yyyy HH:mm"),
    "json lineSep": _json('{"a": 1}|{"a": 2}', lineSep="|"),
    "json unicode": _json('{"ä": "\\u00fc\\ud83d\\ude00"}\n'),
    "json deep": _json('{"a": ' + "[" * 600 + "]" * 600 + "}\n", "a string"),
}

_TEXT: dict[str, Run] = {
    "text lines": _text("a\n\nb c\n"),
    "text crlf": _text("a\r\nb\rc"),
    "text whole": _text("a\nb\n", wholetext=True),
    "text lineSep": _text("a|b\n|", lineSep="|"),
    "text nothing": _text(""),
    "text empty folder": lambda spark, F: spark.read.text(_folder({})),
    "text partitions": lambda spark, F: spark.read.text(_folder({"p=1/a.txt": "x", "p=2/b.txt": "y"})),
    "text schema": lambda spark, F: spark.read.schema("v string").text(_folder({"a.txt": "x"})),
    "text schema of a number": lambda spark, F: spark.read.schema("v int").text(_folder({"a.txt": "x"})),
    "text count": lambda spark, F: spark.read.text(_folder({"a.txt": "x\ny\n"})).count(),
}

_VALUES = (
    "select 1 as i, 1.5d as d, 'x,\"y\" \\\\ z' as s, '' as e, string(null) as n, true as b, date'2024-02-29' as day, "
    "timestamp'2024-02-29 12:30:00.5' as at, timestamp_ntz'2024-02-29 12:30:00' as wall, 1.50bd as m, ' p ' as p"
)
_WRITES: dict[str, Run] = {
    **{f"write {mode}": _twice(mode) for mode in ("append", "overwrite", "error", "errorifexists", "ignore")},
    "write names": _names_written,
    "write that fails": _failed_write,
    "write no columns left": _write("select 1 as a", "parquet", "a"),
    "write no such partition column": _write("select 1 as a", "parquet", "nope"),
    "write partition column twice": _write("select 1 as a, 2 as b", "parquet", "a", "A"),
    "write partition of an array": _write("select 1 as a, array(1) as b", "parquet", "b"),
    "write csv": _lines(_VALUES, "csv"),
    "write csv header": _lines(_VALUES, "csv", header=True, sep=";"),
    "write csv quoteAll": _lines(_VALUES, "csv", quoteAll=True, nullValue="N", emptyValue="E"),
    "write csv patterns": _lines(_VALUES, "csv", dateFormat="dd.MM.yyyy", timestampFormat="yyyy/MM/dd HH:mm"),
    "write csv spaces": _lines(
        "select ' a ' as a", "csv", ignoreLeadingWhiteSpace=False, ignoreTrailingWhiteSpace=False
    ),
    "write csv of arrays": _write("select array(1) as a", "csv"),
    "write csv of lines": _lines("select 'a\\nb' as a, 'c#' as c", "csv"),
    "write csv of no rows": _lines("select 1 as a where false", "csv", header=True),
    "write json": _lines(_VALUES, "json"),
    "write json nulls": _lines("select null as n, struct(null as p) as s, 1 as i", "json", ignoreNullFields=False),
    "write json patterns": _lines(_VALUES, "json", dateFormat="dd.MM.yyyy", timestampFormat="yyyy/MM/dd HH:mm"),
    "write json nested": _lines(
        "select array(1, null) as a, map('k', 1.5d) as h, named_struct('p', 'q') as s, double('NaN') as x", "json"
    ),
    "write text": _lines("select 'a b' as v union all select null", "text"),
    "write text lineSep": _lines("select explode(array('a', 'b')) as v", "text", lineSep="|"),
    "write text of a number": _write("select 1 as a", "text"),
    "write text of two columns": _write("select 'a' as a, 'b' as b", "text"),
    "write csv gzip": _compressed("csv", "gzip"),
    "write json zstd": _compressed("json", "gzip"),
    "write parquet zstd": _compressed("parquet", "zstd"),
    "write parquet gzip": _compressed("parquet", "gzip"),
    "write parquet uncompressed": _compressed("parquet", "none"),
    "write parquet codec that is none": _write("select 1 as a", "parquet", compression="nope"),
    "write csv codec that is none": _write("select 1 as a", "csv", compression="nope"),
    "write csv round trip": lambda spark, F: spark.read.csv(
        _saved(spark.sql(_VALUES), "csv", header=True), header=True, inferSchema=True
    ),
}


def _partitioned_table(statement: str) -> Run:
    """A table that is made with a query, under a path of its own."""

    def run(spark: Any, F: ModuleType) -> Any:
        spark.sql("drop table if exists by_folder")
        spark.sql(statement.format(path=_new()))
        try:
            return spark.table("by_folder").localCheckpoint()
        finally:
            spark.sql("drop table by_folder")

    return run


_TABLES: dict[str, Run] = {
    "table in folders": _partitioned_table(
        "create table by_folder using parquet partitioned by (k) location '{path}' "
        "as select * from values (1, 'a', 2), (2, 'b', 3), (3, null, 4) t(v, k, w)"
    ),
    "table in folders of folders": _partitioned_table(
        "create table by_folder using parquet options (compression 'none') partitioned by (k, d) comment 'why' location '{path}' "
        "as select 1 v, 'a' k, date'2024-02-29' d"
    ),
    "table in folders of no column": _partitioned_table(
        "create table by_folder using parquet partitioned by (nope) location '{path}' as select 1 v"
    ),
}

CASES: list[Case] = [
    *frames({**_PARQUET, **_PATHS, **_PARTITIONS, **_CSV, **_JSON, **_TEXT, **_WRITES, **_TABLES}),
    Case(
        "write onto itself",
        _onto_itself,
        differs="The rows are all read before files are replaced, so that it can be done.",
    ),
]
