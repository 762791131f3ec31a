//! `CACHE`, `UNCACHE`, `CLEAR CACHE` and `REFRESH`.

use sqlparser::tokenizer::Token;

use super::options::options;
use super::{Statement, is_query};
use crate::error::Result;
use crate::sql::cursor::Cursor;
use crate::sql::parameters::Parameters;
use crate::sql::query;

/// What follows `CACHE`: `[LAZY] TABLE name [OPTIONS (...)] [[AS] query]`.
pub(super) fn cache(mut cursor: Cursor, text: &str, params: &Parameters) -> Result<Statement> {
    let lazy = cursor.eat_words(&["lazy"]);
    cursor.expect_words(&["table"])?;
    let name = cursor.qualified_name()?;
    let options = if cursor.eat_words(&["options"]) { options(&mut cursor)? } else { Default::default() };
    let level = options.into_iter().find(|(key, _)| key.eq_ignore_ascii_case("storageLevel")).map(|(_, level)| level);
    let has_as = cursor.eat_words(&["as"]);
    let query = match cursor.at_end() {
        true if !has_as => None,
        false if is_query(cursor.rest()) => Some(query(cursor.into_rest(), text, params)?),
        _ => return Err(cursor.unexpected()),
    };
    Ok(Statement::Cache { name, query, lazy, level })
}

/// The others; none for another statement.
pub(super) fn other(cursor: &mut Cursor) -> Result<Option<Statement>> {
    if cursor.eat_words(&["uncache", "table"]) {
        let if_exists = cursor.eat_words(&["if", "exists"]);
        return Ok(Some(Statement::Uncache { name: cursor.qualified_name()?, if_exists }));
    }
    if cursor.eat_words(&["clear", "cache"]) {
        return Ok(Some(Statement::ClearCache));
    }
    if !cursor.eat_words(&["refresh"]) {
        return Ok(None);
    }
    if cursor.eat_words(&["function"]) {
        return cursor.qualified_name().map(|name| Some(Statement::RefreshFunction(name)));
    }
    if matches!(cursor.peek(), Some(Token::SingleQuotedString(_))) {
        return cursor.string().map(|path| Some(Statement::RefreshPath(path)));
    }
    if cursor.peek_nth(1).is_some() {
        cursor.eat_words(&["table"]);
    }
    cursor.qualified_name().map(|name| Some(Statement::Refresh(name)))
}
