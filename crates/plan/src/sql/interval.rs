//! Interval literals. Spark keeps two kinds apart: months, and microseconds.

use datafusion::common::ScalarValue;

use crate::error::{ErrorClass, Result, SparkError};
use crate::interval::IntervalFields;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Units from the largest: name, and months or microseconds.
const UNITS: [(&str, Amount); 9] = [
    ("YEAR", Amount::Months(12)),
    ("MONTH", Amount::Months(1)),
    ("WEEK", Amount::Micros(7 * DAY)),
    ("DAY", Amount::Micros(DAY)),
    ("HOUR", Amount::Micros(HOUR)),
    ("MINUTE", Amount::Micros(MINUTE)),
    ("SECOND", Amount::Micros(SECOND)),
    ("MILLISECOND", Amount::Micros(1_000)),
    ("MICROSECOND", Amount::Micros(1)),
];

#[derive(Clone, Copy)]
enum Amount {
    Months(i32),
    Micros(i64),
}

/// Whether an upper-case word is a unit, in the singular or the plural.
pub(super) fn is_unit(word: &str) -> bool {
    unit(word).is_some()
}

fn unit(word: &str) -> Option<Amount> {
    let word = word.to_ascii_uppercase();
    let singular = word.strip_suffix('S').unwrap_or(&word);
    UNITS.iter().find(|(name, _)| *name == singular).map(|(_, amount)| *amount)
}

/// The value of `INTERVAL 'text'` where `qualifier` is empty, of `INTERVAL 1 DAY 2 HOURS` where it is `UNITS`, or of `INTERVAL 'text' DAY TO SECOND`.
pub(super) fn interval(text: &str, qualifier: &str) -> Result<(ScalarValue, IntervalFields)> {
    let value = match qualifier.split_once(" TO ") {
        None => with_units(text)?,
        Some((first, last)) => {
            let (first, last) = (first.trim(), last.trim());
            let fields = IntervalFields::of_units(&first.to_lowercase(), &last.to_lowercase());
            between(text.trim(), first, last).zip(fields)
        }
    };
    value.ok_or_else(|| match qualifier.trim() {
        "UNITS" => {
            text.split_whitespace().step_by(2).find(|n| n.parse::<f64>().is_err()).map_or(invalid(text), no_number)
        }
        qualifier if qualifier.is_empty() || !text.contains(char::is_alphabetic) => invalid(text),
        _ => SparkError { condition: "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING".to_owned(), ..invalid(text) },
    })
}

/// The field that a unit counts in.
fn field(unit: &str) -> Option<IntervalFields> {
    let unit = unit.to_ascii_lowercase();
    let field = match unit.strip_suffix('s').unwrap_or(&unit) {
        "week" => "day",
        "millisecond" | "microsecond" => "second",
        other => other,
    };
    IntervalFields::of_units(field, field)
}

/// `1 day 2 hours`, `-3 months`, `1.5 seconds`.
fn with_units(text: &str) -> Result<Option<(ScalarValue, IntervalFields)>> {
    let mut words = text.split_whitespace().peekable();
    if words.peek().is_some_and(|w| w.eq_ignore_ascii_case("interval")) {
        words.next();
    }
    let (mut months, mut micros) = (None, None);
    let mut fields: Option<IntervalFields> = None;
    while let Some(number) = words.next() {
        let Some(name) = words.next() else { return Ok(None) };
        let Some((amount, own)) = unit(name).zip(field(name)) else { return Ok(None) };
        fields = Some(fields.map_or(own, |fields| fields.union(own)));
        let sum = match amount {
            Amount::Months(per_unit) => {
                let add = number.parse::<i32>().ok().and_then(|n| n.checked_mul(per_unit));
                months = add.and_then(|n| n.checked_add(months.unwrap_or(0)));
                months.is_some()
            }
            Amount::Micros(per_unit) => {
                micros = scaled(number, per_unit).and_then(|n| n.checked_add(micros.unwrap_or(0)));
                micros.is_some()
            }
        };
        if !sum {
            return Ok(None);
        }
    }
    let value = match (months, micros) {
        (Some(_), Some(_)) => return Err(mixed(text)),
        (Some(months), None) => ScalarValue::IntervalYearMonth(Some(months)),
        (None, Some(micros)) => ScalarValue::DurationMicrosecond(Some(micros)),
        (None, None) => return Ok(None),
    };
    Ok(fields.map(|fields| (value, fields)))
}

/// A number of units in microseconds. Only seconds have a fraction.
fn scaled(number: &str, per_unit: i64) -> Option<i64> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !fraction.is_empty() && per_unit != SECOND || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let micros: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    let fraction: i64 = if fraction.is_empty() { 0 } else { micros.parse().ok()? };
    let value = whole.checked_mul(per_unit)?.checked_add(fraction)?;
    Some(if negative { -value } else { value })
}

/// `1-2` from YEAR TO MONTH, `1 02:03:04.5` from DAY TO SECOND, and what lies between.
fn between(text: &str, first: &str, last: &str) -> Option<ScalarValue> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if (first, last) == ("YEAR", "MONTH") {
        let (years, months) = digits.split_once('-')?;
        let (years, months): (i32, i32) = (unsigned(years)?, unsigned(months)?);
        let total = years.checked_mul(12)?.checked_add(months)?;
        return (months < 12).then_some(ScalarValue::IntervalYearMonth(Some(if negative { -total } else { total })));
    }
    const FIELDS: [(&str, i64); 4] = [("DAY", DAY), ("HOUR", HOUR), ("MINUTE", MINUTE), ("SECOND", SECOND)];
    let from = FIELDS.iter().position(|(name, _)| *name == first)?;
    let to = FIELDS.iter().position(|(name, _)| *name == last)?;
    let fields = FIELDS.get(from..=to).filter(|fields| fields.len() > 1)?;
    let values: Vec<&str> = digits.split([' ', ':']).collect();
    if values.len() != fields.len() {
        return None;
    }
    let mut total = 0_i64;
    for (value, (_, per_unit)) in values.iter().zip(fields) {
        if value.starts_with(['-', '+']) {
            return None;
        }
        total = total.checked_add(scaled(value, *per_unit)?)?;
    }
    Some(ScalarValue::DurationMicrosecond(Some(if negative { -total } else { total })))
}

fn unsigned(digits: &str) -> Option<i32> {
    digits.chars().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Months and days are two kinds of intervals. Spark has neither a condition nor an SQLSTATE for it.
fn mixed(text: &str) -> SparkError {
    let message = format!("Cannot mix year-month and day-time fields: interval {text}.");
    SparkError::new(ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0029", "", message)
        .with("literal", format!("interval {text}"))
}

/// The error for text before a unit that is no number.
fn no_number(text: &str) -> SparkError {
    let message = format!(
        "Can only use numbers in the interval value part for multiple unit value pairs interval form, but got invalid \
         value: {text}."
    );
    SparkError::new(ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0026", "", message).with("value", text)
}

fn invalid(text: &str) -> SparkError {
    SparkError::new(
        ErrorClass::Parse,
        "INVALID_INTERVAL_FORMAT",
        "22006",
        format!("Error parsing '{text}' to interval: expected numbers with their units, such as '1 day 2 hours'."),
    )
    .with("input", text)
}
