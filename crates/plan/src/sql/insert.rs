//! `INSERT`.

use sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::parameters::Parameters;
use super::query;
use super::statement::is_query;
use crate::error::{Result, SparkError};
use crate::ir::{Insert, InsertColumns};

/// What follows the word `INSERT`: `INTO|OVERWRITE [TABLE] name [(columns) | BY NAME] query`.
pub(super) fn insert(mut cursor: Cursor, text: &str, params: &Parameters) -> Result<Insert> {
    let overwrite = cursor.eat_words(&["overwrite"]);
    if !overwrite {
        cursor.expect_words(&["into"])?;
    }
    cursor.eat_words(&["table"]);
    if overwrite && (cursor.eat_words(&["directory"]) || cursor.eat_words(&["local", "directory"])) {
        return Err(SparkError::unsupported("the statement INSERT OVERWRITE DIRECTORY"));
    }
    let table = cursor.qualified_name()?;
    for (words, clause) in [(["partition"].as_slice(), "PARTITION"), (&["replace", "where"], "REPLACE WHERE")] {
        if cursor.eat_words(words) {
            return Err(SparkError::unsupported(format!("INSERT with {clause}")));
        }
    }
    let columns = if cursor.eat_words(&["by", "name"]) {
        InsertColumns::Name
    } else {
        match columns(&cursor) {
            Some((columns, length)) => {
                (0..length).for_each(|_| drop(cursor.advance()));
                InsertColumns::List(columns)
            }
            None => InsertColumns::Position,
        }
    };
    if !is_query(cursor.rest()) {
        return Err(cursor.unexpected());
    }
    let query = query(cursor.into_rest(), text, params)?;
    Ok(Insert { table, overwrite, columns, query })
}

/// The names of `(a, b)` and how many tokens they take; none where the bracket opens a query.
fn columns(cursor: &Cursor) -> Option<(Vec<String>, usize)> {
    let mut names = Vec::new();
    let mut next = 0;
    loop {
        let open = if names.is_empty() { Token::LParen } else { Token::Comma };
        let (Some(token), Some(Token::Word(name))) = (cursor.peek_nth(next), cursor.peek_nth(next + 1)) else {
            return None;
        };
        if *token != open {
            return None;
        }
        names.push(name.value.clone());
        next += 2;
        if cursor.peek_nth(next) == Some(&Token::RParen) {
            return Some((names, next + 1));
        }
    }
}
