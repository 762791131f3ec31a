"""A source of one's own: a class with three methods. Here it makes its rows up; yours would ask a service for them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

REGIONS = ("north", "east", "south", "west", "centre")

SCHEMA = pa.schema(
    [
        pa.field("region", pa.string(), nullable=False),
        pa.field("day", pa.date32(), nullable=False),
        pa.field("celsius", pa.float64(), nullable=False),
        pa.field("rain", pa.bool_(), nullable=False),
    ]
)


class WeatherDataSource:
    """One row per region and day of 2024 and 2025. The option ``regions`` names the regions, all by default."""

    def infer_schema(self, options: Mapping[str, str]) -> pa.Schema:
        """The columns; the data need not be read for them."""
        return SCHEMA

    def plan_partitions(self, options: Mapping[str, str]) -> list[dict[str, Any]]:
        """One unit of reading per region, so that they are read at the same time."""
        wanted = options.get("regions", ",".join(REGIONS)).split(",")
        unknown = sorted(set(wanted) - set(REGIONS))
        if unknown:
            raise ValueError(f"No weather for {', '.join(unknown)}; there is some for {', '.join(REGIONS)}.")
        return [{"region": region} for region in wanted]

    def read_partition(self, partition_spec: Mapping[str, Any], options: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """The days of one region, one batch per year: a year is on its way while the next one is made."""
        region = partition_spec["region"]
        for year in (2024, 2025):
            first = datetime.date(year, 1, 1)
            days = [first + datetime.timedelta(n) for n in range((datetime.date(year + 1, 1, 1) - first).days)]
            yield pa.record_batch(
                [
                    pa.array([region] * len(days)),
                    pa.array(days),
                    pa.array([_celsius(region, day) for day in days]),
                    pa.array([(day.toordinal() + len(region)) % 4 == 0 for day in days]),
                ],
                schema=SCHEMA,
            )


def _celsius(region: str, day: datetime.date) -> float:
    summer = 1 - abs(day.timetuple().tm_yday - 200) / 183
    return round(22 * summer + 2 * REGIONS.index(region) + day.toordinal() * 7 % 5, 1)
