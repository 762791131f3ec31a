//! Literals: the types that Spark gives to numbers, and typed strings.

use datafusion::common::ScalarValue;
use sqlparser::ast::{self, Value};

use super::interval::interval;
use super::lower::Lowering;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::datetime::{parse_timestamp_ntz, time_of_day};
use crate::ir::Expr;

impl Lowering<'_> {
    pub(super) fn value(&self, value: ast::ValueWithSpan) -> Result<Expr> {
        let scalar = match value.value {
            Value::Number(digits, _) if has_fraction_and_integral_suffix(&digits) => {
                return Err(super::error::near_text(&digits, value.span.start));
            }
            Value::Number(digits, _) => number(&digits, false)?,
            Value::SingleQuotedString(text) => ScalarValue::Utf8(Some(text)),
            Value::Boolean(value) => ScalarValue::Boolean(Some(value)),
            Value::Null => ScalarValue::Null,
            Value::HexStringLiteral(digits) => ScalarValue::Binary(Some(bytes(&digits)?)),
            Value::Placeholder(marker) => return self.params.value(&marker, self.text, value.span.start),
            other => return Err(super::error::near_text(&other.to_string(), value.span.start)),
        };
        Ok(Expr::Literal(scalar))
    }
}

/// `DATE '...'`, `TIMESTAMP '...'`, `INTERVAL '...' [unit TO unit]`.
pub(super) fn typed_string(literal: ast::TypedString) -> Result<Expr> {
    let kind = literal.data_type.to_string().to_ascii_uppercase();
    let Value::SingleQuotedString(text) = literal.value.value else {
        return Err(super::error::near_text(&literal.value.to_string(), literal.value.span.start));
    };
    match kind.as_str() {
        "DATE" => Ok(Expr::Literal(ScalarValue::Date32(Some(date(&text)?)))),
        "TIMESTAMP" | "TIMESTAMP_LTZ" | "TIMESTAMP_NTZ" if parse_timestamp_ntz(&text).is_none() && !is_time(&text) => {
            Err(invalid(&kind, &text))
        }
        "TIMESTAMP" | "TIMESTAMP_LTZ" => Ok(Expr::Timestamp { text, without_zone: false }),
        "TIME" => match time_of_day(&text) {
            Some(micros) => Ok(Expr::Literal(ScalarValue::Time64Microsecond(Some(micros)))),
            None => Err(invalid("TIME", &text)),
        },
        "TIMESTAMP_NTZ" => Ok(Expr::Timestamp { text, without_zone: true }),
        _ => match kind.strip_prefix("INTERVAL") {
            Some(qualifier) => {
                let (value, fields) = interval(&text, qualifier.trim())?;
                Ok(Expr::Interval { value, fields })
            }
            None => Err(SparkError::unsupported(format!("a literal of type {kind}"))),
        },
    }
}

/// A time alone, and the names of days, are for the session to say.
fn is_time(text: &str) -> bool {
    let text = text.trim();
    text.get(..3).is_some_and(|start| start.contains(':')) || text.eq_ignore_ascii_case("epoch")
}

/// `1.5Y`: the suffix of a whole number behind one that is none.
fn has_fraction_and_integral_suffix(digits: &str) -> bool {
    digits.contains('.') && digits.ends_with(['y', 'Y', 's', 'S', 'l', 'L'])
}

/// A number as Spark types it: by its suffix, else the first of `INT`, `BIGINT` and `DECIMAL` that holds it; `DECIMAL`
/// with a point, `DOUBLE` with an exponent.
pub(super) fn number(text: &str, negative: bool) -> Result<ScalarValue> {
    let upper = text.to_ascii_uppercase();
    let signed = |digits: &str| if negative { format!("-{digits}") } else { digits.to_owned() };
    let out_of_range = |type_name: &str| {
        SparkError::new(
            ErrorClass::Parse,
            "INVALID_NUMERIC_LITERAL_RANGE",
            "22003",
            format!("Numeric literal {} is outside the valid range for {type_name}.", signed(text)),
        )
        .with("rawStrippedQualifier", signed(text))
        .with("typeName", type_name)
    };
    if let Some(digits) = upper.strip_suffix("BD") {
        return decimal(digits, negative).ok_or_else(|| out_of_range("decimal"));
    }
    if let Some(digits) = upper.strip_suffix('L') {
        return signed(digits).parse().map(|n| ScalarValue::Int64(Some(n))).map_err(|_| out_of_range("bigint"));
    }
    if let Some(digits) = upper.strip_suffix('S') {
        return signed(digits).parse().map(|n| ScalarValue::Int16(Some(n))).map_err(|_| out_of_range("smallint"));
    }
    if let Some(digits) = upper.strip_suffix('Y') {
        return signed(digits).parse().map(|n| ScalarValue::Int8(Some(n))).map_err(|_| out_of_range("tinyint"));
    }
    if let Some(digits) = upper.strip_suffix('F') {
        let value = signed(digits).parse().ok().filter(|n: &f32| n.is_finite());
        return value.map(|n| ScalarValue::Float32(Some(n))).ok_or_else(|| out_of_range("float"));
    }
    if let Some(digits) = upper.strip_suffix('D').or(upper.contains('E').then_some(upper.as_str())) {
        let value = signed(digits).parse().ok().filter(|n: &f64| n.is_finite());
        return value.map(|n| ScalarValue::Float64(Some(n))).ok_or_else(|| out_of_range("double"));
    }
    if let Ok(n) = signed(&upper).parse() {
        return Ok(ScalarValue::Int32(Some(n)));
    }
    if let Ok(n) = signed(&upper).parse() {
        return Ok(ScalarValue::Int64(Some(n)));
    }
    decimal(&upper, negative).ok_or_else(|| too_precise(&upper))
}

fn too_precise(text: &str) -> SparkError {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let message = format!("Decimal precision {digits} exceeds max precision 38.");
    SparkError::new(ErrorClass::Arithmetic, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", message)
        .with("precision", digits.to_string())
        .with("maxPrecision", "38")
}

/// Digits with an optional point and exponent as the smallest decimal that holds them.
fn decimal(text: &str, negative: bool) -> Option<ScalarValue> {
    let (mantissa, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent.parse().ok()?)?;
    let digits = format!("{whole}{fraction}");
    let mut unscaled: i128 = digits.parse().ok()?;
    if scale < 0 {
        unscaled = unscaled.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?;
        scale = 0;
    }
    let digits = i32::try_from(unscaled.checked_ilog10().map_or(1, |n| n + 1)).ok()?;
    let precision = digits.max(scale);
    if precision > 38 {
        return None;
    }
    let unscaled = if negative { -unscaled } else { unscaled };
    Some(ScalarValue::Decimal128(Some(unscaled), u8::try_from(precision).ok()?, i8::try_from(scale).ok()?))
}

/// The bytes of `X'1F'`. An odd number of digits has a zero in front.
fn bytes(digits: &str) -> Result<Vec<u8>> {
    let even = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    let pairs = even.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes: Option<Vec<u8>> = pairs.map(|pair| pair.and_then(|p| u8::from_str_radix(p, 16).ok())).collect();
    bytes.filter(|_| !even.contains('+')).ok_or_else(|| invalid("X", digits))
}

/// Days since 1970-01-01 of `[+-]yyyy[-[m]m[-[d]d]]`; a time behind it is dropped, as Spark does.
fn date(text: &str) -> Result<i32> {
    parse_date(text.trim()).ok_or_else(|| invalid("DATE", text))
}

fn parse_date(text: &str) -> Option<i32> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = unsigned.splitn(3, '-');
    let year = parts.next().filter(|y| (4..=7).contains(&y.len()))?;
    let month = parts.next();
    let day = parts.next().map(|d| d.split(['T', ' ']).next().unwrap_or(d));
    let number = |digits: &str, longest: usize| -> Option<i64> {
        let plain = !digits.is_empty() && digits.len() <= longest && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let year = sign * number(year, 7)?;
    let month = month.map_or(Some(1), |m| number(m, 2))?;
    let day = day.map_or(Some(1), |d| number(d, 2))?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    // Years that begin in March put the leap day last, so that the days before a month follow one formula.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468;
    i32::try_from(days).ok()
}

fn invalid(kind: &str, text: &str) -> SparkError {
    SparkError::new(
        ErrorClass::Parse,
        "INVALID_TYPED_LITERAL",
        "42604",
        format!("The value of the typed literal \"{kind}\" is invalid: '{text}'."),
    )
    .with("valueType", format!("\"{kind}\""))
    .with("value", format!("'{text}'"))
}
