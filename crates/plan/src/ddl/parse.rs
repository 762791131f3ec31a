//! DDL text.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{decimal, list, map, simple_type, unsupported_type};
use crate::error::{Result, SparkError};
use crate::sql::{Cursor, lex, too_complex};

/// How deep types may be nested: each level takes stack here and in every walk over the type.
const MAX_DEPTH: usize = 100;

pub(super) fn schema(text: &str) -> Result<Schema> {
    let mut cursor = type_cursor(text)?;
    let is_struct = cursor.peek_word(0).is_some_and(|w| w.eq_ignore_ascii_case("struct"))
        && matches!(cursor.peek_nth(1), Some(Token::Lt));
    let fields = if is_struct {
        match read_type(&mut cursor, 0)? {
            DataType::Struct(fields) => fields,
            _ => return Err(cursor.unexpected()),
        }
    } else if cursor.at_end() {
        Fields::empty()
    } else {
        fields(&mut cursor, 0)?
    };
    end(&cursor)?;
    Ok(Schema::new(fields))
}

pub(super) fn data_type(text: &str) -> Result<DataType> {
    type_of_tokens(lex(text)?)
}

/// Columns of a statement: what stands between the parentheses of `t (a INT, b STRING)`.
pub(crate) fn columns(cursor: &mut Cursor) -> Result<Schema> {
    fields(cursor, 0).map(Schema::new)
}

/// The type that stands next in a statement.
pub(crate) fn type_at(cursor: &mut Cursor) -> Result<DataType> {
    read_type(cursor, 0)
}

/// A type of a statement, which its tokens are.
pub(crate) fn type_of_tokens(tokens: Vec<TokenWithSpan>) -> Result<DataType> {
    let mut cursor = Cursor::new(split_brackets(tokens));
    let data_type = read_type(&mut cursor, 0)?;
    end(&cursor)?;
    Ok(data_type)
}

fn end(cursor: &Cursor) -> Result<()> {
    if cursor.at_end() { Ok(()) } else { Err(cursor.unexpected()) }
}

fn type_cursor(text: &str) -> Result<Cursor> {
    Ok(Cursor::new(split_brackets(lex(text)?)))
}

/// Angle brackets one by one: the tokeniser takes two as an operator.
pub(crate) fn split_brackets(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut split = Vec::with_capacity(tokens.len());
    for TokenWithSpan { token, span } in tokens {
        let pair = match token {
            Token::ShiftRight => (Token::Gt, Token::Gt),
            Token::Neq => (Token::Lt, Token::Gt),
            other => {
                split.push(TokenWithSpan { token: other, span });
                continue;
            }
        };
        split.push(TokenWithSpan { token: pair.0, span });
        split.push(TokenWithSpan { token: pair.1, span });
    }
    split
}

/// `name[:] type [NOT NULL] [COMMENT 'text']`, with commas between.
fn fields(cursor: &mut Cursor, depth: usize) -> Result<Fields> {
    let mut fields = Vec::new();
    loop {
        let name = cursor.identifier()?;
        cursor.eat(&Token::Colon);
        let data_type = read_type(cursor, depth)?;
        let nullable = !cursor.eat_words(&["not", "null"]);
        let mut field = Field::new(name, data_type, nullable);
        if cursor.eat_words(&["comment"]) {
            field = field.with_metadata(HashMap::from([("comment".to_owned(), cursor.string()?)]));
        }
        fields.push(field);
        if !cursor.eat(&Token::Comma) {
            return Ok(fields.into());
        }
    }
}

fn read_type(cursor: &mut Cursor, depth: usize) -> Result<DataType> {
    if depth > MAX_DEPTH {
        return Err(too_complex());
    }
    let Some(word) = cursor.peek_word(0) else { return Err(cursor.unexpected()) };
    let name = word.to_ascii_lowercase();
    cursor.advance();
    match name.as_str() {
        "array" => {
            cursor.expect(&Token::Lt)?;
            let element = read_type(cursor, depth + 1)?;
            cursor.expect(&Token::Gt)?;
            Ok(list(element, true))
        }
        "map" => {
            cursor.expect(&Token::Lt)?;
            let key = read_type(cursor, depth + 1)?;
            cursor.expect(&Token::Comma)?;
            let value = read_type(cursor, depth + 1)?;
            cursor.expect(&Token::Gt)?;
            Ok(map(key, value, true))
        }
        "struct" => {
            cursor.expect(&Token::Lt)?;
            if cursor.eat(&Token::Gt) {
                return Ok(DataType::Struct(Fields::empty()));
            }
            let fields = fields(cursor, depth + 1)?;
            cursor.expect(&Token::Gt)?;
            Ok(DataType::Struct(fields))
        }
        "interval" => interval(cursor),
        "decimal" | "dec" | "numeric" if cursor.eat(&Token::LParen) => {
            let precision = cursor.integer()?;
            let scale = if cursor.eat(&Token::Comma) { cursor.integer()? } else { 0 };
            cursor.expect(&Token::RParen)?;
            decimal(precision, scale)
        }
        "varchar" | "char" | "character" => {
            cursor.expect(&Token::LParen)?;
            cursor.integer::<u32>()?;
            cursor.expect(&Token::RParen)?;
            Ok(DataType::Utf8)
        }
        "timestamp" if cursor.eat_words(&["without", "time", "zone"]) => {
            Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
        }
        "timestamp" if cursor.eat_words(&["with", "local", "time", "zone"]) => Ok(super::timestamp()),
        _ => simple_type(&name).ok_or_else(|| unknown_type(cursor, name)),
    }
}

/// The fields of an interval type tell only which of Spark's two kinds it is.
fn interval(cursor: &mut Cursor) -> Result<DataType> {
    const YEAR_MONTH: [&str; 2] = ["year", "month"];
    const DAY_TIME: [&str; 4] = ["day", "hour", "minute", "second"];
    for (units, data_type) in [
        (YEAR_MONTH.as_slice(), DataType::Interval(IntervalUnit::YearMonth)),
        (DAY_TIME.as_slice(), DataType::Duration(TimeUnit::Microsecond)),
    ] {
        let Some(first) = units.iter().position(|unit| cursor.eat_words(&[unit])) else { continue };
        if cursor.eat_words(&["to"]) && !units.iter().skip(first + 1).any(|unit| cursor.eat_words(&[unit])) {
            return Err(cursor.unexpected());
        }
        return Ok(data_type);
    }
    Err(unsupported_type("interval"))
}

/// The name with its parameters, as Spark prints it: `FOO(1,2)`.
fn unknown_type(cursor: &mut Cursor, mut name: String) -> SparkError {
    if cursor.eat(&Token::LParen) {
        name.push('(');
        while let Some(token) = cursor.advance() {
            name.push_str(&token.to_string());
            if token == Token::RParen {
                break;
            }
        }
    }
    unsupported_type(&name)
}
