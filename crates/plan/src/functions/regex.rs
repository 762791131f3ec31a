//! Regular expressions with groups and positions as Java counts them.

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::Int32Type;
use datafusion::error::Result as EngineResult;
use regex::{Captures, Regex};

use super::native::{Args, Table};
use crate::error::{ErrorClass, Result, SparkError};

pub(super) const TABLE: Table = &[
    ("split", "ss?i", 'a', split),
    ("regexp_extract", "ss?i", 's', |a| {
        let patterns = Patterns::default();
        a.texts(|row| {
            let Some((text, pattern)) = a.text(0, row).zip(a.text(1, row)) else { return Ok(None) };
            let (regex, group) = (patterns.compile(pattern)?, group(a, row));
            let group = checked_group(&regex, group, "regexp_extract")?;
            Ok(Some(regex.captures(text).map_or_else(String::new, |found| matched(&found, group))))
        })
    }),
    ("regexp_extract_all", "ss?i", 'a', |a| {
        let patterns = Patterns::default();
        lists(a, |row| {
            let Some((text, pattern)) = a.text(0, row).zip(a.text(1, row)) else { return Ok(None) };
            let regex = patterns.compile(pattern)?;
            let group = checked_group(&regex, group(a, row), "regexp_extract_all")?;
            Ok(Some(regex.captures_iter(text).map(|found| matched(&found, group)).collect()))
        })
    }),
    ("regexp_count", "ss", 'i', |a| {
        let patterns = Patterns::default();
        a.numbers::<Int32Type>(|row| {
            let Some((text, pattern)) = a.text(0, row).zip(a.text(1, row)) else { return Ok(None) };
            Ok(i32::try_from(patterns.compile(pattern)?.find_iter(text).count()).ok())
        })
    }),
    ("regexp_substr", "ss", 's', |a| {
        let patterns = Patterns::default();
        a.texts(|row| {
            let Some((text, pattern)) = a.text(0, row).zip(a.text(1, row)) else { return Ok(None) };
            Ok(patterns.compile(pattern)?.find(text).map(|found| found.as_str().to_owned()))
        })
    }),
    ("regexp_instr", "ss?i", 'i', |a| {
        let patterns = Patterns::default();
        a.numbers::<Int32Type>(|row| {
            let Some((text, pattern)) = a.text(0, row).zip(a.text(1, row)) else { return Ok(None) };
            let found = patterns.compile(pattern)?.find(text).map(|found| text[..found.start()].chars().count() + 1);
            Ok(i32::try_from(found.unwrap_or(0)).ok())
        })
    }),
    ("regexp_replace", "sss?i", 's', |a| {
        let patterns = Patterns::default();
        a.texts(|row| {
            let (Some((text, pattern)), Some(by)) = (a.text(0, row).zip(a.text(1, row)), a.text(2, row)) else {
                return Ok(None);
            };
            let skipped = if a.columns.len() > 3 { a.int(3, row).unwrap_or(1) } else { 1 };
            let skipped = usize::try_from(skipped.saturating_sub(1)).unwrap_or(0);
            let from = text.char_indices().nth(skipped).map_or(text.len(), |(at, _)| at);
            let regex = patterns.compile(pattern)?;
            let replaced = regex.replace_all(&text[from..], |found: &Captures<'_>| expanded(found, by));
            Ok(Some(format!("{}{replaced}", &text[..from])))
        })
    }),
];

/// The pattern of the row before, compiled: as a rule all rows have the same.
#[derive(Default)]
struct Patterns(RefCell<Option<(String, Regex)>>);

impl Patterns {
    fn compile(&self, pattern: &str) -> EngineResult<Regex> {
        if let Some((known, regex)) = self.0.borrow().as_ref()
            && known == pattern
        {
            return Ok(regex.clone());
        }
        let regex = compile(pattern)?;
        *self.0.borrow_mut() = Some((pattern.to_owned(), regex.clone()));
        Ok(regex)
    }
}

/// A regular expression.
pub(super) fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        let message = format!("'{pattern}' is no regular expression that is understood: {error}");
        let condition = "INVALID_PARAMETER_VALUE.PATTERN";
        SparkError::new(ErrorClass::Runtime, condition, "22023", message).with("value", format!("'{pattern}'"))
    })
}

/// The number of the group that is wanted; the first one if it is not said.
fn group(args: &Args<'_>, row: usize) -> i32 {
    if args.columns.len() > 2 { args.int(2, row).unwrap_or(1) } else { 1 }
}

fn checked_group(regex: &Regex, group: i32, function: &str) -> EngineResult<usize> {
    let last = regex.captures_len() - 1;
    match usize::try_from(group) {
        Ok(group) if group <= last => Ok(group),
        _ => {
            let message = format!("The group of `{function}` must be between 0 and {last}, not {group}.");
            let condition = "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX";
            Err(SparkError::new(ErrorClass::Runtime, condition, "22023", message)
                .with("functionName", format!("`{function}`"))
                .with("groupCount", last.to_string())
                .with("groupIndex", group.to_string())
                .into())
        }
    }
}

fn matched(found: &Captures<'_>, group: usize) -> String {
    found.get(group).map_or_else(String::new, |part| part.as_str().to_owned())
}

/// A replacement with `$1` and `${name}` for groups and a backslash before what is meant as it stands.
fn expanded(found: &Captures<'_>, by: &str) -> String {
    let mut result = String::new();
    let mut rest = by.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => result.extend(rest.next()),
            '$' if rest.peek() == Some(&'{') => {
                rest.next();
                let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
                result.push_str(found.name(&name).map_or("", |part| part.as_str()));
            }
            '$' => {
                // As many digits as make the number of a group.
                let mut number = None;
                while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
                    let longer = number.unwrap_or(0) * 10 + digit as usize;
                    if number.is_some() && longer >= found.len() {
                        break;
                    }
                    number = Some(longer);
                    rest.next();
                }
                match number {
                    Some(number) => result.push_str(&matched(found, number)),
                    None => result.push('$'),
                }
            }
            c => result.push(c),
        }
    }
    result
}

fn lists(args: &Args<'_>, compute: impl Fn(usize) -> EngineResult<Option<Vec<String>>>) -> EngineResult<ArrayRef> {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in 0..args.rows {
        match compute(row)? {
            Some(items) => builder.append_value(items.into_iter().map(Some)),
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// At most `limit` parts, the last with all that is left; without a positive limit all of them. A match of nothing
/// at the beginning divides nothing.
fn split(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let patterns = Patterns::default();
    lists(args, |row| {
        let Some((text, pattern)) = args.text(0, row).zip(args.text(1, row)) else { return Ok(None) };
        let limit = if args.columns.len() > 2 { args.int(2, row).unwrap_or(-1) } else { -1 };
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let regex = patterns.compile(pattern)?;
        let (mut parts, mut from) = (vec![], 0);
        for found in regex.find_iter(text) {
            let nothing = found.is_empty() && (found.start() == 0 || found.start() == text.len());
            if parts.len() + 1 >= limit || nothing {
                continue;
            }
            parts.push(text[from..found.start()].to_owned());
            from = found.end();
        }
        parts.push(text[from..].to_owned());
        Ok(Some(parts))
    })
}
