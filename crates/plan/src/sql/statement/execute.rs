//! `EXECUTE IMMEDIATE`.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::Statement;
use super::variable::{names, split};
use crate::error::Result;
use crate::ir::Expr;
use crate::sql::cursor::Cursor;
use crate::sql::dialect::keyword;
use crate::sql::parameters::Parameters;
use crate::sql::{expression, lex};

/// `EXECUTE IMMEDIATE text [INTO name [, ...]] [USING expr [AS name] [, ...]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecuteImmediate {
    /// What makes the text.
    pub text: Expr,
    /// The variables that the only row goes into, by the parts of their names.
    pub into: Vec<Vec<String>>,
    /// The values of the text's markers, with names or without.
    pub using: Vec<(Expr, Option<String>)>,
}

/// What follows `EXECUTE IMMEDIATE`.
pub(super) fn immediate(cursor: Cursor, text: &str, params: &Parameters) -> Result<Statement> {
    let (of_text, mut rest) = before(cursor.into_rest(), &[Keyword::INTO, Keyword::USING]);
    let mut into = vec![];
    if rest.first().is_some_and(|t| keyword(&t.token) == Keyword::INTO) {
        let mut cursor = Cursor::new(rest.split_off(1));
        into = names(&mut cursor)?;
        rest = cursor.into_rest();
    }
    let using = match rest.first().map(|t| keyword(&t.token)) {
        None => vec![],
        Some(Keyword::USING) => {
            let arguments = split(rest.split_off(1)).into_iter().map(|tokens| argument(tokens, text, params));
            arguments.collect::<Result<_>>()?
        }
        Some(_) => return Err(Cursor::new(rest).unexpected()),
    };
    Ok(Statement::ExecuteImmediate(ExecuteImmediate { text: expression(of_text, text, params)?, into, using }))
}

/// Which kinds of markers a text has: `?`, and `:name`.
///
/// # Errors
/// Text that is no SQL.
pub fn markers(text: &str) -> Result<(bool, bool)> {
    let tokens = lex(text)?;
    let is_positional = |t: &TokenWithSpan| matches!(&t.token, Token::Placeholder(mark) if mark.starts_with('?'));
    let is_named = |pair: &[TokenWithSpan]| matches!(pair, [a, b] if a.token == Token::Colon && is_word(b));
    Ok((tokens.iter().any(is_positional), tokens.windows(2).any(is_named)))
}

fn is_word(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Word(_))
}

/// The tokens before the first of these words, and the rest.
fn before(mut tokens: Vec<TokenWithSpan>, words: &[Keyword]) -> (Vec<TokenWithSpan>, Vec<TokenWithSpan>) {
    let end = tokens.iter().position(|t| words.contains(&keyword(&t.token))).unwrap_or(tokens.len());
    let rest = tokens.split_off(end);
    (tokens, rest)
}

/// `expr`, or `expr AS name`.
fn argument(mut tokens: Vec<TokenWithSpan>, text: &str, params: &Parameters) -> Result<(Expr, Option<String>)> {
    let has_as = matches!(tokens.as_slice(), [.., r#as, _] if keyword(&r#as.token) == Keyword::AS);
    let name = match tokens.last().map(|t| &t.token) {
        Some(Token::Word(Word { value, .. })) if has_as => Some(value.clone()),
        _ => None,
    };
    if name.is_some() {
        tokens.truncate(tokens.len() - 2);
    }
    Ok((expression(tokens, text, params)?, name))
}
