//! `SET`, `RESET` and `SET TIME ZONE`.

use datafusion::common::ScalarValue;
use sqlparser::tokenizer::Token;

use super::Statement;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::Expr;
use crate::sql::{Cursor, lex, parse_expression};

const TIME_ZONE: &str = "spark.sql.session.timeZone";
/// The furthest that a zone can be from UTC.
const MOST_HOURS: i64 = 18;

/// The statement, if it is one of these. A value is taken as it stands, with whatever is in it; that of a variable is
/// an expression, and none of these.
pub(super) fn parse(text: &str) -> Result<Option<Statement>> {
    if let Some(rest) = after_word(text, "reset") {
        let key = without_semicolon(rest);
        return Ok(Some(Statement::Reset((!key.is_empty()).then(|| unquoted(key)))));
    }
    match after_word(text, "set") {
        Some(rest) if !sets_variable(rest) => set(rest).map(Some),
        _ => Ok(None),
    }
}

fn sets_variable(rest: &str) -> bool {
    let is_name = |rest: &str| !rest.is_empty() && !rest.starts_with('=');
    ["var", "variable"].iter().any(|word| after_word(rest, word).map(without_semicolon).is_some_and(is_name))
}

fn set(rest: &str) -> Result<Statement> {
    let rest = without_semicolon(rest);
    if let Some(zone) = after_word(rest, "time").and_then(|rest| after_word(rest, "zone")) {
        let value = Some(time_zone(zone.trim())?);
        return Ok(Statement::Set { key: Some(TIME_ZONE.to_owned()), value });
    }
    if let Some(catalog) = after_word(rest, "catalog").filter(|rest| !rest.contains('=')) {
        let mut cursor = Cursor::new(lex(catalog)?);
        let name = match cursor.peek() {
            Some(Token::SingleQuotedString(_)) => cursor.string()?,
            _ => cursor.identifier()?,
        };
        return if cursor.at_end() { Ok(Statement::SetCatalog(name)) } else { Err(cursor.unexpected()) };
    }
    let (key, value) = match rest.split_once('=') {
        Some((key, value)) => (key.trim(), Some(value.trim())),
        None => (rest, None),
    };
    if value.is_some_and(|value| value.contains(';') && !value.contains(['\'', '"'])) {
        return Err(invalid_set());
    }
    if key.is_empty() || key == "-v" {
        return match value {
            None => Ok(Statement::Set { key: None, value: None }),
            Some(_) => Err(invalid_set()),
        };
    }
    if !key.starts_with('`') && key.contains(char::is_whitespace) {
        return Err(invalid_set());
    }
    Ok(Statement::Set { key: Some(unquoted(key)), value: value.map(unquoted) })
}

/// A zone by its name, or by its distance from UTC.
fn time_zone(zone: &str) -> Result<String> {
    let mut cursor = Cursor::new(lex(zone)?);
    if cursor.eat_words(&["local"]) && cursor.at_end() {
        return Ok("UTC".to_owned());
    }
    if cursor.peek_word(0).is_some_and(|word| word.eq_ignore_ascii_case("interval")) {
        return match parse_expression(zone)? {
            Expr::Interval { value: ScalarValue::DurationMicrosecond(Some(micros)), .. } => offset(micros),
            _ => Err(invalid_zone()),
        };
    }
    let value = cursor.string().map_err(|_| invalid_zone())?;
    if cursor.at_end() { Ok(value) } else { Err(cursor.unexpected()) }
}

fn offset(micros: i64) -> Result<String> {
    let minutes = micros / 60_000_000;
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    if hours > MOST_HOURS || (hours == MOST_HOURS && rest > 0) {
        let message = "The interval value must be in the range of [-18, +18] hours with second precision.";
        let condition = "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE";
        let input = format!("{}{hours}", if minutes < 0 { "-" } else { "" });
        return Err(SparkError::new(ErrorClass::Parse, condition, "22006", message).with("input", input));
    }
    Ok(format!("{}{hours:02}:{rest:02}", if minutes < 0 { '-' } else { '+' }))
}

fn invalid_zone() -> SparkError {
    let message = "Invalid time zone displacement value.";
    SparkError::new(ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0045", "", message)
}

fn without_semicolon(text: &str) -> &str {
    text.trim().trim_end_matches(';').trim()
}

fn unquoted(text: &str) -> String {
    match text.strip_prefix('`').and_then(|text| text.strip_suffix('`')) {
        Some(quoted) => quoted.replace("``", "`"),
        None => text.to_owned(),
    }
}

pub(super) fn invalid_set() -> SparkError {
    SparkError::new(
        ErrorClass::Parse,
        "INVALID_SET_SYNTAX",
        "42000",
        "Expected 'SET', 'SET key' or 'SET key=value'. A key with other than letters, digits and dots goes in backticks.",
    )
}

/// What follows a word at the start of the text, if it is there as a word of its own.
fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let (first, rest) = (text.get(..word.len())?, text.get(word.len()..)?);
    let ends = rest.chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.');
    (first.eq_ignore_ascii_case(word) && ends).then_some(rest)
}
