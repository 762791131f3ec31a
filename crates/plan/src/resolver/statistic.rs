//! `df.stat`: covariance, correlation, quantiles and frequent values, made of aggregate functions.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use super::node::Node;
use super::{Context, Resolver};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Aggregate, CastMode, Expr, GroupKind, RelationKind, Statistic, StatisticKind};
use crate::sql::parse_identifier;
use crate::types::is_numeric;

/// The greatest accuracy of `percentile_approx`: no rank is wrong.
const EXACT: f64 = 2_147_483_647.0;

impl Resolver {
    pub(super) fn statistic(&self, statistic: &Statistic, context: &Context<'_>) -> Result<Node> {
        let node = self.relation(&statistic.input, context)?.into_visible()?;
        let list = match &statistic.kind {
            StatisticKind::Covariance(columns) => {
                let [left, right] = self.numbers(&node, columns, "covariance calculation for columns with dataType")?;
                let value = Expr::call("covar_samp", vec![or_zero(left), or_zero(right)]);
                vec![or_zero(value).alias("cov")]
            }
            StatisticKind::Correlation(columns) => {
                let [left, right] =
                    self.numbers(&node, columns, "correlation calculation for columns with dataType")?;
                let value = Expr::call("corr", vec![or_zero(left), or_zero(right)]);
                vec![Expr::call("coalesce", vec![value, number(f64::NAN)]).alias("corr")]
            }
            StatisticKind::Quantiles { columns, fractions, error } => {
                vec![self.quantiles(&node, columns, fractions, *error)?.alias("approx_quantile")]
            }
            StatisticKind::FrequentItems { columns, support } => {
                if !(1e-4..=1.0).contains(support) {
                    let message = format!("requirement failed: Support must be in [1e-4, 1], but got {support}.");
                    return Err(SparkError::new(ErrorClass::IllegalArgument, "", "", message));
                }
                let size = Expr::literal(ScalarValue::Int32(Some((1.0 / support).ceil() as i32)));
                let items = columns.iter().map(|name| {
                    let args = vec![Expr::column(parse_identifier(name)?), size.clone()];
                    Ok(Expr::call("collect_frequent_items", args).alias(format!("{name}_freqItems")))
                });
                items.collect::<Result<_>>()?
            }
        };
        let (input, kind) = (statistic.input.clone(), GroupKind::GroupBy);
        let all = Aggregate { input, kind, keys: vec![], list, keys_in_front: false, having: None };
        self.relation(&RelationKind::Aggregate(all).into(), context)
    }

    /// An array of the quantiles of each column, which is empty where the column has no number.
    fn quantiles(&self, node: &Node, columns: &[String], fractions: &[f64], error: f64) -> Result<Expr> {
        if error.is_nan() || error < 0.0 {
            let message = format!("requirement failed: Relative Error must be non-negative but got {error}");
            return Err(SparkError::new(ErrorClass::IllegalArgument, "", "", message));
        }
        let accuracy = Expr::literal(ScalarValue::Int64(Some((1.0 / error).clamp(1.0, EXACT) as i64)));
        let fractions = Expr::call("array", fractions.iter().copied().map(number).collect());
        let none = Expr::Cast {
            expr: Box::new(Expr::call("array", vec![])),
            to: DataType::new_list(DataType::Float64, true),
            mode: CastMode::Ansi,
        };
        let of_column = |name: &String| {
            let what = format!("Quantile calculation for column {name} with data type");
            let column = self.number(node, name, |found| format!("{what} {found} is not supported."))?;
            let known = Expr::call("nullif", vec![double(column), number(f64::NAN)]);
            let found = Expr::call("percentile_approx", vec![known, fractions.clone(), accuracy.clone()]);
            Ok(Expr::call("coalesce", vec![found, none.clone()]))
        };
        Ok(Expr::call("array", columns.iter().map(of_column).collect::<Result<_>>()?))
    }

    fn numbers(&self, node: &Node, names: &[String; 2], what: &str) -> Result<[Expr; 2]> {
        let one = |name| self.number(node, name, |found| format!("Currently {what} {found} not supported."));
        Ok([one(&names[0])?, one(&names[1])?])
    }

    /// A column of numbers.
    fn number(&self, node: &Node, name: &str, refused: impl Fn(&str) -> String) -> Result<Expr> {
        let parts = parse_identifier(name)?;
        let field = self.find_column(&parts, None, node)?.ok_or_else(|| self.unresolved_column(&parts, node))?;
        let found = node.type_of(field)?.data_type().clone();
        if is_numeric(&found) {
            return Ok(Expr::column(parts));
        }
        let message = format!("requirement failed: {}", refused(&sql_name(&found)));
        Err(SparkError::new(ErrorClass::IllegalArgument, "", "", message))
    }
}

fn double(expr: Expr) -> Expr {
    Expr::Cast { expr: Box::new(expr), to: DataType::Float64, mode: CastMode::Ansi }
}

fn or_zero(expr: Expr) -> Expr {
    Expr::call("coalesce", vec![double(expr), number(0.0)])
}

fn number(value: f64) -> Expr {
    Expr::literal(ScalarValue::Float64(Some(value)))
}
