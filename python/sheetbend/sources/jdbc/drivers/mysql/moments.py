"""Dates and times of a column, taken out of many rows at once, also those that no calendar has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sheetbend.sources.jdbc.drivers.mysql.values import (
    Block,
    Nulls,
    Positions,
    Reader,
    UnreadableError,
    after,
    array,
)

__all__ = ["ZERO_DATES", "ZeroDates", "date", "interval", "time_of_day", "timestamp"]

ZeroDates: TypeAlias = Literal["EXCEPTION", "CONVERT_TO_NULL", "ROUND"]
"""What becomes of ``0000-00-00``, ``2024-00-10`` and ``2024-02-31``: an error, NULL, or the nearest date that there is,
which is 0001-01-01 for a date without a year."""

ZERO_DATES: tuple[ZeroDates, ...] = ("EXCEPTION", "CONVERT_TO_NULL", "ROUND")

_DAY = 86_400_000_000
_SECOND = 1_000_000
_WITH_TIME, _WITH_FRACTION = 7, 11
_DURATION, _WITH_DURATION_FRACTION = 8, 12
_DAYS_IN_MONTH = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)

_Ints: TypeAlias = npt.NDArray[np.int32]


@dataclass(slots=True)
class _Dates:
    year: _Ints
    month: _Ints
    day: _Ints


def date(zero: ZeroDates) -> Reader:
    """Reads dates."""

    def read(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
        sizes = _sizes(block, at, nulls)
        days, missing = _days(block, at, sizes, nulls, zero)
        return array(pa.date32(), days, missing), after(at, sizes + 1, nulls)

    return read


def timestamp(kind: pa.DataType, zero: ZeroDates) -> Reader:
    """Reads dates with a time of day, in microseconds."""

    def read(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
        sizes = _sizes(block, at, nulls)
        days, missing = _days(block, at, sizes, nulls, zero)
        seconds = _clock(block, at + 5) * (sizes >= _WITH_TIME)
        fraction = _microseconds(block, at + 8) * (sizes == _WITH_FRACTION)
        values = days.astype(np.int64) * _DAY + seconds * _SECOND + fraction
        return array(kind, values, missing), after(at, sizes + 1, nulls)

    return read


def interval(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
    """Reads lengths of time of up to 838 hours, also negative ones."""
    sizes = _sizes(block, at, nulls)
    return array(pa.duration("us"), _lengths(block, at, sizes), nulls), after(at, sizes + 1, nulls)


def time_of_day(block: Block, at: Positions, nulls: Nulls | None) -> tuple[pa.Array, Positions]:
    """Reads times of day."""
    sizes = _sizes(block, at, nulls)
    lengths = _lengths(block, at, sizes)
    outside = (lengths < 0) | (lengths >= _DAY)
    outside = outside if nulls is None else outside & ~nulls
    if outside.any():
        hours = lengths[outside][0] / 3.6e9
        raise UnreadableError(f"{hours:.2f} hours are no time of day")
    return array(pa.time64("us"), lengths, nulls), after(at, sizes + 1, nulls)


def _sizes(block: Block, at: Positions, nulls: Nulls | None) -> Positions:
    sizes = block.bytes[at].astype(np.int64)
    return sizes if nulls is None else np.where(nulls, 0, sizes)


def _clock(block: Block, at: Positions) -> Positions:
    """Seconds of hours, minutes and seconds in a byte each."""
    hours, minutes, seconds = (block.bytes[at + index].astype(np.int64) for index in range(3))
    return (hours * 60 + minutes) * 60 + seconds


def _microseconds(block: Block, at: Positions) -> Positions:
    return block.numbers("<u4", at).astype(np.int64)


def _lengths(block: Block, at: Positions, sizes: Positions) -> Positions:
    days = block.numbers("<u4", at + 2).astype(np.int64)
    seconds = (days * 86_400 + _clock(block, at + 6)) * (sizes >= _DURATION)
    fraction = _microseconds(block, at + 9) * (sizes == _WITH_DURATION_FRACTION)
    lengths = seconds * _SECOND + fraction
    signed: Positions = np.where((block.bytes[at + 1] != 0) & (sizes > 0), -lengths, lengths)
    return signed


def _days(
    block: Block, at: Positions, sizes: Positions, nulls: Nulls | None, zero: ZeroDates
) -> tuple[_Ints, Nulls | None]:
    there = sizes > 0
    parts = (block.numbers("<u2", at + 1), block.bytes[at + 3], block.bytes[at + 4])
    dates = _Dates(*(part.astype(np.int32) * there for part in parts))
    wrong = (dates.month == 0) | (dates.day == 0)
    late = dates.day > 28
    if late.any():
        wrong |= late & (dates.day > _last_day(dates))
    if nulls is not None:
        wrong &= ~nulls
    if wrong.any():
        if zero == "EXCEPTION":
            row = int(wrong.argmax())
            shown = f"{dates.year[row]:04}-{dates.month[row]:02}-{dates.day[row]:02}"
            raise UnreadableError(
                f"{shown} is no date; option 'zeroDateTimeBehavior' can be CONVERT_TO_NULL or ROUND to read it"
            )
        if zero == "CONVERT_TO_NULL":
            nulls = wrong if nulls is None else nulls | wrong
        else:
            _round(dates)
    return _since_epoch(dates), nulls


def _last_day(dates: _Dates) -> _Ints:
    leap = (dates.year % 4 == 0) & ((dates.year % 100 != 0) | (dates.year % 400 == 0))
    last: _Ints = _DAYS_IN_MONTH[dates.month] + (leap & (dates.month == 2))
    return last


def _round(dates: _Dates) -> None:
    nowhere = (dates.year == 0) & (dates.month == 0)
    dates.year = np.where(nowhere, 1, dates.year).astype(np.int32)
    dates.month = np.maximum(dates.month, 1)
    dates.day = np.clip(dates.day, 1, _last_day(dates))


def _since_epoch(dates: _Dates) -> _Ints:
    """Days since 1970-01-01. The year is taken to begin in March, so that the leap day is its last."""
    early = dates.month <= 2
    year = dates.year - early
    month = dates.month + np.where(early, 9, -3)
    century = year // 100
    days: _Ints = year * 365 + year // 4 - century + century // 4 + (153 * month + 2) // 5 + dates.day - 719_469
    return days.astype(np.int32, copy=False)
