//! One `SELECT`.

use std::collections::HashMap;

use sqlparser::ast::{self, SelectItem, SelectItemQualifiedWildcardKind};

use super::aggregate::has_aggregate;
use super::lower::{Lowering, name, parts};
use super::position::Outputs;
use super::query::distinct;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Aggregate, Expr, GroupKind, Relation, RelationKind, SortDirection, SortOrder};

impl Lowering<'_> {
    pub(super) fn select(&mut self, select: ast::Select) -> Result<(Relation, Outputs)> {
        unsupported_clauses(&select)?;
        let mut windows = HashMap::new();
        for ast::NamedWindowDefinition(ident, window) in select.named_window {
            windows.insert(name(ident)?.to_lowercase(), window);
        }
        self.windows.push(windows);
        let mut input = self.from(select.from)?;
        for view in select.lateral_views {
            input = Some(self.lateral_view(input, view)?);
        }
        if let Some(condition) = select.selection {
            let condition = self.expr(condition)?;
            input = Some(match input {
                Some(rows) => RelationKind::Filter { input: Box::new(rows), condition }.into(),
                None => RelationKind::Filter { input: Box::new(one_row()), condition }.into(),
            });
        }
        let mut list: Vec<Expr> =
            select.projection.into_iter().map(|item| self.select_item(item)).collect::<Result<_>>()?;
        if select.flavor == ast::SelectFlavor::FromFirstNoSelect {
            list.push(Expr::star());
        }
        let qualify = select.qualify.map(|condition| self.expr(condition)).transpose()?;
        let grouping = self.grouping(select.group_by, &list)?;
        let having = select.having.map(|having| self.expr(having)).transpose()?;
        self.windows.pop();

        let grouping = grouping.or_else(|| {
            let aggregates = having.is_some() || list.iter().any(has_aggregate);
            aggregates.then_some((GroupKind::GroupBy, Vec::new()))
        });
        if let Some(condition) = &qualify
            && !list.iter().chain([condition]).any(has_window)
        {
            let message = "QUALIFY needs a window function, in its condition or in the select list.";
            return Err(SparkError::new(ErrorClass::Analysis, "QUALIFY_REQUIRES_WINDOW_FUNCTION", "42903", message));
        }
        let outputs = list.clone();
        list.extend(qualify.clone().map(|condition| condition.alias(QUALIFIES)));
        let relation = match grouping {
            Some((kind, keys)) => {
                let input = Box::new(input.unwrap_or_else(one_row));
                RelationKind::Aggregate(Aggregate { input, kind, keys, list, keys_in_front: false, having }).into()
            }
            None => RelationKind::Project { input: input.map(Box::new), list }.into(),
        };
        let mut relation = if qualify.is_some() { qualified(relation) } else { relation };
        // Rows are in one order as a whole, which is in order within each partition too.
        let mut order = self.sort_orders(select.sort_by)?;
        for key in select.cluster_by {
            order.push(SortOrder::new(self.expr(key)?, SortDirection::Ascending, None));
        }
        if !order.is_empty() {
            relation = RelationKind::Sort { input: Box::new(relation), order }.into();
        }
        Ok(match select.distinct {
            None | Some(ast::Distinct::All) => (relation, Outputs::Items(outputs)),
            Some(ast::Distinct::Distinct) => (distinct(relation), Outputs::Names(outputs)),
            Some(ast::Distinct::On(_)) => {
                return Err(SparkError::parse("Syntax error at or near 'on'. There is no DISTINCT ON."));
            }
        })
    }

    pub(super) fn select_item(&mut self, item: SelectItem) -> Result<Expr> {
        match item {
            SelectItem::UnnamedExpr(expr) => self.expr(expr),
            SelectItem::ExprWithAlias { expr, alias } => Ok(self.expr(expr)?.alias(name(alias)?)),
            SelectItem::ExprWithAliases { expr, aliases } => {
                let names = aliases.into_iter().map(name).collect::<Result<_>>()?;
                Ok(Expr::Alias { expr: Box::new(self.expr(expr)?), names })
            }
            SelectItem::Wildcard(options) => star(Vec::new(), options),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(object), options) => {
                star(parts(object)?, options)
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => {
                Err(SparkError::unsupported("the fields of an expression by .*"))
            }
        }
    }
}

fn has_window(expr: &Expr) -> bool {
    matches!(expr, Expr::Window { .. }) || expr.children().into_iter().any(has_window)
}

fn star(qualifier: Vec<String>, options: ast::WildcardAdditionalOptions) -> Result<Expr> {
    let plain = options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none();
    if !plain {
        return Err(SparkError::unsupported("* with anything but EXCEPT"));
    }
    let except = options.opt_except.into_iter().flat_map(|except| {
        std::iter::once(except.first_element).chain(except.additional_elements).map(|ident| Ok(vec![name(ident)?]))
    });
    Ok(Expr::Star { qualifier, plan_id: None, except: except.collect::<Result<_>>()? })
}

/// The column that holds the condition of `QUALIFY` while rows are chosen by it.
const QUALIFIES: &str = "#qualifies";

/// The rows that the condition holds for, without it.
fn qualified(relation: Relation) -> Relation {
    let condition = Expr::column([QUALIFIES]);
    let chosen = RelationKind::Filter { input: Box::new(relation), condition };
    RelationKind::Drop { input: Box::new(chosen.into()), columns: Vec::new(), names: vec![QUALIFIES.to_owned()] }.into()
}

/// What `SELECT` without `FROM` reads.
pub(super) fn one_row() -> Relation {
    RelationKind::Project { input: None, list: Vec::new() }.into()
}

fn unsupported_clauses(select: &ast::Select) -> Result<()> {
    let clause = if select.top.is_some() {
        return Err(SparkError::parse("Syntax error at or near 'top'. Rows are counted with LIMIT."));
    } else if select.into.is_some() {
        "SELECT INTO"
    } else if !select.connect_by.is_empty() {
        "CONNECT BY"
    } else {
        return Ok(());
    };
    Err(SparkError::unsupported(clause))
}
