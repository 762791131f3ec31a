//! `INSERT`.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::cursor::Cursor;
use super::dialect::keyword;
use super::parameters::Parameters;
use super::query;
use super::statement::is_query;
use crate::error::{Result, SparkError};
use crate::ir::{Insert, InsertColumns};

/// What stands before and behind the word `INSERT` of a statement that begins with its rows: `WITH q AS (...) INSERT INTO
/// t SELECT ...`, `FROM q INSERT INTO t SELECT ...`.
pub(super) fn after_rows(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, Vec<TokenWithSpan>)> {
    let first = tokens.first().map(|token| keyword(&token.token))?;
    if !matches!(first, Keyword::WITH | Keyword::FROM) {
        return None;
    }
    let mut depth = 0_usize;
    let at = tokens.windows(2).position(|pair| {
        match pair[0].token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        let into = matches!(keyword(&pair[1].token), Keyword::INTO | Keyword::OVERWRITE);
        depth == 0 && keyword(&pair[0].token) == Keyword::INSERT && into
    })?;
    Some((tokens[..at].to_vec(), tokens[at + 1..].to_vec()))
}

/// What follows the word `INSERT`: `INTO|OVERWRITE [TABLE] name [(columns) | BY NAME] query`. The query goes
/// on from the tokens `before`.
pub(super) fn insert(
    mut cursor: Cursor,
    mut before: Vec<TokenWithSpan>,
    text: &str,
    params: &Parameters,
) -> Result<Insert> {
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
    before.extend(cursor.into_rest());
    let query = query(before, text, params)?;
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
