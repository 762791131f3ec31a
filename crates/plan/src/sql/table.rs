//! `CREATE TABLE`: a name for a source.

use sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::parameters::Parameters;
use super::statement::{CreateTable, is_query, options, typed_columns};
use super::{error, query};
use crate::ddl;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::Source;

const CLAUSES: [(&[&str], &str); 4] = [
    (&["clustered", "by"], "CLUSTERED BY"),
    (&["cluster", "by"], "CLUSTER BY"),
    (&["row", "format"], "ROW FORMAT"),
    (&["stored", "as"], "STORED AS"),
];

/// What follows `CREATE TABLE`: `[IF NOT EXISTS] name [(columns)] USING format [OPTIONS (...)] [LOCATION 'path'] [COMMENT 'text']
/// [PARTITIONED BY (columns)] [AS query]`.
pub(super) fn create(mut cursor: Cursor, text: &str, params: &Parameters) -> Result<CreateTable> {
    let if_not_exists = cursor.eat_words(&["if", "not", "exists"]);
    let name = cursor.qualified_name()?;
    let mut schema = None;
    if cursor.peek() == Some(&Token::LParen) {
        cursor = Cursor::new(ddl::split_brackets(cursor.rest().to_vec()));
        schema = Some(typed_columns(&mut cursor)?);
    }
    if !cursor.eat_words(&["using"]) {
        return Err(SparkError::unsupported("the statement CREATE TABLE without USING"));
    }
    let mut source = Source { format: cursor.qualified_name()?.join("."), schema, ..Source::default() };
    let mut partition_by = vec![];
    loop {
        if cursor.eat_words(&["options"]) {
            source.options = options(&mut cursor)?;
        } else if cursor.eat_words(&["location"]) {
            source.paths = vec![cursor.string()?];
        } else if cursor.eat_words(&["comment"]) {
            cursor.string()?;
        } else if cursor.eat_words(&["tblproperties"]) {
            options(&mut cursor)?;
        } else if cursor.eat_words(&["partitioned", "by"]) {
            partition_by = names(&mut cursor)?;
        } else {
            break;
        }
    }
    if let Some((_, clause)) = CLAUSES.iter().find(|(words, _)| cursor.eat_words(words)) {
        return Err(SparkError::unsupported(format!("CREATE TABLE with {clause}")));
    }
    let has_as = cursor.eat_words(&["as"]);
    if !partition_by.is_empty() && cursor.at_end() {
        return Err(SparkError::unsupported("CREATE TABLE with PARTITIONED BY and no query"));
    }
    if cursor.at_end() {
        return if has_as {
            Err(error::at_end())
        } else {
            Ok(CreateTable { name, if_not_exists, source, partition_by, query: None })
        };
    }
    if !is_query(cursor.rest()) {
        return Err(cursor.unexpected());
    }
    if source.schema.is_some() {
        let message = "CREATE TABLE ... AS takes its columns from the query; give none.";
        return Err(SparkError::new(ErrorClass::Parse, "INVALID_SQL_SYNTAX.CREATE_TABLE_AS_COLUMNS", "42000", message));
    }
    let query = Some(query(cursor.into_rest(), text, params)?);
    Ok(CreateTable { name, if_not_exists, source, partition_by, query })
}

/// `(a, b)`: columns by their names. Those with a type, and functions of columns, are not for a query's.
fn names(cursor: &mut Cursor) -> Result<Vec<String>> {
    cursor.expect(&Token::LParen)?;
    let mut names = vec![cursor.identifier()?];
    while cursor.eat(&Token::Comma) {
        names.push(cursor.identifier()?);
    }
    cursor.expect(&Token::RParen)?;
    Ok(names)
}
