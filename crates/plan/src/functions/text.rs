//! Functions of text where Spark differs from DataFusion.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray};
use arrow::datatypes::Int32Type;
use datafusion::error::Result as EngineResult;

use super::native::{Args, Table};
use crate::error::{ErrorClass, SparkError};

pub(super) const TABLE: Table = &[
    (PATTERN, "", ' ', |a| {
        a.texts(|row| {
            let Some((pattern, escape)) = a.text(0, row).zip(a.text(1, row)) else { return Ok(None) };
            Ok(Some(with_backslashes(pattern, escape.chars().next().unwrap_or('\\'))))
        })
    }),
    ("initcap", "s", 's', |a| a.texts(|row| Ok(a.text(0, row).map(capitalised)))),
    ("repeat", "si", 's', |a| {
        a.texts(|row| Ok(a.text(0, row).zip(a.int(1, row)).map(|(text, count)| text.repeat(length(count)))))
    }),
    ("left", "si", 's', |a| {
        a.texts(|row| Ok(a.text(0, row).zip(a.int(1, row)).map(|(text, n)| text.chars().take(length(n)).collect())))
    }),
    ("right", "si", 's', |a| {
        a.texts(|row| Ok(a.text(0, row).zip(a.int(1, row)).map(|(text, n)| last(text, length(n)))))
    }),
    ("lpad", "si?s", 's', |a| a.texts(|row| Ok(padding(a, row).map(|(text, padding)| padding + &text)))),
    ("rpad", "si?s", 's', |a| a.texts(|row| Ok(padding(a, row).map(|(text, padding)| text + &padding)))),
    ("overlay", "ssi?i", 's', |a| a.texts(|row| Ok(overlay(a, row)))),
    ("locate", "ss?i", 'i', locate),
    ("position", "ss?i", 'i', locate),
    ("find_in_set", "ss", 'i', |a| a.numbers::<Int32Type>(|row| Ok(find_in_set(a, row)))),
    ("encode", "ss", 'y', encode),
    ("decode", "ys", 's', |a| {
        a.texts(|row| match a.bytes(0, row).zip(a.text(1, row)) {
            Some((bytes, charset)) => Ok(Some(decoded(bytes, &Charset::of(charset)?))),
            None => Ok(None),
        })
    }),
    // A length, and a random number to begin with.
    ("spark.randstr", "", ' ', |a| {
        a.texts(|row| Ok(a.int(0, row).zip(a.double(1, row)).map(|(count, seed)| random_text(length(count), seed))))
    }),
    ("unbase64", "s", 'y', |a| {
        let rows = (0..a.rows).map(|row| {
            let Some(text) = a.text(0, row) else { return Ok(None) };
            // What is no digit is passed over.
            let digits: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/')).collect();
            from_base64(&digits).map(Some).ok_or_else(|| no_bytes(text, "BASE64"))
        });
        Ok(Arc::new(BinaryArray::from_iter(rows.collect::<Result<Vec<_>, _>>()?)))
    }),
    ("spark.to_binary", "ssb", ' ', |a| {
        let rows = (0..a.rows).map(|row| {
            let (Some((text, format)), tries) = (a.text(0, row).zip(a.text(1, row)), a.boolean(2, row)) else {
                return Ok(None);
            };
            match bytes_of(text, format) {
                None if tries != Some(true) => Err(no_bytes(text, format).into()),
                bytes => Ok(bytes),
            }
        });
        Ok(Arc::new(BinaryArray::from_iter(rows.collect::<EngineResult<Vec<_>>>()?)))
    }),
    ("format_number", "di", 's', |a| {
        a.texts(|row| Ok(a.double(0, row).zip(a.int(1, row)).and_then(|(value, digits)| grouped(value, digits))))
    }),
];

pub(super) fn length(count: i32) -> usize {
    usize::try_from(count).unwrap_or(0)
}

/// The first letter behind each space is large, all others are small.
fn capitalised(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut first = true;
    for c in text.chars() {
        if first {
            result.extend(c.to_uppercase());
        } else {
            result.extend(c.to_lowercase());
        }
        first = c == ' ';
    }
    result
}

fn last(text: &str, count: usize) -> String {
    let skipped = text.chars().count().saturating_sub(count);
    text.chars().skip(skipped).collect()
}

/// The text cut to the length that is wanted, and what it lacks.
fn padding(args: &Args<'_>, row: usize) -> Option<(String, String)> {
    let text = args.text(0, row)?;
    let wanted = length(args.int(1, row)?);
    let filler = if args.columns.len() > 2 { args.text(2, row)? } else { " " };
    let missing = wanted.saturating_sub(text.chars().count());
    Some((text.chars().take(wanted).collect(), filler.chars().cycle().take(missing).collect()))
}

/// `replacement` in place of as many characters from a position on; without a length, of as many as it has itself.
fn overlay(args: &Args<'_>, row: usize) -> Option<String> {
    let (text, replacement, position) = (args.text(0, row)?, args.text(1, row)?, args.int(2, row)?);
    let taken = if args.columns.len() > 3 { args.int(3, row)? } else { -1 };
    let before = length(position.saturating_sub(1));
    let taken = if taken < 0 { replacement.chars().count() } else { length(taken) };
    let head = text.chars().take(before);
    Some(head.chain(replacement.chars()).chain(text.chars().skip(before + taken)).collect())
}

/// `locate(needle, text, start)`: characters from one on; zero if it is not there.
fn locate(args: &Args<'_>) -> EngineResult<ArrayRef> {
    args.numbers::<Int32Type>(|row| {
        let start = if args.columns.len() > 2 { args.int(2, row).unwrap_or(0) } else { 1 };
        let Some((needle, text)) = args.text(0, row).zip(args.text(1, row)) else { return Ok(None) };
        let Some(skipped) = start.checked_sub(1).and_then(|start| usize::try_from(start).ok()) else {
            return Ok(Some(0));
        };
        let Some((from, _)) = text.char_indices().chain([(text.len(), ' ')]).nth(skipped) else {
            return Ok(Some(0));
        };
        let found = text[from..].find(needle).map(|at| text[..from + at].chars().count() + 1);
        Ok(Some(found.and_then(|at| i32::try_from(at).ok()).unwrap_or(0)))
    })
}

fn find_in_set(args: &Args<'_>, row: usize) -> Option<i32> {
    let (word, list) = (args.text(0, row)?, args.text(1, row)?);
    let found = list.split(',').position(|item| item == word && !word.contains(','));
    Some(found.and_then(|at| i32::try_from(at + 1).ok()).unwrap_or(0))
}

/// Letters and digits, each as likely as any other.
fn random_text(count: usize, seed: f64) -> String {
    const CHARACTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut state = seed.to_bits();
    let next = |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        char::from(CHARACTERS[((mixed ^ (mixed >> 31)) % 62) as usize])
    };
    (0..count).map(next).collect()
}

/// Text in hexadecimal digits, base 64, or as it is.
fn bytes_of(text: &str, format: &str) -> Option<Vec<u8>> {
    match format.to_lowercase().as_str() {
        "utf-8" | "utf8" => Some(text.as_bytes().to_vec()),
        "base64" => from_base64(text),
        "hex" => {
            let digits = if text.len().is_multiple_of(2) { text.to_owned() } else { format!("0{text}") };
            let pair = |pair: &[u8]| {
                let digit = |at: usize| char::from(pair[at]).to_digit(16);
                u8::try_from(digit(0)? * 16 + digit(1)?).ok()
            };
            digits.as_bytes().chunks(2).map(pair).collect()
        }
        _ => None,
    }
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes().filter(|byte| !byte.is_ascii_whitespace());
    let digits = digits.map(|byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    });
    let digits: Vec<u8> = digits.collect::<Option<_>>()?;
    let mut bytes = vec![];
    for chunk in digits.chunks(4) {
        let word = chunk.iter().fold(0_u32, |word, digit| word << 6 | u32::from(*digit)) << (6 * (4 - chunk.len()));
        let count = chunk.len().checked_sub(1).filter(|count| *count > 0)?;
        bytes.extend_from_slice(&word.to_be_bytes()[1..=count]);
    }
    Some(bytes)
}

fn no_bytes(text: &str, format: &str) -> SparkError {
    let message = format!(
        "The value '{text}' (\"STRING\") cannot be converted to \"BINARY\" because it is no {format}. Use \
         `try_to_binary` to get NULL instead."
    );
    SparkError::new(ErrorClass::IllegalArgument, "CONVERSION_INVALID_INPUT", "22018", message)
        .with("str", format!("'{text}'"))
        .with("fmt", format!("'{format}'"))
        .with("targetType", "\"BINARY\"")
        .with("suggestion", "`try_to_binary`")
}

enum Charset {
    Utf8,
    Ascii,
    Latin1,
    Utf16 { little: bool, mark: bool },
}

impl Charset {
    fn of(name: &str) -> EngineResult<Self> {
        Ok(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Self::Utf8,
            "US-ASCII" => Self::Ascii,
            "ISO-8859-1" => Self::Latin1,
            "UTF-16" => Self::Utf16 { little: false, mark: true },
            "UTF-16BE" => Self::Utf16 { little: false, mark: false },
            "UTF-16LE" => Self::Utf16 { little: true, mark: false },
            _ => {
                let message = format!("The charset '{name}' is not known.");
                let condition = "INVALID_PARAMETER_VALUE.CHARSET";
                return Err(SparkError::new(ErrorClass::IllegalArgument, condition, "22023", message)
                    .with("charset", name)
                    .into());
            }
        })
    }
}

fn encode(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let rows = (0..args.rows).map(|row| match args.text(0, row).zip(args.text(1, row)) {
        Some((text, charset)) => Ok(Some(encoded(text, &Charset::of(charset)?))),
        None => Ok(None),
    });
    let rows = rows.collect::<EngineResult<Vec<_>>>()?;
    Ok(Arc::new(BinaryArray::from_iter(rows)))
}

fn encoded(text: &str, charset: &Charset) -> Vec<u8> {
    let narrow = |limit: u32| text.chars().map(|c| if u32::from(c) < limit { c as u8 } else { b'?' }).collect();
    match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Ascii => narrow(128),
        Charset::Latin1 => narrow(256),
        Charset::Utf16 { little, mark } => {
            let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
            units.flat_map(|unit| if *little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
        }
    }
}

fn decoded(bytes: &[u8], charset: &Charset) -> String {
    match charset {
        Charset::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Charset::Ascii => bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '\u{fffd}' }).collect(),
        Charset::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
        Charset::Utf16 { little, .. } => {
            let unit = |pair: &[u8]| {
                let pair = [pair[0], pair.get(1).copied().unwrap_or(0)];
                if *little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
            };
            let units: Vec<_> = bytes.chunks(2).map(unit).collect();
            String::from_utf16_lossy(units.strip_prefix(&[0xfeff]).unwrap_or(&units))
        }
    }
}

/// `1,234,567.89`; none for a negative number of digits.
fn grouped(value: f64, digits: i32) -> Option<String> {
    let digits = usize::try_from(digits).ok()?;
    let text = format!("{:.digits$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut result = String::from(if value < 0.0 { "-" } else { "" });
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            result.push(',');
        }
        result.push(digit);
    }
    if let Some(fraction) = fraction {
        result.push('.');
        result.push_str(fraction);
    }
    Some(result)
}

/// The pattern of `LIKE` and its escape character, as a pattern in which a backslash escapes.
pub(super) const PATTERN: &str = "spark.like_pattern";

fn with_backslashes(pattern: &str, escape: char) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            c if c == escape => {
                out.push('\\');
                out.extend(rest.next());
            }
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    out
}
