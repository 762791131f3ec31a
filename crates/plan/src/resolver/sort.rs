//! `ORDER BY`.

use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::aggregate::sorted;
use super::expr::{Scope, sort_of};
use super::node::{Field, Node};
use super::{Context, Resolver};
use crate::error::Result;
use crate::ir::{self, Relation, RelationKind, SortOrder};

impl Resolver {
    /// A sort. Its keys name columns of the input, or what is right below the input's select list: Spark lets
    /// `SELECT a FROM t ORDER BY b` sort by a column that does not come out.
    pub(super) fn sort(&self, input: &Relation, order: &[SortOrder], context: &Context<'_>) -> Result<Node> {
        match &input.kind {
            RelationKind::Aggregate(aggregate) => {
                let mut node = self.sorted_aggregate(aggregate, order, input.plan_id, context)?;
                mark(&mut node, input.plan_id);
                Ok(node)
            }
            RelationKind::Project { input: Some(below), list } => {
                self.sorted_project(below, list, order, input.plan_id, context)
            }
            _ => {
                let node = self.relation(input, context)?;
                let scope = Scope::new(self, &node, context);
                let keys = order.iter().map(|order| scope.sort_key(order)).collect::<Result<Vec<_>>>()?;
                let plan = sorted(node.plan.clone(), keys)?;
                Ok(node.with_plan(plan))
            }
        }
    }

    fn sorted_project(
        &self,
        below: &Relation,
        list: &[ir::Expr],
        order: &[SortOrder],
        plan_id: Option<i64>,
        context: &Context<'_>,
    ) -> Result<Node> {
        let below = self.relation(below, context)?;
        let (mut exprs, fields) = Scope::new(self, &below, context).list(list)?;
        let plan = self.project_with_windows(below.plan.clone(), exprs.clone())?;
        let mut node = Node { plan, fields };
        mark(&mut node, plan_id);

        let mut keys = vec![];
        let visible = exprs.len();
        for key in order {
            let on_output = Scope::new(self, &node, context).expr(&key.expr);
            let expr = match on_output {
                Ok(expr) => expr,
                Err(error) => {
                    // The first error is the one to show: it names the columns that come out.
                    let hidden = Scope::new(self, &below, context).expr(&key.expr).map_err(|_| error)?;
                    let column = self.new_column();
                    exprs.push(hidden.alias(&column.name));
                    Expr::Column(column)
                }
            };
            keys.push(sort_of(expr, key));
        }
        if exprs.len() == visible {
            let plan = sorted(node.plan.clone(), keys)?;
            return Ok(node.with_plan(plan));
        }
        let plan = self.project_with_windows(below.plan, exprs)?;
        let plan =
            LogicalPlanBuilder::from(sorted(plan, keys)?).project(node.fields.iter().map(Field::expr))?.build()?;
        Ok(node.with_plan(plan))
    }
}

fn mark(node: &mut Node, plan_id: Option<i64>) {
    for field in &mut node.fields {
        field.plan_ids.extend(plan_id);
    }
}
