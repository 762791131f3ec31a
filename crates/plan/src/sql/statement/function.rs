//! `CREATE FUNCTION`: functions of SQL text.

use std::collections::HashSet;

use arrow::datatypes::{DataType, SchemaRef};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Statement, is_query, typed_columns};
use crate::ddl;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Expr, FunctionBody, Parameter, SqlFunction};
use crate::sql::cursor::{Cursor, is_word};
use crate::sql::dialect::keyword;
use crate::sql::parameters::Parameters;
use crate::sql::{error, expression, query};

/// `CREATE [OR REPLACE] [TEMPORARY] FUNCTION [IF NOT EXISTS] name ([parameters]) [RETURNS type|TABLE [(columns)]]
/// [characteristics] RETURN expr|query`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateFunction {
    /// The parts of the function's name.
    pub name: Vec<String>,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `OR REPLACE`.
    pub replace: bool,
    /// A function that is there already is no error.
    pub if_not_exists: bool,
    /// What it does.
    pub function: SqlFunction,
}

/// What stands before the name.
pub(super) struct Prefix {
    temporary: bool,
    replace: bool,
}

/// Words that end the type of what is returned.
const CHARACTERISTICS: [&str; 8] =
    ["return", "language", "deterministic", "not", "comment", "contains", "reads", "sql"];

/// Takes `CREATE [OR REPLACE] [TEMPORARY] FUNCTION`; none for another statement.
pub(super) fn prefix(cursor: &mut Cursor) -> Option<Prefix> {
    for (start, replace) in [(["create", "or", "replace"].as_slice(), true), (&["create"], false)] {
        for (words, temporary) in [(["function"].as_slice(), false), (&["temporary", "function"], true)] {
            // Without anything behind it, it is no more than the beginning of one.
            if cursor.peek_nth(start.len() + words.len()).is_some() && cursor.eat_words(&[start, words].concat()) {
                return Some(Prefix { temporary, replace });
            }
        }
    }
    None
}

/// What follows that.
pub(super) fn create(mut cursor: Cursor, prefix: Prefix, text: &str, params: &Parameters) -> Result<Statement> {
    let Prefix { temporary, replace } = prefix;
    let if_not_exists = cursor.eat_words(&["if", "not", "exists"]);
    let name = cursor.qualified_name()?;
    check_existence(temporary, replace, if_not_exists)?;
    if cursor.peek() != Some(&Token::LParen) {
        return Err(match cursor.eat_words(&["as"]) {
            true => SparkError::unsupported("CREATE FUNCTION of a class of Java"),
            false => cursor.unexpected(),
        });
    }
    let shown = name.last().cloned().unwrap_or_default();
    let parameters = parameters(&mut cursor, &shown, text, params)?;
    let returns = if cursor.eat_words(&["returns"]) { Some(returned(&mut cursor)?) } else { None };
    let mut function = SqlFunction {
        name: shown,
        parameters,
        body: FunctionBody::Scalar { returns: None, expr: Box::new(Expr::star()) },
        deterministic: true,
        comment: None,
    };
    characteristics(&mut cursor, &mut function)?;
    cursor.expect_words(&["return"])?;
    function.body = body(cursor, returns, text, params)?;
    Ok(Statement::CreateFunction(CreateFunction { name, temporary, replace, if_not_exists, function }))
}

fn check_existence(temporary: bool, replace: bool, if_not_exists: bool) -> Result<()> {
    let (condition, message) = match (if_not_exists, temporary, replace) {
        (true, true, _) => {
            ("CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS", "CREATE TEMPORARY FUNCTION with IF NOT EXISTS is not allowed.")
        }
        (true, false, true) => (
            "CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE",
            "Cannot create a routine with both IF NOT EXISTS and REPLACE specified.",
        ),
        _ => return Ok(()),
    };
    let message = format!("Invalid SQL syntax: {message}");
    Err(SparkError::new(ErrorClass::Parse, &format!("INVALID_SQL_SYNTAX.{condition}"), "42000", message))
}

/// `(x INT [DEFAULT expr] [COMMENT 'text'], ...)`.
fn parameters(cursor: &mut Cursor, function: &str, text: &str, params: &Parameters) -> Result<Vec<Parameter>> {
    cursor.expect(&Token::LParen)?;
    let inside = until(cursor, |token| *token == Token::RParen)?;
    cursor.expect(&Token::RParen)?;
    let mut inside = Cursor::new(ddl::split_brackets(inside));
    let mut parameters: Vec<Parameter> = vec![];
    let mut seen = HashSet::new();
    while !inside.at_end() {
        let name = inside.identifier()?;
        let data_type = ddl::type_at(&mut inside)?;
        inside.eat_words(&["not", "null"]);
        let mut default = None;
        if inside.eat_words(&["default"]) {
            let value = until(&mut inside, |token| *token == Token::Comma || is_word(token, "comment"))?;
            default = Some(expression(value, text, params)?);
        }
        if inside.eat_words(&["comment"]) {
            inside.string()?;
        }
        if !seen.insert(name.to_lowercase()) {
            return Err(duplicate(function, &name));
        }
        parameters.push(Parameter { name, data_type, default });
        if !inside.at_end() {
            inside.expect(&Token::Comma)?;
        }
    }
    Ok(parameters)
}

/// The tokens before the first that ends them, or before the end; those in parentheses end nothing.
fn until(cursor: &mut Cursor, ends: impl Fn(&Token) -> bool) -> Result<Vec<TokenWithSpan>> {
    let mut depth = 0_usize;
    let mut length = 0;
    for token in cursor.rest() {
        if depth == 0 && ends(&token.token) {
            break;
        }
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        length += 1;
    }
    let tokens = cursor.rest()[..length].to_vec();
    (0..length).for_each(|_| drop(cursor.advance()));
    if tokens.is_empty() && cursor.at_end() { Err(error::at_end()) } else { Ok(tokens) }
}

/// What `RETURNS` says, without the body.
enum Returned {
    Scalar(DataType),
    Table(Option<SchemaRef>),
}

fn returned(cursor: &mut Cursor) -> Result<Returned> {
    let tokens = until(cursor, |token| CHARACTERISTICS.iter().any(|word| is_word(token, word)))?;
    let Some((first, columns)) = tokens.split_first() else { return Err(cursor.unexpected()) };
    if keyword(&first.token) != Keyword::TABLE {
        return ddl::type_of_tokens(tokens).map(Returned::Scalar);
    }
    if columns.is_empty() {
        return Ok(Returned::Table(None));
    }
    let mut columns = Cursor::new(ddl::split_brackets(columns.to_vec()));
    let schema = typed_columns(&mut columns)?;
    if columns.at_end() { Ok(Returned::Table(Some(schema))) } else { Err(columns.unexpected()) }
}

fn characteristics(cursor: &mut Cursor, function: &mut SqlFunction) -> Result<()> {
    loop {
        if cursor.eat_words(&["language"]) {
            let language = cursor.identifier()?;
            if !language.eq_ignore_ascii_case("sql") {
                return Err(cursor.unexpected());
            }
        } else if cursor.eat_words(&["not", "deterministic"]) {
            function.deterministic = false;
        } else if cursor.eat_words(&["comment"]) {
            function.comment = Some(cursor.string()?);
        } else if !["deterministic", "contains sql", "reads sql data", "sql security definer", "sql security invoker"]
            .iter()
            .any(|words| cursor.eat_words(&words.split(' ').collect::<Vec<_>>()))
        {
            return Ok(());
        }
    }
}

fn body(cursor: Cursor, returns: Option<Returned>, text: &str, params: &Parameters) -> Result<FunctionBody> {
    // In parentheses it can be a query or an expression; only what begins like a query is one for sure.
    let bare_query = is_query(cursor.rest()) && cursor.peek() != Some(&Token::LParen);
    Ok(match returns {
        Some(Returned::Table(_)) if !is_query(cursor.rest()) => return Err(cursor.unexpected()),
        Some(Returned::Table(returns)) => {
            FunctionBody::Table { returns, query: Box::new(query(cursor.into_rest(), text, params)?) }
        }
        scalar => {
            let returns = match scalar {
                Some(Returned::Scalar(data_type)) => Some(data_type),
                _ => None,
            };
            let expr = match bare_query {
                true => Expr::ScalarSubquery(Box::new(query(cursor.into_rest(), text, params)?)),
                false => expression(cursor.into_rest(), text, params)?,
            };
            FunctionBody::Scalar { returns, expr: Box::new(expr) }
        }
    })
}

fn duplicate(function: &str, parameter: &str) -> SparkError {
    let message =
        format!("Found duplicate name(s) in the parameter list of the user-defined routine {function}: `{parameter}`.");
    SparkError::new(ErrorClass::Analysis, "DUPLICATE_ROUTINE_PARAMETER_NAMES", "42734", message)
        .with("routineName", function)
        .with("names", format!("`{parameter}`"))
}
