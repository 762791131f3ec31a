//! `SHOW`.

use sqlparser::tokenizer::Token;

use super::options::key;
use super::{FunctionListing, Show, TableListing, namespace};
use crate::error::Result;
use crate::sql::cursor::Cursor;
use crate::sql::error;

/// What follows the word.
pub(super) fn show(cursor: &mut Cursor) -> Result<Show> {
    let listings = [
        (["tables"].as_slice(), TableListing::Tables),
        (&["views"], TableListing::Views),
        (&["table", "extended"], TableListing::Extended),
    ];
    for (words, kind) in listings {
        if cursor.eat_words(words) {
            let namespace = if in_or_from(cursor) { Some(cursor.qualified_name()?) } else { None };
            return Ok(Show::Tables { kind, namespace, pattern: pattern(cursor)? });
        }
    }
    for word in ["databases", "schemas", "namespaces"] {
        if cursor.eat_words(&[word]) {
            if in_or_from(cursor) {
                cursor.qualified_name()?;
            }
            return Ok(Show::Databases(pattern(cursor)?));
        }
    }
    if cursor.eat_words(&["catalogs"]) {
        return Ok(Show::Catalogs(pattern(cursor)?));
    }
    if cursor.eat_words(&["columns"]) {
        return columns(cursor);
    }
    for (words, of) in [
        (["functions"].as_slice(), FunctionListing::All),
        (&["all", "functions"], FunctionListing::All),
        (&["system", "functions"], FunctionListing::System),
        (&["user", "functions"], FunctionListing::User),
    ] {
        if cursor.eat_words(words) {
            if in_or_from(cursor) {
                cursor.qualified_name()?;
            }
            return Ok(Show::Functions { of, pattern: pattern(cursor)? });
        }
    }
    for word in namespace::DATABASE {
        if cursor.eat_words(&["current", word]) {
            return Ok(Show::CurrentDatabase);
        }
    }
    if cursor.eat_words(&["tblproperties"]) {
        let name = cursor.qualified_name()?;
        if !cursor.eat(&Token::LParen) {
            return Ok(Show::Properties { name, key: None });
        }
        let key = key(cursor)?;
        cursor.expect(&Token::RParen)?;
        return Ok(Show::Properties { name, key: Some(key) });
    }
    if cursor.eat_words(&["create", "table"]) {
        return cursor.qualified_name().map(Show::CreateTable);
    }
    if cursor.eat_words(&["partitions"]) {
        return cursor.qualified_name().map(Show::Partitions);
    }
    cursor.advance();
    Err(if cursor.at_end() { error::at_end() } else { cursor.unexpected() })
}

/// `IN table [IN database]`.
fn columns(cursor: &mut Cursor) -> Result<Show> {
    if !in_or_from(cursor) {
        return Err(cursor.unexpected());
    }
    let table = cursor.qualified_name()?;
    if !in_or_from(cursor) {
        return Ok(Show::Columns(table));
    }
    let mut name = cursor.qualified_name()?;
    name.extend(table.into_iter().next_back());
    Ok(Show::Columns(name))
}

fn in_or_from(cursor: &mut Cursor) -> bool {
    cursor.eat_words(&["in"]) || cursor.eat_words(&["from"])
}

/// `[LIKE] 'text'`; a name stands for itself.
fn pattern(cursor: &mut Cursor) -> Result<Option<String>> {
    let like = cursor.eat_words(&["like"]);
    match cursor.peek() {
        Some(Token::SingleQuotedString(_)) => cursor.string().map(Some),
        Some(Token::Word(_)) if !like => cursor.identifier().map(Some),
        _ if like => Err(cursor.unexpected()),
        _ => Ok(None),
    }
}
