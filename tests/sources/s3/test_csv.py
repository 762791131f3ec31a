"""CSV objects: Spark's defaults, headers, quoting, types, compression."""

from __future__ import annotations

import bz2
import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
import zstandard

from sheetbend.errors import OptionError, SheetbendError
from tests.sources.s3.reading import gz, read
from tests.support.s3_server import S3Server


def test_without_options_all_is_text_under_numbered_names(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"1,x\n2,\n")
    assert read(s3.options(bucket)).to_pylist() == [{"_c0": "1", "_c1": "x"}, {"_c0": "2", "_c1": None}]


def test_header_and_guessed_types(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"n,f,b,d,t,s\n1,1.5,true,2024-02-29,2024-02-29 01:02:03,x\n,,,,,\n")
    table = read(s3.options(bucket, header="true", inferSchema="true"))
    assert table.schema.types == [
        pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.timestamp("us"), pa.string(),
    ]  # fmt: skip
    assert table.num_rows == 2
    assert set(table.to_pylist()[1].values()) == {None}


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".csv", bytes), (".csv.gz", gz), (".csv.zst", zstandard.compress), (".CSV.bz2", bz2.compress)],
)
def test_compression_by_suffix(s3: S3Server, bucket: str, suffix: str, compress: object) -> None:
    assert callable(compress)
    s3.put(bucket, f"a{suffix}", compress(b"n\n" + b"".join(b"%d\n" % n for n in range(200_000))))
    table = read(s3.options(bucket, header="true", inferSchema="true"))
    assert table["n"].to_pylist() == list(range(200_000))


def test_quotes_newlines_and_empty_texts(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b'"a ""b""\nc";"";;NA\n')
    assert read(s3.options(bucket, sep=";", nullValue="NA")).to_pylist() == [
        {"_c0": 'a "b"\nc', "_c1": "", "_c2": None, "_c3": None}
    ]


def test_tabs_escapes_and_single_quotes(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.tsv", b"'x\ty'\tit\\'s\n")
    table = read(s3.options(bucket, delimiter="\\t", quote="'", escape="\\"))
    assert table.to_pylist() == [{"_c0": "x\ty", "_c1": "it's"}]


def test_encoding(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", "stra\u00dfe\nm\u00fcll\n".encode("latin-1"))
    assert read(s3.options(bucket, header="true", encoding="ISO-8859-1")).to_pylist() == [{"straße": "müll"}]


def test_byte_order_mark_is_no_part_of_a_name(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"\xef\xbb\xbfid,n\n1,2\n")
    assert read(s3.options(bucket, header="true")).column_names == ["id", "n"]


def test_names_that_are_empty_or_twice(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"a,,A\n1,2,3\n")
    assert read(s3.options(bucket, header="true")).to_pylist() == [{"a0": "1", "_c1": "2", "A2": "3"}]


def test_each_object_has_its_header_and_its_order(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"a,b\n1,x\n")
    s3.put(bucket, "b.csv", b"b,more,A\ny,z,2\n")
    assert read(s3.options(bucket, header="true")).to_pylist() == [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]


def test_an_object_that_lacks_a_column_is_named(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"a,b\n1,x\n")
    s3.put(bucket, "b.csv", b"a,c\n1,x\n")
    with pytest.raises(SheetbendError, match=rf"s3://{bucket}/b.csv has the 2 columns a, c.* lacks 'b'"):
        read(s3.options(bucket, header="true"))


def test_another_width_without_header_is_named(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"1,2\n")
    s3.put(bucket, "b.csv", b"1,2,3\n")
    with pytest.raises(SheetbendError, match=rf"s3://{bucket}/b.csv has 3 columns where 2 were promised"):
        read(s3.options(bucket))


def test_a_schema_of_the_user_renames_by_position(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"a,b\n1,2024-02-29\n")
    schema = pa.schema([("id", pa.int32()), ("day", pa.date32())])
    expected = [{"id": 1, "day": datetime.date(2024, 2, 29)}]
    assert read(s3.options(bucket, header="true"), schema).to_pylist() == expected


def test_a_schema_of_the_user_chooses_by_name(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"a,b,c\n1,x,2.50\n")
    schema = pa.schema([("c", pa.decimal128(5, 2)), ("a", pa.int64())])
    (row,) = read(s3.options(bucket, header="true"), schema).to_pylist()
    assert (str(row["c"]), row["a"]) == ("2.50", 1)


def test_times_without_zone_are_of_the_zone_that_is_promised(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b'2024-07-01 10:00:00\n2024-07-01T10:00:00Z\n2024-07-01 10:00:00+05:30\n2024-07-01\n""\n')
    schema = pa.schema([("t", pa.timestamp("us", "Europe/Berlin"))])
    with pytest.raises(SheetbendError, match="Column 't' of s3://"):
        read(s3.options(bucket), schema)
    s3.put(bucket, "a.csv", b"2024-07-01 10:00:00\n2024-07-01T10:00:00Z\n2024-07-01 10:00:00+05:30\n2024-07-01\n")
    values = read(s3.options(bucket), schema)["t"].to_pylist()
    berlin, utc = ZoneInfo("Europe/Berlin"), datetime.timezone.utc
    assert values == [
        datetime.datetime(2024, 7, 1, 10, tzinfo=berlin),
        datetime.datetime(2024, 7, 1, 10, tzinfo=utc),
        datetime.datetime(2024, 7, 1, 4, 30, tzinfo=utc),
        datetime.datetime(2024, 7, 1, tzinfo=berlin),
    ]


def test_a_value_that_does_not_fit_names_the_object(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"1\n")
    s3.put(bucket, "b.csv", b"1\nseven\n")
    with pytest.raises(SheetbendError, match=rf"s3://{bucket}/b.csv cannot be read as CSV: .*'seven'"):
        read(s3.options(bucket, inferSchema="true"))


def test_a_ragged_row_names_the_object(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"1,2\n3\n")
    with pytest.raises(SheetbendError, match=rf"s3://{bucket}/a.csv cannot be read as CSV: .*Expected 2 columns"):
        read(s3.options(bucket))


def test_objects_with_a_header_alone_or_with_blank_lines_have_no_rows(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv", b"a,b\n")
    s3.put(bucket, "b.csv", b"\n\n")
    assert read(s3.options(bucket, header="true")).num_rows == 0


def test_a_broken_archive_is_named(s3: S3Server, bucket: str) -> None:
    s3.put(bucket, "a.csv.gz", b"not gzip")
    with pytest.raises(SheetbendError, match=rf"s3://{bucket}/a.csv.gz cannot be read as CSV"):
        read(s3.options(bucket))


@pytest.mark.parametrize(
    ("name", "value"), [("sep", ";;"), ("quote", "\u00ab"), ("encoding", "klingon"), ("header", "perhaps")]
)
def test_options_that_are_wrong(s3: S3Server, bucket: str, name: str, value: str) -> None:
    s3.put(bucket, "a.csv", b"1\n")
    with pytest.raises(OptionError, match=name):
        read(s3.options(bucket, **{name: value}))
