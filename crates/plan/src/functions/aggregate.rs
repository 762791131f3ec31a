//! Aggregate functions.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::named_struct;
use datafusion::functions_aggregate as df;
use datafusion::functions_nested::expr_fn::array_slice;
use datafusion::functions_nested::string::array_to_string_udf;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::utils::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::{AggregateUDF, Expr, ExprSchemable, cast, lit, when};

use super::call::{Call, Outcome, Typed, constant};
use super::gather::bitmap::Bitmap;
use super::gather::distinct::Distinct;
use super::gather::extreme::Extreme;
use super::gather::frequent::Frequent;
use super::gather::histogram::Histogram;
use super::gather::product::Product;
use super::gather::regression::Regression;
use super::gather::vector::Vectors;
use super::gather::{self, Gather};
use super::interval_number::{divided_by, interval_of, is_interval, number_of};
use super::moments::{self, Moment};
use super::{mode, quantiles, sum};
use crate::ddl::sql_name;
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
        "sum" | "try_sum" | "avg" | "mean" | "try_avg"
            if call.args.first().is_some_and(|value| is_interval(&value.data_type)) =>
        {
            return of_intervals(call).map(Ok);
        }
        "sum" | "try_sum" if sums_exactly(&call) => (sum::function(call.name == "try_sum"), None),
        "sum" | "try_sum" => (df::sum::sum_udaf(), None),
        "mode" => return mode(call).map(Ok),
        "listagg" | "string_agg" => return string_agg(call).map(Ok),
        "avg" | "mean" | "try_avg" => (df::average::avg_udaf(), None),
        "max" | "min" if matches!(call.args.first(), Some(Typed { data_type: DataType::Map(..), .. })) => {
            return Err(no_order(&call));
        }
        "max" | "min" if call.args.first().is_some_and(|value| value.data_type.is_nested()) => {
            call.distinct = false;
            let extreme = if call.name == "max" { Extreme::Greatest } else { Extreme::Least };
            (gather::function(extreme, 1), None)
        }
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
        "bool_and" | "every" => (df::bool_and_or::bool_and_udaf(), None),
        "bool_or" | "any" | "some" => (df::bool_and_or::bool_or_udaf(), None),
        "approx_count_distinct" => {
            use DataType::{Decimal128, Float32, Float64};
            // How exact it is, is the engine's choice.
            call.args.truncate(1);
            if let Some(value) = call.args.pop_if(|value| matches!(value.data_type, Float32 | Float64 | Decimal128(..)))
            {
                let text = call.cast(value, &DataType::Utf8)?;
                call.args = vec![Typed { expr: text, data_type: DataType::Utf8 }];
            }
            (df::approx_distinct::approx_distinct_udaf(), None)
        }
        "bit_and" => (df::bit_and_or_xor::bit_and_udaf(), None),
        "bit_or" => (df::bit_and_or_xor::bit_or_udaf(), None),
        "bit_xor" => (df::bit_and_or_xor::bit_xor_udaf(), None),
        "skewness" => (moments::function(Moment::Third), None),
        "kurtosis" => (moments::function(Moment::Fourth), None),
        "percentile" | "percentile_cont" | "percentile_disc" | "median" => return quantiles::percentile(call).map(Ok),
        "percentile_approx" | "approx_percentile" => return quantiles::approximate(call).map(Ok),
        "collect_list" | "array_agg" => (datafusion_spark::function::aggregate::collect_list(), None),
        "collect_set" => {
            call.distinct = false;
            (gather::function(Distinct, 1), None)
        }
        "product" => (gather::function(Product, 1), None),
        "bitmap_construct_agg" => return bitmap(call, Bitmap::Construct, &DataType::Int64).map(Ok),
        "bitmap_or_agg" => return bitmap(call, Bitmap::Or, &DataType::Binary).map(Ok),
        "bitmap_and_agg" => return bitmap(call, Bitmap::And, &DataType::Binary).map(Ok),
        "collect_frequent_items" => return frequent(call).map(Ok),
        "histogram_numeric" => return histogram(call).map(Ok),
        "vector_sum" => return vectors(call, Vectors::Sum).map(Ok),
        "vector_avg" => return vectors(call, Vectors::Mean).map(Ok),
        name if Regression::of(name).is_some() => return regression(call).map(Ok),
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

/// A function of our own that takes these arguments.
pub(super) fn own<G: Gather>(gather: G, args: Vec<Expr>, call: Call<'_>) -> Result<Expr> {
    if call.distinct {
        return Err(SparkError::unsupported(format_args!("`{}` of DISTINCT values", call.name)));
    }
    let function = gather::function(gather, args.len());
    Ok(aggregate(function, args, call, None))
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

/// The value of the row in which another one is greatest or least, NULLs there aside; or those of so many rows.
fn extreme_by(mut call: Call<'_>) -> Result<Expr> {
    let count = if call.args.len() == 3 { call.args.pop() } else { None };
    let [value, by] = call.exactly()?;
    let known = by.expr.clone().is_not_null();
    let filter = match call.filter.take() {
        Some(filter) => filter.and(known),
        None => known,
    };
    let order = by.expr.sort(call.name == "min_by", false);
    let function = match count {
        Some(_) => df::array_agg::array_agg_udaf(),
        None => df::first_last::first_value_udaf(),
    };
    let filter = Some(Box::new(filter));
    let rows = AggregateFunction::new_udf(function, vec![value.expr], false, filter, vec![order], None);
    let rows = Expr::AggregateFunction(rows);
    Ok(match count {
        Some(count) => array_slice(rows, lit(1_i64), call.cast(count, &DataType::Int64)?, None),
        None => rows,
    })
}

/// `mode(value)`, `mode(value, deterministic)`, `mode() WITHIN GROUP (ORDER BY value)`.
fn mode(mut call: Call<'_>) -> Result<Expr> {
    let mut greatest = false;
    match (call.args.len(), call.order_by.pop()) {
        (0, Some(order)) => {
            let data_type = order.expr.get_type(call.schema)?;
            greatest = !order.asc;
            call.args.push(Typed { expr: order.expr, data_type });
        }
        // Which one of several comes is always certain here.
        (2, None) => call.args.truncate(1),
        _ => {}
    }
    let [value] = call.exactly()?;
    Ok(aggregate(mode::function(greatest), vec![value.expr], call, None))
}

fn bitmap(mut call: Call<'_>, bitmap: Bitmap, of: &DataType) -> Result<Expr> {
    let [value] = call.exactly()?;
    let value = call.cast(value, of)?;
    own(bitmap, vec![value], call)
}

/// Values of a column that are frequent, out of so many that are kept.
fn frequent(mut call: Call<'_>) -> Result<Expr> {
    let [value, size] = call.exactly()?;
    match constant(&size.expr) {
        Some(ScalarValue::Int32(Some(size @ 1..))) => {
            own(Frequent(usize::try_from(size).unwrap_or(usize::MAX)), vec![value.expr], call)
        }
        _ => Err(call.wrong_type(1, "INT", &size.data_type)),
    }
}

fn histogram(mut call: Call<'_>) -> Result<Expr> {
    let [value, bars] = call.exactly()?;
    let of = if is_string(&value.data_type) { DataType::Float64 } else { value.data_type.clone() };
    let bars = constant(&bars.expr).and_then(|bars| bars.cast_to(&DataType::Int64).ok());
    match bars {
        Some(ScalarValue::Int64(Some(bars @ 2..))) => {
            let args = vec![quantiles::number(&call, value)?];
            own(Histogram { bars: usize::try_from(bars).unwrap_or(usize::MAX), of }, args, call)
        }
        _ => Err(SparkError::unsupported("`histogram_numeric` of other than two or more bars")),
    }
}

fn vectors(mut call: Call<'_>, vectors: Vectors) -> Result<Expr> {
    let [value] = call.exactly()?;
    match &value.data_type {
        DataType::List(item) if *item.data_type() == DataType::Float32 => own(vectors, vec![value.expr], call),
        other => Err(call.wrong_type(0, "ARRAY<FLOAT>", other)),
    }
}

fn regression(mut call: Call<'_>) -> Result<Expr> {
    let Some(regression) = Regression::of(&call.name) else { return Err(SparkError::internal("no regression")) };
    let args = call.exactly::<2>()?;
    let args = args.into_iter().map(|arg| call.cast(arg, &DataType::Float64)).collect::<Result<_>>()?;
    own(regression, args, call)
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
    if call.distinct && order.is_empty() {
        let [text, between] = args.try_into().map_err(|_| SparkError::internal("two arguments"))?;
        call.distinct = false;
        let empty = lit(ScalarValue::List(ScalarValue::new_list_nullable(&[], &DataType::Utf8)));
        let texts = own(Distinct, vec![text], call)?;
        let joined = array_to_string_udf().call(vec![texts.clone(), between]);
        return Ok(when(texts.not_eq(empty), joined).end()?);
    }
    let function = df::string_agg::string_agg_udaf();
    Ok(Expr::AggregateFunction(AggregateFunction::new_udf(function, args, call.distinct, call.filter, order, None)))
}

/// The second argument of `first(a, true)`, or none.
fn ignore_nulls(call: &mut Call<'_>) -> Option<NullTreatment> {
    let flag = (call.args.len() == 2).then(|| call.args.pop()).flatten()?;
    match flag.expr {
        Expr::Literal(ScalarValue::Boolean(Some(true)), _) => Some(NullTreatment::IgnoreNulls),
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
            | "skewness"
            | "kurtosis"
            | "product"
            | "try_sum"
            | "try_avg"
    );
    let sums = matches!(call.name.as_str(), "sum" | "try_sum" | "avg" | "mean" | "try_avg");
    if call.name.starts_with("bit_") && !is_integral(&arg.data_type) {
        return Err(call.wrong_type(position, "INTEGRAL", &arg.data_type));
    }
    match &arg.data_type {
        _ if !computes => Ok(arg.expr),
        DataType::Null => call.cast(arg, &DataType::Float64),
        text if is_string(text) => call.cast(arg, &DataType::Float64),
        integral if matches!(call.name.as_str(), "sum" | "try_sum") && is_integral(integral) => {
            call.cast(arg, &DataType::Int64)
        }
        DataType::Float32 => call.cast(arg, &DataType::Float64),
        DataType::Decimal128(..) if sums => Ok(arg.expr),
        number if is_numeric(number) => call.cast(arg, &DataType::Float64),
        other => Err(call.wrong_type(position, "NUMERIC", other)),
    }
}

/// The sum of intervals, or their mean.
fn of_intervals(mut call: Call<'_>) -> Result<Expr> {
    let (tries, averages) = (call.name.starts_with("try_"), !call.name.ends_with("sum"));
    let [value] = call.exactly()?;
    let data_type = value.data_type.clone();
    let of = |function, arg: Expr| {
        let call = AggregateFunction::new_udf(function, vec![arg], call.distinct, call.filter.clone(), vec![], None);
        Expr::AggregateFunction(call)
    };
    let count = of(df::count::count_udaf(), value.expr.clone());
    let sum = of(sum::function(tries), cast(number_of(value).expr, DataType::Int64));
    let sum = interval_of(sum, data_type.clone(), tries);
    if !averages {
        return Ok(sum);
    }
    Ok(when(count.clone().gt(lit(0_i64)), divided_by(sum, count, data_type)).end()?)
}

fn no_order(call: &Call<'_>) -> SparkError {
    let of = call.args.first().map(|value| sql_name(&value.data_type)).unwrap_or_default();
    let (name, written) = (&call.name, &call.written);
    let message = format!(
        "Cannot resolve \"{written}\" due to data type mismatch: The `{name}` does not support ordering on type \"{of}\"."
    );
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "42K09", message)
        .with("sqlExpr", format!("\"{written}\""))
        .with("functionName", format!("`{name}`"))
        .with("dataType", format!("\"{of}\""))
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
