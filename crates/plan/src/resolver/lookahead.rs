//! Rows that are asked for before a plan has its columns: the values of a pivot, what is transposed, and texts that tell
//! the columns of others.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use recursive::recursive;

use super::{pivot, transpose};
use crate::environment::Environment;
use crate::error::Result;
use crate::ir::{Expr, Parse, Pivot, Relation, RelationKind};

/// What a query found that was asked ahead.
pub(super) struct Found {
    /// The columns under the names that the user sees.
    pub(super) names: SchemaRef,
    /// The rows.
    pub(super) rows: Vec<RecordBatch>,
}

/// The query for the rows that the innermost relation of those kinds waits for.
pub(super) fn wanted(relation: &mut Relation) -> Option<Relation> {
    let mut query = None;
    innermost(relation, &mut |waiting| {
        query = Some(match &waiting.kind {
            RelationKind::Pivot(pivot) => pivot::values_query(pivot),
            _ => waiting.clone(),
        });
        Ok(())
    })
    .ok()?;
    query
}

/// Gives the innermost relation that waits for rows those that its query found.
pub(super) fn settle(relation: &mut Relation, found: &Found, environment: &dyn Environment) -> Result<()> {
    innermost(relation, &mut |waiting| {
        match &mut waiting.kind {
            RelationKind::Pivot(pivot) => pivot.values = Some(pivot::values_of(&found.rows)?),
            RelationKind::Parse(parse) => parse.parser = Some(environment.parser(&parse.source, &found.rows)?),
            _ => waiting.kind = transpose::transposed(&found.names, &found.rows)?,
        }
        Ok(())
    })?;
    Ok(())
}

type Act<'a> = &'a mut dyn FnMut(&mut Relation) -> Result<()>;

/// Calls `act` with the first relation that waits for rows, and has none below it that does; whether there is one.
#[recursive]
fn innermost(relation: &mut Relation, act: Act<'_>) -> Result<bool> {
    for input in relation.inputs_mut() {
        if innermost(input, act)? {
            return Ok(true);
        }
    }
    for expr in relation.expressions_mut() {
        if innermost_in(expr, act)? {
            return Ok(true);
        }
    }
    let waits = matches!(
        &relation.kind,
        RelationKind::Pivot(Pivot { values: None, .. })
            | RelationKind::Parse(Parse { parser: None, .. })
            | RelationKind::Transpose(_)
    );
    if waits {
        act(relation)?;
    }
    Ok(waits)
}

/// The same below the subqueries of an expression.
#[recursive]
fn innermost_in(expr: &mut Expr, act: Act<'_>) -> Result<bool> {
    if let Some(subquery) = expr.subquery_mut()
        && innermost(subquery, act)?
    {
        return Ok(true);
    }
    for child in expr.children_mut() {
        if innermost_in(child, act)? {
            return Ok(true);
        }
    }
    Ok(false)
}
