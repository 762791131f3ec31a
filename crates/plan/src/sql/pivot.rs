//! `PIVOT`, `UNPIVOT` and `TABLESAMPLE`.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use sqlparser::ast::{self, ExprWithAlias, PivotValueSource};

use super::lower::{Lowering, name};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Expr, Pivot, Relation, RelationKind, Sample, Unpivot};

impl Lowering<'_> {
    /// `PIVOT (sum(a) FOR b IN (1, 2 AS two))`.
    pub(super) fn pivoted(
        &mut self,
        rows: Relation,
        aggregates: Vec<ExprWithAlias>,
        columns: Vec<ast::Expr>,
        values: PivotValueSource,
    ) -> Result<Relation> {
        let mut columns = columns;
        let column = match columns.len() {
            1 => self.expr(columns.remove(0))?,
            _ => self.expr(ast::Expr::Tuple(columns))?,
        };
        let PivotValueSource::List(values) = values else {
            return Err(SparkError::unsupported("PIVOT without a list of values"));
        };
        let values = values.into_iter().map(|ExprWithAlias { expr, alias }| {
            let value = match expr {
                // As in the column's own struct, the fields have no names of their own.
                ast::Expr::Tuple(parts) => self.expr(ast::Expr::Tuple(parts))?,
                other => self.expr(other)?,
            };
            Ok((value, alias.map(name).transpose()?))
        });
        let values = Some(values.collect::<Result<_>>()?);
        let list = aggregates.into_iter().map(|aggregate| self.with_alias(aggregate)).collect::<Result<_>>()?;
        Ok(RelationKind::Pivot(Pivot { input: Box::new(rows), keys: None, column, values, list }).into())
    }

    /// `UNPIVOT (value FOR name IN (a, b AS c))`, and with several columns at a time `((v, w) FOR name IN ((a, b)))`.
    pub(super) fn unpivoted(
        &mut self,
        rows: Relation,
        value: ast::Expr,
        variable: ast::Ident,
        columns: Vec<ExprWithAlias>,
        include_nulls: bool,
    ) -> Result<Relation> {
        let value_names = several(value).into_iter().map(|value| match value {
            ast::Expr::Identifier(ident) => name(ident),
            other => Err(SparkError::unsupported(format!("`{other}` as the name of a column of UNPIVOT"))),
        });
        let value_names = value_names.collect::<Result<_>>()?;
        let values = columns
            .into_iter()
            .map(|ExprWithAlias { expr, alias }| Ok((self.exprs(several(expr))?, alias.map(name).transpose()?)));
        let values = Some(values.collect::<Result<_>>()?);
        let (input, variable) = (Box::new(rows), name(variable)?);
        Ok(RelationKind::Unpivot(Unpivot { input, ids: None, values, variable, value_names, include_nulls }).into())
    }

    /// `TABLESAMPLE (10 PERCENT)`, `TABLESAMPLE (5 ROWS)`.
    pub(super) fn sampled(&mut self, rows: Relation, sample: ast::TableSampleKind) -> Result<Relation> {
        let sample = match sample {
            ast::TableSampleKind::BeforeTableAlias(sample) | ast::TableSampleKind::AfterTableAlias(sample) => *sample,
        };
        let seed = sample.seed.as_ref().and_then(|seed| match &seed.value.value {
            ast::Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        });
        let Some(ast::TableSampleQuantity { value, unit, .. }) = sample.quantity else {
            return bucket(rows, sample.bucket, seed);
        };
        if unit.is_none() && matches!(value, ast::Expr::Identifier(_)) {
            let message = format!("Expected a number of rows, a share or a number of buckets, got {value}.");
            return Err(SparkError::new(ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0016", "", message)
                .with("bytesStr", value.to_string()));
        }
        let value = self.expr(value)?;
        let input = Box::new(rows);
        if unit != Some(ast::TableSampleUnit::Percent) {
            return Ok(RelationKind::Limit { input, skip: None, fetch: Some(value) }.into());
        }
        let percent = match &value {
            Expr::Literal(value) => match value.cast_to(&DataType::Float64)? {
                ScalarValue::Float64(percent) => percent,
                _ => None,
            },
            _ => None,
        };
        match percent.map(|percent| percent / 100.0).filter(|fraction| (0.0..=1.0).contains(fraction)) {
            Some(fraction) => Ok(drawn(input, fraction, seed).into()),
            None => {
                let message = "Sampling fraction must be on interval [0, 1].";
                Err(SparkError::new(ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0064", "", message).with("msg", message))
            }
        }
    }

    /// An expression with the name that it is given.
    pub(super) fn with_alias(&mut self, item: ExprWithAlias) -> Result<Expr> {
        let expr = self.expr(item.expr)?;
        Ok(match item.alias {
            Some(alias) => expr.alias(name(alias)?),
            None => expr,
        })
    }
}

/// The rows of so many buckets out of all: that share of them.
fn bucket(rows: Relation, bucket: Option<ast::TableSampleBucket>, seed: Option<i64>) -> Result<Relation> {
    let number = |value: &ast::ValueWithSpan| match &value.value {
        ast::Value::Number(digits, _) => digits.parse::<f64>().ok(),
        _ => None,
    };
    let share = bucket.filter(|bucket| bucket.on.is_none()).and_then(|bucket| {
        let (wanted, all) = (number(&bucket.bucket)?, number(&bucket.total)?);
        Some(wanted / all).filter(|share| (0.0..=1.0).contains(share))
    });
    match share {
        Some(fraction) => Ok(drawn(Box::new(rows), fraction, seed).into()),
        None => Err(SparkError::unsupported("TABLESAMPLE by buckets of a column")),
    }
}

/// Each row with the same chance.
fn drawn(input: Box<Relation>, fraction: f64, seed: Option<i64>) -> RelationKind {
    let (with_replacement, ordered) = (false, false);
    RelationKind::Sample(Sample { input, lower: 0.0, upper: fraction, with_replacement, seed, ordered })
}

/// The parts of `(a, b)`, or the one that stands alone.
fn several(expr: ast::Expr) -> Vec<ast::Expr> {
    match expr {
        ast::Expr::Tuple(parts) => parts,
        ast::Expr::Nested(inner) => vec![*inner],
        other => vec![other],
    }
}
