//! What follows `OPTIONS`, `TBLPROPERTIES` and the like, and lists of columns with types.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use sqlparser::tokenizer::Token;

use crate::ddl;
use crate::error::{ErrorClass, Result, SparkError};
use crate::sql::Cursor;

pub(in crate::sql) fn typed_columns(cursor: &mut Cursor) -> Result<SchemaRef> {
    cursor.expect(&Token::LParen)?;
    let schema = ddl::columns(cursor)?;
    cursor.expect(&Token::RParen)?;
    Ok(Arc::new(schema))
}

/// `(key 'value', a.b = 'value', "key" 1, k true)`: keys are names or text, values any literal.
pub(in crate::sql) fn options(cursor: &mut Cursor) -> Result<BTreeMap<String, String>> {
    let mut options = BTreeMap::new();
    cursor.expect(&Token::LParen)?;
    loop {
        let key = key(cursor)?;
        cursor.eat(&Token::Eq);
        let value = option_value(cursor)?;
        if options.insert(key.clone(), value).is_some() {
            return Err(duplicate_key(&key));
        }
        if !cursor.eat(&Token::Comma) {
            cursor.expect(&Token::RParen)?;
            return Ok(options);
        }
    }
}

/// A name or text.
pub(super) fn key(cursor: &mut Cursor) -> Result<String> {
    match cursor.peek() {
        Some(Token::SingleQuotedString(_)) => cursor.string(),
        _ => cursor.qualified_name().map(|parts| parts.join(".")),
    }
}

fn option_value(cursor: &mut Cursor) -> Result<String> {
    let sign = if cursor.eat(&Token::Minus) { "-" } else { "" };
    let value = match cursor.peek() {
        Some(Token::Number(digits, _)) => format!("{sign}{digits}"),
        Some(Token::SingleQuotedString(text)) if sign.is_empty() => text.clone(),
        Some(Token::Word(word))
            if sign.is_empty() && matches!(word.value.to_lowercase().as_str(), "true" | "false") =>
        {
            word.value.to_lowercase()
        }
        _ => return Err(cursor.unexpected()),
    };
    cursor.advance();
    Ok(value)
}

fn duplicate_key(key: &str) -> SparkError {
    SparkError::new(ErrorClass::Parse, "DUPLICATE_KEY", "23505", format!("Found duplicate keys `{key}`."))
        .with("keyColumn", format!("`{key}`"))
}
