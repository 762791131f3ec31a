//! Dates and times from and to text in a pattern.

use std::cell::RefCell;

use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, Int64Type, TimestampMicrosecondType};
use datafusion::error::Result as EngineResult;

use super::datetime::{days, to_local};
use super::java_pattern::Pattern;
use super::native::{Args, Table};
use super::time::zone;
use crate::error::{ErrorClass, Result, SparkError};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// What `unix_timestamp` and `from_unixtime` read and write if it is not said.
pub(super) const DEFAULT_PATTERN: &str = "yyyy-MM-dd HH:mm:ss";

pub(super) const TABLE: Table = &[
    ("date_format", "zs", 's', |a| formatted(a, |row| a.micros(0, row))),
    ("from_unixtime", "ls", 's', |a| {
        formatted(a, |row| a.long(0, row).and_then(|seconds| seconds.checked_mul(MICROS_PER_SECOND)))
    }),
    ("spark.parse_date", "", ' ', |a| dates(a, false)),
    ("spark.try_parse_date", "", ' ', |a| dates(a, true)),
    ("spark.parse_timestamp", "", ' ', |a| timestamps(a, false)),
    ("spark.try_parse_timestamp", "", ' ', |a| timestamps(a, true)),
    ("spark.parse_seconds", "", ' ', |a| {
        let patterns = Patterns::default();
        a.numbers::<Int64Type>(|row| {
            let micros =
                instant(a, &patterns, row)?.transpose().map_err(|text| cannot_parse(text, "try_to_timestamp"))?;
            Ok(micros.map(|micros| micros.div_euclid(MICROS_PER_SECOND)))
        })
    }),
];

/// The pattern of the row before, parsed: as a rule all rows have the same.
#[derive(Default)]
struct Patterns(RefCell<Option<(String, Pattern)>>);

impl Patterns {
    fn parse(&self, text: &str) -> Result<Pattern> {
        if let Some((known, pattern)) = self.0.borrow().as_ref()
            && known == text
        {
            return Ok(pattern.clone());
        }
        let pattern = Pattern::parse(text)?;
        *self.0.borrow_mut() = Some((text.to_owned(), pattern.clone()));
        Ok(pattern)
    }
}

fn formatted(args: &Args<'_>, micros: impl Fn(usize) -> Option<i64>) -> EngineResult<ArrayRef> {
    let (patterns, zone) = (Patterns::default(), zone(args.zone)?);
    args.texts(|row| {
        let Some(pattern) = args.text(1, row) else { return Ok(None) };
        let pattern = patterns.parse(pattern)?;
        Ok(micros(row).and_then(|micros| pattern.format(micros, zone)))
    })
}

/// The instant of the first argument in the pattern of the second one; the text where it is not in the pattern.
fn instant<'a>(args: &'a Args<'_>, patterns: &Patterns, row: usize) -> EngineResult<Option<Result<i64, &'a str>>> {
    let Some((text, pattern)) = args.text(0, row).zip(args.text(1, row)) else { return Ok(None) };
    let zone = zone(args.zone)?;
    Ok(Some(patterns.parse(pattern)?.parse_instant(text, zone).ok_or(text)))
}

fn timestamps(args: &Args<'_>, tries: bool) -> EngineResult<ArrayRef> {
    let patterns = Patterns::default();
    args.numbers::<TimestampMicrosecondType>(|row| match instant(args, &patterns, row)? {
        Some(Ok(micros)) => Ok(Some(micros)),
        Some(Err(text)) if !tries => Err(cannot_parse(text, "try_to_timestamp").into()),
        _ => Ok(None),
    })
}

fn dates(args: &Args<'_>, tries: bool) -> EngineResult<ArrayRef> {
    let (patterns, zone) = (Patterns::default(), zone(args.zone)?);
    args.numbers::<Date32Type>(|row| match instant(args, &patterns, row)? {
        Some(Ok(micros)) => Ok(to_local(micros, zone).and_then(|local| days(local.date()))),
        Some(Err(text)) if !tries => Err(cannot_parse(text, "try_to_date").into()),
        _ => Ok(None),
    })
}

fn cannot_parse(text: &str, function: &str) -> SparkError {
    let what = format!("Text '{text}' could not be parsed");
    let message = format!("{what}. Use `{function}` to tolerate invalid input string and return NULL instead.");
    SparkError::new(ErrorClass::DateTime, "CANNOT_PARSE_TIMESTAMP", "22007", message)
        .with("func", format!("`{function}`"))
        .with("message", what)
}
