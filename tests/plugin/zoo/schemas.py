"""Plug-ins whose schema is strange, or none."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tests.plugin.zoo.base import NUMBERS, Case, Gives, Tame, fails


class Infers(Tame):
    """Promises ``schema``, and gives one batch of it: the number 7 in every column."""

    def read_partition(self, *_: Any) -> Any:
        yield pa.record_batch([pa.array([7], field.type) for field in self.schema], schema=self.schema)


class NoSchema(Tame):
    schema = None


class SchemaOfText(Tame):
    schema = "n bigint, text string"


class AClass(Tame):
    schema = pa.Schema


class AField(Tame):
    schema = NUMBERS.field(0)


class NoColumns(Tame):
    """A table of rows without columns."""

    schema = pa.schema([])

    def read_partition(self, *_: Any) -> Any:
        yield pa.RecordBatch.from_struct_array(pa.array([{}, {}], pa.struct([])))


class SameColumnTwice(Tame):
    schema = pa.schema([("n", pa.int64()), ("text", pa.string()), ("n", pa.string())])


class TenThousandColumns(Infers):
    schema = pa.schema([(f"column_{at}", pa.int64()) for at in range(10_000)])


NAMES = ["a.b", 'qu"ote', "`tick`", "it's", "two\nlines", "tab\t", " ", "", "*", "💥", "ünï", "N", "n", "x" * 10_000]


class StrangeNames(Infers):
    schema = pa.schema([(name, pa.int64()) for name in NAMES])


class NulInAName(Infers):
    """The Arrow C interface ends a name at a NUL: two columns would become one."""

    schema = pa.schema([("a\0b", pa.int64()), ("a\0c", pa.int64())])


class NameOfNoUtf8(Tame):
    schema = pa.schema([pa.field(b"\xff", pa.int64())])


class MetadataOfNoUtf8(Tame):
    schema = pa.schema([pa.field("n", pa.int64(), metadata={b"\xff": b"\xfe"})])


class DeepType(Tame):
    """Lists of lists of lists."""

    @property
    def schema(self) -> Any:
        type_ = pa.int64()
        for _ in range(2_000):
            type_ = pa.list_(type_)
        return pa.schema([("n", type_)])


class OddExporter:
    """Exports whatever ``exported`` is."""

    def __init__(self, exported: Any) -> None:
        self.exported = exported

    def __arrow_c_schema__(self) -> Any:
        if isinstance(self.exported, Exception):
            raise self.exported
        return self.exported


class ExportsNothing(Tame):
    schema = OddExporter(None)


class ExportRaises(Tame):
    schema = OddExporter(ValueError("no schema today"))


class ExportsSomethingElse(Tame):
    schema = OddExporter(pa.int64().__arrow_c_schema__())


class ExportsItsStream(Tame):
    """The capsule has another name."""

    schema = OddExporter(pa.table({"n": [1]}).__arrow_c_stream__())


class ExportsReleased(Tame):
    """The capsule's schema has been taken out by somebody else."""

    @property
    def schema(self) -> Any:
        capsule = NUMBERS.__arrow_c_schema__()
        pa.Schema._import_from_c_capsule(capsule)
        return OddExporter(capsule)


EXPECTED = "expected a pyarrow.Schema"

CASES = (
    Case("None", NoSchema, fails("infer_schema", "returned None", EXPECTED)),
    Case("text", SchemaOfText, fails("infer_schema", "returned str", EXPECTED)),
    Case("a class", AClass, fails("infer_schema", "returned the class pyarrow.lib.Schema", EXPECTED)),
    Case("a field", AField, fails("infer_schema", "returned pyarrow.lib.Field", EXPECTED)),
    Case("no columns", NoColumns, Gives([2], column="rows")),
    Case("the same column twice", SameColumnTwice, fails("infer_schema", "has the column 'n' twice")),
    Case("10,000 columns", TenThousandColumns, Gives([7], column="column_9999")),
    Case("strange names", StrangeNames, Gives([7], column="two\nlines")),
    Case("a NUL in a name", NulInAName, fails("infer_schema", "'a\\x00b'", "NUL")),
    Case("a name of no UTF-8", NameOfNoUtf8, fails("infer_schema", "name is no UTF-8: b'\\xff'")),
    Case("metadata of no UTF-8", MetadataOfNoUtf8, fails("infer_schema", "utf-8")),
    Case(
        "a type 2,000 deep",
        DeepType,
        fails("infer_schema", "nested", "deep"),
        in_worker=fails("infer_schema", "returned no schema of a table", "exceeded"),
        deadly=True,
    ),
    Case("exports None", ExportsNothing, fails("infer_schema", "returned no schema of a table")),
    Case("export raises", ExportRaises, fails("infer_schema", "no schema today")),
    Case("exports a type", ExportsSomethingElse, fails("infer_schema", "returned no schema of a table")),
    Case("exports a stream", ExportsItsStream, fails("infer_schema", "returned no schema of a table", "arrow_schema")),
    Case("exports what was released", ExportsReleased, fails("infer_schema", "released"), deadly=True),
)
