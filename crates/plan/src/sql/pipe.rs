//! Pipe syntax: `FROM t |> WHERE a > 1 |> SELECT b`.

use sqlparser::ast::{self, PipeOperator};

use super::from::aliased;
use super::lower::{Lowering, name, parts};
use super::position::Outputs;
use crate::error::{Result, SparkError};
use crate::ir::{Aggregate, Expr, GroupKind, Relation, RelationKind, SetOp, SetOpKind};

impl Lowering<'_> {
    /// What an operator makes of the rows before it.
    pub(super) fn piped(&mut self, rows: Relation, operator: PipeOperator) -> Result<Relation> {
        let input = Box::new(rows);
        Ok(match operator {
            PipeOperator::Where { expr } => RelationKind::Filter { input, condition: self.expr(expr)? }.into(),
            PipeOperator::Select { exprs } => {
                let list = exprs.into_iter().map(|item| self.select_item(item)).collect::<Result<_>>()?;
                RelationKind::Project { input: Some(input), list }.into()
            }
            PipeOperator::Extend { exprs } => {
                let more = exprs.into_iter().map(|item| self.select_item(item)).collect::<Result<Vec<_>>>()?;
                let list = std::iter::once(Expr::star()).chain(more).collect();
                RelationKind::Project { input: Some(input), list }.into()
            }
            PipeOperator::Set { assignments } => {
                let columns = assignments.into_iter().map(|ast::Assignment { target, value }| match target {
                    ast::AssignmentTarget::ColumnName(column) => Ok((parts(column)?.join("."), self.expr(value)?)),
                    ast::AssignmentTarget::Tuple(_) => Err(SparkError::unsupported("SET of several columns at once")),
                });
                RelationKind::WithColumns { columns: columns.collect::<Result<_>>()?, input }.into()
            }
            PipeOperator::Drop { columns } => {
                let names = columns.into_iter().map(name).collect::<Result<_>>()?;
                RelationKind::Drop { input, columns: Vec::new(), names }.into()
            }
            PipeOperator::As { alias } => {
                RelationKind::SubqueryAlias { input, alias: name(alias)?, columns: Vec::new() }.into()
            }
            PipeOperator::OrderBy { exprs } => {
                let order = self.sort_orders(exprs)?.into_iter().map(|key| Outputs::Unknown.order_by(key));
                RelationKind::Sort { input, order: order.collect::<Result<_>>()? }.into()
            }
            PipeOperator::Limit { expr, offset } => RelationKind::Limit {
                input,
                skip: offset.map(|rows| self.expr(rows)).transpose()?,
                fetch: Some(self.expr(expr)?),
            }
            .into(),
            PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
                let mut items = |list: Vec<ast::ExprWithAliasAndOrderBy>| -> Result<Vec<Expr>> {
                    list.into_iter().map(|item| self.with_alias(item.expr)).collect()
                };
                let (list, keys) = (items(full_table_exprs)?, items(group_by_expr)?);
                let kind = GroupKind::GroupBy;
                RelationKind::Aggregate(Aggregate { input, kind, keys, list, keys_in_front: true, having: None }).into()
            }
            PipeOperator::TableSample { sample } => {
                return self.sampled(*input, ast::TableSampleKind::AfterTableAlias(sample));
            }
            PipeOperator::Union { set_quantifier, queries } => {
                return self.combined(*input, SetOpKind::Union, set_quantifier, queries);
            }
            PipeOperator::Intersect { set_quantifier, queries } => {
                return self.combined(*input, SetOpKind::Intersect, set_quantifier, queries);
            }
            PipeOperator::Except { set_quantifier, queries } => {
                return self.combined(*input, SetOpKind::Except, set_quantifier, queries);
            }
            PipeOperator::Join(join) => return self.join(*input, join),
            PipeOperator::Pivot { aggregate_functions, value_column, value_source, alias } => {
                let columns = vec![ast::Expr::CompoundIdentifier(value_column)];
                let rows = self.pivoted(*input, aggregate_functions, columns, value_source)?;
                return aliased(rows, alias.map(alias_only));
            }
            PipeOperator::Unpivot { value_column, name_column, unpivot_columns, alias } => {
                let columns = unpivot_columns
                    .into_iter()
                    .map(|column| ast::ExprWithAlias { expr: ast::Expr::Identifier(column), alias: None });
                let value = ast::Expr::Identifier(value_column);
                let rows = self.unpivoted(*input, value, name_column, columns.collect(), false)?;
                return aliased(rows, alias.map(alias_only));
            }
            other => return Err(SparkError::unsupported(format!("`|> {other}`"))),
        })
    }

    fn combined(
        &mut self,
        rows: Relation,
        kind: SetOpKind,
        quantifier: ast::SetQuantifier,
        queries: Vec<ast::Query>,
    ) -> Result<Relation> {
        let (all, by_name) = super::query::quantified(quantifier);
        let mut rows = rows;
        for query in queries {
            let (left, right) = (Box::new(rows), Box::new(self.query(query)?));
            rows = RelationKind::SetOp(SetOp { left, right, kind, all, by_name, allow_missing: false }).into();
        }
        Ok(rows)
    }
}

fn alias_only(name: ast::Ident) -> ast::TableAlias {
    ast::TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}
