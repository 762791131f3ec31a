//! Queries: what stands around a `SELECT`.

use std::collections::HashSet;

use recursive::recursive;
use sqlparser::ast::{self, SetExpr, SetOperator, SetQuantifier};

use super::lower::{Lowering, name};
use super::position::{self, Outputs};
use super::recursion_level::not_recursive;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{
    Deduplicate, Expr, NullOrdering, Read, Recursive, Relation, RelationKind, SetOp, SetOpKind, SortDirection,
    SortOrder,
};

impl Lowering<'_> {
    pub(super) fn query(&mut self, query: ast::Query) -> Result<Relation> {
        self.deeper(1, |this| this.query_here(query))
    }

    fn query_here(&mut self, query: ast::Query) -> Result<Relation> {
        unsupported_clauses(&query)?;
        let relations = match query.with {
            None => Vec::new(),
            Some(with) => {
                let recursive = with.recursive;
                with.cte_tables.into_iter().map(|cte| self.cte(cte, recursive)).collect::<Result<Vec<_>>>()?
            }
        };
        no_duplicates(&relations)?;
        let (mut relation, outputs) = self.body(*query.body)?;
        if let Some(order_by) = query.order_by {
            let order = match order_by.kind {
                ast::OrderByKind::Expressions(keys) => self.sort_orders(keys)?,
                ast::OrderByKind::All(options) => {
                    position::all(&outputs)?.into_iter().map(|expr| sort_order(expr, &options)).collect()
                }
            };
            let order = order.into_iter().map(|key| outputs.order_by(key)).collect::<Result<_>>()?;
            relation = RelationKind::Sort { input: Box::new(relation), order }.into();
        }
        relation = self.limit(relation, query.limit_clause)?;
        relation = self.deeper(query.pipe_operators.len(), |this| {
            query.pipe_operators.into_iter().try_fold(relation, |rows, operator| this.piped(rows, operator))
        })?;
        if !relations.is_empty() {
            relation = RelationKind::With { input: Box::new(relation), relations }.into();
        }
        Ok(relation)
    }

    fn cte(&mut self, cte: ast::Cte, recursive: bool) -> Result<(String, Relation)> {
        let query = self.query(*cte.query)?;
        let most_steps = self.levels.get(&cte.alias.name.span.start).copied();
        if most_steps.is_some() && !recursive {
            return Err(not_recursive());
        }
        let alias = name(cte.alias.name)?;
        let columns = column_names(cte.alias.columns)?;
        if let RelationKind::SetOp(SetOp { left, right, kind: SetOpKind::Union, all: true, by_name: false, .. }) =
            &query.kind
            && recursive
            && reads(&mut right.clone(), &alias)
        {
            let (anchor, step) = (left.clone(), right.clone());
            let kind = RelationKind::Recursive(Recursive { name: alias.clone(), columns, most_steps, anchor, step });
            return Ok((alias, kind.into()));
        }
        if columns.is_empty() {
            return Ok((alias, query));
        }
        let named = RelationKind::SubqueryAlias { input: Box::new(query), alias: alias.clone(), columns };
        Ok((alias, named.into()))
    }

    /// The rows, and what their columns are made of: an `ORDER BY` can name them by position.
    fn body(&mut self, body: SetExpr) -> Result<(Relation, Outputs)> {
        match body {
            SetExpr::Select(select) => self.select(*select),
            SetExpr::Query(query) => Ok((self.query(*query)?, Outputs::Unknown)),
            SetExpr::Values(values) => {
                let rows: Vec<Vec<Expr>> =
                    values.rows.into_iter().map(|row| self.exprs(row.content)).collect::<Result<_>>()?;
                let width = rows.first().map_or(0, Vec::len);
                let columns = (1..=width).map(|n| Expr::column([format!("col{n}")])).collect();
                Ok((RelationKind::Values(rows).into(), Outputs::Names(columns)))
            }
            SetExpr::Table(table) => {
                let parts = [table.schema_name, table.table_name].into_iter().flatten();
                Ok((RelationKind::Read(Read::Table(parts.collect())).into(), Outputs::Unknown))
            }
            SetExpr::SetOperation { .. } => self.set_operations(body),
            SetExpr::Insert(_) => Err(SparkError::unsupported("the statement INSERT")),
            SetExpr::Update(_) => Err(SparkError::unsupported("the statement UPDATE")),
            SetExpr::Delete(_) => Err(SparkError::unsupported("the statement DELETE")),
            SetExpr::Merge(_) => Err(SparkError::unsupported("the statement MERGE")),
        }
    }

    /// A chain of set operations, from the left. It nests as deep as it is long.
    fn set_operations(&mut self, body: SetExpr) -> Result<(Relation, Outputs)> {
        let mut links = Vec::new();
        let mut first = body;
        while let SetExpr::SetOperation { left, op, set_quantifier, right } = first {
            links.push((op, set_quantifier, *right));
            first = *left;
        }
        self.deeper(links.len(), |this| {
            let (mut relation, outputs) = this.body(first)?;
            for (op, quantifier, right) in links.into_iter().rev() {
                let (right, _) = this.deeper(1, |this| this.body(right))?;
                let (all, by_name) = quantified(quantifier);
                if by_name {
                    return Err(SparkError::parse(
                        "Syntax error at or near 'by'. Use unionByName of the DataFrame API.",
                    ));
                }
                let kind = match op {
                    SetOperator::Union => SetOpKind::Union,
                    SetOperator::Intersect => SetOpKind::Intersect,
                    SetOperator::Except | SetOperator::Minus => SetOpKind::Except,
                };
                let (left, right) = (Box::new(relation), Box::new(right));
                let set_op = SetOp { left, right, kind, all, by_name, allow_missing: false };
                relation = RelationKind::SetOp(set_op).into();
            }
            Ok((relation, outputs.into_names()))
        })
    }

    pub(super) fn sort_orders(&mut self, keys: Vec<ast::OrderByExpr>) -> Result<Vec<SortOrder>> {
        keys.into_iter().map(|key| Ok(sort_order(self.expr(key.expr)?, &key.options))).collect()
    }

    fn limit(&mut self, relation: Relation, clause: Option<ast::LimitClause>) -> Result<Relation> {
        let (limit, offset) = match clause {
            None => return Ok(relation),
            Some(ast::LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
                (limit, offset.map(|o| o.value))
            }
            Some(_) => return Err(SparkError::unsupported("this form of LIMIT")),
        };
        let fetch = limit.map(|rows| self.expr(rows)).transpose()?;
        let skip = offset.map(|rows| self.expr(rows)).transpose()?;
        if fetch.is_none() && skip.is_none() {
            return Ok(relation);
        }
        Ok(RelationKind::Limit { input: Box::new(relation), skip, fetch }.into())
    }
}

/// Whether duplicates stay, and whether columns are matched by name.
pub(super) fn quantified(quantifier: SetQuantifier) -> (bool, bool) {
    match quantifier {
        SetQuantifier::All => (true, false),
        SetQuantifier::None | SetQuantifier::Distinct => (false, false),
        SetQuantifier::ByName | SetQuantifier::DistinctByName => (false, true),
        SetQuantifier::AllByName => (true, true),
    }
}

/// Whether a relation reads a table of this name.
#[recursive]
fn reads(relation: &mut Relation, name: &str) -> bool {
    let own = matches!(&relation.kind, RelationKind::Read(Read::Table(parts))
        if matches!(parts.as_slice(), [single] if single.eq_ignore_ascii_case(name)));
    own || relation.inputs_mut().into_iter().any(|input| reads(input, name))
}

fn no_duplicates(relations: &[(String, Relation)]) -> Result<()> {
    let mut seen = HashSet::new();
    let twice = relations.iter().find(|(name, _)| !seen.insert(name.to_lowercase()));
    let Some((name, _)) = twice else { return Ok(()) };
    let message = format!("CTE definition can't have duplicate names: `{name}`.");
    Err(SparkError::new(ErrorClass::Parse, "DUPLICATED_CTE_NAMES", "42602", message)
        .with("duplicateNames", format!("`{name}`")))
}

fn sort_order(expr: Expr, options: &ast::OrderByOptions) -> SortOrder {
    let direction = match options.asc {
        Some(false) => SortDirection::Descending,
        _ => SortDirection::Ascending,
    };
    let nulls = options.nulls_first.map(|first| if first { NullOrdering::First } else { NullOrdering::Last });
    SortOrder::new(expr, direction, nulls)
}

/// The same rows without duplicates.
pub(super) fn distinct(relation: Relation) -> Relation {
    RelationKind::Deduplicate(Deduplicate { input: Box::new(relation), columns: Vec::new() }).into()
}

/// The names of `t(a, b)`.
pub(super) fn column_names(columns: Vec<ast::TableAliasColumnDef>) -> Result<Vec<String>> {
    columns.into_iter().map(|column| name(column.name)).collect()
}

fn unsupported_clauses(query: &ast::Query) -> Result<()> {
    let clause = if query.fetch.is_some() {
        return Err(SparkError::parse("Syntax error at or near 'fetch'. Rows are counted with LIMIT."));
    } else if !query.locks.is_empty() || query.for_clause.is_some() {
        "FOR"
    } else {
        return Ok(());
    };
    Err(SparkError::unsupported(clause))
}
