//! `WITH RECURSIVE t MAX RECURSION LEVEL 200 AS (...)`: sqlparser knows no such clause, so it is taken out before.

use std::collections::BTreeMap;

use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use super::cursor::is_word;
use crate::error::{ErrorClass, SparkError};

/// How many steps each named query may take, by where its name stands.
pub(super) type Levels = BTreeMap<Location, usize>;

const CLAUSE: [&str; 3] = ["max", "recursion", "level"];

/// Takes the clauses out.
pub(super) fn take(tokens: Vec<TokenWithSpan>) -> (Vec<TokenWithSpan>, Levels) {
    let mut levels = Levels::new();
    if !tokens.iter().any(|t| is_word(&t.token, "recursion")) {
        return (tokens, levels);
    }
    let mut done: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((next, after)) = rest.split_first() {
        if let Some(level) = level(rest)
            && let Some(name) = name_before(&done)
        {
            levels.insert(name, level);
            rest = &rest[CLAUSE.len() + 1..];
        } else {
            done.push(next.clone());
            rest = after;
        }
    }
    (done, levels)
}

/// The number of a clause that begins here.
fn level(tokens: &[TokenWithSpan]) -> Option<usize> {
    let (words, rest) = tokens.split_at_checked(CLAUSE.len())?;
    let begins = words.iter().zip(CLAUSE).all(|(token, word)| is_word(&token.token, word));
    match rest {
        [TokenWithSpan { token: Token::Number(digits, _), .. }, end, ..] if begins && ends_head(&end.token) => {
            digits.parse().ok()
        }
        _ => None,
    }
}

fn ends_head(token: &Token) -> bool {
    is_word(token, "as") || *token == Token::LParen
}

/// Where the name stands that a clause belongs to: before it, or before the names of columns between.
fn name_before(tokens: &[TokenWithSpan]) -> Option<Location> {
    let name = match tokens.last()?.token {
        Token::RParen => tokens.iter().rposition(|t| t.token == Token::LParen)?.checked_sub(1)?,
        _ => tokens.len() - 1,
    };
    tokens.get(name).filter(|t| matches!(t.token, Token::Word(_))).map(|t| t.span.start)
}

/// The error for a level without `RECURSIVE`.
pub(super) fn not_recursive() -> SparkError {
    let message = "Cannot specify MAX RECURSION LEVEL when the CTE is not marked as RECURSIVE.";
    SparkError::new(ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0035", "", message).with("message", message)
}
