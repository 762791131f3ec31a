//! Session variables: `DECLARE`, `SET VARIABLE`, `DROP TEMPORARY VARIABLE`.

use arrow::datatypes::DataType;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::set::invalid_set;
use super::{Statement, is_query};
use crate::ddl;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Expr, Relation};
use crate::sql::cursor::Cursor;
use crate::sql::dialect::keyword;
use crate::sql::parameters::Parameters;
use crate::sql::{expression, query};

/// `DECLARE [OR REPLACE] [VARIABLE] name [, ...] [type] [{DEFAULT | =} expr]`.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclareVariables {
    /// The parts of each name.
    pub names: Vec<Vec<String>>,
    /// `OR REPLACE`.
    pub replace: bool,
    /// The type; none for that of the default.
    pub data_type: Option<DataType>,
    /// The first value, and what `DEFAULT` stands for from then on.
    pub default: Option<Expr>,
}

/// What variables are set to.
#[derive(Debug, Clone, PartialEq)]
pub enum SetVariables {
    /// `SET VARIABLE name = {expr | DEFAULT} [, ...]`: each name with its value, which is none for the default.
    Values(Vec<(Vec<String>, Option<Expr>)>),
    /// `SET VARIABLE (name [, ...]) = (query)`, whose only row has a column for each.
    Row {
        /// The parts of each name.
        names: Vec<Vec<String>>,
        /// The row.
        query: Box<Relation>,
    },
}

/// What follows `DECLARE`.
pub(super) fn declare(mut cursor: Cursor, text: &str, params: &Parameters) -> Result<Statement> {
    let replace = cursor.eat_words(&["or", "replace"]);
    if matches!(cursor.peek_nth(1), Some(Token::Word(_))) {
        cursor.eat_words(&["variable"]);
    }
    let names = names(&mut cursor)?;
    let rest = cursor.into_rest();
    let begins_default = |t: &TokenWithSpan| keyword(&t.token) == Keyword::DEFAULT || t.token == Token::Eq;
    let end = rest.iter().position(begins_default).unwrap_or(rest.len());
    let (data_type, default) = rest.split_at(end);
    let data_type = match data_type {
        [] => None,
        tokens => Some(ddl::type_of_tokens(tokens.to_vec())?),
    };
    let default = match default {
        [] => None,
        [_, value @ ..] => Some(expression(value.to_vec(), text, params)?),
    };
    if data_type.is_none() && default.is_none() {
        let message = "A variable needs a type or a default: DECLARE name [type] [DEFAULT expression].";
        let condition = "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED";
        return Err(SparkError::new(ErrorClass::Parse, condition, "42000", message));
    }
    Ok(Statement::Declare(DeclareVariables { names, replace, data_type, default }))
}

/// What follows `SET VARIABLE`. Text that does not parse is no setting either.
pub(super) fn set(cursor: Cursor, text: &str, params: &Parameters) -> Result<Statement> {
    let set = match cursor.peek() {
        Some(Token::LParen) => row(cursor, text, params),
        _ => values(cursor, text, params),
    };
    set.map(Statement::SetVariables).map_err(|e| match e.condition.as_str() {
        "PARSE_SYNTAX_ERROR" => invalid_set(),
        _ => e,
    })
}

fn row(mut cursor: Cursor, text: &str, params: &Parameters) -> Result<SetVariables> {
    cursor.expect(&Token::LParen)?;
    let names = names(&mut cursor)?;
    cursor.expect(&Token::RParen)?;
    cursor.expect(&Token::Eq)?;
    let rest = cursor.rest();
    if !matches!(rest, [open, inside @ ..] if open.token == Token::LParen && is_query(inside)) {
        return Err(cursor.unexpected());
    }
    Ok(SetVariables::Row { names, query: Box::new(query(cursor.into_rest(), text, params)?) })
}

fn values(cursor: Cursor, text: &str, params: &Parameters) -> Result<SetVariables> {
    let assignments = split(cursor.into_rest()).into_iter().map(|tokens| {
        let mut cursor = Cursor::new(tokens);
        let name = cursor.qualified_name()?;
        cursor.expect(&Token::Eq)?;
        let is_default = matches!(cursor.rest(), [only] if keyword(&only.token) == Keyword::DEFAULT);
        let value = if is_default { None } else { Some(expression(cursor.into_rest(), text, params)?) };
        Ok((name, value))
    });
    assignments.collect::<Result<_>>().map(SetVariables::Values)
}

/// Names with commas between them.
pub(super) fn names(cursor: &mut Cursor) -> Result<Vec<Vec<String>>> {
    let mut names = vec![cursor.qualified_name()?];
    while cursor.eat(&Token::Comma) {
        names.push(cursor.qualified_name()?);
    }
    Ok(names)
}

/// What stands between the commas that are in no parentheses.
pub(super) fn split(tokens: Vec<TokenWithSpan>) -> Vec<Vec<TokenWithSpan>> {
    let mut parts = vec![vec![]];
    let mut depth = 0_usize;
    for token in tokens {
        match token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 => {
                parts.push(vec![]);
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(token);
        }
    }
    parts
}
