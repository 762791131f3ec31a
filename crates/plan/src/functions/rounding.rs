//! `round`, `bround`, `ceil` and `floor`: which type the result has.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn as df;
use datafusion::logical_expr::{Expr, lit};

use super::call::{Call, Typed};
use super::cast::cast;
use super::math::Rounding;
use super::native::native;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::CastMode;
use crate::types::{as_decimal, is_integral, is_numeric, is_string};

/// A call of one of the four.
pub(super) fn resolve(mut call: Call<'_>) -> Result<Expr> {
    let rounding = match call.name.as_str() {
        "round" => Rounding::HalfUp,
        "bround" => Rounding::HalfEven,
        "floor" => Rounding::Down,
        _ => Rounding::Up,
    };
    let whole = matches!(rounding, Rounding::Up | Rounding::Down);
    let digits = match call.args.len() {
        2 => call.args.pop().map(|digits| constant(&call, digits)).transpose()?,
        _ => None,
    };
    let [value] = call.exactly()?;
    let value = match &value.data_type {
        text if is_string(text) || *text == DataType::Null => {
            Typed { expr: call.cast(value, &DataType::Float64)?, data_type: DataType::Float64 }
        }
        number if is_numeric(number) => value,
        other => return Err(call.wrong_type(0, "NUMERIC", other)),
    };
    match (&value.data_type, digits) {
        (integral, None) if whole && is_integral(integral) => call.cast(value, &DataType::Int64),
        (DataType::Float32 | DataType::Float64, None) if whole => {
            let double = call.cast(value, &DataType::Float64)?;
            let expr = if call.name == "floor" { df::floor(double) } else { df::ceil(double) };
            // As Java makes a `long` of it: what is too large is the largest, and NaN is zero.
            cast(expr, &DataType::Float64, &DataType::Int64, CastMode::Legacy, call.time_zone)
        }
        // With a number of digits these two are for decimals.
        (number, Some(digits)) if whole && !matches!(number, DataType::Decimal128(..)) => {
            let (precision, scale) = as_decimal(number).unwrap_or((30, 15));
            let data_type = DataType::Decimal128(precision, scale);
            let expr = call.cast(value, &data_type)?;
            Ok(rounded(rounding, Typed { expr, data_type }, digits))
        }
        (_, digits) => Ok(rounded(rounding, value, digits.unwrap_or(0))),
    }
}

fn rounded(rounding: Rounding, value: Typed, digits: i32) -> Expr {
    let result = match &value.data_type {
        DataType::Decimal128(precision, scale) => decimal_type(*precision, *scale, digits),
        other => other.clone(),
    };
    native(rounding.function(), result, "", vec![value.expr, lit(digits)])
}

/// One digit more before the point, for 9.9 becomes 10.
fn decimal_type(precision: u8, scale: i8, digits: i32) -> DataType {
    let whole = i32::from(precision) - i32::from(scale) + 1;
    let (precision, scale) = match digits {
        digits if digits < 0 => (whole.max(1 - digits), 0),
        digits => (whole + digits.min(i32::from(scale)), digits.min(i32::from(scale))),
    };
    DataType::Decimal128(precision.clamp(1, 38) as u8, scale as i8)
}

/// The number of digits, which decides the type and so must be known now.
fn constant(call: &Call<'_>, digits: Typed) -> Result<i32> {
    let literal = match &digits.expr {
        Expr::Literal(value, _) => value.cast_to(&DataType::Int32).ok(),
        Expr::Negative(inner) => match inner.as_ref() {
            Expr::Literal(value, _) => value.arithmetic_negate().and_then(|v| v.cast_to(&DataType::Int32)).ok(),
            _ => None,
        },
        _ => None,
    };
    match literal {
        Some(ScalarValue::Int32(Some(digits))) => Ok(digits),
        _ => {
            let message = format!(
                "Cannot resolve \"{}\" due to data type mismatch: the input `scale` should be a foldable \"INT\" \
                 expression.",
                call.written
            );
            Err(SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", message)
                .with("sqlExpr", format!("\"{}\"", call.written))
                .with("inputName", "`scale`")
                .with("inputType", "\"INT\""))
        }
    }
}
