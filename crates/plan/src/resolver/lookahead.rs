//! Rows that are asked for before a plan has its columns: the values of a pivot, and what is transposed.

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;

use super::{pivot, transpose};
use crate::error::Result;
use crate::ir::{Pivot, Relation, RelationKind};

/// The query for the rows that the innermost relation of this kind waits for.
pub(super) fn wanted(relation: &mut Relation) -> Option<Relation> {
    if let Some(wanted) = relation.inputs_mut().into_iter().find_map(wanted) {
        return Some(wanted);
    }
    match &relation.kind {
        RelationKind::Pivot(pivot @ Pivot { values: None, .. }) => Some(pivot::values_query(pivot)),
        RelationKind::Transpose(_) => Some(relation.clone()),
        _ => None,
    }
}

/// Gives the innermost relation that waits for rows those that its query found, under the names of `found`; whether
/// there is one.
pub(super) fn settle(relation: &mut Relation, found: &Schema, rows: &[RecordBatch]) -> Result<bool> {
    for input in relation.inputs_mut() {
        if settle(input, found, rows)? {
            return Ok(true);
        }
    }
    match &mut relation.kind {
        RelationKind::Pivot(Pivot { values: values @ None, .. }) => *values = Some(pivot::values_of(rows)?),
        RelationKind::Transpose(_) => relation.kind = transpose::transposed(found, rows)?,
        _ => return Ok(false),
    }
    Ok(true)
}
