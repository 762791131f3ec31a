//! `IDENTIFIER('a.b')`: a name that is computed. It is put in place of the clause before anything is parsed.

use std::collections::HashMap;

use datafusion::common::ScalarValue;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::parameters::Parameters;
use super::{error, expression, parse_identifier};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::Expr;

/// The tokens with names where the clauses stood.
///
/// # Errors
/// `NOT_A_CONSTANT_STRING` for what is no text known beforehand, `PARSE_SYNTAX_ERROR` for text that is no name.
pub(super) fn replace(tokens: Vec<TokenWithSpan>, text: &str, params: &Parameters) -> Result<Vec<TokenWithSpan>> {
    if !tokens.windows(2).any(begins_clause) {
        return Ok(tokens);
    }
    let closings = closings(&tokens);
    let mut done: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        // Behind a dot it is a name like others.
        let is_part = at > 0 && tokens[at - 1].token == Token::Period;
        let is_clause = !is_part && tokens.get(at..at + 2).is_some_and(begins_clause);
        let Some(&end) = is_clause.then(|| closings.get(&(at + 1))).flatten() else {
            done.push(token.clone());
            at += 1;
            continue;
        };
        let inner = tokens.get(at + 2..end).unwrap_or_default().to_vec();
        let name = name(inner, text, params)?;
        let span = token.span;
        for (position, part) in name.into_iter().enumerate() {
            if position > 0 {
                done.push(TokenWithSpan { token: Token::Period, span });
            }
            let word = Word { value: part, quote_style: Some('`'), keyword: Keyword::NoKeyword };
            done.push(TokenWithSpan { token: Token::Word(word), span });
        }
        at = end + 1;
    }
    Ok(done)
}

fn begins_clause(pair: &[TokenWithSpan]) -> bool {
    matches!(pair, [TokenWithSpan { token: Token::Word(word), .. }, open]
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("identifier") && open.token == Token::LParen)
}

/// Where each parenthesis closes that does.
fn closings(tokens: &[TokenWithSpan]) -> HashMap<usize, usize> {
    let mut open = vec![];
    let mut closings = HashMap::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => open.push(at),
            Token::RParen => closings.extend(open.pop().map(|begin| (begin, at))),
            _ => {}
        }
    }
    closings
}

fn name(tokens: Vec<TokenWithSpan>, text: &str, params: &Parameters) -> Result<Vec<String>> {
    let start = tokens.first().map(|token| token.span.start);
    let expr = expression(tokens, text, params)?;
    let name = constant(&expr)?;
    let is_plain = |part: &String| part.chars().all(|c| c.is_alphanumeric() || c == '_');
    match parse_identifier(&name) {
        Ok(parts) if name.contains('`') || parts.iter().all(is_plain) => Ok(parts),
        _ => Err(start.map_or_else(error::at_end, |at| error::near_text(&name, at))),
    }
}

/// The text that an expression is, without a look at any row.
fn constant(expr: &Expr) -> Result<String> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text))) => Ok(text.clone()),
        Expr::Literal(ScalarValue::Utf8(None) | ScalarValue::Null) => Err(not_constant("NULL", "it is NULL")),
        Expr::Literal(_) => Err(not_constant("WRONG_TYPE", "it is no string")),
        Expr::Function(call) if matches!(call.name.to_lowercase().as_str(), "||" | "concat") => {
            call.args.iter().map(constant).collect()
        }
        _ => Err(not_constant("NOT_CONSTANT", "it is not constant")),
    }
}

fn not_constant(kind: &str, why: &str) -> SparkError {
    let message = format!("The expression used for the IDENTIFIER clause must be a constant STRING, but {why}.");
    SparkError::new(ErrorClass::Analysis, &format!("NOT_A_CONSTANT_STRING.{kind}"), "42601", message)
        .with("name", "IDENTIFIER")
}
