//! Values as `show()` prints them: Spark's cast to string, with `NULL` for null and bytes in hexadecimal.

use std::fmt::Write;

use arrow::array::timezone::Tz;
use arrow::array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, IntervalYearMonthType, Time64NanosecondType, TimestampMicrosecondType,
};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike};
use sheetbend_plan::error::{Result, SparkError};

const MICROS: i64 = 1_000_000;

/// The values of a column.
pub(crate) struct Cells<'a> {
    column: &'a ArrayRef,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Null,
    /// A value that stands for itself.
    Plain,
    Timestamp(Option<Tz>),
    List(Box<Cells<'a>>),
    Struct(Vec<Cells<'a>>),
    Map(Box<Cells<'a>>, Box<Cells<'a>>),
}

impl<'a> Cells<'a> {
    /// The values of `column`; timestamps in `zone`.
    ///
    /// # Errors
    /// A zone that is not known, or a type that is no result's.
    pub(crate) fn new(column: &'a ArrayRef, zone: &str) -> Result<Self> {
        let kind = match column.data_type() {
            DataType::Null => Kind::Null,
            DataType::Timestamp(TimeUnit::Microsecond, None) => Kind::Timestamp(None),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
                Kind::Timestamp(Some(zone.parse().map_err(SparkError::internal)?))
            }
            DataType::List(_) => Kind::List(Box::new(Self::new(column.as_list::<i32>().values(), zone)?)),
            DataType::Struct(_) => {
                let columns = column.as_struct().columns().iter();
                Kind::Struct(columns.map(|column| Self::new(column, zone)).collect::<Result<_>>()?)
            }
            DataType::Map(..) => {
                let map = column.as_map();
                Kind::Map(Box::new(Self::new(map.keys(), zone)?), Box::new(Self::new(map.values(), zone)?))
            }
            DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal128(..)
            | DataType::Utf8
            | DataType::Binary
            | DataType::Date32
            | DataType::Time64(TimeUnit::Nanosecond)
            | DataType::Duration(TimeUnit::Microsecond)
            | DataType::Interval(IntervalUnit::YearMonth | IntervalUnit::MonthDayNano) => Kind::Plain,
            other => return Err(SparkError::unsupported(format_args!("the Arrow type {other} in `show`"))),
        };
        Ok(Self { column, kind })
    }

    /// The value of a row.
    pub(crate) fn text(&self, row: usize) -> String {
        let mut text = String::new();
        self.put(row, &mut text);
        text
    }

    fn put(&self, row: usize, text: &mut String) {
        if self.column.is_null(row) {
            return text.push_str("NULL");
        }
        match &self.kind {
            Kind::Null => text.push_str("NULL"),
            Kind::Plain => plain(self.column, row, text),
            Kind::Timestamp(zone) => {
                let micros = self.column.as_primitive::<TimestampMicrosecondType>().value(row);
                timestamp(micros, *zone, text);
            }
            Kind::List(elements) => {
                let offsets = self.column.as_list::<i32>().offsets();
                text.push('[');
                separated(span(offsets, row), text, |element, text| elements.put(element, text));
                text.push(']');
            }
            Kind::Struct(fields) => {
                text.push('{');
                separated(0..fields.len(), text, |field, text| fields[field].put(row, text));
                text.push('}');
            }
            Kind::Map(keys, values) => {
                let offsets = self.column.as_map().offsets();
                text.push('{');
                separated(span(offsets, row), text, |entry, text| {
                    keys.put(entry, text);
                    text.push_str(" -> ");
                    values.put(entry, text);
                });
                text.push('}');
            }
        }
    }
}

fn span(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    at(row)..at(row + 1)
}

fn separated(items: std::ops::Range<usize>, text: &mut String, mut put: impl FnMut(usize, &mut String)) {
    for (number, item) in items.enumerate() {
        if number > 0 {
            text.push_str(", ");
        }
        put(item, text);
    }
}

fn plain(column: &ArrayRef, row: usize, text: &mut String) {
    // Writing to a string does not fail.
    let _ = match column.data_type() {
        DataType::Boolean => write!(text, "{}", column.as_boolean().value(row)),
        DataType::Int8 => write!(text, "{}", column.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => write!(text, "{}", column.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => write!(text, "{}", column.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => write!(text, "{}", column.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => {
            let value = column.as_primitive::<Float32Type>().value(row);
            write!(text, "{}", java_float(f64::from(value), &format!("{value:e}")))
        }
        DataType::Float64 => {
            let value = column.as_primitive::<Float64Type>().value(row);
            write!(text, "{}", java_float(value, &format!("{value:e}")))
        }
        DataType::Decimal128(..) => {
            write!(text, "{}", column.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Utf8 => write!(text, "{}", column.as_string::<i32>().value(row)),
        DataType::Binary => write!(text, "{}", hexadecimal(column.as_binary::<i32>().value(row))),
        DataType::Date32 => write!(text, "{}", date(column.as_primitive::<Date32Type>().value(row))),
        DataType::Time64(_) => {
            let nanos = column.as_primitive::<Time64NanosecondType>().value(row);
            write!(text, "{}", clock(nanos / 1000))
        }
        DataType::Duration(_) => {
            write!(text, "{}", day_time(column.as_primitive::<DurationMicrosecondType>().value(row)))
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            write!(text, "{}", year_month(column.as_primitive::<IntervalYearMonthType>().value(row)))
        }
        DataType::Interval(_) => {
            let value = column.as_primitive::<IntervalMonthDayNanoType>().value(row);
            write!(text, "{}", calendar(value.months, value.days, value.nanoseconds / 1000))
        }
        _ => Ok(()),
    };
}

/// As Java's `Double.toString`: plain from 0.001 to 10 million, else with an exponent. `scientific` has the digits.
fn java_float(value: f64, scientific: &str) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if value == 0.0 {
        return format!("{sign}0.0");
    }
    match exponent {
        -3..=-1 => format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        0..=6 => {
            let whole = exponent.unsigned_abs() as usize + 1;
            let digits = format!("{digits:0<whole$}");
            let (whole, fraction) = digits.split_at(whole);
            format!("{sign}{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
        }
        _ => {
            let (first, rest) = digits.split_at(1.min(digits.len()));
            format!("{sign}{first}.{}E{exponent}", if rest.is_empty() { "0" } else { rest })
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("[{}]", bytes.join(" "))
}

fn date(days: i32) -> String {
    match DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::days(days.into())) {
        Some(at) => day(at.naive_utc()),
        None => days.to_string(),
    }
}

fn timestamp(micros: i64, zone: Option<Tz>, text: &mut String) {
    let local = DateTime::from_timestamp_micros(micros).map(|at| match zone {
        Some(zone) => at.with_timezone(&zone).naive_local(),
        None => at.naive_utc(),
    });
    // Writing to a string does not fail.
    let _ = match local {
        Some(at) => {
            let of_day = i64::from(at.num_seconds_from_midnight()) * MICROS + i64::from(at.nanosecond() / 1000);
            write!(text, "{} {}", day(at), clock(of_day))
        }
        None => write!(text, "{micros}"),
    };
}

fn day(at: NaiveDateTime) -> String {
    let (year, month, day) = (at.year(), at.month(), at.day());
    match year {
        0..=9999 => format!("{year:04}-{month:02}-{day:02}"),
        _ => format!("{year:+05}-{month:02}-{day:02}"),
    }
}

fn clock(micros: i64) -> String {
    let seconds = micros / MICROS;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}{}", seconds % 60, fraction(micros % MICROS))
}

/// The fraction of a second without zeros at its end.
fn fraction(micros: i64) -> String {
    match micros {
        0 => String::new(),
        _ => format!(".{micros:06}").trim_end_matches('0').to_owned(),
    }
}

fn day_time(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let all = micros.unsigned_abs().cast_signed();
    let (days, of_day) = (all / (86_400 * MICROS), all % (86_400 * MICROS));
    format!("INTERVAL '{sign}{days} {}' DAY TO SECOND", clock(of_day))
}

fn year_month(months: i32) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let all = months.unsigned_abs();
    format!("INTERVAL '{sign}{}-{}' YEAR TO MONTH", all / 12, all % 12)
}

fn calendar(months: i32, days: i32, micros: i64) -> String {
    let seconds = micros / MICROS;
    let whole = [
        (i64::from(months / 12), "years"),
        (i64::from(months % 12), "months"),
        (i64::from(days), "days"),
        (seconds / 3600, "hours"),
        (seconds / 60 % 60, "minutes"),
    ];
    let mut parts: Vec<_> =
        whole.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count} {unit}")).collect();
    let rest = micros % (60 * MICROS);
    if rest != 0 {
        let sign = if rest < 0 { "-" } else { "" };
        let all = rest.abs();
        parts.push(format!("{sign}{}{} seconds", all / MICROS, fraction(all % MICROS)));
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_written_as_java_does() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.5, "0.5"),
            (100.25, "100.25"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (0.000_123_4, "1.234E-4"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1e10, "1.0E10"),
            (-12_345_678.9, "-1.23456789E7"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::INFINITY, "Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(java_float(value, &format!("{value:e}")), expected);
        }
    }

    #[test]
    fn times() {
        let mut text = String::new();
        timestamp(1_704_103_200_120_000, "America/New_York".parse().ok(), &mut text);
        assert_eq!(text, "2024-01-01 05:00:00.12");
        assert_eq!(date(19_723), "2024-01-01");
        assert_eq!(date(-719_528), "0000-01-01");
        assert_eq!(day_time(-93_784_005_000), "INTERVAL '-1 02:03:04.005' DAY TO SECOND");
        assert_eq!(year_month(14), "INTERVAL '1-2' YEAR TO MONTH");
        assert_eq!(calendar(14, 3, 3_600_500_000), "1 years 2 months 3 days 1 hours 0.5 seconds");
    }
}
