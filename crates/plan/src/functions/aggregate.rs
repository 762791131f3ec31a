//! Aggregate functions.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::functions_aggregate as df;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::{AggregateUDF, Expr};

use super::call::{Call, Outcome, Typed};
use crate::error::Result;
use crate::types::{is_integral, is_numeric, is_string};

/// An aggregate function of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let (function, nulls): (Arc<AggregateUDF>, _) = match call.name.as_str() {
        "count" => return count(call).map(Ok),
        "count_if" => {
            let [condition] = call.exactly()?;
            let condition = call.cast(condition, &DataType::Boolean)?;
            call.filter = Some(Box::new(match call.filter.take() {
                Some(filter) => filter.and(condition),
                None => condition,
            }));
            return count(call).map(Ok);
        }
        "sum" => (df::sum::sum_udaf(), None),
        "avg" | "mean" => (df::average::avg_udaf(), None),
        "min" => (df::min_max::min_udaf(), None),
        "max" => (df::min_max::max_udaf(), None),
        "first" | "first_value" => (df::first_last::first_value_udaf(), ignore_nulls(&mut call)),
        "any_value" => (df::first_last::first_value_udaf(), ignore_nulls(&mut call)),
        "last" | "last_value" => (df::first_last::last_value_udaf(), ignore_nulls(&mut call)),
        "stddev" | "stddev_samp" | "std" => (df::stddev::stddev_udaf(), None),
        "stddev_pop" => (df::stddev::stddev_pop_udaf(), None),
        "variance" | "var_samp" => (df::variance::var_samp_udaf(), None),
        "var_pop" => (df::variance::var_pop_udaf(), None),
        "corr" => (df::correlation::corr_udaf(), None),
        "covar_samp" => (df::covariance::covar_samp_udaf(), None),
        "covar_pop" => (df::covariance::covar_pop_udaf(), None),
        "median" => (df::median::median_udaf(), None),
        "bool_and" | "every" => (df::bool_and_or::bool_and_udaf(), None),
        "bool_or" | "any" | "some" => (df::bool_and_or::bool_or_udaf(), None),
        "approx_count_distinct" => (df::approx_distinct::approx_distinct_udaf(), None),
        "collect_list" | "array_agg" => (datafusion_spark::function::aggregate::collect_list(), None),
        "collect_set" => (datafusion_spark::function::aggregate::collect_set(), None),
        _ => return Ok(Err(call)),
    };
    let args = std::mem::take(&mut call.args);
    let expected = if matches!(call.name.as_str(), "corr" | "covar_samp" | "covar_pop") { 2 } else { 1 };
    if args.len() != expected {
        return Err(call.wrong_count(&expected.to_string(), args.len()));
    }
    let args = args.into_iter().enumerate().map(|(position, arg)| argument(&call, position, arg));
    let args = args.collect::<Result<_>>()?;
    Ok(Ok(aggregate(function, args, call, nulls)))
}

fn aggregate(function: Arc<AggregateUDF>, args: Vec<Expr>, call: Call<'_>, nulls: Option<NullTreatment>) -> Expr {
    let aggregate = AggregateFunction::new_udf(function, args, call.distinct, call.filter, vec![], nulls);
    Expr::AggregateFunction(aggregate)
}

/// Rows that have no NULL in any argument; without arguments, all rows.
fn count(mut call: Call<'_>) -> Result<Expr> {
    let args: Vec<_> = std::mem::take(&mut call.args).into_iter().map(|arg| arg.expr).collect();
    let args = if args.is_empty() { vec![datafusion::logical_expr::lit(1_i32)] } else { args };
    Ok(aggregate(df::count::count_udaf(), args, call, None))
}

/// The second argument of `first(a, true)`, or none.
fn ignore_nulls(call: &mut Call<'_>) -> Option<NullTreatment> {
    let flag = (call.args.len() == 2).then(|| call.args.pop()).flatten()?;
    match flag.expr {
        Expr::Literal(datafusion::common::ScalarValue::Boolean(Some(true)), _) => Some(NullTreatment::IgnoreNulls),
        _ => None,
    }
}

/// Numbers for the functions that compute; Spark reads text as a double.
fn argument(call: &Call<'_>, position: usize, arg: Typed) -> Result<Expr> {
    let computes = matches!(
        call.name.as_str(),
        "sum"
            | "avg"
            | "mean"
            | "stddev"
            | "stddev_samp"
            | "std"
            | "stddev_pop"
            | "variance"
            | "var_samp"
            | "var_pop"
            | "corr"
            | "covar_samp"
            | "covar_pop"
            | "median"
    );
    let sums = matches!(call.name.as_str(), "sum" | "avg" | "mean");
    match &arg.data_type {
        _ if !computes => Ok(arg.expr),
        DataType::Null => call.cast(arg, &DataType::Float64),
        text if is_string(text) => call.cast(arg, &DataType::Float64),
        integral if call.name == "sum" && is_integral(integral) => call.cast(arg, &DataType::Int64),
        DataType::Float32 => call.cast(arg, &DataType::Float64),
        DataType::Decimal128(..) if sums => Ok(arg.expr),
        number if is_numeric(number) => call.cast(arg, &DataType::Float64),
        other => Err(call.wrong_type(position, "NUMERIC", other)),
    }
}
