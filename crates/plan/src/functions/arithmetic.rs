//! `+ - * / % div` with Spark's types, and errors where a result does not fit.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Datum, Decimal128Array, PrimitiveArray, Scalar, new_null_array};
use arrow::compute::concat;
use arrow::compute::kernels::numeric;
use arrow::datatypes::{ArrowNativeTypeOp, DataType, Decimal128Type, Field, FieldRef, Float32Type, Float64Type, i256};
use arrow::error::ArrowError;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use datafusion::physical_expr_common::datum::apply;
use serde::{Deserialize, Serialize};

use super::narrow_decimal;
use crate::error::{ErrorClass, SparkError};
use crate::types::bounded_decimal;
use crate::wire;

/// Bytes of stack for the name of a nested expression.
const NAME_STACK: usize = 1 << 20;

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    pub(super) fn of(symbol: &str) -> Option<Self> {
        match symbol {
            "+" => Some(Self::Add),
            "-" => Some(Self::Subtract),
            "*" => Some(Self::Multiply),
            "/" => Some(Self::Divide),
            "%" | "mod" => Some(Self::Remainder),
            "try_add" => Some(Self::Add),
            "try_subtract" => Some(Self::Subtract),
            "try_multiply" => Some(Self::Multiply),
            "try_divide" => Some(Self::Divide),
            "try_mod" => Some(Self::Remainder),
            _ => None,
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    fn try_function(self) -> &'static str {
        match self {
            Self::Add => "try_add",
            Self::Subtract => "try_subtract",
            Self::Multiply => "try_multiply",
            Self::Divide => "try_divide",
            Self::Remainder => "try_mod",
        }
    }

    /// The result's type for two decimals of these precisions and scales.
    pub(super) fn decimal_type(self, (p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> DataType {
        let (p1, s1, p2, s2) = (i16::from(p1), i16::from(s1), i16::from(p2), i16::from(s2));
        match self {
            Self::Add | Self::Subtract => {
                let scale = s1.max(s2);
                bounded_decimal((p1 - s1).max(p2 - s2) + scale + 1, scale)
            }
            Self::Multiply => bounded_decimal(p1 + p2 + 1, s1 + s2),
            Self::Divide => {
                let scale = 6.max(s1 + p2 + 1);
                bounded_decimal(p1 - s1 + s2 + scale, scale)
            }
            Self::Remainder => {
                let scale = s1.max(s2);
                bounded_decimal((p1 - s1).min(p2 - s2) + scale, scale)
            }
        }
    }
}

/// `left operator right`, checked. Both have one numeric type, or are decimals of any precision and scale;
/// `result` is that type, or the decimal of [`Operator::decimal_type`].
pub(super) fn checked(operator: Operator, left: Expr, right: Expr, result: DataType) -> Expr {
    call(operator, left, right, result, false)
}

/// The same with NULL instead of an error.
pub(super) fn tried(operator: Operator, left: Expr, right: Expr, result: DataType) -> Expr {
    call(operator, left, right, result, true)
}

fn call(operator: Operator, left: Expr, right: Expr, result: DataType, tries: bool) -> Expr {
    let signature = wire::immutable(2);
    ScalarUDF::new_from_impl(Checked { operator, result, tries, signature }).call(vec![left, right])
}

/// The result's type, if the function is a checked operator.
pub(super) fn result_type(function: &ScalarUDF) -> Option<DataType> {
    let inner: &dyn Any = function.inner().as_ref();
    inner.downcast_ref::<Checked>().map(|checked| checked.result.clone())
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Checked {
    operator: Operator,
    #[serde(with = "wire::types")]
    result: DataType,
    /// NULL instead of an error.
    tries: bool,
    #[serde(with = "wire::arity")]
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        if self.tries { self.operator.try_function() } else { self.operator.symbol() }
    }

    fn schema_name(&self, args: &[Expr]) -> EngineResult<String> {
        match args {
            // The engine asks for the name whenever it asks for the type, and a long sum is nested deeply.
            [left, right] => {
                Ok(stacker::maybe_grow(NAME_STACK, 4 * NAME_STACK, || format!("({left} {} {right})", self.name())))
            }
            _ => Ok(self.operator.symbol().to_owned()),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Ok(self.result.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> EngineResult<FieldRef> {
        // A decimal that does not fit is an error, as is a division by zero: NULL comes from NULL alone.
        let nullable = self.tries || args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.result.clone(), nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return Err(SparkError::internal("an operator takes two arguments").into());
        };
        match (left, right) {
            (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) => {
                let (left, right) = (Scalar::new(left.to_array()?), Scalar::new(right.to_array()?));
                let array = self.outcome(&left, &right, 1)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
            _ => apply(left, right, |left, right| {
                self.outcome(left, right, args.number_rows).map_err(|error| ArrowError::ExternalError(Box::new(error)))
            }),
        }
    }
}

impl Checked {
    /// All rows at once, and each for itself if one of them fails where that is NULL.
    fn outcome(&self, left: &dyn Datum, right: &dyn Datum, rows: usize) -> EngineResult<ArrayRef> {
        match self.compute(left, right) {
            Err(_) if self.tries => {
                let cell = |side: &dyn Datum, row: usize| match side.get() {
                    (array, true) => array.slice(0, 1),
                    (array, false) => array.slice(row, 1),
                };
                let results = (0..rows).map(|row| {
                    let (left, right) = (cell(left, row), cell(right, row));
                    self.compute(&left, &right).unwrap_or_else(|_| new_null_array(&self.result, 1))
                });
                let results: Vec<_> = results.collect();
                let results: Vec<_> = results.iter().map(AsRef::as_ref).collect();
                Ok(concat(&results)?)
            }
            outcome => outcome,
        }
    }

    fn compute(&self, left: &dyn Datum, right: &dyn Datum) -> EngineResult<ArrayRef> {
        let result = match self.result {
            DataType::Decimal128(precision, scale) => self.decimals(left, right, precision, scale),
            _ => match self.operator {
                Operator::Add => numeric::add(left, right),
                Operator::Subtract => numeric::sub(left, right),
                Operator::Multiply => numeric::mul(left, right),
                Operator::Divide => {
                    refuse_zero(right)?;
                    numeric::div(left, right)
                }
                Operator::Remainder => {
                    refuse_zero(right).map_err(|_| remainder_by_zero())?;
                    numeric::rem(left, right)
                }
            },
        };
        result.map_err(|error| self.error(error))
    }

    /// Row by row, where need be in 256 bits, so that nothing overflows before the result's scale is reached.
    fn decimals(&self, left: &dyn Datum, right: &dyn Datum, precision: u8, scale: i8) -> Result<ArrayRef, ArrowError> {
        if let Some(narrow) = narrow_decimal::decimals(self.operator, left, right, (precision, scale)) {
            return Ok(Arc::new(narrow));
        }
        let ((left, left_is_scalar), (right, right_is_scalar)) = (left.get(), right.get());
        let (left, right) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
        let scales = (i32::from(left.scale()), i32::from(right.scale()));
        let len = if left_is_scalar { right.len() } else { left.len() };
        let value = |array: &Decimal128Array, is_scalar: bool, row: usize| {
            let row = if is_scalar { 0 } else { row };
            (!array.is_null(row)).then(|| i256::from_i128(array.value(row)))
        };
        let limit = i256::from_i128(10_i128.pow(u32::from(precision)));
        let rows = (0..len).map(|row| {
            let (Some(l), Some(r)) = (value(left, left_is_scalar, row), value(right, right_is_scalar, row)) else {
                return Ok(None);
            };
            let exact = self.decimal(l, r, scales, i32::from(scale))?;
            match exact.to_i128() {
                Some(fits) if exact < limit && exact > limit.neg_wrapping() => Ok(Some(fits)),
                _ => Err(ArrowError::ArithmeticOverflow("decimal".to_owned())),
            }
        });
        let array: PrimitiveArray<Decimal128Type> = rows.collect::<Result<_, ArrowError>>()?;
        Ok(Arc::new(array.with_precision_and_scale(precision, scale)?))
    }

    fn decimal(&self, l: i256, r: i256, (s1, s2): (i32, i32), scale: i32) -> Result<i256, ArrowError> {
        let common = s1.max(s2);
        match self.operator {
            Operator::Add => rescale(shift(l, common - s1)?.add_checked(shift(r, common - s2)?)?, common, scale),
            Operator::Subtract => rescale(shift(l, common - s1)?.sub_checked(shift(r, common - s2)?)?, common, scale),
            Operator::Multiply => rescale(l.mul_checked(r)?, s1 + s2, scale),
            // One digit more than wanted, so that rounding sees it.
            Operator::Divide => match scale + 1 + s2 - s1 {
                up if up >= 0 => rescale(shift(l, up)?.div_checked(r)?, scale + 1, scale),
                down => rescale(l.div_checked(shift(r, -down)?)?, scale + 1, scale),
            },
            Operator::Remainder => rescale(shift(l, common - s1)?.mod_checked(shift(r, common - s2)?)?, common, scale),
        }
    }

    fn error(&self, error: ArrowError) -> DataFusionError {
        match error {
            ArrowError::DivideByZero if self.operator == Operator::Remainder => remainder_by_zero(),
            ArrowError::DivideByZero => divide_by_zero(),
            ArrowError::ArithmeticOverflow(_) => match self.result {
                DataType::Decimal128(precision, scale) => {
                    let message = format!("A result does not fit Decimal({precision}, {scale}).");
                    let condition = "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION";
                    SparkError::new(ErrorClass::Arithmetic, condition, "22003", message)
                        .with("precision", precision.to_string())
                        .with("scale", scale.to_string())
                        .into()
                }
                _ => overflow(self.operator, &self.result),
            },
            other => other.into(),
        }
    }
}

/// `value * 10^digits`.
fn shift(value: i256, digits: i32) -> Result<i256, ArrowError> {
    value.mul_checked(power_of_ten(digits)?)
}

/// `value` at another scale, halves away from zero.
fn rescale(value: i256, from: i32, to: i32) -> Result<i256, ArrowError> {
    if to >= from {
        return shift(value, to - from);
    }
    let divisor = power_of_ten(from - to)?;
    let half = divisor.div_wrapping(i256::from_i128(2));
    let away = if value < i256::ZERO { half.neg_wrapping() } else { half };
    value.add_checked(away)?.div_checked(divisor)
}

fn power_of_ten(digits: i32) -> Result<i256, ArrowError> {
    i256::from_i128(10).pow_checked(digits.unsigned_abs())
}

fn refuse_zero(divisor: &dyn Datum) -> EngineResult<()> {
    let (array, _) = divisor.get();
    let has_zero = match array.data_type() {
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().flatten().any(|value| value == 0.0),
        DataType::Float32 => array.as_primitive::<Float32Type>().iter().flatten().any(|value| value == 0.0),
        _ => false,
    };
    if has_zero { Err(divide_by_zero()) } else { Ok(()) }
}

fn divide_by_zero() -> DataFusionError {
    let message = "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.";
    SparkError::new(ErrorClass::Arithmetic, "DIVIDE_BY_ZERO", "22012", message)
        .with("config", "\"spark.sql.ansi.enabled\"")
        .into()
}

fn remainder_by_zero() -> DataFusionError {
    let message = "Remainder by zero. Use `try_mod` to tolerate divisor being 0 and return NULL instead.";
    SparkError::new(ErrorClass::Arithmetic, "REMAINDER_BY_ZERO", "22012", message)
        .with("config", "\"spark.sql.ansi.enabled\"")
        .into()
}

fn overflow(operator: Operator, data_type: &DataType) -> DataFusionError {
    if matches!(data_type, DataType::Int8 | DataType::Int16) {
        let (symbol, function) = (operator.symbol(), operator.try_function());
        let message = format!("A value of `{symbol}` caused overflow. Use `{function}` to get NULL instead.");
        return SparkError::new(ErrorClass::Arithmetic, "BINARY_ARITHMETIC_OVERFLOW", "22003", message)
            .with("symbol", symbol)
            .with("functionName", format!("`{function}`"))
            .into();
    }
    let what = match data_type {
        DataType::Int64 => "long",
        DataType::Int32 => "integer",
        _ => "interval",
    };
    let message = format!("{what} overflow in `{}`. Use a wider type, or the `try_` form of it.", operator.symbol());
    SparkError::new(ErrorClass::Arithmetic, "ARITHMETIC_OVERFLOW", "22003", message)
        .with("message", format!("{what} overflow"))
        .with("alternative", "")
        .with("config", "\"spark.sql.ansi.enabled\"")
        .into()
}
