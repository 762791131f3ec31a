//! `na.fill`, `na.drop` and `na.replace`: values that are missing. In numbers with a point NaN is one of them.

use arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions::math::expr_fn::isnan;
use datafusion::logical_expr::conditional_expressions::CaseBuilder;
use datafusion::logical_expr::{Expr, Operator, binary_expr, cast, lit, when};

use super::node::{Field, Node};
use super::{Context, Resolver, build};
use crate::error::Result;
use crate::ir::Relation;
use crate::types::{is_numeric, is_string};

impl Resolver {
    /// Values in place of NULL and NaN: one for all columns that it fits, or one for each.
    pub(super) fn fill_na(
        &self,
        input: &Relation,
        columns: &[String],
        values: &[ScalarValue],
        context: &Context<'_>,
    ) -> Result<Node> {
        let node = self.relation(input, context)?.into_visible()?;
        let named = self.named_columns(&node, columns)?;
        self.with_values(node, |field, data_type| {
            let value = match (columns, values) {
                ([], [value]) => Some(value).filter(|value| fits(value, data_type)),
                (_, [value]) => named.contains(&field.column).then_some(value).filter(|value| fits(value, data_type)),
                _ => named.iter().position(|column| *column == field.column).and_then(|at| values.get(at)),
            };
            let Some(value) = value else { return Ok(None) };
            let value = self.cast_between(Expr::Literal(value.clone(), None), &value.data_type(), data_type)?;
            let known = match data_type {
                DataType::Float32 | DataType::Float64 => {
                    when(isnan(field.expr()), Expr::Literal(ScalarValue::try_from(data_type)?, None))
                        .otherwise(field.expr())?
                }
                _ => field.expr(),
            };
            Ok(Some(coalesce(vec![known, value])))
        })
    }

    /// Rows of which at least so many columns have a value.
    pub(super) fn drop_na(
        &self,
        input: &Relation,
        columns: &[String],
        least: Option<usize>,
        context: &Context<'_>,
    ) -> Result<Node> {
        let node = self.relation(input, context)?.into_visible()?;
        let named = self.named_columns(&node, columns)?;
        let mut known = vec![];
        for field in node.fields.iter().filter(|field| columns.is_empty() || named.contains(&field.column)) {
            let present = field.expr().is_not_null();
            known.push(match node.type_of(field)?.data_type() {
                DataType::Float32 | DataType::Float64 => present.and(isnan(field.expr()).is_not_true()),
                _ => present,
            });
        }
        let condition = match least {
            None => known.into_iter().reduce(Expr::and),
            Some(least) => {
                let count = known.into_iter().map(|known| cast(known, DataType::Int64)).reduce(|a, b| a + b);
                count.map(|count| count.gt_eq(lit(i64::try_from(least).unwrap_or(i64::MAX))))
            }
        };
        let Some(condition) = condition else { return Ok(node) };
        let plan = build::filter(node.plan.clone(), condition)?;
        Ok(node.with_plan(plan))
    }

    /// Values in place of others, in columns of their kind.
    pub(super) fn replace(
        &self,
        input: &Relation,
        columns: &[String],
        pairs: &[(ScalarValue, ScalarValue)],
        context: &Context<'_>,
    ) -> Result<Node> {
        let node = self.relation(input, context)?.into_visible()?;
        let named = self.named_columns(&node, columns)?;
        self.with_values(node, |field, data_type| {
            if !columns.is_empty() && !named.contains(&field.column) {
                return Ok(None);
            }
            let literal = |value: &ScalarValue| {
                self.cast_between(Expr::Literal(value.clone(), None), &value.data_type(), data_type)
            };
            let mut replaced: Option<CaseBuilder> = None;
            for (old, new) in pairs.iter().filter(|(old, _)| old.is_null() || fits(old, data_type)) {
                let found = binary_expr(field.expr(), Operator::IsNotDistinctFrom, literal(old)?);
                let new = literal(new)?;
                replaced = Some(match replaced {
                    Some(mut others) => others.when(found, new),
                    None => when(found, new),
                });
            }
            Ok(replaced.map(|mut replaced| replaced.otherwise(field.expr())).transpose()?)
        })
    }

    /// The columns of these names, in their order.
    fn named_columns(&self, node: &Node, names: &[String]) -> Result<Vec<Column>> {
        let find = |name: &String| {
            let found = node.by_name(name, self.settings.case_sensitive)?;
            let found = found.ok_or_else(|| self.unresolved_column(std::slice::from_ref(name), node))?;
            Ok(found.column.clone())
        };
        names.iter().map(find).collect()
    }

    /// The same columns, some with other values.
    fn with_values(&self, node: Node, value: impl Fn(&Field, &DataType) -> Result<Option<Expr>>) -> Result<Node> {
        let mut exprs = vec![];
        let mut fields = vec![];
        for field in &node.fields {
            let column = self.new_column();
            let new = value(field, node.type_of(field)?.data_type())?;
            exprs.push(new.unwrap_or_else(|| field.expr()).alias(&column.name));
            fields.push(Field { column, ..field.clone() });
        }
        let plan = build::project(node.plan, exprs)?;
        Ok(Node { plan, fields })
    }
}

/// Whether a value is of a column's kind: numbers, text or booleans.
fn fits(value: &ScalarValue, column: &DataType) -> bool {
    let value = value.data_type();
    (is_numeric(&value) && is_numeric(column))
        || (is_string(&value) && is_string(column))
        || (value == DataType::Boolean && *column == DataType::Boolean)
}
