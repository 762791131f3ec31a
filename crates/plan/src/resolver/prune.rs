//! Columns that nothing needs, taken out of a plan before it is optimized.
//!
//! The optimizer does so too, but late: each of its rules, and each check of types, would go through all columns of
//! all tables and views that a query joins.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{Distinct, Expr, Join, LogicalPlan, Projection};
use recursive::recursive;

/// The same rows and columns, from fewer columns below.
///
/// # Errors
/// The plan does not fit together.
pub(super) fn prune(plan: LogicalPlan) -> Result<LogicalPlan> {
    let used = all_of(&plan).collect();
    pruned(plan, used)
}

/// `used` has the columns of `plan` that are needed above it.
#[recursive]
fn pruned(plan: LogicalPlan, mut used: HashSet<String>) -> Result<LogicalPlan> {
    let plan = match plan {
        LogicalPlan::Projection(projection) => return pruned_projection(projection, &used),
        plan => plan,
    };
    match &plan {
        LogicalPlan::Aggregate(_) => used = HashSet::new(),
        // What a side names of the other is not known yet.
        LogicalPlan::Join(Join { left, right, .. }) if is_lateral(left) || is_lateral(right) => return Ok(plan),
        LogicalPlan::Distinct(Distinct::All(_)) | LogicalPlan::Union(_) => {
            used = plan.inputs().into_iter().flat_map(all_of).collect();
        }
        LogicalPlan::Filter(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Repartition(_) => {}
        _ => return Ok(plan),
    }
    plan.apply_expressions(|expr| {
        columns_of(expr, &mut used)?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    let plan = plan.map_children(|input| Ok(Transformed::yes(pruned(input, used.clone())?))).data()?;
    plan.recompute_schema()
}

fn pruned_projection(projection: Projection, used: &HashSet<String>) -> Result<LogicalPlan> {
    let Projection { expr, input, schema, .. } = projection;
    let kept = expr.into_iter().zip(schema.iter()).filter(|(_, (_, field))| used.contains(field.name()));
    let (exprs, fields): (Vec<_>, Vec<_>) =
        kept.map(|(expr, (of, field))| (expr, (of.cloned(), field.clone()))).unzip();
    let mut below = HashSet::new();
    exprs.iter().try_for_each(|expr| columns_of(expr, &mut below))?;
    let input = Arc::new(pruned(Arc::unwrap_or_clone(input), below)?);
    let schema = match fields.len() == schema.fields().len() {
        true => schema,
        false => Arc::new(DFSchema::new_with_metadata(fields, schema.metadata().clone())?),
    };
    Projection::try_new_with_schema(exprs, input, schema).map(LogicalPlan::Projection)
}

fn all_of(plan: &LogicalPlan) -> impl Iterator<Item = String> {
    plan.schema().fields().iter().map(|field| field.name().clone())
}

fn is_lateral(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Subquery(_))
}

/// Adds the columns that an expression names, also those that its subqueries do.
fn columns_of(expr: &Expr, used: &mut HashSet<String>) -> Result<()> {
    expr.apply(|expr| {
        let subquery = match expr {
            Expr::Column(column) | Expr::OuterReferenceColumn(_, column) => {
                used.insert(column.name.clone());
                None
            }
            Expr::Exists(exists) => Some(&exists.subquery),
            Expr::InSubquery(query) => Some(&query.subquery),
            Expr::SetComparison(query) => Some(&query.subquery),
            Expr::ScalarSubquery(query) => Some(query),
            _ => None,
        };
        for outer in subquery.iter().flat_map(|query| &query.outer_ref_columns) {
            columns_of(outer, used)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
