"""Parquet objects: types, widening, missing columns, row groups."""

from __future__ import annotations

import datetime
import decimal
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sheetbend.errors import SheetbendError
from sheetbend.sources.s3.fetcher import Fetcher
from sheetbend.sources.s3.listing import PinnedObject
from tests.sources.s3.reading import parquet, read
from tests.support.s3_server import S3Server


def test_all_rows_of_all_row_groups(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "t/a.parquet", parquet({"n": list(range(1000))}, row_group_size=100))
    s3.put(bucket, "t/b.snappy.parquet", parquet({"n": list(range(1000, 1500))}))
    table = read(s3.options(bucket, prefix="t"))
    assert sorted(table["n"].to_pylist()) == list(range(1500))


TYPES = [
    (pa.uint8(), pa.int16(), 255),
    (pa.uint16(), pa.int32(), 65535),
    (pa.uint32(), pa.int64(), 2**32 - 1),
    (pa.uint64(), pa.decimal128(20, 0), 2**64 - 1),
    (pa.float16(), pa.float32(), 1.5),
    (pa.large_string(), pa.string(), "text"),
    (pa.string_view(), pa.string(), "text"),
    (pa.large_binary(), pa.binary(), b"bytes"),
    (pa.binary(4), pa.binary(), b"four"),
    (pa.date64(), pa.date32(), datetime.date(2024, 2, 29)),
    (pa.timestamp("ms"), pa.timestamp("us"), datetime.datetime(2024, 2, 29, 1, 2, 3)),
    (pa.timestamp("ns", "UTC"), pa.timestamp("us", "UTC"), datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc)),
    (pa.dictionary(pa.int32(), pa.string()), pa.string(), "word"),
    (pa.large_list(pa.uint8()), pa.list_(pa.int16()), [1, None, 3]),
    (pa.map_(pa.string(), pa.uint32()), pa.map_(pa.string(), pa.int64()), [("a", 1)]),
    (pa.struct([("x", pa.uint16()), ("y", pa.large_string())]), pa.struct([("x", pa.int32()), ("y", pa.string())]),
     {"x": 1, "y": "b"}),
    (pa.decimal128(38, 10), pa.decimal128(38, 10), decimal.Decimal("1.5000000000")),
    (pa.time32("ms"), pa.time64("us"), datetime.time(1, 2, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("stored", "promised", "value"), TYPES, ids=[str(stored) for stored, _, _ in TYPES])
def test_types_become_those_that_spark_has(
    s3: S3Server, bucket: str, stored: pa.DataType, promised: pa.DataType, value: object
) -> None:
    s3.put(bucket, "t.parquet", parquet(pa.table({"v": pa.array([value, None], stored)})))
    table = read(s3.options(bucket))
    assert table.schema.field("v").type == promised
    assert table["v"].to_pylist() == [value, None]


def test_int96_timestamps(s3: S3Server, bucket: str) -> None:
    value = datetime.datetime(1600, 1, 1, 12)  # out of the range that nanoseconds have
    table = pa.table({"v": pa.array([value], pa.timestamp("us"))})
    s3.put(bucket, "t.parquet", parquet(table, use_deprecated_int96_timestamps=True))
    assert read(s3.options(bucket))["v"].to_pylist() == [value]


def test_a_column_of_a_type_that_spark_lacks_is_named(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "t.parquet", parquet(pa.table({"big": pa.array([1], pa.decimal256(60, 0))})))
    with pytest.raises(SheetbendError, match=r"Column 'big' of s3://.*/t.parquet .* no type for decimal256"):
        read(s3.options(bucket))


def test_narrower_types_are_widened_and_missing_columns_are_null(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.parquet", parquet(pa.table({"N": pa.array([1], pa.int64()), "f": pa.array([1.5])})))
    s3.put(bucket, "b.parquet", parquet(pa.table({"more": ["x"], "n": pa.array([2], pa.int16())})))
    assert read(s3.options(bucket)).to_pylist() == [{"N": 1, "f": 1.5}, {"N": 2, "f": None}]


def test_nested_fields_are_found_by_name(s3: S3Server, bucket: str) -> None:
    wide = pa.struct([("x", pa.int64()), ("y", pa.string())])
    s3.put(bucket, "a.parquet", parquet(pa.table({"s": pa.array([{"x": 1, "y": "a"}], wide)})))
    swapped = pa.struct([("y", pa.string()), ("x", pa.int32())])
    s3.put(bucket, "b.parquet", parquet(pa.table({"s": pa.array([{"y": "b", "x": 2}], swapped)})))
    assert read(s3.options(bucket))["s"].to_pylist() == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]


def test_a_type_that_does_not_fit_names_object_and_column(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.parquet", parquet(pa.table({"n": pa.array([1], pa.int32())})))
    s3.put(bucket, "b.parquet", parquet(pa.table({"n": pa.array([2**40], pa.int64())})))
    with pytest.raises(SheetbendError, match=rf"'n' is int64 in s3://{bucket}/b.parquet.* int32.*mergeSchema"):
        read(s3.options(bucket))


def test_merged_schemas_have_all_columns_and_the_wider_types(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.parquet", parquet(pa.table({"n": pa.array([1], pa.int32())})))
    s3.put(bucket, "b.parquet", parquet(pa.table({"n": pa.array([2**40], pa.int64()), "t": ["x"]})))
    table = read(s3.options(bucket, mergeSchema="true"))
    assert table.to_pylist() == [{"n": 1, "t": None}, {"n": 2**40, "t": "x"}]


def test_schemas_that_do_not_merge(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.parquet", parquet({"n": [1]}))
    s3.put(bucket, "b.parquet", parquet({"n": ["one"]}))
    with pytest.raises(SheetbendError, match=rf"'n' is string in s3://{bucket}/b.parquet and int64"):
        read(s3.options(bucket, mergeSchema="true"))


def test_a_schema_of_the_user_chooses_columns(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.parquet", parquet(pa.table({"a": [1], "b": ["x"], "c": pa.array([2], pa.int16())})))
    schema = pa.schema([("c", pa.int64()), ("a", pa.int64()), ("absent", pa.string())])
    assert read(s3.options(bucket), schema).to_pylist() == [{"c": 2, "a": 1, "absent": None}]


def test_a_schema_none_of_whose_columns_are_there_still_has_the_rows(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.parquet", parquet({"a": [1, 2, 3]}))
    assert read(s3.options(bucket), pa.schema([("z", pa.string())]))["z"].to_pylist() == [None] * 3


def test_a_corrupt_object_is_named(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "good.parquet", parquet({"a": [1]}))
    s3.put(bucket, "junk.parquet", b"this is no parquet at all")
    with pytest.raises(SheetbendError, match=rf"s3://{bucket}/junk.parquet cannot be read as Parquet"):
        read(s3.options(bucket))


def test_a_corrupt_page_is_named(s3: S3Server, bucket: str) -> None:
    data = bytearray(parquet({"a": ["some text"] * 100}, compression="snappy", use_dictionary=False))
    data[8:60] = b"\xff" * 52
    s3.put(bucket, "torn.parquet", bytes(data))
    with pytest.raises(SheetbendError, match=rf"s3://{bucket}/torn.parquet cannot be read as Parquet"):
        read(s3.options(bucket))


def test_only_the_columns_that_are_asked_for_are_fetched(
    s3: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = io.BytesIO()
    noise = pa.array([bytes(range(256)) * 40] * 1000)
    pq.write_table(pa.table({"n": list(range(1000)), "noise": noise}), sink, compression="none", use_dictionary=False)
    s3.put(bucket, "t.parquet", sink.getvalue())
    fetched: list[int] = []
    fetch = Fetcher.fetch

    def counted(self: Fetcher, item: PinnedObject, start: int, end: int) -> bytes:
        fetched.append(end - start)
        return fetch(self, item, start, end)

    monkeypatch.setattr(Fetcher, "fetch", counted)
    assert read(s3.options(bucket), pa.schema([("n", pa.int64())])).num_rows == 1000
    assert sum(fetched) < 200_000 < len(sink.getvalue())
