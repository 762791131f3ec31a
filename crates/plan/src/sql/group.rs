//! `GROUP BY`.

use sqlparser::ast::{self, GroupByExpr, GroupByWithModifier};

use sqlparser::tokenizer::Location;

use super::aggregate::has_aggregate;
use super::error;
use super::lower::Lowering;
use super::position::{self, is_star, without_alias};
use crate::error::{Result, SparkError};
use crate::ir::{Expr, GroupKind};

/// A grouping has no more sets than this: a cube of 12 keys has them.
const MAX_SETS: usize = 4096;

/// How one element of `GROUP BY` groups: by one set, or by several one after the other.
type Sets = Vec<Vec<Expr>>;

impl Lowering<'_> {
    /// The kind and the keys; none where there is no `GROUP BY`.
    pub(super) fn grouping(&mut self, group_by: GroupByExpr, list: &[Expr]) -> Result<Option<(GroupKind, Vec<Expr>)>> {
        let (exprs, modifiers) = match group_by {
            GroupByExpr::All(modifiers) if modifiers.is_empty() => return all(list).map(Some),
            GroupByExpr::All(_) => return Err(SparkError::unsupported("GROUP BY ALL with grouping sets")),
            GroupByExpr::Expressions(exprs, modifiers) => (exprs, modifiers),
        };
        if exprs.is_empty() && modifiers.is_empty() {
            return Ok(None);
        }
        if let Some(modifier) = modifiers.into_iter().next() {
            let keys = exprs.into_iter().map(|e| self.key(e, list)).collect::<Result<_>>()?;
            let kind = match modifier {
                GroupByWithModifier::Rollup => GroupKind::Rollup,
                GroupByWithModifier::Cube => GroupKind::Cube,
                GroupByWithModifier::GroupingSets(ast::Expr::GroupingSets(sets)) => {
                    GroupKind::GroupingSets(self.key_sets(sets, list)?)
                }
                other => return Err(SparkError::unsupported(format!("GROUP BY {other}"))),
            };
            return Ok(Some((kind, keys)));
        }
        self.elements(exprs, list).map(Some)
    }

    fn elements(&mut self, exprs: Vec<ast::Expr>, list: &[Expr]) -> Result<(GroupKind, Vec<Expr>)> {
        let single = exprs.len() == 1;
        let mut groupings: Vec<Sets> = Vec::with_capacity(exprs.len());
        let mut plain = true;
        for expr in exprs {
            let (kind, elements) = match expr {
                ast::Expr::Rollup(elements) => (GroupKind::Rollup, self.key_sets(elements, list)?),
                ast::Expr::Cube(elements) => (GroupKind::Cube, self.key_sets(elements, list)?),
                ast::Expr::GroupingSets(sets) => {
                    plain = false;
                    groupings.push(self.key_sets(sets, list)?);
                    continue;
                }
                other => {
                    groupings.push(vec![vec![self.key(other, list)?]]);
                    continue;
                }
            };
            plain = false;
            if single && elements.iter().all(|element| element.len() == 1) {
                return Ok((kind, elements.into_iter().flatten().collect()));
            }
            groupings.push(if kind == GroupKind::Rollup { rollup(&elements) } else { cube(&elements)? });
        }
        if plain {
            return Ok((GroupKind::GroupBy, groupings.into_iter().flatten().flatten().collect()));
        }
        let sets = product(&groupings)?;
        let mut keys: Vec<Expr> = Vec::new();
        for key in sets.iter().flatten() {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        Ok((GroupKind::GroupingSets(sets), keys))
    }

    fn key(&mut self, expr: ast::Expr, list: &[Expr]) -> Result<Expr> {
        if matches!(&expr, ast::Expr::Tuple(parts) if parts.is_empty()) {
            return Err(error::near_text(")", Location::empty()));
        }
        position::group_by(self.expr(expr)?, list)
    }

    fn key_sets(&mut self, sets: Vec<Vec<ast::Expr>>, list: &[Expr]) -> Result<Sets> {
        sets.into_iter().map(|set| set.into_iter().map(|e| self.key(e, list)).collect()).collect()
    }
}

/// `GROUP BY ALL`: what has no aggregate in it is a key.
fn all(list: &[Expr]) -> Result<(GroupKind, Vec<Expr>)> {
    if list.iter().any(is_star) {
        return Err(SparkError::unsupported("GROUP BY ALL with a * in the list"));
    }
    let keys = list.iter().map(without_alias).filter(|item| !has_aggregate(item)).cloned().collect();
    Ok((GroupKind::GroupBy, keys))
}

/// All elements, then one less from the end, down to none.
fn rollup(elements: &Sets) -> Sets {
    (0..=elements.len()).rev().map(|n| elements.iter().take(n).flatten().cloned().collect()).collect()
}

/// Every subset of the elements.
fn cube(elements: &Sets) -> Result<Sets> {
    let mut sets: Sets = vec![Vec::new()];
    for element in elements.iter().rev() {
        let with: Sets = sets.iter().map(|set| element.iter().chain(set).cloned().collect()).collect();
        sets.splice(0..0, with);
        limit(&sets)?;
    }
    Ok(sets)
}

/// Each set of the first element with each of the next, and so on.
fn product(groupings: &[Sets]) -> Result<Sets> {
    let mut sets: Sets = vec![Vec::new()];
    for grouping in groupings {
        sets = sets.iter().flat_map(|left| grouping.iter().map(|right| [left.as_slice(), right].concat())).collect();
        limit(&sets)?;
    }
    Ok(sets)
}

fn limit(sets: &Sets) -> Result<()> {
    if sets.len() > MAX_SETS { Err(error::too_complex()) } else { Ok(()) }
}
