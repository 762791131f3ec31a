//! `FROM`: tables, joins, subqueries.

use datafusion::common::ScalarValue;
use sqlparser::ast::{self, FunctionArg, JoinConstraint, JoinOperator, TableFactor};

use super::lower::{Lowering, name, parts};
use super::query::column_names;
use crate::error::{Result, SparkError};
use crate::ir::{Expr, Join, JoinKind, JoinOn, Read, Relation, RelationKind};

/// What Spark calls a subquery without a name: its columns are not known by the names of the tables inside.
const UNNAMED_SUBQUERY: &str = "__auto_generated_subquery_name";

impl Lowering<'_> {
    /// The rows; none without `FROM`.
    pub(super) fn from(&mut self, from: Vec<ast::TableWithJoins>) -> Result<Option<Relation>> {
        let levels = from.iter().map(|item| 1 + item.joins.len()).sum();
        self.deeper(levels, |this| {
            let mut rows: Option<Relation> = None;
            for item in from {
                let right = this.joined(item)?;
                rows = Some(match rows {
                    Some(left) => join(left, right, JoinKind::Cross, JoinOn::Nothing),
                    None => right,
                });
            }
            Ok(rows)
        })
    }

    fn joined(&mut self, item: ast::TableWithJoins) -> Result<Relation> {
        let mut left = self.table_factor(item.relation)?;
        for ast::Join { relation, join_operator, .. } in item.joins {
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
            left = join(left, right, kind, on);
        }
        Ok(left)
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
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                Err(SparkError::unsupported("TABLESAMPLE"))
            }
            TableFactor::Table { version: Some(_), .. } => Err(SparkError::unsupported("a version of a table")),
            TableFactor::Table { name, args: Some(args), alias, .. } => {
                let rows = this.table_function(name, args.args)?;
                aliased(rows, alias)
            }
            TableFactor::Table { name, alias, .. } => {
                aliased(RelationKind::Read(Read::Table(parts(name)?)).into(), alias)
            }
            TableFactor::Derived { lateral: false, subquery, alias, .. } => {
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
            TableFactor::Derived { .. } | TableFactor::Function { lateral: true, .. } => {
                Err(SparkError::unsupported("LATERAL"))
            }
            TableFactor::Pivot { .. } => Err(SparkError::unsupported("PIVOT")),
            TableFactor::Unpivot { .. } => Err(SparkError::unsupported("UNPIVOT")),
            other => Err(SparkError::unsupported(format!("`{other}` in FROM"))),
        })
    }

    fn table_function(&mut self, object: ast::ObjectName, args: Vec<FunctionArg>) -> Result<Relation> {
        let function = parts(object)?.join(".");
        if !function.eq_ignore_ascii_case("range") {
            return Err(SparkError::unsupported(format!("the table function `{function}`")));
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
        Ok(RelationKind::Range { start, end, step }.into())
    }
}

fn join(left: Relation, right: Relation, kind: JoinKind, on: JoinOn) -> Relation {
    RelationKind::Join(Join { left: Box::new(left), right: Box::new(right), kind, on }).into()
}

fn aliased(rows: Relation, alias: Option<ast::TableAlias>) -> Result<Relation> {
    match alias {
        Some(alias) => Ok(alias_of(rows, name(alias.name)?, column_names(alias.columns)?)),
        None => Ok(rows),
    }
}

fn alias_of(rows: Relation, alias: String, columns: Vec<String>) -> Relation {
    RelationKind::SubqueryAlias { input: Box::new(rows), alias, columns }.into()
}
