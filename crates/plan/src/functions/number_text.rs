//! Numbers from and to text in a pattern: `to_char`, `to_number`, and Java's for `format_number`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, lit};

use super::call::{Call, Outcome, Typed, constant};
use super::native::{Args, Table, native};
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::{as_decimal, is_string};

pub(super) const TABLE: Table = &[
    (TO_CHAR, "", ' ', to_char),
    (TO_NUMBER, "", ' ', |a| to_number(a, false)),
    (TRY_TO_NUMBER, "", ' ', |a| to_number(a, true)),
    (JAVA, "", ' ', |a| {
        a.texts(|row| {
            let Some((value, pattern)) = a.double(0, row).zip(a.text(1, row)) else { return Ok(None) };
            Ok(Some(java(value, pattern)))
        })
    }),
];

const TO_CHAR: &str = "spark.number_to_char";
const TO_NUMBER: &str = "spark.to_number";
const TRY_TO_NUMBER: &str = "spark.try_to_number";
const JAVA: &str = "spark.java_number";

/// A function of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    match call.name.as_str() {
        "to_char" | "to_varchar" => written(call).map(Ok),
        "to_number" | "try_to_number" => {
            let [text, pattern] = call.exactly()?;
            let Some(ScalarValue::Utf8(Some(pattern))) = constant(&pattern.expr) else {
                return Err(SparkError::unsupported(format_args!("`{}` in a pattern that is no constant", call.name)));
            };
            let parsed = Pattern::parse(&pattern).ok_or_else(|| unexpected(&pattern))?;
            let function = if call.name == "to_number" { TO_NUMBER } else { TRY_TO_NUMBER };
            let result = DataType::Decimal128(parsed.precision(), parsed.scale());
            Ok(Ok(native(function, result, "", vec![call.cast(text, &DataType::Utf8)?, lit(pattern)])))
        }
        "format_number" if call.args.get(1).is_some_and(|pattern| is_string(&pattern.data_type)) => {
            let [value, pattern] = call.exactly()?;
            let args = vec![call.cast(value, &DataType::Float64)?, pattern.expr];
            Ok(Ok(native(JAVA, DataType::Utf8, "", args)))
        }
        _ => Ok(Err(call)),
    }
}

/// Dates in a pattern of Java's, bytes in an encoding, numbers in a pattern of digits.
fn written(mut call: Call<'_>) -> Result<Expr> {
    let [value, pattern] = call.exactly()?;
    let named = |mut call: Call<'_>, name: &str, args: Vec<Typed>| {
        call.name = name.to_owned();
        call.args = args;
        super::resolve(call)
    };
    match &value.data_type {
        DataType::Date32 | DataType::Timestamp(..) => named(call, "date_format", vec![value, pattern]),
        DataType::Binary => match constant(&pattern.expr) {
            Some(ScalarValue::Utf8(Some(name))) if matches!(name.to_lowercase().as_str(), "base64" | "hex") => {
                named(call, &name.to_lowercase(), vec![value])
            }
            _ => named(call, "decode", vec![value, pattern]),
        },
        _ => {
            if let Some(ScalarValue::Utf8(Some(text))) = constant(&pattern.expr) {
                Pattern::parse(&text).ok_or_else(|| unexpected(&text))?;
            }
            let to = match as_decimal(&value.data_type) {
                Some((precision, scale)) => DataType::Decimal128(precision, scale),
                None => DataType::Decimal128(38, 18),
            };
            let args = vec![call.cast(value, &to)?, call.cast(pattern, &DataType::Utf8)?];
            Ok(native(TO_CHAR, DataType::Utf8, "", args))
        }
    }
}

/// What stands in a pattern: `$`, `9`, `,` and so on, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Currency,
    /// A digit; whether it shows where the number is shorter.
    Digit(bool),
    Group,
    Point,
    /// A sign of every number.
    Sign,
    /// The sign of negative numbers.
    Minus,
    /// Angle brackets around negative numbers.
    Brackets,
}

struct Pattern(Vec<Part>);

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = vec![];
        let upper = text.to_uppercase();
        let mut rest = upper.as_str();
        while let Some(first) = rest.chars().next() {
            let (part, width) = match first {
                '$' => (Part::Currency, 1),
                '9' => (Part::Digit(false), 1),
                '0' => (Part::Digit(true), 1),
                ',' | 'G' => (Part::Group, 1),
                '.' | 'D' => (Part::Point, 1),
                'S' => (Part::Sign, 1),
                'M' if rest.starts_with("MI") => (Part::Minus, 2),
                'P' if rest.starts_with("PR") => (Part::Brackets, 2),
                _ => return None,
            };
            parts.push(part);
            rest = &rest[width..];
        }
        let once = |part: Part| parts.iter().filter(|known| **known == part).count() <= 1;
        let all_once = [Part::Currency, Part::Point, Part::Sign, Part::Minus, Part::Brackets].into_iter().all(once);
        (all_once && parts.iter().any(|part| matches!(part, Part::Digit(_)))).then_some(Self(parts))
    }

    fn digits(&self) -> (usize, usize) {
        let point = self.0.iter().position(|part| *part == Part::Point).unwrap_or(self.0.len());
        let count = |parts: &[Part]| parts.iter().filter(|part| matches!(part, Part::Digit(_))).count();
        (count(&self.0[..point]), count(&self.0[point..]))
    }

    fn precision(&self) -> u8 {
        let (whole, fraction) = self.digits();
        (whole + fraction).min(38) as u8
    }

    fn scale(&self) -> i8 {
        self.digits().1.min(38) as i8
    }

    /// A number as its digits before and behind the point.
    fn format(&self, negative: bool, whole: &str, fraction: &str) -> String {
        let (before, behind) = self.digits();
        let fits = whole.len() <= before && fraction.len() <= behind;
        let whole: Vec<_> = std::iter::repeat_n(' ', before.saturating_sub(whole.len())).chain(whole.chars()).collect();
        let fraction: Vec<_> = fraction.chars().chain(std::iter::repeat('0')).take(behind).collect();
        let mut digits = whole.into_iter().take(before).chain(fraction);
        let mut out = String::new();
        let mut shown = false;
        for part in &self.0 {
            match part {
                Part::Digit(always) => {
                    let digit = digits.next().unwrap_or(' ');
                    out.push(match digit {
                        _ if !fits => '#',
                        ' ' if *always || shown => '0',
                        digit => digit,
                    });
                    shown |= fits && (*always || digit != ' ');
                }
                Part::Group => out.push(if shown { ',' } else { ' ' }),
                Part::Point => {
                    if out.ends_with(' ') {
                        out.pop();
                        out.push('0');
                    }
                    shown = true;
                    out.push('.');
                }
                Part::Currency => out.push('$'),
                Part::Sign => out.push(if negative { '-' } else { '+' }),
                Part::Minus => out.push(if negative { '-' } else { ' ' }),
                Part::Brackets if negative => {
                    out.insert(out.len() - out.trim_start().len(), '<');
                    out.push('>');
                }
                Part::Brackets => out.push_str("  "),
            }
        }
        // A sign in front stands right before the number.
        match out.strip_prefix(['+', '-']) {
            Some(rest) if rest.starts_with(' ') => {
                let spaces = rest.len() - rest.trim_start().len();
                format!("{}{}{}", &rest[..spaces], &out[..1], &rest[spaces..])
            }
            _ => out,
        }
    }

    /// The digits of a text in the pattern, as a number without the point.
    fn read(&self, text: &str) -> Option<i128> {
        let (before, behind) = self.digits();
        let bracketed = self.0.contains(&Part::Brackets);
        let (mut negative, mut text) = (false, text.trim());
        if let Some(inner) = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).filter(|_| bracketed) {
            (negative, text) = (true, inner);
        }
        if self.0.iter().any(|part| matches!(part, Part::Sign | Part::Minus)) {
            let at_start = matches!(self.0.first(), Some(Part::Sign | Part::Minus));
            let sign = if at_start { text.chars().next() } else { text.chars().last() };
            if let Some(sign @ ('+' | '-')) = sign {
                negative = sign == '-';
                text = if at_start { &text[1..] } else { &text[..text.len() - 1] };
            }
        }
        let with_currency = self.0.contains(&Part::Currency);
        let text = match text.strip_prefix('$') {
            Some(rest) if with_currency => rest,
            None if !with_currency => text,
            _ => return None,
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let with_point = self.0.contains(&Part::Point);
        let groups: Vec<_> = whole.split(',').collect();
        let group_count = self.0.iter().filter(|part| **part == Part::Group).count();
        if (text.contains('.') && !with_point) || groups.len() > group_count + 1 {
            return None;
        }
        let whole = groups.concat();
        let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits_only(&whole) || !digits_only(fraction) || whole.len() > before || fraction.len() > behind {
            return None;
        }
        let number: i128 = format!("{whole}{fraction:0<behind$}").parse().ok()?;
        Some(if negative { -number } else { number })
    }
}

fn to_char(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let values = args.columns[0].as_primitive::<Decimal128Type>();
    let scale = usize::try_from(values.scale()).unwrap_or(0);
    args.texts(|row| {
        let Some(text) = args.text(1, row).filter(|_| values.is_valid(row)) else { return Ok(None) };
        let pattern = Pattern::parse(text).ok_or_else(|| unexpected(text))?;
        let value = values.value(row);
        let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let fraction = fraction.trim_end_matches('0');
        Ok(Some(pattern.format(value < 0, whole.trim_start_matches('0'), fraction)))
    })
}

fn to_number(args: &Args<'_>, tries: bool) -> EngineResult<ArrayRef> {
    args.numbers::<Decimal128Type>(|row| {
        let Some((text, pattern)) = args.text(0, row).zip(args.text(1, row)) else { return Ok(None) };
        let parsed = Pattern::parse(pattern).ok_or_else(|| unexpected(pattern))?;
        match parsed.read(text) {
            None if !tries => Err(mismatch(text, pattern).into()),
            number => Ok(number),
        }
    })
}

fn unexpected(pattern: &str) -> SparkError {
    if !pattern.contains(['0', '9']) {
        let message =
            format!("The format is invalid: '{pattern}'. The format string requires at least one number digit.");
        return SparkError::new(ErrorClass::Analysis, "INVALID_FORMAT.WRONG_NUM_DIGIT", "42601", message)
            .with("format", format!("'{pattern}'"));
    }
    let message = format!("The format is invalid: '{pattern}'. The format string is no pattern of digits.");
    SparkError::new(ErrorClass::Analysis, "INVALID_FORMAT.UNEXPECTED_TOKEN", "42601", message)
        .with("format", format!("'{pattern}'"))
}

fn mismatch(text: &str, pattern: &str) -> SparkError {
    let message =
        format!("The format is invalid: '{pattern}'. The input \"STRING\" '{text}' does not match the format.");
    SparkError::new(ErrorClass::IllegalArgument, "INVALID_FORMAT.MISMATCH_INPUT", "42601", message)
        .with("format", format!("'{pattern}'"))
        .with("input", text)
}

/// A number in a pattern of `java.text.DecimalFormat`: `#,##0.00`, with what stands around it.
fn java(value: f64, pattern: &str) -> String {
    let is_digit = |c: char| matches!(c, '#' | '0' | ',' | '.');
    let start = pattern.find(is_digit).unwrap_or(pattern.len());
    let end = pattern.rfind(is_digit).map_or(start, |at| at + 1);
    let (prefix, digits, suffix) = (&pattern[..start], &pattern[start..end], &pattern[end..]);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let least_whole = whole.matches('0').count();
    let group = whole.rfind(',').map_or(0, |at| whole.len() - at - 1);
    let (least, most) = (fraction.matches('0').count(), fraction.len());
    let value = if suffix.starts_with('%') { value * 100.0 } else { value };
    let text = format!("{:.most$}", value.abs());
    let (integer, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let integer = integer.trim_start_matches('0');
    let integer = format!("{integer:0>least_whole$}");
    let mut out = String::from(if value < 0.0 { "-" } else { "" });
    out.push_str(prefix);
    for (at, digit) in integer.chars().enumerate() {
        if group > 0 && at > 0 && (integer.len() - at).is_multiple_of(group) {
            out.push(',');
        }
        out.push(digit);
    }
    let kept = decimals.trim_end_matches('0').len().max(least.min(decimals.len()));
    if integer.is_empty() && kept == 0 {
        out.push('0');
    }
    if kept > 0 {
        out.push('.');
        out.push_str(&decimals[..kept]);
    }
    out + suffix
}
