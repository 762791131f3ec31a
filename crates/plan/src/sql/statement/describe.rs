//! `DESCRIBE`.

use super::{Describe, is_query};
use crate::error::Result;
use crate::sql::cursor::Cursor;
use crate::sql::parameters::Parameters;
use crate::sql::query;

/// What follows the word.
pub(super) fn describe(mut cursor: Cursor, text: &str, params: &Parameters) -> Result<Describe> {
    let asked = cursor.eat_words(&["query"]);
    // `DESCRIBE TABLE t` is about a table; `DESCRIBE QUERY TABLE t` about a query.
    let table = !asked && cursor.eat_words(&["table"]);
    if !table && is_query(cursor.rest()) {
        return query(cursor.into_rest(), text, params).map(Describe::Query);
    }
    if asked {
        return Err(cursor.unexpected());
    }
    if !table && cursor.eat_words(&["function"]) {
        extended(&mut cursor);
        let name = cursor.qualified_name()?;
        return if cursor.at_end() { Ok(Describe::Function(name)) } else { Err(cursor.unexpected()) };
    }
    if !table && ["database", "schema", "namespace"].iter().any(|word| cursor.eat_words(&[word])) {
        let extended = extended(&mut cursor);
        let name = cursor.qualified_name()?;
        return if cursor.at_end() { Ok(Describe::Database { name, extended }) } else { Err(cursor.unexpected()) };
    }
    let extended = extended(&mut cursor);
    let name = cursor.qualified_name()?;
    if cursor.at_end() {
        return Ok(Describe::Table { name, extended });
    }
    let column = cursor.qualified_name()?;
    if cursor.at_end() { Ok(Describe::Column { name, column }) } else { Err(cursor.unexpected()) }
}

fn extended(cursor: &mut Cursor) -> bool {
    cursor.eat_words(&["extended"]) || cursor.eat_words(&["formatted"])
}
