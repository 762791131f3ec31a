//! Intervals as numbers, and times a number.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, DurationMicrosecondType, Int32Type, IntervalUnit, IntervalYearMonthType};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, cast};

use super::call::{Call, Typed};
use super::native::{Args, Table, Value, native};
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::{is_integral, is_numeric};

pub(super) const TABLE: Table = &[
    (MONTHS, "", ' ', |a| {
        let months = a.columns[0].as_primitive::<IntervalYearMonthType>();
        Ok(Arc::new(months.reinterpret_cast::<Int32Type>()))
    }),
    (OF, "", ' ', |a| of_number(a, false)),
    (TRY_OF, "", ' ', |a| of_number(a, true)),
    (TIMES, "", ' ', |a| scaled(a, false, |value, number| Some(value as f64 * number), i128::checked_mul)),
    (TRY_TIMES, "", ' ', |a| scaled(a, true, |value, number| Some(value as f64 * number), i128::checked_mul)),
    (BY, "", ' ', |a| scaled(a, false, divided, rounded)),
    (TRY_BY, "", ' ', |a| scaled(a, true, divided, rounded)),
];

const MONTHS: &str = "spark.whole_months";
const OF: &str = "spark.interval_of";
const TRY_OF: &str = "spark.try_interval_of";
const TIMES: &str = "spark.interval_times";
const TRY_TIMES: &str = "spark.try_interval_times";
const BY: &str = "spark.interval_by";
const TRY_BY: &str = "spark.try_interval_by";

/// Whether values of the type are lengths of time.
pub(crate) fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Duration(_) | DataType::Interval(IntervalUnit::YearMonth))
}

/// The months or microseconds of an interval.
pub(crate) fn number_of(interval: Typed) -> Typed {
    match interval.data_type {
        DataType::Duration(_) => Typed { expr: cast(interval.expr, DataType::Int64), data_type: DataType::Int64 },
        _ => {
            let expr = native(MONTHS, DataType::Int32, "", vec![interval.expr]);
            Typed { expr, data_type: DataType::Int32 }
        }
    }
}

/// The interval of so many months or microseconds; NULL where it tries and they are too many.
pub(super) fn interval_of(number: Expr, data_type: DataType, tries: bool) -> Expr {
    native(if tries { TRY_OF } else { OF }, data_type, "", vec![number])
}

/// An interval, divided by a number of 64 bits.
pub(super) fn divided_by(interval: Expr, number: Expr, data_type: DataType) -> Expr {
    native(BY, data_type, "", vec![interval, number])
}

fn of_number(args: &Args<'_>, tries: bool) -> EngineResult<ArrayRef> {
    match args.result {
        DataType::Duration(_) => args.numbers::<DurationMicrosecondType>(|row| Ok(args.long(0, row))),
        _ => args.numbers::<IntervalYearMonthType>(|row| match args.long(0, row).map(i32::try_from).transpose() {
            Err(_) if !tries => Err(overflow().into()),
            months => Ok(months.ok().flatten()),
        }),
    }
}

/// `interval * number`, `number * interval`, `interval / number`, and what tries to; none for anything else.
pub(super) fn resolve(call: &Call<'_>, left: &Typed, right: &Typed) -> Result<Option<Expr>> {
    let tries = call.name.starts_with("try_");
    let takes = |number: &Typed| is_numeric(&number.data_type) || number.data_type == DataType::Null;
    let (function, interval, number) = match call.name.trim_start_matches("try_") {
        "*" | "multiply" if is_interval(&left.data_type) && takes(right) => {
            (if tries { TRY_TIMES } else { TIMES }, left, right)
        }
        "*" | "multiply" if is_interval(&right.data_type) && takes(left) => {
            (if tries { TRY_TIMES } else { TIMES }, right, left)
        }
        "/" | "divide" if is_interval(&left.data_type) && takes(right) => {
            (if tries { TRY_BY } else { BY }, left, right)
        }
        _ => return Ok(None),
    };
    let to = if is_integral(&number.data_type) { DataType::Int64 } else { DataType::Float64 };
    let args = vec![interval.expr.clone(), call.cast(number.clone(), &to)?];
    Ok(Some(native(function, interval.data_type.clone(), "", args)))
}

fn divided(value: i64, number: f64) -> Option<f64> {
    (number != 0.0).then(|| value as f64 / number)
}

/// The quotient, rounded to the nearest whole number and up in the middle.
fn rounded(value: i128, number: i128) -> Option<i128> {
    let (quotient, rest) = (value.checked_div(number)?, value.checked_rem(number)?);
    let more = 2 * rest.unsigned_abs() >= number.unsigned_abs();
    Some(if more { quotient + value.signum() * number.signum() } else { quotient })
}

fn scaled(
    args: &Args<'_>,
    tries: bool,
    by_double: fn(i64, f64) -> Option<f64>,
    by_whole: fn(i128, i128) -> Option<i128>,
) -> EngineResult<ArrayRef> {
    let compute = |value: i64, row: usize| -> Value<i64> {
        let whole = match (args.long(1, row), args.double(1, row)) {
            (Some(number), _) => by_whole(value.into(), number.into()),
            (None, Some(number)) => by_double(value, number).map(|product| product.round() as i128),
            (None, None) => return Ok(None),
        };
        match whole.map(i64::try_from) {
            Some(Ok(whole)) => Ok(Some(whole)),
            _ if tries => Ok(None),
            Some(Err(_)) => Err(overflow().into()),
            None => Err(by_zero().into()),
        }
    };
    match args.result {
        DataType::Duration(_) => {
            let values = args.columns[0].as_primitive::<DurationMicrosecondType>();
            args.numbers::<DurationMicrosecondType>(|row| {
                if values.is_null(row) { Ok(None) } else { compute(values.value(row), row) }
            })
        }
        _ => {
            let values = args.columns[0].as_primitive::<IntervalYearMonthType>();
            args.numbers::<IntervalYearMonthType>(|row| {
                let months = if values.is_null(row) { None } else { compute(values.value(row).into(), row)? };
                match months.map(i32::try_from).transpose() {
                    Err(_) if !tries => Err(overflow().into()),
                    months => Ok(months.ok().flatten()),
                }
            })
        }
    }
}

fn by_zero() -> SparkError {
    let message = "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.";
    SparkError::new(ErrorClass::Arithmetic, "INTERVAL_DIVIDED_BY_ZERO", "22012", message)
}

fn overflow() -> SparkError {
    let message = "An interval is out of range.";
    SparkError::new(ErrorClass::Arithmetic, "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015", message)
}
