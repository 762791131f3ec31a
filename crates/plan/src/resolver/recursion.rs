//! `WITH RECURSIVE`: a named query that refers to itself.

use std::sync::Arc;

use arrow::datatypes::{Field as ArrowField, Schema};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::node::{Field, Node};
use super::recursion_limit::StepTable;
use super::relation::renamed;
use super::set_op::{column_count, incompatible};
use super::{Context, Recursion, Resolver, build};
use crate::error::Result;
use crate::ir::Recursive;
use crate::types::common_type;

impl Resolver {
    /// The rows of the anchor, and what the step makes of the rows of the step before until there are none.
    pub(super) fn recursive(&self, recursive: &Recursive, context: &Context<'_>) -> Result<Node> {
        let mut anchor = self.relation(&recursive.anchor, context)?.into_visible()?;
        if !recursive.columns.is_empty() {
            anchor = renamed(anchor, &recursive.columns)?;
        }
        let names: Vec<_> = anchor.fields.iter().map(|field| field.name.clone()).collect();
        let table = self.new_column().name;
        let mut columns = vec![];
        for field in &anchor.fields {
            let data_type = anchor.type_of(field)?.data_type().clone();
            columns.push(ArrowField::new(self.new_column().name, data_type, true));
        }
        let schema = Arc::new(Schema::new(columns));
        let named = |exprs: Vec<Expr>| exprs.into_iter().zip(schema.fields()).map(|(e, field)| e.alias(field.name()));
        let values = anchor.fields.iter().map(Field::expr).collect();
        let first = build::project(anchor.plan, named(values))?;

        let work = Arc::new(StepTable::new(CteWorkTable::new(&table, Arc::clone(&schema)), recursive.most_steps));
        let scan = LogicalPlanBuilder::scan(table.as_str(), provider_as_source(work), None)?.build()?;
        let before = self.aliased(scan, names.clone())?;
        let recursion = Recursion { name: &recursive.name, node: &before, outer: context.recursion };
        let context = Context { recursion: Some(&recursion), ..*context };
        let step = self.relation(&recursive.step, &context)?.into_visible()?;
        if step.fields.len() != schema.fields().len() {
            return Err(column_count("UNION", schema.fields().len(), step.fields.len()));
        }
        let mut values = vec![];
        for (position, (field, column)) in step.fields.iter().zip(schema.fields()).enumerate() {
            let from = step.type_of(field)?.data_type().clone();
            if common_type(&from, column.data_type()).is_none() {
                return Err(incompatible("UNION", position, column.data_type(), &from));
            }
            values.push(self.cast_between(field.expr(), &from, column.data_type())?);
        }
        let step = build::project(step.plan, named(values))?;
        let plan = LogicalPlanBuilder::from(first).to_recursive_query(table, step, false)?.build()?;
        self.aliased(plan, names)
    }

    /// The rows of the step before, where the name is that of a recursion around.
    pub(super) fn rows_before(&self, name: &str, context: &Context<'_>) -> Result<Option<Node>> {
        let mut next = context.recursion;
        while let Some(recursion) = next {
            if self.same(recursion.name, name) {
                let Node { plan, fields } = recursion.node.clone();
                return self.aliased(plan, fields.into_iter().map(|field| field.name)).map(Some);
            }
            next = recursion.outer;
        }
        Ok(None)
    }
}
