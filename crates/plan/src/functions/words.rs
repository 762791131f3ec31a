//! Functions of text by its characters, words and sentences.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use chrono::{Datelike, Days};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::lit;
use unicode_segmentation::UnicodeSegmentation;

use super::call::{Call, Outcome, Typed};
use super::datetime::{date_of, days};
use super::native::{Args, Table, native};
use crate::error::{ErrorClass, Result, SparkError};

pub(super) const TABLE: Table = &[
    (MASK, "", ' ', |a| a.texts(|row| Ok(a.text(0, row).map(|text| masked(a, text, row))))),
    (SENTENCES, "", ' ', sentences),
    ("levenshtein", "ss?i", 'i', |a| {
        a.numbers::<Int32Type>(|row| {
            let Some((left, right)) = a.text(0, row).zip(a.text(1, row)) else { return Ok(None) };
            let limit = if a.columns.len() > 2 { a.int(2, row) } else { Some(i32::MAX) };
            let distance = i32::try_from(strsim::levenshtein(left, right)).unwrap_or(i32::MAX);
            Ok(limit.map(|limit| if distance <= limit { distance } else { -1 }))
        })
    }),
    ("validate_utf8", "y", 's', |a| {
        a.texts(|row| a.bytes(0, row).map(|bytes| valid(bytes).map_err(Into::into)).transpose())
    }),
    ("try_validate_utf8", "y", 's', |a| a.texts(|row| Ok(a.bytes(0, row).and_then(|bytes| valid(bytes).ok())))),
    ("elt", "is*", 's', |a| {
        a.texts(|row| {
            let Some(index) = a.int(0, row) else { return Ok(None) };
            let count = a.columns.len() - 1;
            match usize::try_from(index) {
                Ok(place @ 1..) if place <= count => Ok(a.text(place, row).map(str::to_owned)),
                _ => Err(outside(index, count).into()),
            }
        })
    }),
    ("split_part", "ssi", 's', |a| {
        a.texts(|row| {
            let (Some((text, by)), Some(number)) = (a.text(0, row).zip(a.text(1, row)), a.int(2, row)) else {
                return Ok(None);
            };
            split_part(text, by, number).map(Some)
        })
    }),
    ("next_day", "ts", 't', |a| {
        a.numbers::<Date32Type>(|row| {
            let Some((date, name)) = a.date(0, row).and_then(date_of).zip(a.text(1, row)) else { return Ok(None) };
            let wanted = weekday(name)?;
            let ahead = (wanted + 6 - u64::from(date.weekday().num_days_from_monday())) % 7 + 1;
            Ok(date.checked_add_days(Days::new(ahead)).and_then(days))
        })
    }),
    ("url_decode", "s", 's', |a| {
        a.texts(|row| a.text(0, row).map(|text| decoded(text).ok_or_else(|| no_url(text).into())).transpose())
    }),
    ("try_url_decode", "s", 's', |a| a.texts(|row| Ok(a.text(0, row).and_then(decoded)))),
];

const MASK: &str = "spark.mask";
const SENTENCES: &str = "spark.sentences";

/// A function with arguments that may be left out, if there is one of this name.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let (function, most, result): (_, usize, _) = match call.name.as_str() {
        "mask" => (MASK, 5, DataType::Utf8),
        "sentences" => (SENTENCES, 3, DataType::new_list(DataType::new_list(DataType::Utf8, true), true)),
        _ => return Ok(Err(call)),
    };
    let args = std::mem::take(&mut call.args);
    if !(1..=most).contains(&args.len()) {
        return Err(call.wrong_count(&format!("[1, {most}]"), args.len()));
    }
    let text = |text: &str| Typed { expr: lit(text), data_type: DataType::Utf8 };
    let left_out = [text(""), text("X"), text("x"), text("n"), Typed { expr: lit(""), data_type: DataType::Null }];
    let given = args.len();
    let args = args.into_iter().chain(left_out.into_iter().skip(given)).take(most);
    let args = args.map(|arg| match arg.data_type {
        DataType::Null => Ok(lit(datafusion::common::ScalarValue::Utf8(None))),
        _ => call.cast(arg, &DataType::Utf8),
    });
    let args = args.collect::<Result<Vec<_>>>()?;
    Ok(Ok(native(function, result, "", args)))
}

/// Large letters, small ones, digits and all others each as another character; NULL leaves them as they are.
fn masked(args: &Args<'_>, text: &str, row: usize) -> String {
    let [upper, lower, digit, other] =
        [1, 2, 3, 4].map(|column| args.text(column, row).and_then(|by| by.chars().next()));
    let instead = |c: char| match c {
        c if c.is_uppercase() => upper,
        c if c.is_lowercase() => lower,
        c if c.is_numeric() => digit,
        _ => other,
    };
    text.chars().map(|c| instead(c).unwrap_or(c)).collect()
}

fn sentences(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let mut lists = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for row in 0..args.rows {
        let Some(text) = args.text(0, row) else {
            lists.append_null();
            continue;
        };
        for sentence in text.unicode_sentences() {
            lists.values().append_value(sentence.unicode_words().map(Some));
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn valid(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        let digits: String = bytes.iter().map(|byte| format!("\\x{byte:02X}")).collect();
        let message = format!("Invalid UTF8 byte sequence found in string: {digits}.");
        SparkError::new(ErrorClass::IllegalArgument, "INVALID_UTF8_STRING", "22029", message).with("str", digits)
    })
}

fn outside(index: i32, count: usize) -> SparkError {
    let message = format!("The index {index} is out of bounds. The array has {count} elements.");
    SparkError::new(ErrorClass::ArrayIndex, "INVALID_ARRAY_INDEX", "22003", message)
        .with("indexValue", index.to_string())
        .with("arraySize", count.to_string())
}

/// A part, counted from one or from the end; nothing where there is none.
fn split_part(text: &str, by: &str, number: i32) -> EngineResult<String> {
    let parts: Vec<_> = if by.is_empty() { vec![text] } else { text.split(by).collect() };
    let distance = number.unsigned_abs() as usize;
    let place = match number {
        0 => {
            let message =
                "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).";
            return Err(SparkError::new(ErrorClass::Runtime, "INVALID_INDEX_OF_ZERO", "22003", message).into());
        }
        1.. => Some(distance - 1),
        _ => parts.len().checked_sub(distance),
    };
    Ok(place.and_then(|place| parts.get(place)).copied().unwrap_or_default().to_owned())
}

/// The days from Monday on.
fn weekday(name: &str) -> Result<u64> {
    let upper = name.trim().to_uppercase();
    let names = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
    let is = |day: &&str| upper == **day || upper == day[..2] || upper == day[..3];
    (0..).zip(names.iter()).find(|(_, day)| is(day)).map(|(number, _)| number).ok_or_else(|| {
        let message = format!("Illegal input for day of week: {name}.");
        SparkError::new(ErrorClass::IllegalArgument, "ILLEGAL_DAY_OF_WEEK", "22009", message).with("string", name)
    })
}

/// `application/x-www-form-urlencoded`: `+` is a space, `%41` a byte of UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match first {
            b'%' => {
                let digits = std::str::from_utf8(after.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                &after[2..]
            }
            _ => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                after
            }
        };
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn no_url(text: &str) -> SparkError {
    let message =
        format!("The provided URL cannot be decoded: {text}. Please ensure that the URL is properly formatted.");
    SparkError::new(ErrorClass::IllegalArgument, "CANNOT_DECODE_URL", "22546", message).with("url", text)
}
