//! Mathematics where Spark differs from DataFusion: what has no value, and how decimals are rounded.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::error::Result as EngineResult;

use super::native::{Args, Table};
use crate::error::{ErrorClass, SparkError};

pub(super) const TABLE: Table = &[
    ("sqrt", "d", 'd', |a| unary(a, |x| Some(x.sqrt()))),
    ("cbrt", "d", 'd', |a| unary(a, |x| Some(x.cbrt()))),
    ("expm1", "d", 'd', |a| unary(a, |x| Some(x.exp_m1()))),
    ("ln", "d", 'd', |a| unary(a, |x| logarithm(x, f64::ln))),
    ("log10", "d", 'd', |a| unary(a, |x| logarithm(x, f64::log10))),
    ("log2", "d", 'd', |a| unary(a, |x| logarithm(x, f64::log2))),
    ("log1p", "d", 'd', |a| unary(a, |x| if x <= -1.0 { None } else { Some(x.ln_1p()) })),
    ("log", "d?d", 'd', |a| match a.columns.len() {
        1 => unary(a, |x| logarithm(x, f64::ln)),
        _ => binary(a, |base, x| Some(logarithm(x, f64::ln)? / logarithm(base, f64::ln)?)),
    }),
    ("signum", "d", 'd', |a| unary(a, |x| Some(sign(x)))),
    ("sign", "d", 'd', |a| unary(a, |x| Some(sign(x)))),
    ("sinh", "d", 'd', |a| unary(a, |x| Some(x.sinh()))),
    ("cosh", "d", 'd', |a| unary(a, |x| Some(x.cosh()))),
    ("tanh", "d", 'd', |a| unary(a, |x| Some(x.tanh()))),
    ("asin", "d", 'd', |a| unary(a, |x| Some(x.asin()))),
    ("acos", "d", 'd', |a| unary(a, |x| Some(x.acos()))),
    ("asinh", "d", 'd', |a| unary(a, |x| Some(x.asinh()))),
    ("acosh", "d", 'd', |a| unary(a, |x| Some(x.acosh()))),
    ("atanh", "d", 'd', |a| unary(a, |x| Some(x.atanh()))),
    ("rint", "d", 'd', |a| unary(a, |x| Some(x.round_ties_even()))),
    ("hypot", "dd", 'd', |a| binary(a, |x, y| Some(x.hypot(y)))),
    ("atan2", "dd", 'd', |a| binary(a, |y, x| Some((y + 0.0).atan2(x + 0.0)))),
    ("nanvl", "dd", 'd', |a| {
        a.numbers::<Float64Type>(|row| {
            Ok(a.double(0, row).and_then(|x| if x.is_nan() { a.double(1, row) } else { Some(x) }))
        })
    }),
    ("conv", "sii", 's', |a| a.texts(|row| Ok(converted(a, row)))),
    (NORMAL, "", ' ', normal),
    (NEGATIVE, "", ' ', |a| {
        arrow::compute::kernels::numeric::neg(&a.columns[0]).map_err(|_| overflow("integer").into())
    }),
    (GREATEST, "", ' ', |a| extreme(a, |value, best| value > best || (value.is_nan() && !best.is_nan()))),
    (LEAST, "", ' ', |a| extreme(a, |value, best| value < best || (best.is_nan() && !value.is_nan()))),
    (Rounding::HalfUp.function(), "", ' ', |a| round(a, Rounding::HalfUp)),
    (Rounding::HalfEven.function(), "", ' ', |a| round(a, Rounding::HalfEven)),
    (Rounding::Up.function(), "", ' ', |a| round(a, Rounding::Up)),
    (Rounding::Down.function(), "", ' ', |a| round(a, Rounding::Down)),
];

/// Floating-point numbers with one zero and one NaN, as Spark compares them.
pub(super) const NORMAL: &str = "spark.normal_float";
/// `-x` of whole numbers; the smallest one has no positive twin.
pub(super) const NEGATIVE: &str = "spark.negative";
pub(super) const GREATEST: &str = "spark.greatest_float";
pub(super) const LEAST: &str = "spark.least_float";

fn unary(args: &Args<'_>, compute: fn(f64) -> Option<f64>) -> EngineResult<ArrayRef> {
    args.numbers::<Float64Type>(|row| Ok(args.double(0, row).and_then(compute)))
}

fn binary(args: &Args<'_>, compute: fn(f64, f64) -> Option<f64>) -> EngineResult<ArrayRef> {
    args.numbers::<Float64Type>(|row| Ok(args.double(0, row).zip(args.double(1, row)).and_then(|(x, y)| compute(x, y))))
}

/// NULL where Spark has no logarithm: at zero and below.
fn logarithm(value: f64, log: fn(f64) -> f64) -> Option<f64> {
    if value <= 0.0 { None } else { Some(log(value)) }
}

/// Zeros and NaN have themselves as their sign.
fn sign(value: f64) -> f64 {
    if value == 0.0 || value.is_nan() { value } else { value.signum() }
}

/// Digits to another base. A negative base of the result gives signed numbers, a positive one those of 64 bits.
fn converted(args: &Args<'_>, row: usize) -> Option<String> {
    let (text, from, to) = (args.text(0, row)?.trim(), args.int(1, row)?, args.int(2, row)?);
    if !(2..=36).contains(&from) || !(2..=36).contains(&to.unsigned_abs()) || text.is_empty() {
        return None;
    }
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let digits = digits.chars().map_while(|c| c.to_digit(from.unsigned_abs()));
    let value = digits.fold(0_u64, |value, digit| {
        let shifted = value.checked_mul(u64::from(from.unsigned_abs())).and_then(|v| v.checked_add(u64::from(digit)));
        shifted.unwrap_or(u64::MAX)
    });
    let value = if negative { value.wrapping_neg() } else { value };
    let (minus, mut value) = match to < 0 && value.cast_signed() < 0 {
        true => ("-", value.cast_signed().unsigned_abs()),
        false => ("", value),
    };
    let mut reversed = vec![];
    while value > 0 || reversed.is_empty() {
        let digit = u32::try_from(value % u64::from(to.unsigned_abs())).ok()?;
        reversed.push(char::from_digit(digit, to.unsigned_abs())?.to_ascii_uppercase());
        value /= u64::from(to.unsigned_abs());
    }
    Some(format!("{minus}{}", reversed.iter().rev().collect::<String>()))
}

fn normal(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let array = &args.columns[0];
    Ok(match array.data_type() {
        DataType::Float32 => {
            let one = |x: f32| if x.is_nan() { f32::NAN } else { x + 0.0 };
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(one))
        }
        DataType::Float64 => {
            let one = |x: f64| if x.is_nan() { f64::NAN } else { x + 0.0 };
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(one))
        }
        _ => Arc::clone(array),
    })
}

/// The argument that `is_better` than those before it; NULL is passed over, and NaN is greater than all numbers.
fn extreme(args: &Args<'_>, is_better: fn(f64, f64) -> bool) -> EngineResult<ArrayRef> {
    args.numbers::<Float64Type>(|row| {
        let values = (0..args.columns.len()).filter_map(|column| args.double(column, row));
        Ok(values.reduce(|best, value| if is_better(value, best) { value } else { best }))
    })
}

/// Where a number goes that lies between two.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rounding {
    HalfUp,
    HalfEven,
    Up,
    Down,
}

impl Rounding {
    /// The function of [`TABLE`] that rounds a value to a number of digits.
    pub(super) const fn function(self) -> &'static str {
        match self {
            Self::HalfUp => "spark.round",
            Self::HalfEven => "spark.bround",
            Self::Up => "spark.ceil",
            Self::Down => "spark.floor",
        }
    }

    /// `value / 10^digits`.
    fn divided(self, value: i128, digits: u32) -> i128 {
        // Beyond the digits of the type there is less than a half.
        let Some(divisor) = 10_i128.checked_pow(digits) else {
            return match self {
                Self::Up => i128::from(value > 0),
                Self::Down => -i128::from(value < 0),
                Self::HalfUp | Self::HalfEven => 0,
            };
        };
        let (quotient, rest) = (value / divisor, value % divisor);
        let away = match self {
            Self::Up => rest > 0,
            Self::Down => rest < 0,
            Self::HalfUp => rest.abs() >= divisor - rest.abs(),
            Self::HalfEven => {
                let other = divisor - rest.abs();
                rest.abs() > other || (rest.abs() == other && quotient % 2 != 0)
            }
        };
        quotient + if away && rest != 0 { value.signum() } else { 0 }
    }

    /// `value`, of a scale, with so many digits behind the point; the result has no negative scale.
    fn rounded(self, value: i128, scale: i32, digits: i32) -> Option<i128> {
        let dropped = u32::try_from(scale - digits).unwrap_or(0);
        let rounded = self.divided(value, dropped);
        rounded.checked_mul(10_i128.checked_pow(u32::try_from(-digits).unwrap_or(0))?)
    }

    /// As `BigDecimal` rounds the digits that the number is printed with.
    fn double(self, value: f64, scientific: &str, digits: i32) -> f64 {
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
        let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let parsed = (mantissa.replace('.', "").parse::<i128>(), exponent.parse::<i32>(), i32::try_from(fraction));
        let (Ok(unscaled), Ok(exponent), Ok(fraction)) = parsed else { return value };
        let scale = fraction - exponent;
        if scale <= digits {
            return value + 0.0;
        }
        let rounded = self.divided(unscaled, (scale - digits).unsigned_abs());
        format!("{rounded}e{}", -digits).parse().unwrap_or(value)
    }
}

/// `value` and a number of digits, which is the same in all rows.
fn round(args: &Args<'_>, rounding: Rounding) -> EngineResult<ArrayRef> {
    let array = &args.columns[0];
    let digits = (0..args.rows).find_map(|row| args.int(1, row)).unwrap_or(0);
    match array.data_type() {
        DataType::Int8 => whole::<Int8Type>(args, rounding, digits),
        DataType::Int16 => whole::<Int16Type>(args, rounding, digits),
        DataType::Int32 => whole::<Int32Type>(args, rounding, digits),
        DataType::Int64 => whole::<Int64Type>(args, rounding, digits),
        DataType::Decimal128(_, scale) => {
            let (scale, limit) = (i32::from(*scale), limit(args.result));
            let rounded = array.as_primitive::<Decimal128Type>().iter().map(|value| match value {
                None => Ok(None),
                Some(value) => match rounding.rounded(value, scale, digits.min(scale)) {
                    Some(rounded) if rounded.abs() < limit => Ok(Some(rounded)),
                    _ => Err(overflow("decimal")),
                },
            });
            let rounded: PrimitiveArray<Decimal128Type> = rounded.collect::<Result<_, _>>()?;
            Ok(Arc::new(rounded.with_data_type(args.result.clone())))
        }
        DataType::Float32 => {
            let rounded = array.as_primitive::<Float32Type>().unary::<_, Float32Type>(|value| {
                if value.is_finite() {
                    rounding.double(f64::from(value), &format!("{value:e}"), digits) as f32
                } else {
                    value
                }
            });
            Ok(Arc::new(rounded))
        }
        _ => {
            let rounded = array.as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| {
                if value.is_finite() { rounding.double(value, &format!("{value:e}"), digits) } else { value }
            });
            Ok(Arc::new(rounded))
        }
    }
}

fn whole<T: ArrowPrimitiveType>(args: &Args<'_>, rounding: Rounding, digits: i32) -> EngineResult<ArrayRef>
where
    T::Native: Into<i128> + TryFrom<i128>,
{
    let values = args.columns[0].as_primitive::<T>();
    let rounded = values.iter().map(|value| match value {
        None => Ok(None),
        Some(value) => {
            let rounded = rounding.rounded(value.into(), 0, digits.min(0));
            let fits = rounded.and_then(|rounded| T::Native::try_from(rounded).ok());
            fits.map(Some).ok_or_else(|| overflow("integer"))
        }
    });
    Ok(Arc::new(rounded.collect::<Result<PrimitiveArray<T>, _>>()?))
}

fn limit(data_type: &DataType) -> i128 {
    match data_type {
        DataType::Decimal128(precision, _) => 10_i128.checked_pow(u32::from(*precision)).unwrap_or(i128::MAX),
        _ => i128::MAX,
    }
}

fn overflow(what: &str) -> SparkError {
    let message = format!("{what} overflow. Use a wider type.");
    SparkError::new(ErrorClass::Arithmetic, "ARITHMETIC_OVERFLOW", "22003", message)
        .with("message", format!("{what} overflow"))
        .with("alternative", "")
        .with("config", "\"spark.sql.ansi.enabled\"")
}
