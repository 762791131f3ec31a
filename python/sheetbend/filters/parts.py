"""Parts of dates and timestamps."""

from __future__ import annotations

import enum

__all__ = ["Part"]


class Part(enum.Enum):
    """A part of a date or a timestamp, which is a whole number."""

    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    """Of ISO 8601: the first one of a year has its first Thursday."""
    DAY = "day"
    """Of the month."""
    DAY_OF_YEAR = "doy"
    HOUR = "hour"
    MINUTE = "minute"

    @property
    def is_of_time(self) -> bool:
        """Whether it is one of the time of day, which a date has not."""
        return self in (Part.HOUR, Part.MINUTE)
