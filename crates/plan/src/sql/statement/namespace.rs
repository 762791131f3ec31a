//! What is in a catalogue: databases, and names that are dropped or changed.

use std::collections::BTreeMap;

use super::Statement;
use super::options::options;
use crate::error::{Result, SparkError};
use crate::sql::cursor::Cursor;

pub(super) const DATABASE: [&str; 3] = ["database", "schema", "namespace"];

/// What clients of Spark add to its processes.
const RESOURCES: [&str; 6] = ["jar", "jars", "file", "files", "archive", "archives"];

/// A statement of this kind; none for another one.
pub(super) fn statement(cursor: &mut Cursor) -> Result<Option<Statement>> {
    if DATABASE.iter().any(|word| cursor.eat_words(&["create", word])) {
        return create_database(cursor).map(Some);
    }
    if DATABASE.iter().any(|word| cursor.eat_words(&["drop", word])) {
        let if_exists = cursor.eat_words(&["if", "exists"]);
        let name = cursor.qualified_name()?;
        let cascade = cursor.eat_words(&["cascade"]);
        if !cascade {
            cursor.eat_words(&["restrict"]);
        }
        return Ok(Some(Statement::DropDatabase { name, if_exists, cascade }));
    }
    if cursor.eat_words(&["use"]) {
        if cursor.peek_nth(1).is_some() {
            let _ = DATABASE.iter().any(|word| cursor.eat_words(&[word]));
        }
        return cursor.qualified_name().map(|name| Some(Statement::Use(name)));
    }
    for (words, view) in [(["drop", "view"], true), (["drop", "table"], false)] {
        if cursor.eat_words(&words) {
            let if_exists = cursor.eat_words(&["if", "exists"]);
            let name = cursor.qualified_name()?;
            if !view {
                cursor.eat_words(&["purge"]);
            }
            return Ok(Some(Statement::Drop { view, name, if_exists }));
        }
    }
    for (words, temporary) in [(["drop", "function"].as_slice(), false), (&["drop", "temporary", "function"], true)] {
        if cursor.eat_words(words) {
            let if_exists = cursor.eat_words(&["if", "exists"]);
            return Ok(Some(Statement::DropFunction { name: cursor.qualified_name()?, temporary, if_exists }));
        }
    }
    if cursor.peek_word(1).is_some_and(|word| word.eq_ignore_ascii_case("variable")) && cursor.eat_words(&["drop"]) {
        return Err(cursor.unexpected());
    }
    if ["temporary", "temp"].iter().any(|word| cursor.eat_words(&["drop", word, "variable"])) {
        let if_exists = cursor.eat_words(&["if", "exists"]);
        return Ok(Some(Statement::DropVariable { name: cursor.qualified_name()?, if_exists }));
    }
    if RESOURCES.iter().any(|word| cursor.eat_words(&["list", word])) {
        while cursor.advance().is_some() {}
        return Ok(Some(Statement::ListResources));
    }
    for (words, operation) in [
        (["analyze", "table"].as_slice(), "ANALYZE TABLE"),
        (&["update"], "UPDATE TABLE"),
        (&["delete", "from"], "DELETE"),
    ] {
        if cursor.eat_words(words) {
            let name = cursor.qualified_name()?;
            return of_table(cursor, operation, name);
        }
    }
    Ok(None)
}

/// What is asked of the table is read to the end: a table that can do it is refused for what it is.
pub(super) fn of_table(cursor: &mut Cursor, operation: &str, name: Vec<String>) -> Result<Option<Statement>> {
    while cursor.advance().is_some() {}
    Ok(Some(Statement::OfTable { operation: operation.to_owned(), name }))
}

fn create_database(cursor: &mut Cursor) -> Result<Statement> {
    let if_not_exists = cursor.eat_words(&["if", "not", "exists"]);
    let name = cursor.qualified_name()?;
    let mut comment = String::new();
    let mut properties = BTreeMap::new();
    loop {
        if cursor.eat_words(&["comment"]) {
            comment = cursor.string()?;
        } else if cursor.eat_words(&["with", "dbproperties"]) || cursor.eat_words(&["with", "properties"]) {
            properties = options(cursor)?;
        } else if cursor.eat_words(&["location"]) {
            return Err(SparkError::unsupported("CREATE DATABASE with LOCATION"));
        } else {
            let properties = properties.into_iter().collect();
            return Ok(Statement::CreateDatabase { name, if_not_exists, comment, properties });
        }
    }
}
