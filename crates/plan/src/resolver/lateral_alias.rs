//! `SELECT a + 1 AS b, b * 2`: an item of a select list names one before it.

use std::borrow::Cow;

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::find_aggregate_exprs;
use recursive::recursive;

use super::expr::Scope;
use super::node::Node;
use super::{Context, Resolver};
use crate::error::Result;
use crate::ir;
use crate::sql::too_complex;

/// How many expressions a list may grow to when names are replaced by what they stand for: nested, each doubles it.
const MAX_EXPRESSIONS: usize = 100_000;

impl Resolver {
    /// A select list whose items name nothing of each other: what is named by a later one is computed once, below.
    pub(super) fn aliases_below<'a>(
        &self,
        mut below: Node,
        list: Cow<'a, [ir::Expr]>,
        context: &Context<'_>,
    ) -> Result<(Node, Cow<'a, [ir::Expr]>)> {
        let mut named = vec![false; list.len()];
        for (position, item) in list.iter().enumerate() {
            self.mark_named(item, &list[..position], &below, &mut named)?;
        }
        if !named.contains(&true) {
            return Ok((below, list));
        }
        let mut replaced: Vec<ir::Expr> = vec![];
        for (item, is_named) in list.iter().zip(named) {
            let item = self.with_names_replaced(item, &replaced, &below)?;
            let ir::Expr::Alias { expr, names } = &item else {
                replaced.push(item);
                continue;
            };
            if !is_named {
                replaced.push(item);
                continue;
            }
            let value = Scope::new(self, &below, context).expr(expr)?;
            if !find_aggregate_exprs([&value]).is_empty() {
                // The list aggregates all rows, which then replaces the names in its own way.
                return Ok((below, list));
            }
            let column = self.new_column();
            let columns = below.plan.schema().columns().into_iter().map(Expr::Column);
            let exprs = columns.chain([value.alias(&column.name)]).collect();
            let plan = self.project_with_windows(below.plan.clone(), exprs)?;
            below = below.with_plan(plan);
            let expr = Box::new(ir::Expr::Internal(column.name));
            replaced.push(ir::Expr::Alias { expr, names: names.clone() });
        }
        Ok((below, Cow::Owned(replaced)))
    }

    /// A select list of an aggregation, each name of an item before replaced by what it stands for.
    pub(super) fn with_aliases_replaced(&self, list: &[ir::Expr], input: &Node) -> Result<Vec<ir::Expr>> {
        let mut replaced: Vec<ir::Expr> = vec![];
        let mut size = 0;
        for item in list {
            let item = self.with_names_replaced(item, &replaced, input)?;
            size += nodes(&item);
            if size > MAX_EXPRESSIONS {
                return Err(too_complex());
            }
            replaced.push(item);
        }
        Ok(replaced)
    }

    /// An item over those before it. It keeps the name that it has as it is written.
    fn with_names_replaced(&self, item: &ir::Expr, before: &[ir::Expr], input: &Node) -> Result<ir::Expr> {
        let aliases: Vec<_> = before.iter().filter(|item| matches!(item, ir::Expr::Alias { .. })).cloned().collect();
        if aliases.is_empty() {
            return Ok(item.clone());
        }
        let replaced = self.replace_aliases(item, &aliases, input, None)?;
        Ok(match replaced {
            replaced if replaced == *item => replaced,
            replaced @ ir::Expr::Alias { .. } => replaced,
            replaced => replaced.alias(self.plain_name(&self.with_references_marked(item, &aliases, input)?)),
        })
    }

    /// An item as Spark names it: what it takes from an item before is a reference to that.
    fn with_references_marked(&self, item: &ir::Expr, aliases: &[ir::Expr], input: &Node) -> Result<ir::Expr> {
        if matches!(item, ir::Expr::Attribute { .. }) {
            return Ok(item.clone());
        }
        let marked = aliases.iter().filter_map(|alias| match alias {
            ir::Expr::Alias { names, .. } => {
                names.first().map(|name| ir::Expr::column([format!("lateralAliasReference({name})")]).alias(name))
            }
            _ => None,
        });
        self.replace_aliases(item, &marked.collect::<Vec<_>>(), input, None)
    }

    /// Marks the items before that `expr` names.
    #[recursive]
    fn mark_named(&self, expr: &ir::Expr, before: &[ir::Expr], input: &Node, named: &mut [bool]) -> Result<()> {
        if let ir::Expr::Attribute { parts, plan_id: None } = expr
            && let [name] = parts.as_slice()
        {
            let is = |item: &ir::Expr| matches!(item, ir::Expr::Alias { .. }) && self.has_name(item, name);
            if let Some(position) = before.iter().position(is)
                && self.find_reference(parts, None, input)?.is_none()
            {
                named[position] = true;
            }
        }
        for child in expr.children() {
            self.mark_named(child, before, input, named)?;
        }
        Ok(())
    }
}

fn nodes(expr: &ir::Expr) -> usize {
    1 + expr.children().into_iter().map(nodes).sum::<usize>()
}
