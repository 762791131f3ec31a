//! Values as text, as `CAST(x AS STRING)` gives them.

use std::fmt::Write;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Field, Float32Type, Float64Type,
    IntervalMonthDayNanoType, IntervalYearMonthType, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{DateTime, NaiveDate, TimeDelta};
use datafusion::common::ScalarValue;

use crate::interval::{IntervalFields, write_calendar};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// How a value is written.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// What NULL is inside an array, map or struct.
    pub null: &'static str,
    /// Bytes are text if true; else they are shown as `[31 32]`.
    pub binary_as_text: bool,
    /// The fields of intervals; none for all of them.
    pub interval: Option<IntervalFields>,
}

impl Style {
    /// The same style for the values of a column.
    pub fn of(self, field: &Field) -> Self {
        Self { interval: IntervalFields::of(field), ..self }
    }
}

/// `CAST(x AS STRING)`.
pub const CAST: Style = Style { null: "null", binary_as_text: true, interval: None };

/// `show()`.
pub const SHOW: Style = Style { null: "NULL", binary_as_text: false, interval: None };

/// One value as text; NULL is the style's word for it.
pub fn format_scalar(value: &ScalarValue, time_zone: &str) -> String {
    let text = value.to_array().ok().and_then(|array| {
        let mut out = String::new();
        Formatter::new(time_zone, CAST).ok()?.value(&mut out, &array, 0).ok()?;
        Some(out)
    });
    text.unwrap_or_else(|| value.to_string())
}

/// Every value of an array as text; NULL stays NULL.
///
/// # Errors
/// A time zone that is none, or a type that Spark has no text for.
pub fn format_array(array: &ArrayRef, time_zone: &str, style: Style) -> Result<StringArray, ArrowError> {
    let formatter = Formatter::new(time_zone, style)?;
    let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut text = String::new();
    for row in 0..array.len() {
        if is_null(array, row) {
            builder.append_null();
            continue;
        }
        text.clear();
        formatter.value(&mut text, array, row)?;
        builder.append_value(&text);
    }
    Ok(builder.finish())
}

/// Arrow has no place for NULLs in an array that holds nothing else.
fn is_null(array: &ArrayRef, row: usize) -> bool {
    array.is_null(row) || *array.data_type() == DataType::Null
}

/// A double as Java writes it.
pub(crate) fn format_double(value: f64) -> String {
    let mut out = String::new();
    java_float(&mut out, value, &format!("{value:e}"));
    out
}

/// Writes single values of arrays as text.
pub struct Text(Formatter);

/// What writes values in a time zone.
pub fn text_of(time_zone: &str) -> Result<Text, ArrowError> {
    Formatter::new(time_zone, CAST).map(Text)
}

impl Text {
    /// A value as text.
    pub fn of(&self, array: &ArrayRef, row: usize) -> Result<String, ArrowError> {
        let mut out = String::new();
        self.0.value(&mut out, array, row)?;
        Ok(out)
    }
}

struct Formatter {
    time_zone: Tz,
    style: Style,
}

impl Formatter {
    fn new(time_zone: &str, style: Style) -> Result<Self, ArrowError> {
        Ok(Self { time_zone: time_zone.parse()?, style })
    }

    fn value(&self, out: &mut String, array: &ArrayRef, row: usize) -> Result<(), ArrowError> {
        if is_null(array, row) {
            out.push_str(self.style.null);
            return Ok(());
        }
        match array.data_type() {
            DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
            DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
            DataType::Float32 => {
                let value = array.as_primitive::<Float32Type>().value(row);
                java_float(out, f64::from(value), &format!("{value:e}"));
            }
            DataType::Float64 => {
                let value = array.as_primitive::<Float64Type>().value(row);
                java_float(out, value, &format!("{value:e}"));
            }
            DataType::Decimal128(..) => out.push_str(&array.as_primitive::<Decimal128Type>().value_as_string(row)),
            DataType::Binary => self.binary(out, array.as_binary::<i32>().value(row)),
            DataType::LargeBinary => self.binary(out, array.as_binary::<i64>().value(row)),
            DataType::BinaryView => self.binary(out, array.as_binary_view().value(row)),
            DataType::Date32 => date(out, array.as_primitive::<Date32Type>().value(row)),
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                self.timestamp(out, micros, zone.is_some());
            }
            DataType::Timestamp(_, zone) => {
                let micros = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
                self.value(out, &micros, row)?;
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                let micros = array.as_primitive::<Time64MicrosecondType>().value(row);
                let seconds = micros / 1_000_000;
                let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
                fraction(out, micros % 1_000_000);
            }
            DataType::Duration(TimeUnit::Microsecond) => {
                let fields = self.style.interval.unwrap_or(IntervalFields { first: 0, last: 3 });
                fields.write_micros(out, array.as_primitive::<DurationMicrosecondType>().value(row));
            }
            DataType::Interval(arrow::datatypes::IntervalUnit::YearMonth) => {
                let fields = self.style.interval.unwrap_or(IntervalFields { first: 0, last: 1 });
                fields.write_months(out, array.as_primitive::<IntervalYearMonthType>().value(row));
            }
            DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano) => {
                let interval = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                write_calendar(out, interval.months, interval.days, interval.nanoseconds / 1_000);
            }
            DataType::List(_) => self.list(out, &array.as_list::<i32>().value(row))?,
            DataType::LargeList(_) => self.list(out, &array.as_list::<i64>().value(row))?,
            DataType::Struct(_) => {
                let columns = array.as_struct().columns();
                self.joined(out, ('{', '}'), columns.len(), |this, out, position| {
                    this.value(out, &columns[position], row)
                })?;
            }
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                let (keys, values) = (entries.column(0), entries.column(1));
                self.joined(out, ('{', '}'), entries.len(), |this, out, position| {
                    this.value(out, keys, position)?;
                    out.push_str(" -> ");
                    this.value(out, values, position)
                })?;
            }
            _ => {
                let formatter = ArrayFormatter::try_new(array, &FormatOptions::default())?;
                formatter.value(row).write(out).map_err(|_| unformattable(array.data_type()))?;
            }
        }
        Ok(())
    }

    fn list(&self, out: &mut String, values: &ArrayRef) -> Result<(), ArrowError> {
        self.joined(out, ('[', ']'), values.len(), |this, out, position| this.value(out, values, position))
    }

    fn joined(
        &self,
        out: &mut String,
        (open, close): (char, char),
        count: usize,
        item: impl Fn(&Self, &mut String, usize) -> Result<(), ArrowError>,
    ) -> Result<(), ArrowError> {
        out.push(open);
        for position in 0..count {
            if position > 0 {
                out.push_str(", ");
            }
            item(self, out, position)?;
        }
        out.push(close);
        Ok(())
    }

    fn binary(&self, out: &mut String, bytes: &[u8]) {
        if self.style.binary_as_text {
            out.push_str(&String::from_utf8_lossy(bytes));
            return;
        }
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        out.push('[');
        out.push_str(&hex.join(" "));
        out.push(']');
    }

    fn timestamp(&self, out: &mut String, micros: i64, is_instant: bool) {
        let Some(utc) = DateTime::from_timestamp_micros(micros) else {
            out.push_str(&micros.to_string());
            return;
        };
        let local = if is_instant { utc.with_timezone(&self.time_zone).naive_local() } else { utc.naive_utc() };
        calendar_date(out, local.date());
        out.push(' ');
        out.push_str(&local.format("%H:%M:%S").to_string());
        fraction(out, micros.rem_euclid(MICROS_PER_SECOND));
    }
}

/// As Java writes it: between 0.001 and ten million in plain digits, else with an exponent; `scientific` holds the
/// shortest digits that read back as the same number.
fn java_float(out: &mut String, value: f64, scientific: &str) {
    if value.is_nan() {
        return out.push_str("NaN");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    out.push_str(sign);
    if value == 0.0 {
        return out.push_str("0.0");
    }
    if !(-3..7).contains(&exponent) {
        let rest = if digits.len() > 1 { &digits[1..] } else { "0" };
        out.push_str(&format!("{}.{rest}E{exponent}", &digits[..1]));
    } else if exponent < 0 {
        out.push_str("0.");
        out.push_str(&"0".repeat((-exponent - 1) as usize));
        out.push_str(&digits);
    } else {
        let whole = exponent as usize + 1;
        let padded = format!("{digits:0<whole$}");
        let (whole, rest) = padded.split_at(whole);
        out.push_str(&format!("{whole}.{}", if rest.is_empty() { "0" } else { rest }));
    }
}

fn date(out: &mut String, days: i32) {
    let epoch = DateTime::UNIX_EPOCH.date_naive();
    match epoch.checked_add_signed(TimeDelta::days(i64::from(days))) {
        Some(date) => calendar_date(out, date),
        None => out.push_str(&days.to_string()),
    }
}

/// `2024-01-31`; a year of five digits gets a plus sign, as in Java.
fn calendar_date(out: &mut String, date: NaiveDate) {
    out.push_str(&date.format("%Y-%m-%d").to_string());
}

fn fraction(out: &mut String, micros: i64) {
    if micros != 0 {
        let digits = format!("{micros:06}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
}

fn unformattable(data_type: &DataType) -> ArrowError {
    ArrowError::NotYetImplemented(format!("text of a value of type {data_type}"))
}
