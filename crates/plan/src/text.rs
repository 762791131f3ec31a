//! Values from and to text, as files hold them.

use std::fmt::{self, Write};
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::cast::{parse_float, parsed_or_null};
use crate::functions::datetime::{days, parse_date, parse_timestamp, parse_timestamp_ntz, to_local};
use crate::functions::java_pattern::Pattern;
use crate::functions::json;

/// Reads text in a time zone.
#[derive(Debug, Clone)]
pub struct Reader {
    time_zone: Arc<str>,
    zone: Tz,
}

/// How dates or times are written: a pattern of Java's `DateTimeFormatter`.
#[derive(Debug, Clone)]
pub struct DatePattern(Pattern);

impl DatePattern {
    /// # Errors
    /// A pattern that Spark does not know.
    pub fn parse(pattern: &str) -> Result<Self> {
        Pattern::parse(pattern).map(Self)
    }
}

/// Text in the quotes of JSON, at the end of `out`.
///
/// # Errors
/// What `out` fails with.
pub fn json_quoted(out: &mut dyn Write, text: &str) -> fmt::Result {
    json::quoted(out, text)
}

/// Bytes as text of 64 characters.
pub fn base64(bytes: &[u8]) -> String {
    json::base64(bytes)
}

impl Reader {
    /// # Errors
    /// A time zone that is none.
    pub fn new(time_zone: &str) -> Result<Self> {
        let invalid = || {
            let message = format!("'{time_zone}' is no time zone.");
            SparkError::new(ErrorClass::DateTime, "INVALID_TIMEZONE", "22009", message)
        };
        Ok(Self { time_zone: time_zone.into(), zone: time_zone.parse().map_err(|_| invalid())? })
    }

    /// Each text as `CAST` reads it; NULL where it says no value of the type.
    ///
    /// # Errors
    /// A type that text has no cast to.
    pub fn values(&self, texts: &StringArray, to: &DataType) -> Result<ArrayRef> {
        Ok(parsed_or_null(texts, to, &self.time_zone)?)
    }

    /// One text as [`Reader::values`].
    ///
    /// # Errors
    /// A type that text has no cast to.
    pub fn value(&self, text: &str, to: &DataType) -> Result<ScalarValue> {
        let array = self.values(&StringArray::from(vec![text]), to)?;
        Ok(ScalarValue::try_from_array(&array, 0)?)
    }

    /// A number as Java reads it: with `Infinity` and `NaN`, and a `d` or `f` behind.
    pub fn parse_double(&self, text: &str) -> Option<f64> {
        parse_float(text)
    }

    /// Days since the epoch.
    pub fn parse_date(&self, text: &str) -> Option<i32> {
        parse_date(text)
    }

    /// Microseconds since the epoch; without a zone in it, the text says this zone's wall clock.
    pub fn parse_timestamp(&self, text: &str) -> Option<i64> {
        parse_timestamp(text, self.zone)
    }

    /// Microseconds of a wall clock.
    pub fn parse_timestamp_ntz(&self, text: &str) -> Option<i64> {
        parse_timestamp_ntz(text)
    }

    /// Days since the epoch, of text in a pattern.
    pub fn date_in(&self, pattern: &DatePattern, text: &str) -> Option<i32> {
        let micros = pattern.0.parse_instant(text, self.zone)?;
        days(to_local(micros, self.zone)?.date())
    }

    /// Microseconds since the epoch, of text in a pattern.
    pub fn timestamp_in(&self, pattern: &DatePattern, text: &str) -> Option<i64> {
        pattern.0.parse_instant(text, self.zone)
    }

    /// Microseconds of a wall clock, of text in a pattern.
    pub fn wall_clock_in(&self, pattern: &DatePattern, text: &str) -> Option<i64> {
        let micros = pattern.0.parse_instant(text, self.zone)?;
        Some(to_local(micros, self.zone)?.and_utc().timestamp_micros())
    }

    /// The wall clock of the zone at an instant, in a pattern.
    pub fn format(&self, pattern: &DatePattern, micros: i64) -> Option<String> {
        pattern.0.format(micros, self.zone)
    }
}
