//! Queries inside expressions.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, ExprSchema, ScalarValue, Spans};
use datafusion::error::Result as EngineResult;
use datafusion::functions::core::expr_fn::nullif;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Subquery, lit, not, when};

use super::expr::Scope;
use super::{Context, Resolver, build};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir;
use crate::types::common_type;

impl Scope<'_> {
    pub(super) fn exists(&self, relation: &ir::Relation, negated: bool) -> Result<Expr> {
        Ok(Expr::Exists(Exists { subquery: self.subquery(relation)?, negated }))
    }

    fn subquery(&self, relation: &ir::Relation) -> Result<Subquery> {
        let context = Context { outer: Some(self.node), ..*self.context };
        let node = self.resolver.relation(relation, &context)?.into_visible()?;
        Ok(subquery_of(node.plan))
    }

    pub(super) fn scalar_subquery(&self, relation: &ir::Relation) -> Result<Expr> {
        let subquery = self.subquery(relation)?;
        let [field] = subquery.subquery.schema().fields().iter().collect::<Vec<_>>()[..] else {
            return Err(one_column_expected(subquery.subquery.schema().fields().len()));
        };
        if field.is_nullable() {
            return Ok(Expr::ScalarSubquery(subquery));
        }
        // Without a row the value is NULL, which DataFusion does not see in a column that has none.
        let column = Expr::Column(Column::new_unqualified(field.name()));
        let null = Expr::Literal(ScalarValue::try_from(field.data_type())?, None);
        let value = nullif(column, null).alias(self.resolver.new_column().name);
        let plan = build::project(Arc::unwrap_or_clone(subquery.subquery), [value])?;
        Ok(Expr::ScalarSubquery(subquery_of(plan)))
    }

    pub(super) fn in_subquery(&self, values: &[ir::Expr], relation: &ir::Relation, negated: bool) -> Result<Expr> {
        let subquery = self.subquery(relation)?;
        let columns = subquery.subquery.schema().columns();
        if columns.len() != values.len() {
            return Err(length_mismatch(values.len(), columns.len()));
        }
        let [value] = values else {
            return self.rows_in_subquery(values, subquery, negated);
        };
        let value = self.typed(value)?;
        let field = subquery.subquery.schema().field(0);
        let to = common_type(&value.data_type, field.data_type()).ok_or_else(no_common_type)?;
        let expr = Box::new(self.cast_to(value.expr, &to)?);
        Ok(Expr::InSubquery(InSubquery { expr, subquery, negated }))
    }

    /// `(a, b) IN (SELECT ...)`: there is a row for which all are equal. `NOT IN`: there is none for which that is so,
    /// or not known.
    fn rows_in_subquery(&self, values: &[ir::Expr], subquery: Subquery, negated: bool) -> Result<Expr> {
        let mut condition: Option<Expr> = None;
        for (value, column) in values.iter().zip(subquery.subquery.schema().columns()) {
            let value = self.typed(value)?;
            let found = Expr::Column(column);
            let found_type = found.get_type(subquery.subquery.schema())?;
            let to = common_type(&value.data_type, &found_type).ok_or_else(no_common_type)?;
            let schema = self.node.plan.schema();
            let outer = self.cast_to(value.expr, &to)?.transform(|expr| match expr {
                Expr::Column(column) => {
                    let field = Arc::clone(schema.field_from_column(&column)?);
                    Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
                }
                other => Ok(Transformed::no(other)),
            });
            let equal = outer.data()?.eq(self.resolver.cast_between(found, &found_type, &to)?);
            let counts = if negated { equal.is_not_false() } else { equal };
            condition = Some(match condition {
                Some(others) => others.and(counts),
                None => counts,
            });
        }
        let plan = Arc::unwrap_or_clone(subquery.subquery);
        let plan = build::filter(plan, condition.unwrap_or_default())?;
        Ok(Expr::Exists(Exists { subquery: subquery_of(plan), negated }))
    }
}

impl Resolver {
    /// An expression of a select list with counts in place of `EXISTS` and `IN`, which the engine knows in conditions
    /// alone.
    pub(super) fn with_counts(&self, expr: Expr, schema: &DFSchema) -> Result<Expr> {
        let expr = expr.transform(|expr| match expr {
            Expr::Exists(Exists { subquery, negated }) => {
                let count = self.count_of(Arc::unwrap_or_clone(subquery.subquery), None)?;
                Ok(Transformed::yes(if negated { count.eq(lit(0_i64)) } else { count.gt(lit(0_i64)) }))
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                let found = self.found_in(*expr, Arc::unwrap_or_clone(subquery.subquery), schema)?;
                Ok(Transformed::yes(if negated { not(found) } else { found }))
            }
            other => Ok(Transformed::no(other)),
        });
        Ok(expr.data()?)
    }

    /// The number of rows, or of those for which something holds.
    fn count_of(&self, plan: LogicalPlan, condition: Option<Expr>) -> EngineResult<Expr> {
        let rows = match condition {
            Some(condition) => build::filter(plan, condition)?,
            None => plan,
        };
        let counted = count(lit(1_i64)).alias(self.new_column().name);
        let plan = build::aggregate(rows, vec![], [counted])?;
        Ok(Expr::ScalarSubquery(subquery_of(plan)))
    }

    /// Whether a value is among the rows of a query of one column: NULL where that is not known.
    fn found_in(&self, value: Expr, plan: LogicalPlan, schema: &DFSchema) -> EngineResult<Expr> {
        let column = plan.schema().columns().into_iter().map(Expr::Column).next().unwrap_or_default();
        let some = |count: Expr| count.gt(lit(0_i64));
        let outer = value.clone().transform(|expr| match expr {
            Expr::Column(column) => {
                let field = Arc::clone(schema.field_from_column(&column)?);
                Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
            }
            other => Ok(Transformed::no(other)),
        });
        let matches = self.count_of(plan.clone(), Some(column.clone().eq(outer.data()?)))?;
        let null = Expr::Literal(ScalarValue::Boolean(None), None);
        let mut found = when(some(matches), lit(true));
        if column.nullable(plan.schema())? {
            found = found.when(some(self.count_of(plan.clone(), Some(column.is_null()))?), null.clone());
        }
        if value.nullable(schema)? {
            found = found.when(value.is_null().and(some(self.count_of(plan, None)?)), null);
        }
        found.otherwise(lit(false))
    }
}

pub(super) fn subquery_of(plan: LogicalPlan) -> Subquery {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
}

fn no_common_type() -> SparkError {
    let message = "The value and the column of the IN subquery have no common type.";
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", "42K09", message)
}

fn length_mismatch(left: usize, right: usize) -> SparkError {
    let message =
        format!("The number of columns in the left hand side of IN is {left}, and that of its subquery {right}.");
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "42K09", message)
        .with("leftLength", left.to_string())
        .with("rightLength", right.to_string())
}

fn one_column_expected(found: usize) -> SparkError {
    let message = format!("A subquery that is used as a value must have one column, this one has {found}.");
    let condition = "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN";
    SparkError::new(ErrorClass::Analysis, condition, "42823", message).with("number", found.to_string())
}
