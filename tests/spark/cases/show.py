"""The text of show(): widths, alignment, truncation, how each type is written."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .model import Case, Run, frames

QUERIES = {
    "people": "select * from people order by id",
    "numbers": "select * from numbers order by i",
    "texts": "select * from texts order by n, w",
    "no rows": "select 1 a, 'x' b where false",
    "narrow": "select 1 a, 22 b, 'x' c",
    "long text": "select 'a text that is longer than twenty characters' t, 'exactly twenty chars' u, 'exactly twenty-one ch' v",
    "long name": "select 1 as a_name_that_is_longer_than_twenty_characters",
    "wide": "select '日本語' a, 'é' b, '👍' c, '한국' d, 'ｆｕｌｌ' e, 'a日b' f",
    "control": "select 'a\\nb' n, 'a\\tb' t, 'a\\rb' r, 'a\\\\b' s, '' e",
    "nested": "select array(1, null) a, map('k', 1.50) m, named_struct('x', 1, 'y', null) s, array(named_struct('q', 'z')) z, array() e",
    "nested text": "select array('a', '', 'b c') a, map('k', array(true)) m, struct(date'2024-01-01', 'x') s",
    "times": "select date'2024-01-01' d, timestamp'2024-01-01 10:00:00' t, timestamp'2024-01-01 10:00:00.120' u, "
    "timestamp_ntz'2024-01-01 00:00:00' n, date'0001-01-01' o",
    "intervals": "select interval 1 day d, interval '1 02:03:04.5' day to second e, interval 14 months m, interval 2 years y",
    "doubles": "select 1.0D a, 1e7D b, 1e-3D c, 1.5e-4D d, 123456789.125D e, double('NaN') f, double('inf') g, -0.0D h, 1e100D i",
    "floats": "select 1.0F a, 0.1F b, 1e10F c, 16777216F d, 3.4e38F e, 1.5E-38F f",
    "decimals": "select 1.50 a, cast(0 as decimal(5,3)) b, cast(-12 as decimal(20,0)) c, cast(1e-7 as decimal(20,10)) d",
    "binary": "select X'' a, X'00FF10' b, cast('Hello' as binary) c",
    "booleans": "select true a, false b, cast(null as boolean) c, null d",
    "duplicate names": "select 1 a, 2 a",
    "struct in struct": "select named_struct('a', named_struct('b', 1)) s",
    "twenty-five rows": "select id from range(25) order by id",
}
CALLS: dict[str, tuple[int, bool | int, bool]] = {
    "": (20, True, False),
    " in full": (20, False, False),
    " by 3": (20, 3, False),
    " by 10": (20, 10, False),
    " vertical": (20, True, True),
}


def _show(query: str, rows: int, truncate: bool | int, vertical: bool) -> Run:
    def run(spark: Any, F: ModuleType) -> Any:
        return spark.sql(query)._show_string(rows, truncate, vertical)

    return run


def _with(*names: str, suffix: str) -> dict[str, Run]:
    return {f"{name}{suffix}": _show(QUERIES[name], *CALLS[suffix]) for name in names}


CASES: list[Case] = [
    *frames(_with(*QUERIES, suffix="")),
    *frames(_with("people", "long text", "wide", "control", "nested", "times", "intervals", suffix=" in full")),
    *frames(_with("people", "long text", "wide", "nested", suffix=" by 3")),
    *frames(_with("people", "long text", "nested", suffix=" by 10")),
    *frames(_with("people", "no rows", "wide", "long name", "nested", "twenty-five rows", suffix=" vertical")),
    *frames(
        {
            "two of five rows": _show("select id from people order by id", 2, True, False),
            "one of two rows": _show("select id from range(2) order by id", 1, True, False),
            "no row of five": _show("select id from people order by id", 0, True, False),
            "vertical two of five": _show("select id, name from people order by id", 2, True, True),
            "vertical in full": _show(QUERIES["long text"], 20, False, True),
            "frame of no columns": lambda spark, F: spark.range(2).drop("id")._show_string(20, True, False),
            "created": lambda spark, F: spark.createDataFrame(
                [(1, "a", None)], "x int, y string, z double"
            )._show_string(20, True, False),
        }
    ),
]
