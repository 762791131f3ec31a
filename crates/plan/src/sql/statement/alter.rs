//! What is changed of something that is there: `ALTER TABLE`, `ALTER DATABASE`, `COMMENT ON`, `TRUNCATE TABLE`.

use std::collections::BTreeMap;

use arrow::datatypes::{Schema, SchemaRef};
use sqlparser::tokenizer::Token;

use super::options::options;
use super::{Statement, namespace, typed_columns};
use crate::ddl;
use crate::error::{Result, SparkError};
use crate::sql::cursor::Cursor;

/// What changes of a table or view.
#[derive(Debug, Clone, PartialEq)]
pub enum TableChange {
    /// `ADD COLUMNS (a INT, ...)`.
    AddColumns(SchemaRef),
    /// `ALTER COLUMN name COMMENT 'text'`.
    ColumnComment {
        /// The column.
        column: String,
        /// What it is for.
        comment: String,
    },
    /// `COMMENT ON TABLE name IS 'text'`; none for NULL.
    Comment(Option<String>),
    /// `SET TBLPROPERTIES (...)`.
    SetProperties(BTreeMap<String, String>),
    /// `UNSET TBLPROPERTIES [IF EXISTS] (...)`.
    UnsetProperties(Vec<String>),
}

/// What changes of a database.
#[derive(Debug, Clone, PartialEq)]
pub enum DatabaseChange {
    /// `COMMENT ON DATABASE name IS 'text'`; none for NULL.
    Comment(Option<String>),
    /// `SET DBPROPERTIES (...)`.
    SetProperties(BTreeMap<String, String>),
}

/// Changes of tables that those of Spark's own catalogue do not take.
const REFUSED: [(&[&str], &str); 4] = [
    (&["drop", "column"], "DROP COLUMN"),
    (&["drop", "columns"], "DROP COLUMN"),
    (&["rename", "column"], "RENAME COLUMN"),
    (&["replace", "columns"], "REPLACE COLUMNS"),
];

/// A statement of this kind; none for another one, or a change that is not known here.
pub(super) fn statement(cursor: &mut Cursor) -> Result<Option<Statement>> {
    if cursor.eat_words(&["alter", "table"]) {
        let name = cursor.qualified_name()?;
        return table(cursor, name);
    }
    for word in namespace::DATABASE {
        if cursor.eat_words(&["alter", word]) {
            let name = cursor.qualified_name()?;
            if !["dbproperties", "properties"].iter().any(|word| cursor.eat_words(&["set", word])) {
                return Err(SparkError::unsupported("ALTER DATABASE of anything but its properties"));
            }
            return Ok(Some(Statement::AlterDatabase {
                name,
                change: DatabaseChange::SetProperties(options(cursor)?),
            }));
        }
        if cursor.eat_words(&["comment", "on", word]) {
            let name = cursor.qualified_name()?;
            return Ok(Some(Statement::AlterDatabase { name, change: DatabaseChange::Comment(comment(cursor)?) }));
        }
    }
    if cursor.eat_words(&["comment", "on"]) {
        cursor.expect_words(&["table"])?;
        let name = cursor.qualified_name()?;
        let change = TableChange::Comment(comment(cursor)?);
        return Ok(Some(Statement::AlterTable { name, view: false, operation: "COMMENT ON TABLE".to_owned(), change }));
    }
    if cursor.eat_words(&["truncate"]) {
        cursor.expect_words(&["table"])?;
        let name = cursor.qualified_name()?;
        if cursor.at_end() {
            return Ok(Some(Statement::Truncate(name)));
        }
        return namespace::of_table(cursor, "TRUNCATE TABLE with PARTITION", name);
    }
    Ok(None)
}

fn table(cursor: &mut Cursor, name: Vec<String>) -> Result<Option<Statement>> {
    if cursor.eat_words(&["rename", "to"]) {
        return Ok(Some(Statement::Rename { view: false, name, to: cursor.qualified_name()? }));
    }
    if let Some((_, operation)) = REFUSED.iter().find(|(words, _)| cursor.eat_words(words)) {
        return namespace::of_table(cursor, operation, name);
    }
    match change(cursor)? {
        Some((change, operation)) => Ok(Some(Statement::AlterTable {
            name,
            view: false,
            operation: format!("ALTER TABLE ... {operation}"),
            change,
        })),
        None => namespace::of_table(cursor, "ALTER TABLE", name),
    }
}

/// What changes, and what messages call that.
pub(super) fn change(cursor: &mut Cursor) -> Result<Option<(TableChange, &'static str)>> {
    if ["column", "columns"].iter().any(|word| cursor.eat_words(&["add", word])) {
        *cursor = Cursor::new(ddl::split_brackets(cursor.rest().to_vec()));
        let columns = match cursor.peek() {
            Some(Token::LParen) => typed_columns(cursor)?,
            _ => ddl::columns(cursor).map(|columns: Schema| columns.into())?,
        };
        return Ok(Some((TableChange::AddColumns(columns), "ADD COLUMNS")));
    }
    if ["alter", "change"].iter().any(|word| cursor.peek_word(0).is_some_and(|found| found.eq_ignore_ascii_case(word)))
    {
        let named = 1 + usize::from(cursor.peek_word(1).is_some_and(|word| word.eq_ignore_ascii_case("column")));
        if !cursor.peek_word(named + 1).is_some_and(|word| word.eq_ignore_ascii_case("comment")) {
            return Ok(None);
        }
        (0..named).for_each(|_| drop(cursor.advance()));
        let column = cursor.identifier()?;
        cursor.expect_words(&["comment"])?;
        return Ok(Some((TableChange::ColumnComment { column, comment: cursor.string()? }, "ALTER COLUMN")));
    }
    if cursor.eat_words(&["set", "tblproperties"]) {
        return Ok(Some((TableChange::SetProperties(options(cursor)?), "SET TBLPROPERTIES")));
    }
    if cursor.eat_words(&["unset", "tblproperties"]) {
        cursor.eat_words(&["if", "exists"]);
        return Ok(Some((TableChange::UnsetProperties(keys(cursor)?), "UNSET TBLPROPERTIES")));
    }
    Ok(None)
}

/// `IS 'text'` or `IS NULL`.
fn comment(cursor: &mut Cursor) -> Result<Option<String>> {
    cursor.expect_words(&["is"])?;
    if cursor.eat_words(&["null"]) { Ok(None) } else { cursor.string().map(Some) }
}

/// `('a', b.c)`.
fn keys(cursor: &mut Cursor) -> Result<Vec<String>> {
    cursor.expect(&Token::LParen)?;
    let mut keys = vec![];
    loop {
        keys.push(super::options::key(cursor)?);
        if !cursor.eat(&Token::Comma) {
            cursor.expect(&Token::RParen)?;
            return Ok(keys);
        }
    }
}
