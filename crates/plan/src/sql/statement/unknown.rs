//! Statements that Spark has and this server has not, by their names.

use crate::error::{ErrorClass, SparkError};
use crate::sql::cursor::Cursor;

const FIRST_WORDS: &[&str] = &[
    "ADD", "ALTER", "ANALYZE", "BEGIN", "CACHE", "CALL", "CLEAR", "COMMENT", "CREATE", "DECLARE", "DELETE", "DESC",
    "DESCRIBE", "DFS", "DROP", "EXECUTE", "EXPORT", "GRANT", "IMPORT", "INSERT", "LIST", "LOAD", "LOCK", "MERGE",
    "MSCK", "REFRESH", "REPAIR", "REPLACE", "RESET", "REVOKE", "ROLLBACK", "SHOW", "START", "TRUNCATE", "UNCACHE",
    "UNLOCK", "UPDATE", "USE",
];

/// Words of statements that Spark takes for Hive's, and refuses.
const OF_HIVE: &[&str] = &["DFS", "EXPORT", "GRANT", "IMPORT", "LOCK", "REVOKE", "ROLLBACK", "START", "UNLOCK"];

const OBJECTS: &[&str] = &[
    "CATALOG",
    "CATALOGS",
    "COLUMNS",
    "CURRENT",
    "DATABASE",
    "DATABASES",
    "EXTENDED",
    "EXTERNAL",
    "FILE",
    "FUNCTION",
    "FUNCTIONS",
    "GLOBAL",
    "IMMEDIATE",
    "INDEX",
    "INTO",
    "JAR",
    "NAMESPACE",
    "NAMESPACES",
    "OR",
    "OVERWRITE",
    "PARTITIONS",
    "PROCEDURE",
    "QUERY",
    "REPLACE",
    "SCHEMA",
    "SCHEMAS",
    "TABLE",
    "TABLES",
    "TEMP",
    "TEMPORARY",
    "VARIABLE",
    "VIEW",
    "VIEWS",
];

/// Whether a statement begins here, one of Spark's.
pub(super) fn is_statement(cursor: &Cursor) -> bool {
    known(cursor, 0, FIRST_WORDS).is_some()
}

/// The error for a statement that has no grammar here.
pub(super) fn statement(cursor: &Cursor) -> SparkError {
    let Some(mut statement) = known(cursor, 0, FIRST_WORDS) else { return cursor.unexpected() };
    if OF_HIVE.contains(&statement.as_str()) {
        let message = format!("The statement or clause: {statement} is not valid.");
        return SparkError::new(ErrorClass::Parse, "INVALID_STATEMENT_OR_CLAUSE", "42601", message)
            .with("operation", statement);
    }
    for n in 1..5 {
        let Some(word) = known(cursor, n, OBJECTS) else { break };
        statement = format!("{statement} {word}");
    }
    if cursor.peek_nth(statement.split(' ').count()).is_none() {
        return crate::sql::error::at_end();
    }
    SparkError::unsupported(format!("the statement {statement}"))
}

fn known(cursor: &Cursor, n: usize, words: &[&str]) -> Option<String> {
    cursor.peek_word(n).map(str::to_ascii_uppercase).filter(|word| words.contains(&word.as_str()))
}
