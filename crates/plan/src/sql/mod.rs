//! SQL text to the unresolved plan.
//!
//! sqlparser makes the syntax tree, from tokens that are mended to Spark's ([`lexer`]) and with Spark's precedences
//! ([`dialect`]). Statements that are no queries have a small grammar of their own ([`statement`]).

mod aggregate;
mod cursor;
mod dialect;
mod error;
mod expr;
mod from;
mod function;
mod group;
mod identifier;
mod identifier_clause;
mod insert;
mod interval;
mod lexer;
mod literal;
mod lower;
mod parameters;
mod parse;
mod pipe;
mod pivot;
mod position;
mod predicate;
mod query;
mod recursion_level;
mod reserved;
mod select;
mod statement;
mod table;
mod values;
mod window;

use sqlparser::tokenizer::{Token, TokenWithSpan};

pub(crate) use cursor::Cursor;
pub(crate) use error::too_complex;
pub use identifier::parse_identifier;
pub(crate) use lexer::lex;
pub use parameters::Parameters;
pub use statement::{
    CreateFunction, CreateView, DatabaseChange, DeclareVariables, Describe, ExecuteImmediate, ExplainMode,
    FunctionListing, SetVariables, Show, Statement, TableChange, TableListing, ViewScope, markers, parse_statement,
};
pub use table::{CreateTable, CreateTableLike, partitions_last};

use crate::error::Result;
use crate::ir::{Expr, Relation};
use lower::Lowering;

/// A query from text: `SELECT`, `WITH`, `VALUES`, `FROM t SELECT`, `TABLE t`.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR` and the like for text that is no query, `UNSUPPORTED_OPERATION` for what Spark has and this
/// server has not, `UNBOUND_SQL_PARAMETER` for a marker without a value.
pub fn parse_query(text: &str, params: &Parameters) -> Result<Relation> {
    query(statement_tokens(text, params)?, text, params)
}

/// An expression from text, with or without a name: `a + 1 AS b`, `*`, `t.*`.
///
/// # Errors
/// As [`parse_query`].
pub fn parse_expression(text: &str) -> Result<Expr> {
    let params = Parameters::default();
    let tokens = statement_tokens(text, &params)?;
    parse::parse(
        tokens,
        |parser| parser.parse_select_item(),
        |item, known| Lowering::new(text, &params, known).select_item(item),
    )
}

/// A query from the tokens that are left of `text`.
fn query(tokens: Vec<TokenWithSpan>, text: &str, params: &Parameters) -> Result<Relation> {
    parse::parse(tokens, |parser| parser.parse_query(), |query, known| Lowering::new(text, params, known).query(*query))
}

/// An expression from tokens that are left of `text`.
fn expression(tokens: Vec<TokenWithSpan>, text: &str, params: &Parameters) -> Result<Expr> {
    parse::parse(tokens, |parser| parser.parse_expr(), |expr, known| Lowering::new(text, params, known).expr(expr))
}

/// The tokens of one statement, without the semicolons behind it, and with names where `IDENTIFIER(...)` computes them.
fn statement_tokens(text: &str, params: &Parameters) -> Result<Vec<TokenWithSpan>> {
    let mut tokens = lex(text)?;
    while tokens.last().is_some_and(|t| t.token == Token::SemiColon) {
        tokens.pop();
    }
    if tokens.is_empty() {
        return Err(error::empty_statement());
    }
    identifier_clause::replace(tokens, text, params)
}
