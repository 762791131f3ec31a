//! `EXPLAIN`.

use super::{ExplainMode, Statement, is_query, unknown};
use crate::error::{Result, SparkError};
use crate::sql::cursor::Cursor;
use crate::sql::insert::insert;
use crate::sql::parameters::Parameters;
use crate::sql::{error, query};

/// What follows the word.
pub(super) fn explain(mut cursor: Cursor, text: &str, params: &Parameters) -> Result<Statement> {
    let analyze = cursor.eat_words(&["analyze"]);
    let mode = if analyze { ExplainMode::Simple } else { mode(&mut cursor) };
    if cursor.eat_words(&["insert"]) {
        let insert = insert(cursor, vec![], text, params)?;
        return Ok(match analyze {
            true => Statement::ExplainAnalyzeInsert(insert),
            false => Statement::ExplainInsert { mode, insert },
        });
    }
    if cursor.at_end() {
        return Err(error::at_end());
    }
    if !is_query(cursor.rest()) {
        return Err(match unknown::is_statement(&cursor) {
            true => SparkError::unsupported("EXPLAIN of anything but a query or an INSERT"),
            false => cursor.unexpected(),
        });
    }
    let query = query(cursor.into_rest(), text, params)?;
    Ok(if analyze { Statement::ExplainAnalyze(query) } else { Statement::Explain { mode, query } })
}

fn mode(cursor: &mut Cursor) -> ExplainMode {
    let modes = [
        ("extended", ExplainMode::Extended),
        ("logical", ExplainMode::Extended),
        ("codegen", ExplainMode::Codegen),
        ("cost", ExplainMode::Cost),
        ("formatted", ExplainMode::Formatted),
    ];
    modes.into_iter().find(|(word, _)| cursor.eat_words(&[word])).map_or(ExplainMode::Simple, |(_, mode)| mode)
}
