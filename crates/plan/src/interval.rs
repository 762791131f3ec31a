//! Which fields an interval has: `INTERVAL DAY TO SECOND`, `INTERVAL HOUR`, `INTERVAL YEAR TO MONTH`.
//!
//! Arrow has one type for all that Spark counts in microseconds, and one for months. The fields stand in the metadata of
//! the column; where they are lost, an interval has all of them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use arrow::datatypes::{DataType, Field, IntervalUnit};
use datafusion::common::metadata::FieldMetadata;
use serde::{Deserialize, Serialize};

/// The key of the metadata; its value is `first-last`.
const KEY: &str = "spark.interval";
const DAY_TIME: [&str; 4] = ["day", "hour", "minute", "second"];
const YEAR_MONTH: [&str; 2] = ["year", "month"];

/// The first and the last field of an interval, counted from the largest: day, hour, minute, second; or year, month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IntervalFields {
    /// The first one.
    pub first: u8,
    /// The last one; not before the first.
    pub last: u8,
}

impl IntervalFields {
    /// `INTERVAL DAY`: what a date moves by and stays a date.
    pub const DAY: Self = Self { first: 0, last: 0 };

    /// The fields that the names of units stand for, in lower case.
    pub(crate) fn of_units(first: &str, last: &str) -> Option<Self> {
        let place = |units: &[&str], unit: &str| u8::try_from(units.iter().position(|known| *known == unit)?).ok();
        let both = |units: &[&str]| Some(Self { first: place(units, first)?, last: place(units, last)? });
        both(&DAY_TIME).or_else(|| both(&YEAR_MONTH))
    }

    /// The fields of a column of intervals; none of another column.
    pub fn of(field: &Field) -> Option<Self> {
        let all = match field.data_type() {
            DataType::Duration(_) => Self { first: 0, last: 3 },
            DataType::Interval(IntervalUnit::YearMonth) => Self { first: 0, last: 1 },
            _ => return None,
        };
        let stated = field.metadata().get(KEY).and_then(|stated| {
            let (first, last) = stated.split_once('-')?;
            Some(Self { first: first.parse().ok()?, last: last.parse().ok()? })
        });
        Some(stated.filter(|stated| stated.last <= all.last && stated.first <= stated.last).unwrap_or(all))
    }

    /// The fields of the sum of two intervals.
    pub(crate) fn union(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// The metadata that says so.
    pub(crate) fn metadata(self) -> HashMap<String, String> {
        HashMap::from([(KEY.to_owned(), format!("{}-{}", self.first, self.last))])
    }

    /// The metadata of a column without what is said of intervals.
    pub fn without(metadata: &HashMap<String, String>) -> HashMap<String, String> {
        metadata.iter().filter(|(key, _)| *key != KEY).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The same for an expression.
    pub(crate) fn of_expression(self) -> FieldMetadata {
        FieldMetadata::from(self.metadata().into_iter().collect::<BTreeMap<_, _>>())
    }

    /// `interval day to second`.
    pub(crate) fn type_name(self, data_type: &DataType) -> String {
        let (first, last) = self.names(data_type);
        if first == last { format!("interval {first}") } else { format!("interval {first} to {last}") }
    }

    fn names(self, data_type: &DataType) -> (&'static str, &'static str) {
        let units = if matches!(data_type, DataType::Duration(_)) { DAY_TIME.as_slice() } else { &YEAR_MONTH };
        let name = |place: u8| units.get(usize::from(place)).copied().unwrap_or_default();
        (name(self.first), name(self.last))
    }

    fn unit(self, data_type: &DataType) -> String {
        let (first, last) = self.names(data_type);
        let unit = if first == last { first.to_owned() } else { format!("{first} to {last}") };
        unit.to_uppercase()
    }

    /// `INTERVAL '1 02:03:04.5' DAY TO SECOND`; the first field counts what larger ones would.
    pub(crate) fn write_micros(self, out: &mut String, micros: i64) {
        const LENGTHS: [u128; 4] = [86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000];
        let sign = if micros < 0 { "-" } else { "" };
        let mut rest = i128::from(micros).unsigned_abs();
        let _ = write!(out, "INTERVAL '{sign}");
        for place in self.first..=self.last.min(3) {
            let length = LENGTHS[usize::from(place)];
            let count = rest / length;
            rest %= length;
            let separator = match place {
                place if place == self.first => "",
                1 => " ",
                _ => ":",
            };
            let _ = match place {
                0 => write!(out, "{count}"),
                _ => write!(out, "{separator}{count:02}"),
            };
            if place == 3 && rest > 0 {
                let digits = format!("{rest:06}");
                let _ = write!(out, ".{}", digits.trim_end_matches('0'));
            }
        }
        let _ = write!(out, "' {}", self.unit(&DataType::Duration(arrow::datatypes::TimeUnit::Microsecond)));
    }

    /// `INTERVAL '1-2' YEAR TO MONTH`.
    pub(crate) fn write_months(self, out: &mut String, months: i32) {
        let sign = if months < 0 { "-" } else { "" };
        let months = months.unsigned_abs();
        let unit = self.unit(&DataType::Interval(IntervalUnit::YearMonth));
        let _ = match (self.first, self.last) {
            (0, 0) => write!(out, "INTERVAL '{sign}{}' {unit}", months / 12),
            (1, _) => write!(out, "INTERVAL '{sign}{months}' {unit}"),
            _ => write!(out, "INTERVAL '{sign}{}-{}' {unit}", months / 12, months % 12),
        };
    }
}

/// `1 years 2 months 3 days 4 hours 5 minutes 6.7 seconds`, without what is zero.
pub(crate) fn write_calendar(out: &mut String, months: i32, days: i32, micros: i64) {
    const MINUTE: i64 = 60_000_000;
    let (months, days) = (i64::from(months), i64::from(days));
    let parts = [
        (months / 12, "years"),
        (months % 12, "months"),
        (days, "days"),
        (micros / (60 * MINUTE), "hours"),
        (micros / MINUTE % 60, "minutes"),
    ];
    let mut words: Vec<_> = parts.iter().filter(|(n, _)| *n != 0).map(|(n, unit)| format!("{n} {unit}")).collect();
    let rest = micros % MINUTE;
    if rest != 0 || words.is_empty() {
        let sign = if rest < 0 { "-" } else { "" };
        let seconds = format!("{}.{:06}", rest.abs() / 1_000_000, rest.abs() % 1_000_000);
        words.push(format!("{sign}{} seconds", seconds.trim_end_matches('0').trim_end_matches('.')));
    }
    out.push_str(&words.join(" "));
}
