//! Nodes of a plan over an input.
//!
//! The engine's own builder goes through all of the plan below for each column without a table, to see which one is
//! meant. Columns have unique internal names here, so that none needs it.

use std::sync::Arc;

use datafusion::common::{JoinType, NullEquality};
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

/// The pairs of rows of both sides for which `condition` is true, and what else `kind` asks for; all pairs without a
/// condition.
pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinType,
    condition: Option<Expr>,
) -> Result<LogicalPlan> {
    let (left, right) = (Arc::new(left), Arc::new(right));
    let nulls = NullEquality::NullEqualsNothing;
    Join::try_new(left, right, vec![], condition, kind, JoinConstraint::On, nulls, false).map(LogicalPlan::Join)
}
