//! `describe` and `summary`: statistics of columns, a row for each.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use super::node::Node;
use super::{Context, Resolver};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Aggregate, CastMode, Expr, Generate, GroupKind, Relation, RelationKind};
use crate::types::{is_numeric, is_string};

/// The name of the first column, and of the rows while they are one array.
const SUMMARY: &str = "summary";

impl Resolver {
    /// One pass over the rows computes all statistics; they then become rows. All of it is made of Spark's own
    /// functions.
    pub(super) fn summary(
        &self,
        input: &Relation,
        columns: &[String],
        statistics: &[String],
        context: &Context<'_>,
    ) -> Result<Node> {
        let node = self.relation(input, context)?.into_visible()?;
        let mut chosen: Vec<(String, DataType)> = vec![];
        if columns.is_empty() {
            for field in node.visible() {
                let data_type = node.type_of(field)?.data_type().clone();
                if is_described(&data_type) {
                    chosen.push((field.name.clone(), data_type));
                }
            }
        }
        for name in columns {
            let field = node.by_name(name, self.settings.case_sensitive)?;
            let field = field.ok_or_else(|| self.unresolved_column(std::slice::from_ref(name), &node))?;
            let data_type = node.type_of(field)?.data_type().clone();
            if is_described(&data_type) {
                chosen.push((name.clone(), data_type));
            }
        }
        let mut rows = vec![];
        for statistic in statistics {
            let mut row = vec![text(statistic)];
            for (name, data_type) in &chosen {
                row.push(string(computed(statistic, Expr::column([name]), data_type)?));
            }
            rows.push(row);
        }
        if chosen.is_empty() {
            let names = statistics.iter().map(|statistic| vec![text(statistic)]).collect();
            let input = Box::new(RelationKind::Values(names).into());
            return self.relation(&RelationKind::ToDf { input, names: vec![SUMMARY.to_owned()] }.into(), context);
        }
        let rows = Expr::call("array", rows.into_iter().map(|row| Expr::call("struct", row)).collect()).alias(SUMMARY);
        let aggregate = Aggregate {
            input: Box::new(input.clone()),
            kind: GroupKind::GroupBy,
            keys: vec![],
            list: vec![rows],
            keys_in_front: false,
            having: None,
        };
        let Expr::Function(call) = Expr::call("inline", vec![Expr::column([SUMMARY])]) else {
            return Err(SparkError::internal("a call is one"));
        };
        let names: Vec<_> =
            std::iter::once(SUMMARY.to_owned()).chain(chosen.into_iter().map(|(name, _)| name)).collect();
        let generate = Generate {
            input: Some(Box::new(RelationKind::Aggregate(aggregate).into())),
            call,
            outer: false,
            alias: Some(SUMMARY.to_owned()),
            columns: names,
        };
        let star = Expr::Star { qualifier: vec![SUMMARY.to_owned()], plan_id: None, except: vec![] };
        let input = Box::new(RelationKind::Generate(generate).into());
        let rows: Relation = RelationKind::Project { input: Some(input), list: vec![star] }.into();
        self.relation(&rows, context)
    }
}

fn is_described(data_type: &DataType) -> bool {
    is_numeric(data_type) || is_string(data_type)
}

/// One statistic of a column; NULL where there is none of text.
fn computed(statistic: &str, column: Expr, data_type: &DataType) -> Result<Expr> {
    let number =
        || if is_numeric(data_type) { column.clone() } else { cast(column.clone(), DataType::Float64, CastMode::Try) };
    Ok(match statistic {
        "count" | "min" | "max" | "approx_count_distinct" => Expr::call(statistic, vec![column]),
        "count_distinct" => match Expr::call("count", vec![column]) {
            Expr::Function(call) => Expr::Function(crate::ir::Function { distinct: true, ..call }),
            other => other,
        },
        "mean" | "stddev" => Expr::call(statistic, vec![number()]),
        _ => {
            let percent = statistic.strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok());
            let percent = percent.ok_or_else(|| unknown(statistic))?;
            if !(0.0..=100.0).contains(&percent) {
                let message = "requirement failed: Percentiles must be in the range [0, 1]";
                return Err(SparkError::new(ErrorClass::IllegalArgument, "", "", message));
            }
            let fraction = Expr::literal(ScalarValue::Float64(Some(percent / 100.0)));
            let found = Expr::call("percentile_approx", vec![number(), fraction]);
            // Of a decimal it is one without trailing zeros.
            match data_type {
                DataType::Decimal128(..) => cast(found, DataType::Float64, CastMode::Ansi),
                _ => found,
            }
        }
    })
}

fn text(value: &str) -> Expr {
    Expr::literal(ScalarValue::Utf8(Some(value.to_owned())))
}

fn string(expr: Expr) -> Expr {
    cast(expr, DataType::Utf8, CastMode::Ansi)
}

fn cast(expr: Expr, to: DataType, mode: CastMode) -> Expr {
    Expr::Cast { expr: Box::new(expr), to, mode }
}

fn unknown(statistic: &str) -> SparkError {
    let message = format!(
        "The statistic '{statistic}' is not recognized. Valid statistics are `count`, `count_distinct`, \
         `approx_count_distinct`, `mean`, `stddev`, `min`, `max`, and percentiles such as '25%'."
    );
    SparkError::new(ErrorClass::IllegalArgument, "UNRECOGNIZED_STATISTIC", "42704", message)
        .with("stats", format!("'{statistic}'"))
}
