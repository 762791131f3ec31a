//! Nodes of a plan over an input.
//!
//! The engine's own builder goes through all of the plan below for each column without a table, to see which one is
//! meant. Columns have unique internal names here, so that none needs it.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::{DFSchema, JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Sort as SortKey;
use datafusion::logical_expr::{Aggregate, Expr, Filter, Join, JoinConstraint, LogicalPlan, Projection, Sort};

/// The values of `exprs` for each row.
pub(super) fn project(input: LogicalPlan, exprs: impl IntoIterator<Item = Expr>) -> Result<LogicalPlan> {
    Projection::try_new(exprs.into_iter().collect(), Arc::new(input)).map(LogicalPlan::Projection)
}

/// The rows for which `condition` is true.
pub(super) fn filter(input: LogicalPlan, condition: Expr) -> Result<LogicalPlan> {
    Filter::try_new(condition, Arc::new(input)).map(LogicalPlan::Filter)
}

/// The rows in the order of `keys`.
pub(super) fn sort(input: LogicalPlan, keys: Vec<SortKey>) -> LogicalPlan {
    LogicalPlan::Sort(Sort { expr: keys, input: Arc::new(input), fetch: None })
}

/// A row for each group of rows whose `keys` are equal.
pub(super) fn aggregate(
    input: LogicalPlan,
    keys: Vec<Expr>,
    functions: impl IntoIterator<Item = Expr>,
) -> Result<LogicalPlan> {
    Aggregate::try_new(Arc::new(input), keys, functions.into_iter().collect()).map(LogicalPlan::Aggregate)
}

/// `input` with each of its columns under another name.
pub(super) fn rename(input: LogicalPlan, names: impl IntoIterator<Item = String>) -> Result<LogicalPlan> {
    let (mut exprs, mut fields) = (vec![], vec![]);
    let below = input.schema();
    for ((column, field), name) in below.columns().into_iter().zip(below.fields()).zip(names) {
        fields.push((None, Arc::new(Field::clone(field).with_name(&name))));
        exprs.push(Expr::Column(column).alias(name));
    }
    let schema = DFSchema::new_with_metadata(fields, below.metadata().clone())?;
    Projection::try_new_with_schema(exprs, Arc::new(input), Arc::new(schema)).map(LogicalPlan::Projection)
}

/// The pairs of rows of both sides for which `condition` is true, and what else `kind` asks for; all pairs without a
/// condition.
pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinType,
    condition: Option<Expr>,
) -> Result<LogicalPlan> {
    join_of(Arc::new(left), Arc::new(right), kind, condition)
}

/// A join of all pairs of rows, of another kind and with a condition.
pub(super) fn with_condition(pairs: LogicalPlan, kind: JoinType, condition: Expr) -> Result<LogicalPlan> {
    match pairs {
        LogicalPlan::Join(join) if kind == JoinType::Inner => {
            Ok(LogicalPlan::Join(Join { filter: Some(condition), ..join }))
        }
        LogicalPlan::Join(join) => join_of(join.left, join.right, kind, Some(condition)),
        other => filter(other, condition),
    }
}

fn join_of(
    left: Arc<LogicalPlan>,
    right: Arc<LogicalPlan>,
    kind: JoinType,
    condition: Option<Expr>,
) -> Result<LogicalPlan> {
    let nulls = NullEquality::NullEqualsNothing;
    Join::try_new(left, right, vec![], condition, kind, JoinConstraint::On, nulls, false).map(LogicalPlan::Join)
}
