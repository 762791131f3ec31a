//! Aggregate functions.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::functions::expr_fn::named_struct;
use datafusion::functions_aggregate as df;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{AggregateUDF, Expr, ExprSchemable, cast, lit, when};

use super::call::{Call, Outcome, Typed};
use super::moments::{self, Moment};
use super::{mode, sum};
use crate::error::{ErrorClass, Result, SparkError};
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
            call.args = vec![Typed { expr: lit(1_i32), data_type: DataType::Int32 }];
            return count(call).map(Ok);
        }
        "grouping" | "grouping_id" => {
            let to = if call.name == "grouping" { DataType::Int8 } else { DataType::Int64 };
            let args = std::mem::take(&mut call.args).into_iter().map(|arg| arg.expr).collect();
            return Ok(Ok(cast(aggregate(df::grouping::grouping_udaf(), args, call, None), to)));
        }
        "max_by" | "min_by" => return extreme_by(call).map(Ok),
        "sum" if sums_exactly(&call) => (sum::function(), None),
        "sum" => (df::sum::sum_udaf(), None),
        "mode" => (mode::function(), None),
        "listagg" | "string_agg" => return string_agg(call).map(Ok),
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
        "approx_count_distinct" => {
            // How exact it is, is the engine's choice.
            call.args.truncate(1);
            (df::approx_distinct::approx_distinct_udaf(), None)
        }
        "bit_and" => (df::bit_and_or_xor::bit_and_udaf(), None),
        "bit_or" => (df::bit_and_or_xor::bit_or_udaf(), None),
        "bit_xor" => (df::bit_and_or_xor::bit_xor_udaf(), None),
        "skewness" => (moments::function(Moment::Third), None),
        "kurtosis" => (moments::function(Moment::Fourth), None),
        "percentile" | "percentile_cont" => return percentile(call).map(Ok),
        "percentile_approx" | "approx_percentile" => return approximate_percentile(call).map(Ok),
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
    let counts = call.name == "approx_count_distinct";
    let expr = aggregate(function, args, call, nulls);
    Ok(Ok(if counts { cast(expr, DataType::Int64) } else { expr }))
}

fn aggregate(function: Arc<AggregateUDF>, args: Vec<Expr>, call: Call<'_>, nulls: Option<NullTreatment>) -> Expr {
    let aggregate = AggregateFunction::new_udf(function, args, call.distinct, call.filter, vec![], nulls);
    Expr::AggregateFunction(aggregate)
}

/// Rows that have no NULL in any argument; without arguments, all rows.
fn count(mut call: Call<'_>) -> Result<Expr> {
    let args: Vec<_> = std::mem::take(&mut call.args).into_iter().map(|arg| arg.expr).collect();
    let args = match args.len() {
        0 => return Err(nothing_counted()),
        // `count(1)`, which is what clients make of `count(*)`: the engine knows it in one form.
        1 if matches!(&args[0], Expr::Literal(value, _) if !value.is_null()) => {
            vec![Expr::Literal(COUNT_STAR_EXPANSION, None)]
        }
        // Several values are one struct, which is there if all of them are.
        2.. if call.distinct => {
            let present = args.iter().map(|arg| arg.clone().is_not_null()).reduce(Expr::and).unwrap_or(lit(true));
            let names = (1..).map(|at| lit(format!("col{at}")));
            let together = named_struct(names.zip(args).flat_map(|(name, arg)| [name, arg]).collect());
            vec![when(present, together).end()?]
        }
        _ => args,
    };
    Ok(aggregate(df::count::count_udaf(), args, call, None))
}

/// The value of the row in which another one is greatest or least, NULLs there aside.
fn extreme_by(mut call: Call<'_>) -> Result<Expr> {
    let [value, by] = call.exactly()?;
    let known = by.expr.clone().is_not_null();
    let filter = match call.filter.take() {
        Some(filter) => filter.and(known),
        None => known,
    };
    let order = by.expr.sort(call.name == "min_by", false);
    let function = df::first_last::first_value_udaf();
    let filter = Some(Box::new(filter));
    Ok(Expr::AggregateFunction(AggregateFunction::new_udf(
        function,
        vec![value.expr],
        false,
        filter,
        vec![order],
        None,
    )))
}

/// `percentile(value, fraction)`, between two values where it falls between them.
fn percentile(mut call: Call<'_>) -> Result<Expr> {
    // The client always states how often each value counts.
    if let [_, _, Typed { expr: Expr::Literal(frequency, _), .. }] = call.args.as_slice()
        && frequency.to_string() == "1"
    {
        call.args.pop();
    }
    // `percentile_cont(fraction) WITHIN GROUP (ORDER BY value)`
    if let ([_], Some(order)) = (call.args.as_slice(), call.order_by.pop()) {
        let data_type = order.expr.get_type(call.schema)?;
        call.args.insert(0, Typed { expr: order.expr, data_type });
        if !order.asc {
            return Err(SparkError::unsupported("a percentile of values in descending order"));
        }
    }
    let [value, fraction] = call.exactly()?;
    let args = vec![call.cast(value, &DataType::Float64)?, constant(&call, fraction)?];
    Ok(aggregate(df::percentile_cont::percentile_cont_udaf(), args, call, None))
}

/// A value of the column near the fraction that is asked for.
fn approximate_percentile(mut call: Call<'_>) -> Result<Expr> {
    call.args.truncate(2);
    let [value, fraction] = call.exactly()?;
    let data_type = value.data_type.clone();
    let args = vec![value.expr, constant(&call, fraction)?];
    let function = df::approx_percentile_cont::approx_percentile_cont_udaf();
    Ok(cast(aggregate(function, args, call, None), data_type))
}

/// A fraction, which the engine must know beforehand.
fn constant(call: &Call<'_>, fraction: Typed) -> Result<Expr> {
    match &fraction.expr {
        Expr::Literal(value, _) if is_numeric(&fraction.data_type) => {
            Ok(Expr::Literal(value.cast_to(&DataType::Float64)?, None))
        }
        _ => Err(SparkError::unsupported(format_args!("`{}` with several fractions, or computed ones", call.name))),
    }
}

/// Whether the sum can be too large for its type. Where values are counted once, DataFusion finds them.
fn sums_exactly(call: &Call<'_>) -> bool {
    let exact = |data_type: &DataType| is_integral(data_type) || matches!(data_type, DataType::Decimal128(..));
    !call.distinct && call.args.first().is_some_and(|arg| exact(&arg.data_type))
}

/// Text of all rows with something between.
fn string_agg(mut call: Call<'_>) -> Result<Expr> {
    if call.args.len() == 1 {
        call.args.push(Typed { expr: lit(""), data_type: DataType::Utf8 });
    }
    let [text, between] = call.exactly()?;
    let args = vec![call.cast(text, &DataType::Utf8)?, call.cast(between, &DataType::Utf8)?];
    let order = std::mem::take(&mut call.order_by);
    let function = df::string_agg::string_agg_udaf();
    Ok(Expr::AggregateFunction(AggregateFunction::new_udf(function, args, call.distinct, call.filter, order, None)))
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
            | "skewness"
            | "kurtosis"
    );
    let sums = matches!(call.name.as_str(), "sum" | "avg" | "mean");
    if call.name.starts_with("bit_") && !is_integral(&arg.data_type) {
        return Err(call.wrong_type(position, "INTEGRAL", &arg.data_type));
    }
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

fn nothing_counted() -> SparkError {
    let message = "The `count` requires >= 1 parameters but the actual number is 0. `count(*)` counts all rows.";
    SparkError::new(ErrorClass::Analysis, "WRONG_NUM_ARGS.WITH_SUGGESTION", "42605", message)
        .with("functionName", "`count`")
        .with("expectedNum", " >= 1")
        .with("actualNum", "0")
        .with("legacyNum", "0")
        .with("legacyConfKey", "\"spark.sql.legacy.allowParameterlessCount\"")
        .with("legacyConfValue", "\"true\"")
}
