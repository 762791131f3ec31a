//! Filters that become known while a query runs, such as the keys of a join's other side.
//!
//! They are never needed for a right result: what they leave out would be dropped above the scan.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::Operator as EngineOperator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal, lit,
};
use datafusion::physical_expr::utils::conjunction_opt;
use datafusion::physical_expr_common::physical_expr::{snapshot_generation, snapshot_physical_expr};

use crate::host::Message;
use crate::scan::filter::{Filter, Operand, Operator};
use crate::scan::statistics::Pruner;
use crate::scan::translate::is_comparable;
use crate::spec::Spec;

/// The dynamic filters of a scan, as its reader sees them.
#[derive(Debug)]
pub(crate) struct DynamicFilters {
    predicate: Option<Arc<dyn PhysicalExpr>>,
    /// Of the rows that the predicate is about.
    schema: SchemaRef,
    table: SchemaRef,
    current: Option<Current>,
}

/// The predicate as it was when it was last looked at.
#[derive(Debug)]
struct Current {
    generation: u64,
    pruner: Pruner,
    message: Option<Message>,
}

impl DynamicFilters {
    pub(crate) fn new(filters: &[Arc<dyn PhysicalExpr>], schema: SchemaRef, table: SchemaRef) -> Self {
        Self { predicate: conjunction_opt(filters.iter().cloned()), schema, table, current: None }
    }

    /// Whether the statistics of `spec` say that none of its rows is wanted any more.
    ///
    /// # Errors
    /// A filter that cannot be looked at.
    pub(crate) fn prune(&mut self, spec: &Spec) -> Result<bool> {
        self.look()?;
        Ok(self.current.as_ref().is_some_and(|current| current.pruner.kept(&spec.row, &self.table) == [false]))
    }

    /// A filter that is true of every row that is wanted now; none where there is nothing that a plug-in can be told.
    ///
    /// # Errors
    /// A filter that cannot be looked at.
    pub(crate) fn message(&mut self) -> Result<Option<Message>> {
        self.look()?;
        Ok(self.current.as_ref().and_then(|current| current.message.clone()))
    }

    fn look(&mut self) -> Result<()> {
        let Some(predicate) = &self.predicate else { return Ok(()) };
        let generation = snapshot_generation(predicate);
        if self.current.as_ref().is_none_or(|current| current.generation != generation) {
            let predicate = unrouted(&snapshot_physical_expr(Arc::clone(predicate))?);
            let filter = weakened(&predicate, &self.table);
            let message = filter.map(|filter| filter.to_message(Arc::clone(&self.table))).transpose()?;
            let pruner = Pruner::new(predicate, Arc::clone(&self.schema));
            self.current = Some(Current { generation, pruner, message });
        }
        Ok(())
    }
}

/// `predicate` without its choices between conditions by the hash of a row: what passes one of them passes.
fn unrouted(predicate: &Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    if let Some(binary) = predicate.downcast_ref::<BinaryExpr>()
        && matches!(binary.op(), EngineOperator::And | EngineOperator::Or)
    {
        return Arc::new(BinaryExpr::new(unrouted(binary.left()), *binary.op(), unrouted(binary.right())));
    }
    let Some(case) = predicate.downcast_ref::<CaseExpr>() else { return Arc::clone(predicate) };
    let branches = case.when_then_expr().iter().map(|(_, then)| then).chain(case.else_expr());
    let branches = branches.map(unrouted).filter(|branch| !is_literal(branch, false));
    let either = |left, right| Arc::new(BinaryExpr::new(left, EngineOperator::Or, right)) as Arc<dyn PhysicalExpr>;
    branches.reduce(either).unwrap_or_else(|| lit(false))
}

/// A filter that is true wherever `predicate` is, in the closed tree. Of a conjunction, what cannot be said is left out.
pub fn weakened(predicate: &Arc<dyn PhysicalExpr>, table: &Schema) -> Option<Filter> {
    if let Some(binary) = predicate.downcast_ref::<BinaryExpr>() {
        return weakened_binary(binary, table);
    }
    if let Some(is_null) = predicate.downcast_ref::<IsNullExpr>() {
        return Some(Filter::IsNull(column(is_null.arg(), table)?));
    }
    if let Some(is_not_null) = predicate.downcast_ref::<IsNotNullExpr>() {
        return Some(Filter::IsNotNull(column(is_not_null.arg(), table)?));
    }
    let in_list = predicate.downcast_ref::<InListExpr>().filter(|in_list| !in_list.negated())?;
    let values = in_list.list().iter().map(literal).collect::<Option<Vec<_>>>()?;
    // Equal to NULL is never true.
    let values: Vec<_> = values.into_iter().filter(|value| !value.is_null()).cloned().collect();
    let operand = compared(in_list.expr(), &values, table)?;
    (!values.is_empty()).then_some(Filter::In(operand, values))
}

fn weakened_binary(binary: &BinaryExpr, table: &Schema) -> Option<Filter> {
    let operator = match binary.op() {
        EngineOperator::And => {
            let sides = [binary.left(), binary.right()].map(|side| weakened(side, table));
            let mut said: Vec<_> = sides.into_iter().flatten().flat_map(conjuncts).collect();
            return if said.len() > 1 { Some(Filter::And(said)) } else { said.pop() };
        }
        EngineOperator::Or => {
            let (left, right) = (weakened(binary.left(), table)?, weakened(binary.right(), table)?);
            return Some(Filter::Or(disjuncts(left).into_iter().chain(disjuncts(right)).collect()));
        }
        EngineOperator::Eq => Operator::Eq,
        EngineOperator::Lt => Operator::Lt,
        EngineOperator::LtEq => Operator::LtEq,
        EngineOperator::Gt => Operator::Gt,
        EngineOperator::GtEq => Operator::GtEq,
        _ => return None,
    };
    let value = literal(binary.right()).filter(|value| !value.is_null())?.clone();
    let column = compared(binary.left(), std::slice::from_ref(&value), table)?;
    Some(Filter::Comparison(column, operator, Operand::Literal(value)))
}

fn conjuncts(filter: Filter) -> Vec<Filter> {
    if let Filter::And(children) = filter { children } else { vec![filter] }
}

fn disjuncts(filter: Filter) -> Vec<Filter> {
    if let Filter::Or(children) = filter { children } else { vec![filter] }
}

/// A column of the type of `values`, which the engine orders as [`Filter`] does: zeros and NaNs it does not.
fn compared(expr: &Arc<dyn PhysicalExpr>, values: &[ScalarValue], table: &Schema) -> Option<Operand> {
    let name = expr.downcast_ref::<Column>()?.name();
    let data_type = table.field_with_name(name).ok()?.data_type();
    let is_said = is_comparable(table, name) && !data_type.is_floating();
    let is_same = values.iter().all(|value| value.data_type() == *data_type);
    (is_said && is_same).then(|| Operand::Column(name.to_owned()))
}

fn column(expr: &Arc<dyn PhysicalExpr>, table: &Schema) -> Option<Operand> {
    let name = expr.downcast_ref::<Column>()?.name();
    table.field_with_name(name).is_ok().then(|| Operand::Column(name.to_owned()))
}

fn literal(expr: &Arc<dyn PhysicalExpr>) -> Option<&ScalarValue> {
    expr.downcast_ref::<Literal>().map(Literal::value)
}

fn is_literal(expr: &Arc<dyn PhysicalExpr>, value: bool) -> bool {
    literal(expr) == Some(&ScalarValue::Boolean(Some(value)))
}
