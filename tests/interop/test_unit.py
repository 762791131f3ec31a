"""The adapter to PySpark's data sources without a server: conversions, pickles, what it refuses."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.cloudpickle import dumps, loads
from pyspark.sql.datasource import DataSource, InputPartition
from pyspark.sql.types import LongType, StringType, StructField, StructType

from sheetbend.errors import OptionError, PluginError
from sheetbend.interop import _conform
from sheetbend.interop.pyspark import as_data_source
from tests.interop.sources import FORMS, PEOPLE, Endless, Kinds, Nothing, People

STRUCT = StructType([StructField("id", LongType(), False), StructField("name", StringType())])


def _rows(source: DataSource, schema: Any = STRUCT) -> list[dict[str, Any]]:
    reader: Any = source.reader(schema)
    return [row for partition in reader.partitions() for batch in reader.read(partition) for row in batch.to_pylist()]


def _pickled(value: object) -> bytes:
    return bytes(dumps(value))


def _copied(value: object) -> Any:
    return loads(_pickled(value))


def test_class() -> None:
    cls = as_data_source(People, "people")
    assert issubclass(cls, DataSource)
    assert cls.name() == "people"
    assert cls.__name__ == "PeopleAsDataSource"


def test_schema_is_spark_s() -> None:
    assert as_data_source(People, "people")({}).schema() == STRUCT


def test_schema_of_every_kind() -> None:
    schema: Any = as_data_source(Kinds, "kinds")({}).schema()
    found = {field.name: field.dataType.simpleString() for field in schema}
    assert found["wall"] == "timestamp_ntz"
    assert found["at"] == "timestamp"
    assert found["pair"] == "struct<x:int,y:string>"


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_result(form: str) -> None:
    rows = _rows(as_data_source(People, "people")({"form": form}))
    assert rows == [{"id": number, "name": f"p{number}"} for number in range(10)]


@pytest.mark.parametrize("plugin", [People, People()])
def test_pickles(plugin: object) -> None:
    cls = _copied(as_data_source(plugin, "people"))
    source = _copied(cls({"FORM": "list"}))
    reader = _copied(source.reader(STRUCT))
    partitions = _copied(reader.partitions())
    assert [row["id"] for each in partitions for batch in reader.read(each) for row in batch.to_pylist()] == list(
        range(10)
    )


def test_class_of_a_function_pickles_by_value() -> None:
    class Local(People):
        pass

    assert b"Local" in _pickled(as_data_source(Local, "local"))


def test_no_secret_is_shown() -> None:
    source = as_data_source(People, "people")({"token": "hunter2"})
    for shown in (source, source.reader(STRUCT), source.reader(STRUCT).partitions(), type(source)):
        assert "hunter2" not in repr(shown)


def test_arrow_schema_where_sail_gives_one() -> None:
    assert len(_rows(as_data_source(People, "people")({}), PEOPLE)) == 10


def test_columns_of_the_user_s_schema() -> None:
    rows = _rows(as_data_source(People, "people")({}), StructType([StructField("name", StringType())]))
    assert rows[0] == {"name": "p0"}


def test_no_partition() -> None:
    reader = as_data_source(Nothing, "nothing")({}).reader(STRUCT)
    assert [partition.value for partition in reader.partitions()] == [None]
    assert list(reader.read(InputPartition(None))) == []


def test_early_end_closes_the_generator(tmp_path: Any) -> None:
    done = tmp_path / "done"
    reader = as_data_source(Endless, "endless")({"done": str(done)}).reader(STRUCT)
    batches: Any = reader.read(reader.partitions()[0])
    assert next(batches).num_rows == 10_000
    assert not done.exists()
    batches.close()
    assert done.read_text() == "cancelled: True"


def test_missing_method() -> None:
    with pytest.raises(PluginError, match="read_partition"):
        as_data_source(type("Half", (), {"infer_schema": None, "plan_partitions": print}), "half")


@pytest.mark.parametrize("call", ["schema", "reader"])
def test_unknown_option(call: str) -> None:
    source = as_data_source(People, "people")({"frm": "x"})
    with pytest.raises(OptionError, match="'people' has no option 'frm'"):
        source.schema() if call == "schema" else source.reader(STRUCT)


def test_item_that_is_no_arrow() -> None:
    with pytest.raises(PluginError, match=r"source 'people' .*partition 0: .*yielded dict"):
        _rows(as_data_source(People, "people")({"form": "rows"}))


WIDENED: list[tuple[pa.DataType, Any, pa.DataType]] = [
    (pa.int32(), 7, pa.int64()),
    (pa.uint32(), 2**32 - 1, pa.int64()),
    (pa.uint64(), 2**64 - 1, pa.decimal128(20, 0)),
    (pa.float32(), 0.5, pa.float64()),
    (pa.large_string(), "x", pa.string()),
    (pa.string_view(), "x", pa.string()),
    (pa.large_binary(), b"x", pa.binary()),
    (pa.binary(2), b"xy", pa.binary()),
    (pa.dictionary(pa.int8(), pa.string()), "x", pa.string()),
    (pa.timestamp("s"), dt.datetime(2024, 1, 1), pa.timestamp("us")),
    (pa.timestamp("ns", "UTC"), dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc), pa.timestamp("us", "UTC")),
    (pa.date64(), dt.date(2024, 1, 1), pa.date32()),
    (pa.duration("s"), dt.timedelta(days=1), pa.duration("us")),
    (pa.decimal128(5, 2), Decimal("1.50"), pa.decimal128(10, 2)),
    (pa.decimal256(5, 2), Decimal("1.50"), pa.decimal128(5, 2)),
    (pa.large_list(pa.int16()), [1, None], pa.list_(pa.field("element", pa.int32()))),
    (pa.list_(pa.int32(), 2), [1, 2], pa.list_(pa.field("element", pa.int32()))),
    (pa.struct([("a", pa.large_string())]), {"a": "x"}, pa.struct([("a", pa.string())])),
    (pa.map_(pa.string(), pa.int32()), [("k", 1)], pa.map_(pa.string(), pa.int64())),
    (pa.null(), None, pa.int32()),
]


@pytest.mark.parametrize(("source", "value", "target"), WIDENED, ids=[f"{case[0]} to {case[2]}" for case in WIDENED])
def test_widening(source: pa.DataType, value: Any, target: pa.DataType) -> None:
    batch = pa.record_batch({"c": pa.array([value, None], source)})
    result = _conform.batch(batch, pa.schema([("c", target)]), "here")
    assert result.schema.field("c").type == target
    assert result.column("c").to_pylist() == [value, None]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (pa.int64(), pa.int32()),
        (pa.int32(), pa.uint32()),
        (pa.int32(), pa.string()),
        (pa.string(), pa.int32()),
        (pa.float64(), pa.float32()),
        (pa.int32(), pa.float64()),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.decimal128(10, 2), pa.decimal128(5, 2)),
        (pa.decimal128(5, 1), pa.decimal128(10, 2)),
        (pa.struct([("a", pa.int32())]), pa.struct([("b", pa.int32())])),
        (pa.date32(), pa.timestamp("us")),
    ],
)
def test_what_is_no_widening(source: pa.DataType, target: pa.DataType) -> None:
    batch = pa.record_batch({"c": pa.array([None], source)})
    with pytest.raises(PluginError, match="here: column 'c' was promised as"):
        _conform.batch(batch, pa.schema([("c", target)]), "here")


def test_value_that_does_not_fit() -> None:
    batch = pa.record_batch({"c": pa.array([1], pa.timestamp("ns"))})
    with pytest.raises(PluginError, match="column 'c' does not fit"):
        _conform.batch(batch, pa.schema([("c", pa.timestamp("us"))]), "here")


def test_columns_by_name() -> None:
    batch = pa.record_batch({"b": ["x"], "more": [1], "a": [1]})
    result = _conform.batch(batch, pa.schema([("a", pa.int64()), ("b", pa.string())]), "here")
    assert result.to_pylist() == [{"a": 1, "b": "x"}]


def test_missing_column() -> None:
    with pytest.raises(PluginError, match="column 'a' was promised, but a batch has the columns b"):
        _conform.batch(pa.record_batch({"b": [1]}), pa.schema([("a", pa.int64())]), "here")


def test_null_where_none_may_be() -> None:
    promised = pa.schema([pa.field("a", pa.int64(), nullable=False)])
    with pytest.raises(PluginError, match="promised without nulls"):
        _conform.batch(pa.record_batch({"a": pa.array([None], pa.int64())}), promised, "here")


def test_type_that_spark_lacks() -> None:
    with pytest.raises(PluginError, match="column 'c' has the Arrow type month_day_nano_interval"):
        _conform.spark_schema(pa.schema([("c", pa.month_day_nano_interval())]))
