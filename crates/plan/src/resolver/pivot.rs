//! `PIVOT`: values of a column become columns.

use arrow::record_batch::RecordBatch;
use datafusion::common::ScalarValue;

use super::node::Node;
use super::{Context, Resolver};
use crate::error::{ErrorClass, Result, SparkError};
use crate::format::format_scalar;
use crate::ir::{
    Aggregate, Deduplicate, Expr, Function, GroupKind, NullOrdering, Pivot, Relation, RelationKind, SortDirection,
    SortOrder,
};

/// The most values that become columns: `spark.sql.pivotMaxValues`.
const MAX_VALUES: usize = 10_000;
/// The value that a group of the first aggregation has in the pivot column.
const VALUE: &str = "#pivot";

impl Resolver {
    /// Two aggregations: one by the keys and the value, then one by the keys that takes each value's results apart.
    /// So a group without a value has NULL there, whatever the aggregate gives for no rows.
    pub(super) fn pivot(&self, pivot: &Pivot, context: &Context<'_>) -> Result<Node> {
        let values = pivot.values.as_ref().ok_or_else(|| SparkError::internal("a pivot without values"))?;
        let keys = match &pivot.keys {
            Some(keys) => keys.clone(),
            None => self.other_columns(pivot, context)?,
        };
        let key_names: Vec<_> = (0..keys.len()).map(|at| format!("#key{at}")).collect();
        let value_names: Vec<_> = (0..pivot.list.len()).map(|at| format!("#value{at}")).collect();
        let named = |exprs: &[Expr], names: &[String]| -> Vec<Expr> {
            exprs.iter().zip(names).map(|(expr, name)| expr.clone().alias(name)).collect()
        };
        let mut list = named(&keys, &key_names);
        list.push(pivot.column.clone().alias(VALUE));
        list.extend(named(&pivot.list, &value_names));
        let mut first_keys = keys.clone();
        first_keys.push(pivot.column.clone());
        let first = grouped(pivot.input.clone(), first_keys, list);

        let mut list: Vec<_> =
            keys.iter().zip(&key_names).map(|(key, name)| Expr::column([name]).alias(self.given_name(key))).collect();
        for (value, name) in values {
            let value_name = name.clone().unwrap_or_else(|| self.value_name(value));
            for (aggregate, column) in pivot.list.iter().zip(&value_names) {
                let taken = Expr::Function(Function {
                    name: "first".to_owned(),
                    args: vec![Expr::column([column])],
                    distinct: false,
                    filter: Some(Box::new(Expr::call("<=>", vec![Expr::column([VALUE]), value.clone()]))),
                    order_by: vec![],
                });
                list.push(taken.alias(match (pivot.list.len(), &pivot.keys) {
                    (1, _) => value_name.clone(),
                    _ => format!("{value_name}_{}", self.given_name(aggregate)),
                }));
            }
        }
        let keys = key_names.iter().map(|name| Expr::column([name])).collect();
        let second: Relation = grouped(Box::new(first), keys, list);
        self.relation(&second, context)
    }

    fn given_name(&self, expr: &Expr) -> String {
        match expr {
            Expr::Alias { names, .. } => names.first().cloned().unwrap_or_default(),
            other => self.plain_name(other),
        }
    }

    fn value_name(&self, value: &Expr) -> String {
        match value {
            Expr::Literal(value) if value.is_null() => "null".to_owned(),
            Expr::Literal(value) => format_scalar(value, &self.settings.time_zone),
            // Names and values in turn.
            Expr::Function(call) if call.name == "named_struct" => {
                let parts: Vec<_> = call.args.iter().skip(1).step_by(2).map(|arg| self.value_name(arg)).collect();
                format!("{{{}}}", parts.join(", "))
            }
            other => self.plain_name(other),
        }
    }

    /// What groups where nothing is said: every column that neither the pivot nor an aggregate names.
    fn other_columns(&self, pivot: &Pivot, context: &Context<'_>) -> Result<Vec<Expr>> {
        let node = self.relation(&pivot.input, context)?.into_visible()?;
        let mut used = vec![];
        for expr in pivot.list.iter().chain([&pivot.column]) {
            self.columns_named(expr, &node, &mut used)?;
        }
        let rest = node.visible().filter(|field| !used.contains(&field.column.name));
        Ok(rest.map(|field| Expr::column([field.name.clone()])).collect())
    }

    fn columns_named(&self, expr: &Expr, node: &Node, found: &mut Vec<String>) -> Result<()> {
        if let Expr::Attribute { parts, plan_id } = expr {
            found.extend(self.find_reference(parts, *plan_id, node)?.map(|found| found.field.column.name.clone()));
        }
        expr.children().into_iter().try_for_each(|child| self.columns_named(child, node, found))
    }
}

fn grouped(input: Box<Relation>, keys: Vec<Expr>, list: Vec<Expr>) -> Relation {
    let kind = GroupKind::GroupBy;
    RelationKind::Aggregate(Aggregate { input, kind, keys, list, keys_in_front: false, having: None }).into()
}

/// The query for the values of a pivot that has none.
pub(super) fn values_query(pivot: &Pivot) -> Relation {
    let list = vec![pivot.column.clone().alias(VALUE)];
    let kind = RelationKind::Project { input: Some(pivot.input.clone()), list };
    let kind = RelationKind::Deduplicate(Deduplicate { input: Box::new(kind.into()), columns: vec![] });
    let by_value = SortOrder::new(Expr::column([VALUE]), SortDirection::Ascending, Some(NullOrdering::First));
    let kind = RelationKind::Sort { input: Box::new(kind.into()), order: vec![by_value] };
    let limit = Expr::literal(ScalarValue::Int64(i64::try_from(MAX_VALUES + 1).ok()));
    RelationKind::Limit { input: Box::new(kind.into()), skip: None, fetch: Some(limit) }.into()
}

/// The values that their query found.
pub(super) fn values_of(batches: &[RecordBatch]) -> Result<Vec<(Expr, Option<String>)>> {
    let mut values = vec![];
    for batch in batches {
        for row in 0..batch.num_rows() {
            values.push((Expr::literal(ScalarValue::try_from_array(batch.column(0), row)?), None));
        }
    }
    if values.len() > MAX_VALUES {
        let message = format!("The pivot column has more than {MAX_VALUES} values. State those that become columns.");
        let condition = "PIVOT_VALUE_LIMIT_EXCEEDED";
        return Err(SparkError::new(ErrorClass::Analysis, condition, "54000", message));
    }
    Ok(values)
}
