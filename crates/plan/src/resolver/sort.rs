//! `ORDER BY`, and what else may name columns below a select list.

use std::borrow::Cow;

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::find_aggregate_exprs;

use super::aggregate::{Clauses, position_out_of_range};
use super::expr::{Scope, sort_of};
use super::node::{Field, Node};
use super::{Context, Resolver, build, time_window};
use crate::error::Result;
use crate::ir::{self, Relation, RelationKind, SortOrder};

/// The expressions of a select list, and the columns that they make.
type SelectList = (Vec<Expr>, Vec<Field>);

impl Resolver {
    /// A sort. Its keys name columns of the input, or what is right below the input's select list: Spark lets
    /// `SELECT a FROM t ORDER BY b` sort by a column that does not come out.
    pub(super) fn sort(&self, input: &Relation, order: &[SortOrder], context: &Context<'_>) -> Result<Node> {
        if let [all] = order
            && matches!(all.expr, ir::Expr::Star { .. })
        {
            let node = self.relation(input, context)?.into_visible()?;
            let keys = node.fields.iter().map(|field| sort_of(field.expr(), all)).collect::<Vec<_>>();
            let plan = build::sort(node.plan.clone(), keys);
            return Ok(node.with_plan(plan));
        }
        if let RelationKind::Aggregate(aggregate) = &input.kind
            && self.generated_above(aggregate).is_none()
        {
            let aggregate = time_window::by_columns(aggregate);
            let below = self.relation(&aggregate.input, context)?;
            let node = self.aggregate(below, &Clauses::of(&aggregate), order, input.plan_id, context)?;
            return Ok(marked(node, input.plan_id));
        }
        if let RelationKind::Project { input: Some(below), list } = &input.kind {
            let (below, list) = self.select_from(self.relation(below, context)?, list, context)?;
            let Some(selected) = self.select_list(&below, &list, context)? else {
                let node = self.aggregate(below, &Clauses::of_all_rows(&list), order, input.plan_id, context)?;
                return Ok(marked(node, input.plan_id));
            };
            let keys: Vec<_> = order.iter().map(|key| &key.expr).collect();
            let (node, keys) = self.project_with_hidden(below, selected, &keys, input.plan_id, context)?;
            return sort_by(node, keys, order);
        }
        let node = self.relation(input, context)?;
        let keys = order.iter().map(|key| self.on_output(&key.expr, &node, context)).collect::<Result<_>>()?;
        sort_by(node, keys, order)
    }

    /// `input` and `expr` over it, which may name columns that stand below the input's select list: they are in the
    /// plan then, but not among the node's fields.
    pub(super) fn relation_with_hidden(
        &self,
        input: &Relation,
        expr: &ir::Expr,
        context: &Context<'_>,
    ) -> Result<(Node, Expr)> {
        let node = match &input.kind {
            RelationKind::Project { input: Some(below), list } => {
                let (below, list) = self.select_from(self.relation(below, context)?, list, context)?;
                if let Some(selected) = self.select_list(&below, &list, context)? {
                    let (node, mut exprs) =
                        self.project_with_hidden(below, selected, &[expr], input.plan_id, context)?;
                    return Ok((node, exprs.pop().unwrap_or_default()));
                }
                marked(self.aggregate(below, &Clauses::of_all_rows(&list), &[], None, context)?, input.plan_id)
            }
            _ => self.relation(input, context)?,
        };
        let expr = Scope::new(self, &node, context).expr(expr)?;
        Ok((node, expr))
    }

    /// The rows of a select list and the list, without what makes rows, and without names of its own items.
    pub(super) fn select_from<'a>(
        &self,
        below: Node,
        list: &'a [ir::Expr],
        context: &Context<'_>,
    ) -> Result<(Node, Cow<'a, [ir::Expr]>)> {
        let (below, list) = self.generated_below(below, list, context)?;
        self.aliases_below(below, list, context)
    }

    /// A select list over its rows; none where an aggregate function stands in it, so that it aggregates all of them.
    pub(super) fn select_list(
        &self,
        below: &Node,
        list: &[ir::Expr],
        context: &Context<'_>,
    ) -> Result<Option<SelectList>> {
        let (exprs, fields) = Scope::new(self, below, context).list(list)?;
        Ok(find_aggregate_exprs(&exprs).is_empty().then_some((exprs, fields)))
    }

    fn project_with_hidden(
        &self,
        below: Node,
        (mut exprs, fields): SelectList,
        wanted: &[&ir::Expr],
        plan_id: Option<i64>,
        context: &Context<'_>,
    ) -> Result<(Node, Vec<Expr>)> {
        let plan = self.project_with_windows(below.plan.clone(), exprs.clone())?;
        let node = marked(Node { plan, fields }, plan_id);
        let visible = exprs.len();
        let mut found = vec![];
        for expr in wanted {
            found.push(match self.on_output(expr, &node, context) {
                Ok(expr) => expr,
                Err(error) => {
                    // The first error is the one to show: it names the columns that come out.
                    let hidden = Scope::new(self, &below, context).expr(expr).map_err(|_| error)?;
                    let column = self.new_column();
                    exprs.push(hidden.alias(&column.name));
                    Expr::Column(column)
                }
            });
        }
        if exprs.len() == visible {
            return Ok((node, found));
        }
        let plan = self.project_with_windows(below.plan, exprs)?;
        Ok((node.with_plan(plan), found))
    }

    /// An expression over the columns that come out; a position is one of them.
    fn on_output(&self, expr: &ir::Expr, node: &Node, context: &Context<'_>) -> Result<Expr> {
        let ir::Expr::Ordinal(position) = expr else {
            return Scope::new(self, node, context).expr(expr);
        };
        let found = node.visible().nth(position.wrapping_sub(1)).map(Field::expr);
        found.ok_or_else(|| position_out_of_range(*position, node.visible().count()))
    }
}

fn sort_by(node: Node, keys: Vec<Expr>, order: &[SortOrder]) -> Result<Node> {
    let keys = keys.into_iter().zip(order).map(|(key, order)| sort_of(key, order)).collect();
    let plan = build::sort(node.plan.clone(), keys);
    let sorted = node.with_plan(plan);
    // Columns that only the keys needed go; hidden keys of a join stay reachable.
    if sorted.plan.schema().fields().len() == sorted.fields.len() { Ok(sorted) } else { sorted.into_visible() }
}

fn marked(mut node: Node, plan_id: Option<i64>) -> Node {
    for field in &mut node.fields {
        field.plan_ids.extend(plan_id);
    }
    node
}
