//! `CREATE VIEW` and `ALTER VIEW`.

use std::collections::BTreeMap;

use sqlparser::tokenizer::{Location, Token};

use super::options::{options, typed_columns};
use super::{CreateView, Statement, TableChange, ViewScope, alter, is_query};
use crate::ddl;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Relation, Source};
use crate::sql::cursor::Cursor;
use crate::sql::parameters::Parameters;
use crate::sql::query;

/// What stands before the name of a view.
pub(super) struct Prefix {
    replace: bool,
    scope: ViewScope,
}

/// Takes `CREATE [OR REPLACE] [[GLOBAL] TEMPORARY] VIEW`; none for another statement.
pub(super) fn prefix(cursor: &mut Cursor) -> Option<Prefix> {
    let scopes: [(&[&str], ViewScope); 5] = [
        (&["view"], ViewScope::Stored),
        (&["temp", "view"], ViewScope::Temporary),
        (&["temporary", "view"], ViewScope::Temporary),
        (&["global", "temp", "view"], ViewScope::Global),
        (&["global", "temporary", "view"], ViewScope::Global),
    ];
    for (start, replace) in [(["create", "or", "replace"].as_slice(), true), (&["create"], false)] {
        for (words, scope) in scopes {
            if cursor.eat_words(&[start, words].concat()) {
                return Some(Prefix { replace, scope });
            }
        }
    }
    None
}

/// What follows that.
pub(super) fn create(mut cursor: Cursor, prefix: Prefix, text: &str, params: &Parameters) -> Result<Statement> {
    let Prefix { replace, scope } = prefix;
    let if_not_exists = cursor.eat_words(&["if", "not", "exists"]);
    let name = cursor.qualified_name()?;
    if if_not_exists && replace {
        let name = name.join(".");
        let message = "CREATE VIEW with both IF NOT EXISTS and REPLACE is not allowed.";
        let condition = "CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE";
        return Err(SparkError::new(ErrorClass::Parse, condition, "42601", message).with("viewName", name));
    }
    if if_not_exists && scope != ViewScope::Stored {
        let message = "It is not allowed to define a TEMPORARY view with IF NOT EXISTS.";
        return Err(SparkError::new(ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0053", "", message));
    }
    let name = if scope == ViewScope::Stored { name } else { vec![unqualified(name)?] };
    let mut schema = None;
    let mut columns = Vec::new();
    if cursor.peek() == Some(&Token::LParen) {
        // Names alone for a query, names and types for a source.
        let mut typed = Cursor::new(ddl::split_brackets(cursor.rest().to_vec()));
        match view_columns(&mut cursor) {
            Ok(names) => columns = names,
            Err(_) => {
                schema = Some(typed_columns(&mut typed)?);
                cursor = typed;
            }
        }
    }
    let mut comment = None;
    let mut properties = BTreeMap::new();
    loop {
        if cursor.eat_words(&["comment"]) {
            comment = Some(cursor.string()?);
        } else if cursor.eat_words(&["tblproperties"]) {
            properties = options(&mut cursor)?;
            if scope != ViewScope::Stored {
                let message = "TBLPROPERTIES can't coexist with CREATE TEMPORARY VIEW";
                return Err(
                    SparkError::new(ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0035", "", message).with("message", message)
                );
            }
        } else {
            break;
        }
    }
    if cursor.eat_words(&["as"]) && schema.is_none() {
        let (query, text) = body(cursor, text, params)?;
        let view = CreateView { name, scope, replace, if_not_exists, columns, comment, properties, query, text };
        return Ok(Statement::CreateView(view));
    }
    if !columns.is_empty() || scope == ViewScope::Stored {
        return Err(cursor.unexpected());
    }
    cursor.expect_words(&["using"])?;
    let format = cursor.qualified_name()?.join(".");
    let options = if cursor.eat_words(&["options"]) { options(&mut cursor)? } else { BTreeMap::new() };
    if !cursor.at_end() {
        return Err(cursor.unexpected());
    }
    let source = Source { format, options, schema, ..Source::default() };
    Ok(Statement::CreateSourceView { name, replace, scope, source })
}

/// What follows `ALTER VIEW`: `name AS query` and `name RENAME TO name`.
pub(super) fn alter(mut cursor: Cursor, text: &str, params: &Parameters) -> Result<Statement> {
    let name = cursor.qualified_name()?;
    if cursor.eat_words(&["rename", "to"]) {
        let to = cursor.qualified_name()?;
        return if cursor.at_end() { Ok(Statement::Rename { view: true, name, to }) } else { Err(cursor.unexpected()) };
    }
    if cursor.eat_words(&["as"]) || is_query(cursor.rest()) {
        let (query, text) = body(cursor, text, params)?;
        return Ok(Statement::AlterView { name, query, text });
    }
    match alter::change(&mut cursor)? {
        Some((change @ (TableChange::SetProperties(_) | TableChange::UnsetProperties(_)), operation))
            if cursor.at_end() =>
        {
            let operation = format!("ALTER VIEW ... {operation}");
            Ok(Statement::AlterTable { name, view: true, operation, change })
        }
        _ if cursor.at_end() => Err(cursor.unexpected()),
        _ => Err(SparkError::unsupported("ALTER VIEW of anything but the query, the name and the properties")),
    }
}

/// The query, and how it is written.
fn body(cursor: Cursor, text: &str, params: &Parameters) -> Result<(Relation, String)> {
    if !is_query(cursor.rest()) {
        return Err(cursor.unexpected());
    }
    let start = cursor.rest().first().map(|token| token.span.start);
    let written = start.map_or(String::new(), |start| from(text, start));
    Ok((query(cursor.into_rest(), text, params)?, written))
}

/// The text from a place on, without the semicolons behind it.
fn from(text: &str, start: Location) -> String {
    let (above, before) = (start.line.saturating_sub(1) as usize, start.column.saturating_sub(1) as usize);
    let lines: String = text.split_inclusive('\n').skip(above).collect();
    let rest: String = lines.chars().skip(before).collect();
    rest.trim_end_matches(|c: char| c == ';' || c.is_whitespace()).to_owned()
}

/// The name of a temporary view, which stands in no database.
fn unqualified(mut parts: Vec<String>) -> Result<String> {
    let name = parts.pop().unwrap_or_default();
    if parts.is_empty() {
        return Ok(name);
    }
    let quoted = |parts: &[String]| parts.iter().map(|part| format!("`{part}`")).collect::<Vec<_>>().join(".");
    let (object, qualifier) = (quoted(std::slice::from_ref(&name)), quoted(&parts));
    let message = format!("Temporary VIEW {object} can not be qualified with {qualifier}.");
    Err(SparkError::new(ErrorClass::Parse, "INVALID_TEMP_OBJ_QUALIFIER", "42602", message)
        .with("objectName", object)
        .with("objectType", "VIEW")
        .with("qualifier", qualifier))
}

/// `(a, b COMMENT 'text')`.
fn view_columns(cursor: &mut Cursor) -> Result<Vec<(String, Option<String>)>> {
    cursor.expect(&Token::LParen)?;
    let mut columns = Vec::new();
    loop {
        let name = cursor.identifier()?;
        let comment = if cursor.eat_words(&["comment"]) { Some(cursor.string()?) } else { None };
        columns.push((name, comment));
        if !cursor.eat(&Token::Comma) {
            cursor.expect(&Token::RParen)?;
            return Ok(columns);
        }
    }
}
