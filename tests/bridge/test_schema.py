"""Batches against the promised schema, and the promised schema against what the engine has."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pytest

from sheetbend import _native
from tests.bridge.plugins import NUMBERS, Given, failure, given, numbers, read, reader

D = decimal.Decimal
NS = dt.datetime(2024, 1, 2, 3, 4, 5, 678901)


def came(promised: pa.DataType, column: pa.Array, *, nullable: bool = True) -> pa.ChunkedArray:
    schema = pa.schema([pa.field("c", promised, nullable=nullable)])
    batch = pa.record_batch([column], names=["c"])
    return read(given([batch], schema=schema)).column("c")


NORMALISED = [
    (pa.large_string(), pa.string(), ["a", None]),
    (pa.string_view(), pa.string(), ["a", "longer than twelve bytes", None]),
    (pa.large_binary(), pa.binary(), [b"a", None]),
    (pa.binary_view(), pa.binary(), [b"a", None]),
    (pa.large_list(pa.int32()), pa.list_(pa.int32()), [[1], None]),
    (pa.large_list(pa.large_string()), pa.list_(pa.string()), [["a"], None]),
    (pa.uint8(), pa.int16(), [0, 255]),
    (pa.uint16(), pa.int32(), [0, 65535]),
    (pa.uint32(), pa.int64(), [0, 2**32 - 1]),
    (pa.uint64(), pa.decimal128(20, 0), [D(0), D(2**64 - 1)]),
    (pa.timestamp("s"), pa.timestamp("us"), [dt.datetime(2024, 1, 2, 3, 4, 5), None]),
    (pa.timestamp("ms", "UTC"), pa.timestamp("us", "UTC"), [dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)]),
    (pa.timestamp("ns"), pa.timestamp("us"), [NS, None]),
    (pa.date64(), pa.date32(), [dt.date(2024, 1, 2), dt.date(1900, 1, 1), None]),
    (pa.dictionary(pa.int8(), pa.string()), pa.string(), ["a", "b", None, "a"]),
    (pa.dictionary(pa.int32(), pa.int64()), pa.int64(), [5, None]),
    (pa.float16(), pa.float32(), [1.5, None]),
    (pa.struct([("x", pa.uint8())]), pa.struct([("x", pa.int16())]), [{"x": 255}, None]),
    (pa.map_(pa.large_string(), pa.uint8()), pa.map_(pa.string(), pa.int16()), [[("a", 1)]]),
    (pa.null(), pa.null(), [None, None]),
    (pa.binary(2), pa.binary(), [b"ab", None]),
    (pa.list_(pa.int32(), 2), pa.list_(pa.int32()), [[1, None], None]),
    (pa.list_view(pa.large_string()), pa.list_(pa.string()), [["a", None], None, []]),
    (pa.large_list_view(pa.int32()), pa.list_(pa.int32()), [[1, 2], None]),
    (pa.decimal32(7, 2), pa.decimal128(7, 2), [D("-1.25"), None]),
    (pa.decimal64(18, 3), pa.decimal128(18, 3), [D("123456789.125"), None]),
    (pa.decimal128(5, -2), pa.decimal128(7, 0), [D("12300"), None]),
    (pa.decimal256(38, 9), pa.decimal128(38, 9), [D("1.000000001"), None]),
    (pa.decimal256(76, 9), pa.decimal128(38, 9), [D("-1.000000001"), None]),
    (pa.duration("s"), pa.duration("us"), [dt.timedelta(days=400, seconds=1), None]),
    (pa.duration("ns"), pa.duration("us"), [dt.timedelta(microseconds=1), None]),
    (pa.month_day_nano_interval(), pa.month_day_nano_interval(), [pa.MonthDayNano([1, 2, 3]), None]),
    (pa.dictionary(pa.uint16(), pa.binary()), pa.binary(), [b"a", None]),
    (pa.dictionary(pa.int8(), pa.large_string()), pa.string(), ["a", None]),
    (pa.list_(pa.dictionary(pa.int8(), pa.string())), pa.list_(pa.string()), [["a", "b"], None]),
    (pa.struct([("x", pa.list_(pa.duration("ms"), 1))]), pa.struct([("x", pa.list_(pa.duration("us")))]), [{"x": [dt.timedelta(seconds=1)]}, None]),
]  # fmt: skip


RUNS = [
    (["a", "a", None, "b"], pa.string()),
    ([1, 1, 2], pa.uint32()),
    ([D("1.5"), D("1.5")], pa.decimal128(5, 1)),
]


@pytest.mark.parametrize(("values", "of"), RUNS, ids=str)
@pytest.mark.parametrize("rows", [slice(None), slice(1, None)], ids=["whole", "slice"])
def test_run_end_encoded_values_come_as_they_are(values: list[Any], of: pa.DataType, rows: slice) -> None:
    column = pa.compute.run_end_encode(pa.array(values, of))[rows]
    assert came(column.type, column).to_pylist() == values[rows]


def test_times_of_day_have_nanoseconds() -> None:
    noon = dt.time(12, 30, 1)
    for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")):
        column = came(kind, pa.array([noon, None], kind))
        assert column.type == pa.time64("ns")
        assert [value and value.value for value in column] == [45_001 * 10**9, None]


UNKNOWN = [
    (pa.dense_union([pa.field("i", pa.int8()), pa.field("s", pa.string())]), "c", "Union"),
    (pa.list_(pa.sparse_union([pa.field("i", pa.int8())])), "c", "Union"),
    (pa.struct([("x", pa.list_(pa.dense_union([pa.field("i", pa.int8())])))]), "c.x", "Union"),
    (pa.decimal256(76, 40), "c", "Decimal256(76, 40)"),
    (pa.decimal128(38, -3), "c", "Decimal128(38, -3)"),
]


@pytest.mark.parametrize(("promised", "column", "said"), UNKNOWN, ids=str)
def test_a_type_that_no_table_can_have_is_named(promised: pa.DataType, column: str, said: str) -> None:
    message = failure(given([], schema=pa.schema([("a", pa.int64()), ("c", promised)])), name="odd")
    expected = (
        f"Data source odd (tests.bridge.plugins.Given): infer_schema returned a schema whose column '{column}' is "
    )
    assert expected in message
    assert said in message.partition(expected)[2]
    assert "a type that no table can have; cast it in the plug-in" in message


def test_a_decimal_with_too_many_digits_is_refused() -> None:
    kind = pa.decimal256(76, 2)
    message = failure(given([pa.record_batch({"c": pa.array([D(10) ** 40], kind)})], schema=pa.schema([("c", kind)])))
    assert "column 'c' is Decimal256(76, 2), the schema promises Decimal128(38, 2), and a value does not fit" in message


def test_extension_types_stay_what_they_are_where_the_engine_has_their_values() -> None:
    json = pa.array(['{"a": 1}', None], pa.json_(pa.string()))
    schema = pa.schema([("c", json.type)])
    assert read(given([pa.record_batch([json], schema=schema)], schema=schema)).schema == schema
    uuid = pa.array([bytes(range(16)), None], pa.uuid())
    assert came(uuid.type, uuid).to_pylist() == [bytes(range(16)), None]


@pytest.mark.parametrize(("promised", "table", "values"), NORMALISED, ids=lambda value: str(value)[:30])
def test_types_that_the_engine_lacks(promised: pa.DataType, table: pa.DataType, values: list[Any]) -> None:
    given_values = [int(v) if promised == pa.uint64() else v for v in values]
    column = came(promised, pa.array(given_values, promised))
    assert column.type == table
    assert column.to_pylist() == values


WIDENED = [
    (pa.int64(), pa.array([1, None], pa.int32())),
    (pa.int32(), pa.array([1, None], pa.int8())),
    (pa.int64(), pa.array([1, None], pa.uint32())),
    (pa.float64(), pa.array([1.5, None], pa.float32())),
    (pa.string(), pa.array(["a", None], pa.large_string())),
    (pa.string(), pa.array(["a", None], pa.string_view())),
    (pa.string(), pa.array(["a", None]).dictionary_encode()),
    (pa.decimal128(20, 2), pa.array([D("1.25"), None], pa.decimal128(9, 2))),
    (pa.decimal128(20, 3), pa.array([D("1.25"), None], pa.decimal128(9, 2))),
    (pa.timestamp("us"), pa.array([NS, None], pa.timestamp("ns"))),
    (pa.timestamp("us", "UTC"), pa.array([dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)], pa.timestamp("s", "UTC"))),
    (pa.timestamp("us"), pa.array([NS], pa.timestamp("us"))),
    (pa.string(), pa.nulls(2)),
    (pa.list_(pa.int64()), pa.nulls(2)),
    (pa.list_(pa.int64()), pa.array([[1, None], None], pa.list_(pa.int32()))),
    (pa.list_(pa.field("element", pa.int64())), pa.array([[1], None], pa.list_(pa.field("item", pa.int64())))),
    (pa.struct([("x", pa.int64())]), pa.array([{"x": 1}, None], pa.struct([("x", pa.int32())]))),
]


@pytest.mark.parametrize(("promised", "column"), WIDENED, ids=str)
def test_safe_widening(promised: pa.DataType, column: pa.Array) -> None:
    got = came(promised, column)
    assert got.type == promised
    assert got.to_pylist() == column.to_pylist()


def test_a_time_zone_that_is_written_otherwise() -> None:
    instant = dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc)
    got = came(pa.timestamp("us", "UTC"), pa.array([instant], pa.timestamp("us", "+00:00")))
    assert got.to_pylist() == [instant]


REFUSED = [
    (pa.int32(), pa.array([1], pa.int64()), "Int32", "Int64"),
    (pa.int64(), pa.array([1], pa.uint64()), "Int64", "UInt64"),
    (pa.int64(), pa.array(["1"]), "Int64", "Utf8"),
    (pa.string(), pa.array([1]), "Utf8", "Int64"),
    (pa.float32(), pa.array([1.5]), "Float32", "Float64"),
    (pa.int64(), pa.array([1.0]), "Int64", "Float64"),
    (pa.decimal128(9, 2), pa.array([D("1.25")], pa.decimal128(20, 2)), "Decimal128(9, 2)", "Decimal128(20, 2)"),
    (pa.decimal128(9, 3), pa.array([D("1.25")], pa.decimal128(9, 2)), "Decimal128(9, 3)", "Decimal128(9, 2)"),
    (pa.decimal128(20, 2), pa.array([D("1.250")], pa.decimal128(9, 3)), "Decimal128(20, 2)", "Decimal128(9, 3)"),
    (pa.timestamp("us", "UTC"), pa.array([NS], pa.timestamp("us")), 'Timestamp(µs, "UTC")', "Timestamp(µs)"),
    (pa.timestamp("us"), pa.array([0], pa.timestamp("us", "UTC")), "Timestamp(µs)", 'Timestamp(µs, "UTC")'),
    (pa.struct([("x", pa.int64())]), pa.array([{"y": 1}]), "x", "y"),
]


@pytest.mark.parametrize(("promised", "column", "wanted", "found"), REFUSED, ids=str)
def test_other_types_are_refused(promised: pa.DataType, column: pa.Array, wanted: str, found: str) -> None:
    schema = pa.schema([("c", promised)])
    message = failure(given([pa.record_batch([column], names=["c"])], schema=schema, specs=[{}]))
    assert "read_partition of partition 0 gave a batch that is not as promised" in message
    assert "column 'c' is " in message
    said_found, said_wanted = message.partition("column 'c' is ")[2].split(", the schema promises ")
    assert wanted in said_wanted
    assert found in said_found


def test_a_timestamp_that_is_too_fine_is_refused() -> None:
    column = pa.array([1_000, 1_001], pa.timestamp("ns"))
    schema = pa.schema([("c", pa.timestamp("ns"))])
    message = failure(given([pa.record_batch([column], names=["c"])], schema=schema))
    assert "a value does not fit" in message
    assert "round it in the plug-in" in message


def test_columns_are_found_by_name() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    batch = pa.record_batch({"b": ["x"], "a": [1]})
    assert read(given([batch], schema=schema)).to_pydict() == {"a": [1], "b": ["x"]}


def test_a_missing_column_is_named() -> None:
    schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
    message = failure(given([pa.record_batch({"a": [1], "B": ["x"]})], schema=schema))
    assert "columns that the schema does not promise: B. The schema promises: a, b" in message
    message = failure(given([pa.record_batch({"a": [1]})], schema=schema))
    assert "it has no column 'b', which the schema promises as Utf8. It has: a" in message


def test_a_column_that_comes_twice_is_named() -> None:
    batch = pa.record_batch([pa.array([1]), pa.array([2])], names=["n", "n"])
    assert "it has the column 'n' twice" in failure(given([batch]))


def test_a_wrong_batch_later_in_a_stream_is_found() -> None:
    def rows(*_: Any) -> Any:
        yield numbers(1)
        yield numbers(2)
        yield pa.record_batch({"n": ["three"]})

    came: list[int] = []

    def take() -> None:
        for batch in reader(Given(rows)):
            came.extend(batch.column(0).to_pylist())

    with pytest.raises(pa.ArrowException, match="column 'n' is Utf8, the schema promises Int64"):
        take()
    assert came == [1, 2]


def test_nulls_where_there_must_be_none() -> None:
    schema = pa.schema([pa.field("n", pa.int64(), nullable=False)])
    assert read(given([numbers(1)], schema=schema)).schema == schema
    message = failure(given([numbers(1, None, None)], schema=schema))
    assert "column 'n' has 2 NULL, and the schema promises none" in message
    # Also where the batch itself promises none.
    broken = pa.RecordBatch.from_arrays([pa.array([None], pa.int64())], schema=schema)
    assert "column 'n' has 1 NULL" in failure(given([broken], schema=schema))


def test_metadata_of_the_schema_is_kept() -> None:
    schema = pa.schema([pa.field("n", pa.int64(), metadata={"unit": "mm"})], metadata={"made": "here"})
    table = read(given([numbers(1)], schema=schema))
    assert table.schema.equals(schema, check_metadata=True)


def test_a_schema_that_the_user_gives_is_used_unasked() -> None:
    def infer(options: Any) -> pa.Schema:
        raise AssertionError("asked")

    seen: list[Any] = []

    def specs(options: Any) -> list[dict[str, Any]]:
        seen.append(options.schema)
        return [{}]

    promised = pa.schema([("n", pa.float64())])
    plugin = Given(lambda *_: [pa.record_batch({"n": [1.5]})], schema=infer, specs=specs)
    assert read(plugin, schema=promised).schema == promised
    assert seen == [promised]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "returned None"),
        ("n int", "returned str"),
        ({"n": "int"}, "returned dict"),
        (NUMBERS.field(0), "returned pyarrow.lib.Field"),
        (pa.int64(), "returned pyarrow.lib.DataType"),
        ([NUMBERS], "returned a list of Schema"),
        (pa.Schema, "returned the class pyarrow.lib.Schema"),
    ],
)
def test_what_is_no_schema(returned: object, said: str) -> None:
    message = failure(Given(lambda *_: [], schema=lambda options: returned))
    assert f"infer_schema {said}, expected a pyarrow.Schema" in message


def test_anything_that_exports_a_schema() -> None:
    class Exporter:
        def __arrow_c_schema__(self) -> Any:
            return NUMBERS.__arrow_c_schema__()

    assert read(given([numbers(1)], schema=Exporter())).to_pydict() == {"n": [1]}


def test_two_columns_of_one_name_cannot_be_promised() -> None:
    schema = pa.schema([("n", pa.int64()), ("n", pa.int64())])
    assert "infer_schema returned a schema that has the column 'n' twice" in failure(given([], schema=schema))


def test_the_scan_says_its_schema() -> None:
    scan = _native.scan(given([numbers(1)]), {}, columns=["n"])
    assert pa.schema(scan) == NUMBERS
