//! `FROM`: tables, joins, subqueries.

use datafusion::common::ScalarValue;
use sqlparser::ast::{self, FunctionArg, JoinConstraint, JoinOperator, TableFactor};

use super::function::by_position;
use super::lower::{Lowering, name, parts};
use super::query::column_names;
use super::select::one_row;
use crate::error::{Result, SparkError};
use crate::ir::{Expr, Generate, Join, JoinKind, JoinOn, Read, Relation, RelationKind};

/// What Spark calls a subquery without a name: its columns are not known by the names of the tables inside.
const UNNAMED_SUBQUERY: &str = "__auto_generated_subquery_name";

impl Lowering<'_> {
    /// The rows; none without `FROM`.
    pub(super) fn from(&mut self, from: Vec<ast::TableWithJoins>) -> Result<Option<Relation>> {
        let levels = from.iter().map(|item| 1 + item.joins.len()).sum();
        self.deeper(levels, |this| {
            let mut rows: Option<Relation> = None;
            for item in from {
                let lateral = is_lateral(&item.relation);
                let right = this.joined(item)?;
                rows = Some(match rows {
                    Some(left) => join(left, right, JoinKind::Cross, JoinOn::Nothing, lateral),
                    None => right,
                });
            }
            Ok(rows)
        })
    }

    fn joined(&mut self, item: ast::TableWithJoins) -> Result<Relation> {
        let mut left = self.table_factor(item.relation)?;
        for join in item.joins {
            left = self.join(left, join)?;
        }
        Ok(left)
    }

    /// A join of the rows on its left.
    pub(super) fn join(&mut self, left: Relation, item: ast::Join) -> Result<Relation> {
        let ast::Join { relation, join_operator, .. } = item;
        let lateral = is_lateral(&relation);
        let right = self.table_factor(relation)?;
        let (kind, constraint) = match join_operator {
            JoinOperator::Join(on) | JoinOperator::Inner(on) => (JoinKind::Inner, on),
            JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (JoinKind::LeftOuter, on),
            JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (JoinKind::RightOuter, on),
            JoinOperator::FullOuter(on) => (JoinKind::FullOuter, on),
            JoinOperator::CrossJoin(JoinConstraint::None) => (JoinKind::Cross, JoinConstraint::None),
            JoinOperator::CrossJoin(on) => (JoinKind::Inner, on),
            JoinOperator::Semi(on) | JoinOperator::LeftSemi(on) => (JoinKind::LeftSemi, on),
            JoinOperator::Anti(on) | JoinOperator::LeftAnti(on) => (JoinKind::LeftAnti, on),
            _ => return Err(SparkError::unsupported("this kind of join")),
        };
        let on = self.join_on(constraint)?;
        Ok(join(left, right, kind, on, lateral))
    }

    fn join_on(&mut self, constraint: JoinConstraint) -> Result<JoinOn> {
        Ok(match constraint {
            JoinConstraint::On(condition) => JoinOn::Condition(self.expr(condition)?),
            JoinConstraint::Using(columns) => {
                let columns = columns.into_iter().map(|column| Ok(parts(column)?.join(".")));
                JoinOn::Using(columns.collect::<Result<_>>()?)
            }
            JoinConstraint::Natural => JoinOn::Natural,
            JoinConstraint::None => JoinOn::Nothing,
        })
    }

    fn table_factor(&mut self, factor: TableFactor) -> Result<Relation> {
        self.deeper(1, |this| match factor {
            TableFactor::Table { sample: Some(sample), name, alias, args: None, .. } => {
                let rows = aliased(RelationKind::Read(Read::Table(parts(name)?)).into(), alias)?;
                this.sampled(rows, sample)
            }
            TableFactor::Derived { sample: Some(sample), subquery, alias, .. } => {
                let rows = this.query(*subquery)?;
                let rows = aliased(rows, alias)?;
                this.sampled(rows, sample)
            }
            TableFactor::Table { version: Some(_), .. } => Err(SparkError::unsupported("a version of a table")),
            TableFactor::Table { name, args: Some(args), alias, .. } => this.table_function(name, args.args, alias),
            TableFactor::Function { name, args, alias, .. } => this.table_function(name, args, alias),
            TableFactor::Table { name, alias, .. } => {
                aliased(RelationKind::Read(Read::Table(parts(name)?)).into(), alias)
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let rows = this.query(*subquery)?;
                match alias {
                    None => Ok(alias_of(rows, UNNAMED_SUBQUERY.to_owned(), Vec::new())),
                    alias => aliased(rows, alias),
                }
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let rows = this.joined(*table_with_joins)?;
                aliased(rows, alias)
            }
            TableFactor::Pivot { table, aggregate_functions, value_column, value_source, alias, .. } => {
                let rows = this.table_factor(*table)?;
                let rows = this.pivoted(rows, aggregate_functions, value_column, value_source)?;
                aliased(rows, alias)
            }
            TableFactor::Unpivot { table, value, name, columns, null_inclusion, alias } => {
                let rows = this.table_factor(*table)?;
                let nulls = matches!(null_inclusion, Some(ast::NullInclusion::IncludeNulls));
                let rows = this.unpivoted(rows, value, name, columns, nulls)?;
                aliased(rows, alias)
            }
            other => Err(SparkError::unsupported(format!("`{other}` in FROM"))),
        })
    }

    /// `LATERAL VIEW [OUTER] explode(a) t AS b`.
    pub(super) fn lateral_view(&mut self, input: Option<Relation>, view: ast::LateralView) -> Result<Relation> {
        let ast::LateralView { lateral_view, lateral_view_name, lateral_col_alias, outer } = view;
        let Expr::Function(call) = self.expr(lateral_view)? else {
            return Err(SparkError::unsupported("LATERAL VIEW of anything but a function"));
        };
        let alias = parts(lateral_view_name)?.pop();
        let columns = lateral_col_alias.into_iter().map(name).collect::<Result<_>>()?;
        let input = Some(Box::new(input.unwrap_or_else(one_row)));
        Ok(RelationKind::Generate(Generate { input, call, outer, alias, columns }).into())
    }

    fn table_function(
        &mut self,
        object: ast::ObjectName,
        args: Vec<FunctionArg>,
        alias: Option<ast::TableAlias>,
    ) -> Result<Relation> {
        let function = parts(object)?.join(".");
        if !function.eq_ignore_ascii_case("range") {
            let args = by_position(&function, args)?.into_iter();
            let args = args.map(|arg| self.argument(&function, arg)).collect::<Result<_>>()?;
            let Expr::Function(call) = Expr::call(function, args) else {
                return Err(SparkError::internal("a call is one"));
            };
            let (alias, columns) = match alias {
                Some(alias) => (Some(name(alias.name)?), column_names(alias.columns)?),
                None => (None, Vec::new()),
            };
            let generate = Generate { input: None, call, outer: false, alias, columns };
            return Ok(RelationKind::Generate(generate).into());
        }
        let mut numbers = Vec::with_capacity(args.len());
        for arg in args {
            numbers.push(match self.argument(&function, arg)? {
                Expr::Literal(ScalarValue::Int32(Some(n))) => i64::from(n),
                Expr::Literal(ScalarValue::Int64(Some(n))) => n,
                _ => return Err(SparkError::unsupported("range with anything but integers")),
            });
        }
        let (start, end, step) = match numbers.as_slice() {
            [end] => (0, *end, 1),
            [start, end] => (*start, *end, 1),
            // The fourth is the number of partitions, which changes no row.
            [start, end, step] | [start, end, step, _] => (*start, *end, *step),
            _ => return Err(SparkError::unsupported(format!("range with {} arguments", numbers.len()))),
        };
        if step == 0 {
            return Err(SparkError::unsupported("range with a step of zero"));
        }
        aliased(RelationKind::Range { start, end, step }.into(), alias)
    }
}

pub(super) fn join(left: Relation, right: Relation, kind: JoinKind, on: JoinOn, lateral: bool) -> Relation {
    RelationKind::Join(Join { left: Box::new(left), right: Box::new(right), kind, on, lateral }).into()
}

/// Whether what stands right of a join may name columns of what stands left of it.
fn is_lateral(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::Derived { lateral: true, .. } | TableFactor::Function { lateral: true, .. })
}

pub(super) fn aliased(rows: Relation, alias: Option<ast::TableAlias>) -> Result<Relation> {
    match alias {
        Some(alias) => Ok(alias_of(rows, name(alias.name)?, column_names(alias.columns)?)),
        None => Ok(rows),
    }
}

fn alias_of(rows: Relation, alias: String, columns: Vec<String>) -> Relation {
    RelationKind::SubqueryAlias { input: Box::new(rows), alias, columns }.into()
}
