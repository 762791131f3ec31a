//! Calls of `percentile`, `median`, `percentile_approx` and their kin: which fractions of which values.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit};

use super::aggregate::own;
use super::call::{Call, Typed, constant};
use super::gather::percentile::Percentile;
use super::gather::quantile::Quantile;
use super::interval_number::{is_interval, number_of};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::{is_numeric, is_string};

/// `percentile(value, fraction, frequency)`, `median(value)`, and `percentile_cont(fraction) WITHIN GROUP (ORDER BY value)`.
pub(super) fn percentile(mut call: Call<'_>) -> Result<Expr> {
    let mut descending = false;
    if let ([_], Some(order)) = (call.args.as_slice(), call.order_by.pop()) {
        let data_type = order.expr.get_type(call.schema)?;
        descending = !order.asc;
        call.args.insert(0, Typed { expr: order.expr, data_type });
    }
    if call.name == "median" {
        call.args.push(Typed { expr: lit(0.5_f64), data_type: DataType::Float64 });
    }
    if call.args.len() == 2 {
        call.args.push(Typed { expr: lit(1_i64), data_type: DataType::Int64 });
    }
    let [value, fraction, frequency] = call.exactly()?;
    let (fractions, several) = fractions(&call, &fraction)?;
    let result = match &value.data_type {
        interval if is_interval(interval) => interval.clone(),
        number if is_numeric(number) || is_string(number) || *number == DataType::Null => DataType::Float64,
        other => return Err(call.wrong_type(0, "NUMERIC", other)),
    };
    let args = vec![number(&call, value)?, call.cast(frequency, &DataType::Int64)?];
    let (discrete, distinct) = (call.name == "percentile_disc", std::mem::take(&mut call.distinct));
    own(Percentile { fractions, several, discrete, descending, distinct, result }, args, call)
}

/// `percentile_approx(value, fraction, accuracy)`: a value of the column near the fraction that is asked for.
pub(super) fn approximate(mut call: Call<'_>) -> Result<Expr> {
    if call.args.len() == 2 {
        call.args.push(Typed { expr: lit(10_000_i32), data_type: DataType::Int32 });
    }
    let [value, fraction, accuracy] = call.exactly()?;
    let (fractions, several) = fractions(&call, &fraction)?;
    let accuracy = constant(&accuracy.expr).and_then(|accuracy| accuracy.cast_to(&DataType::Int64).ok());
    let Some(ScalarValue::Int64(Some(accuracy @ 1..))) = accuracy else {
        return Err(out_of_range(&call, "accuracy", "(0, 2147483647]"));
    };
    let fields = super::interval::fields_of(&value.expr, call.schema)?.filter(|_| !several);
    let result = match &value.data_type {
        text if is_string(text) || *text == DataType::Null => DataType::Float64,
        other => other.clone(),
    };
    let args = vec![number(&call, value)?];
    let found = own(Quantile { fractions, several, accuracy, result }, args, call)?;
    Ok(match fields {
        Some(fields) => super::interval::with_fields(found, fields),
        None => found,
    })
}

/// The number that stands for a value.
pub(super) fn number(call: &Call<'_>, value: Typed) -> Result<Expr> {
    let double = |expr| cast(expr, DataType::Float64);
    Ok(match &value.data_type {
        DataType::Timestamp(..) => double(cast(value.expr, DataType::Int64)),
        DataType::Date32 => double(cast(value.expr, DataType::Int32)),
        interval if is_interval(interval) => double(number_of(value).expr),
        other if is_numeric(other) || is_string(other) || *other == DataType::Null => {
            call.cast(value, &DataType::Float64)?
        }
        other => return Err(call.wrong_type(0, "NUMERIC", other)),
    })
}

/// The fractions, as bits, and whether they came in an array. They must be known now.
fn fractions(call: &Call<'_>, fraction: &Typed) -> Result<(Vec<u64>, bool)> {
    let several = matches!(fraction.data_type, DataType::List(_));
    let to = if several { DataType::new_list(DataType::Float64, true) } else { DataType::Float64 };
    let value = constant(&call.cast(fraction.clone(), &to)?).ok_or_else(|| not_constant(call, &fraction.data_type))?;
    let doubles = match value {
        ScalarValue::Float64(Some(fraction)) => vec![fraction],
        ScalarValue::List(list) if list.values().null_count() == 0 => {
            list.values().as_primitive::<Float64Type>().values().to_vec()
        }
        _ => return Err(out_of_range(call, "percentage", "[0.0, 1.0]")),
    };
    if doubles.iter().any(|fraction| !(0.0..=1.0).contains(fraction)) {
        return Err(out_of_range(call, "percentage", "[0.0, 1.0]"));
    }
    Ok((doubles.into_iter().map(f64::to_bits).collect(), several))
}

fn out_of_range(call: &Call<'_>, argument: &str, range: &str) -> SparkError {
    let message = format!(
        "Cannot resolve \"{}\" due to data type mismatch: The `{argument}` must be between {range}.",
        call.written
    );
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", message)
        .with("sqlExpr", format!("\"{}\"", call.written))
        .with("exprName", argument)
        .with("valueRange", range)
}

fn not_constant(call: &Call<'_>, found: &DataType) -> SparkError {
    let message = format!(
        "Cannot resolve \"{}\" due to data type mismatch: the input `percentage` should be a foldable \"{}\" expression.",
        call.written,
        sql_name(found)
    );
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", message)
        .with("sqlExpr", format!("\"{}\"", call.written))
        .with("inputName", "`percentage`")
        .with("inputType", format!("\"{}\"", sql_name(found)))
}
