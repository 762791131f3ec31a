//! Spark's `CAST` in ANSI mode, and `TRY_CAST`.

use std::any::Any;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Int64Array, PrimitiveArray, StringArray, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use serde::{Deserialize, Serialize};

use super::calendar;
use super::datetime::{date_of, days, parse_date, parse_timestamp, parse_timestamp_ntz, to_instant, to_local};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::format::{self, Style, format_array};
use crate::interval::IntervalFields;
use crate::ir::CastMode;
use crate::types::{as_decimal, is_integral, is_numeric, is_string};
use crate::wire;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// `expr`, of type `from`, as a value of type `to`. The session's time zone becomes part of the expression.
///
/// # Errors
/// `DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION` where Spark has no such cast.
pub(crate) fn cast(expr: Expr, from: &DataType, to: &DataType, mode: CastMode, time_zone: &str) -> Result<Expr> {
    if from == to {
        return Ok(expr);
    }
    if let Expr::Literal(ScalarValue::Null, metadata) = expr {
        return Ok(Expr::Literal(ScalarValue::try_from(to)?, metadata));
    }
    if is_lossless(from, to) {
        return Ok(datafusion::logical_expr::cast(expr, to.clone()));
    }
    if !is_castable(from, to) {
        return Err(no_cast(from, to));
    }
    // Names of days are read where the text is known; as data they are no dates.
    if let (Expr::Literal(ScalarValue::Utf8(Some(text)), _), DataType::Date32 | DataType::Timestamp(..)) = (&expr, to)
        && text.trim().eq_ignore_ascii_case("epoch")
    {
        return Ok(Expr::Literal(ScalarValue::Int64(Some(0)).cast_to(&DataType::Int32)?.cast_to(to)?, None));
    }
    let (to, time_zone, signature) = (to.clone(), time_zone.to_owned(), wire::immutable(1));
    let function = SparkCast { to, mode, time_zone, interval: None, signature };
    Ok(ScalarUDF::new_from_impl(function).call(vec![expr]))
}

/// The error for a cast that Spark has not, with what it says to do instead.
fn no_cast(from: &DataType, to: &DataType) -> SparkError {
    let (source, target) = (sql_name(from), sql_name(to));
    let error = |condition: &str, instead: &str| {
        let message = format!("Cannot cast \"{source}\" to \"{target}\".{instead}");
        SparkError::new(ErrorClass::Analysis, condition, "42K09", message)
            .with("srcType", format!("\"{source}\""))
            .with("targetType", format!("\"{target}\""))
    };
    let function = match (from, to) {
        (DataType::Date32, number) if is_numeric(number) => "`UNIX_DATE`",
        (number, DataType::Date32) if is_numeric(number) => "`DATE_FROM_UNIX_DATE`",
        (integral, DataType::Binary) if is_integral(integral) => {
            return error("DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", "")
                .with("config", "\"spark.sql.ansi.enabled\"")
                .with("configVal", "'false'");
        }
        _ => return error("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", ""),
    };
    let instead = format!(" The function {function} converts it.");
    error("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", &instead).with("functionNames", function)
}

/// Casts that cannot fail and mean the same everywhere: left to DataFusion, whose optimiser knows them.
fn is_lossless(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Null};
    match (from, to) {
        (Null, _) => true,
        (from, to) if is_string(from) && is_string(to) => true,
        (Int8, Int16 | Int32 | Int64 | Float32 | Float64)
        | (Int16, Int32 | Int64 | Float32 | Float64)
        | (Int32, Int64 | Float32 | Float64)
        | (Int64, Float32 | Float64)
        | (Float32, Float64) => true,
        (from, Decimal128(precision, scale)) => as_decimal(from).is_some_and(|(p, s)| {
            *scale >= s && i16::from(*precision) - i16::from(*scale) >= i16::from(p) - i16::from(s)
        }),
        (Decimal128(..), Float32 | Float64) => true,
        (Date32, DataType::Timestamp(TimeUnit::Microsecond, None)) => true,
        _ => false,
    }
}

fn is_castable(from: &DataType, to: &DataType) -> bool {
    use DataType::{Binary, Boolean, Date32, Duration, Interval, List, Map, Struct, Timestamp};
    match (from, to) {
        (from, to) if from == to => true,
        (DataType::Null, _) => true,
        (_, to) if is_string(to) => true,
        (from, Boolean | Binary | Date32 | Timestamp(..)) if is_string(from) => true,
        (from, to) if is_string(from) && is_numeric(to) => true,
        (from, to) if is_numeric(from) && is_numeric(to) => true,
        (from, Boolean) | (Boolean, from) if is_numeric(from) => true,
        (from, Timestamp(_, Some(_))) | (Timestamp(_, Some(_)), from) if is_numeric(from) => true,
        (from, Binary) if is_integral(from) => false,
        (Date32 | Timestamp(..), Date32 | Timestamp(..)) => true,
        (Duration(_), Duration(_)) | (Interval(_), Interval(_)) => true,
        (List(from), List(to)) => is_castable(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => {
            from.len() == to.len()
                && from.iter().zip(to).all(|(from, to)| is_castable(from.data_type(), to.data_type()))
        }
        (Map(from, _), Map(to, _)) => is_castable(from.data_type(), to.data_type()),
        _ => false,
    }
}

/// The type that is cast to, if the function is a cast of ours.
pub(super) fn result_type(function: &ScalarUDF) -> Option<DataType> {
    let inner: &dyn Any = function.inner().as_ref();
    inner.downcast_ref::<SparkCast>().map(|cast| cast.to.clone())
}

/// The casts that Spark does in its own way.
#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct SparkCast {
    #[serde(with = "wire::types")]
    to: DataType,
    mode: CastMode,
    time_zone: String,
    /// The fields of an interval that becomes text; none before the column that it is of has been asked.
    interval: Option<IntervalFields>,
    #[serde(with = "wire::arity")]
    signature: Signature,
}

impl ScalarUDFImpl for SparkCast {
    fn name(&self) -> &str {
        "spark_cast_ansi"
    }

    fn schema_name(&self, args: &[Expr]) -> EngineResult<String> {
        let name = if self.mode == CastMode::Try { "TRY_CAST" } else { "CAST" };
        let args: Vec<_> = args.iter().map(ToString::to_string).collect();
        Ok(format!("{name}({} AS {})", args.join(", "), sql_name(&self.to)))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Ok(self.to.clone())
    }

    /// Columns say which fields an interval has, and a plan that is sent to another process does not say it of all of them.
    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> EngineResult<ExprSimplifyResult> {
        let [interval] = args.as_slice() else { return Ok(ExprSimplifyResult::Original(args)) };
        if self.interval.is_some() || !is_string(&self.to) {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let Some(fields) = IntervalFields::of(interval.to_field(info.schema())?.1.as_ref()) else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let (to, time_zone, signature) = (self.to.clone(), self.time_zone.clone(), self.signature.clone());
        let known = Self { to, mode: self.mode, time_zone, interval: Some(fields), signature };
        Ok(ExprSimplifyResult::Simplified(ScalarUDF::new_from_impl(known).call(args)))
    }

    /// Of a timestamp that becomes a date: the moments of the day.
    fn preimage(&self, args: &[Expr], value: &Expr, info: &SimplifyContext) -> EngineResult<PreimageResult> {
        let ([timestamp], Expr::Literal(ScalarValue::Date32(Some(day)), _)) = (args, value) else {
            return Ok(PreimageResult::None);
        };
        calendar::moments_of_day(timestamp, *day, &info.get_data_type(timestamp)?, &self.time_zone)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let zone: Tz = self.time_zone.parse().map_err(|_| invalid_time_zone(&self.time_zone))?;
        let interval = self.interval.or_else(|| IntervalFields::of(args.arg_fields.first()?));
        let style = Style { interval, ..format::CAST };
        let caster = Caster { style, to: &self.to, mode: self.mode, zone, time_zone: &self.time_zone };
        match args.args.as_slice() {
            [ColumnarValue::Array(array)] => Ok(ColumnarValue::Array(caster.cast(array)?)),
            [ColumnarValue::Scalar(scalar)] => {
                let array = caster.cast(&scalar.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
            _ => Err(SparkError::internal("a cast takes one argument").into()),
        }
    }
}

/// Whether a function is a cast that makes NULL of NULL alone; none where it is no cast.
pub(crate) fn never_null(function: &ScalarUDF, from: &DataType) -> Option<bool> {
    use DataType::{Binary, Date32, Float32, Float64, Timestamp};
    let inner: &dyn Any = function.inner().as_ref();
    let cast = inner.downcast_ref::<SparkCast>()?;
    if cast.mode != CastMode::Ansi {
        return Some(false);
    }
    // What Spark says of each pair of types, whether or not a value of the one can fail to be one of the other.
    Some(match (from, &cast.to) {
        (from, to) if is_string(from) => is_string(to) || *to == Binary,
        (_, to) if is_string(to) => true,
        (Timestamp(..), to) if is_integral(to) => *to == DataType::Int64,
        (Float32 | Float64, Timestamp(..)) => false,
        (Timestamp(..), Date32) => true,
        (_, Date32) => false,
        (Float32 | Float64, to) if is_integral(to) => false,
        (from, to @ DataType::Decimal128(..)) => as_decimal(from).is_some_and(|from| holds(to, from)),
        (DataType::Decimal128(..), to) if is_integral(to) => false,
        _ => true,
    })
}

/// Whether a decimal type has a value for each of another precision and scale.
fn holds(to: &DataType, (precision, scale): (u8, i8)) -> bool {
    let DataType::Decimal128(p, s) = to else { return false };
    i16::from(*p) - i16::from(*s) > i16::from(precision) - i16::from(scale)
        || (i16::from(*p) - i16::from(*s) == i16::from(precision) - i16::from(scale) && *s >= scale)
}

struct Caster<'a> {
    to: &'a DataType,
    mode: CastMode,
    zone: Tz,
    time_zone: &'a str,
    /// How values become text.
    style: Style,
}

/// Text as values of a type, NULL where it says none.
pub(crate) fn parsed_or_null(text: &StringArray, to: &DataType, time_zone: &str) -> EngineResult<ArrayRef> {
    if is_string(to) {
        return Ok(Arc::new(text.clone()));
    }
    let zone: Tz = time_zone.parse().map_err(|_| invalid_time_zone(time_zone))?;
    Caster { to, mode: CastMode::Try, zone, time_zone, style: format::CAST }.parse_text(text, to)
}

impl Caster<'_> {
    /// Whether a value that does not fit is an error.
    fn fails(&self) -> bool {
        self.mode == CastMode::Ansi
    }

    fn cast(&self, array: &ArrayRef) -> EngineResult<ArrayRef> {
        let from = array.data_type();
        match (from, self.to) {
            (DataType::Null, to) => Ok(new_null_array(to, array.len())),
            (_, to) if is_string(to) => Ok(Arc::new(format_array(array, self.time_zone, self.style)?)),
            (from, to) if is_string(from) => {
                let text = arrow::compute::cast(array, &DataType::Utf8)?;
                self.parse_text(text.as_string::<i32>(), to)
            }
            (DataType::Decimal128(..), DataType::Boolean) => {
                let values = array.as_primitive::<Decimal128Type>();
                Ok(Arc::new(values.iter().map(|value| value.map(|value| value != 0)).collect::<BooleanArray>()))
            }
            (DataType::Boolean, DataType::Decimal128(..)) => {
                let whole = arrow::compute::cast(array, &DataType::Int32)?;
                self.kernel(&whole)
            }
            (from, DataType::Timestamp(_, Some(_))) if is_numeric(from) => self.seconds_to_timestamp(array),
            (DataType::Timestamp(_, Some(_)), to) if is_numeric(to) => self.timestamp_to_seconds(array),
            (DataType::Date32, DataType::Timestamp(_, Some(_))) => self
                .map::<Date32Type, TimestampMicrosecondType>(array, |day| {
                    to_instant(date_of(day)?.and_hms_opt(0, 0, 0)?, self.zone)
                }),
            (DataType::Timestamp(_, None), DataType::Timestamp(_, Some(_))) => self
                .map::<TimestampMicrosecondType, TimestampMicrosecondType>(array, |micros| {
                    to_instant(chrono::DateTime::from_timestamp_micros(micros)?.naive_utc(), self.zone)
                }),
            (DataType::Timestamp(_, Some(_)), DataType::Timestamp(_, None)) => self
                .map::<TimestampMicrosecondType, TimestampMicrosecondType>(array, |micros| {
                    Some(to_local(micros, self.zone)?.and_utc().timestamp_micros())
                }),
            (DataType::Timestamp(_, zone), DataType::Date32) => {
                let zone = if zone.is_some() { self.zone } else { "UTC".parse()? };
                self.map::<TimestampMicrosecondType, Date32Type>(array, |micros| days(to_local(micros, zone)?.date()))
            }
            _ => self.kernel(array),
        }
    }

    /// Arrow's own cast: numbers, decimals, nested values.
    fn kernel(&self, array: &ArrayRef) -> EngineResult<ArrayRef> {
        if self.mode == CastMode::Legacy && is_numeric(array.data_type()) && is_integral(self.to) {
            return truncated(array, self.to);
        }
        let options = CastOptions { safe: !self.fails(), ..CastOptions::default() };
        cast_with_options(array, self.to, &options).map_err(|error| self.overflow(array, &error).into())
    }

    fn parse_text(&self, text: &StringArray, to: &DataType) -> EngineResult<ArrayRef> {
        match to {
            DataType::Int8 => self.parse::<Int8Type>(text, |text| self.whole(text).parse().ok()),
            DataType::Int16 => self.parse::<Int16Type>(text, |text| self.whole(text).parse().ok()),
            DataType::Int32 => self.parse::<Int32Type>(text, |text| self.whole(text).parse().ok()),
            DataType::Int64 => self.parse::<Int64Type>(text, |text| self.whole(text).parse().ok()),
            DataType::Float32 => self.parse::<Float32Type>(text, |text| parse_float(text).map(|value| value as f32)),
            DataType::Float64 => self.parse::<Float64Type>(text, parse_float),
            DataType::Date32 => self.parse::<Date32Type>(text, parse_date),
            DataType::Timestamp(_, Some(_)) => {
                let zone = self.zone;
                self.parse::<TimestampMicrosecondType>(text, |text| parse_timestamp(text, zone))
            }
            DataType::Timestamp(_, None) => self.parse::<TimestampMicrosecondType>(text, parse_timestamp_ntz),
            DataType::Boolean => self.parse_boolean(text),
            DataType::Binary => Ok(arrow::compute::cast(text, to)?),
            _ => {
                let trimmed: StringArray = text.iter().map(|value| value.map(str::trim)).collect();
                let options = CastOptions { safe: true, ..CastOptions::default() };
                let array = cast_with_options(&trimmed, to, &options)?;
                let failed = (0..array.len()).find(|row| array.is_null(*row) && !text.is_null(*row));
                match failed {
                    Some(row) if self.fails() => Err(self.invalid(text.value(row)).into()),
                    _ => Ok(array),
                }
            }
        }
    }

    fn parse<T: ArrowPrimitiveType>(
        &self,
        text: &StringArray,
        parse: impl Fn(&str) -> Option<T::Native>,
    ) -> EngineResult<ArrayRef> {
        let parsed = text.iter().map(|value| match value {
            None => Ok(None),
            Some(value) => match parse(value.trim()) {
                None if self.fails() => Err(self.invalid(value)),
                parsed => Ok(parsed),
            },
        });
        let array: PrimitiveArray<T> = parsed.collect::<Result<_>>()?;
        Ok(Arc::new(array.with_data_type(self.to.clone())))
    }

    /// The part of a number that becomes a whole one: without ANSI mode, what stands before the point.
    fn whole<'t>(&self, text: &'t str) -> &'t str {
        match text.split_once('.') {
            Some((whole, fraction))
                if self.mode == CastMode::Legacy && fraction.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                whole
            }
            _ => text,
        }
    }

    fn parse_boolean(&self, text: &StringArray) -> EngineResult<ArrayRef> {
        let parsed = text.iter().map(|value| match value {
            None => Ok(None),
            Some(value) => match value.trim().to_ascii_lowercase().as_str() {
                "t" | "true" | "y" | "yes" | "1" => Ok(Some(true)),
                "f" | "false" | "n" | "no" | "0" => Ok(Some(false)),
                _ if !self.fails() => Ok(None),
                _ => Err(self.invalid(value)),
            },
        });
        Ok(Arc::new(parsed.collect::<Result<BooleanArray>>()?))
    }

    fn seconds_to_timestamp(&self, array: &ArrayRef) -> EngineResult<ArrayRef> {
        if is_integral(array.data_type()) {
            let seconds = arrow::compute::cast(array, &DataType::Int64)?;
            return self.map::<Int64Type, TimestampMicrosecondType>(&seconds, |s| s.checked_mul(MICROS_PER_SECOND));
        }
        let seconds = arrow::compute::cast(array, &DataType::Float64)?;
        self.map::<Float64Type, TimestampMicrosecondType>(&seconds, |seconds| {
            let micros = seconds * MICROS_PER_SECOND as f64;
            (micros.abs() < i64::MAX as f64).then_some(micros as i64)
        })
    }

    fn timestamp_to_seconds(&self, array: &ArrayRef) -> EngineResult<ArrayRef> {
        let array = arrow::compute::cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        let micros = array.as_primitive::<TimestampMicrosecondType>();
        let seconds: ArrayRef = if is_integral(self.to) {
            Arc::new(micros.unary::<_, Int64Type>(|micros| micros.div_euclid(MICROS_PER_SECOND)))
        } else {
            Arc::new(micros.unary::<_, Float64Type>(|micros| micros as f64 / MICROS_PER_SECOND as f64))
        };
        self.kernel(&seconds)
    }

    fn map<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        array: &ArrayRef,
        convert: impl Fn(F::Native) -> Option<T::Native>,
    ) -> EngineResult<ArrayRef> {
        let array = array.as_primitive::<F>();
        let converted = array.iter().map(|value| match value {
            None => Ok(None),
            Some(value) => match convert(value) {
                None if self.fails() => Err(self.out_of_range()),
                converted => Ok(converted),
            },
        });
        let array: PrimitiveArray<T> = converted.collect::<Result<_>>()?;
        Ok(Arc::new(array.with_data_type(self.to.clone())))
    }

    fn invalid(&self, value: &str) -> SparkError {
        let to = sql_name(self.to);
        let class = match self.to {
            DataType::Date32 | DataType::Timestamp(..) => ErrorClass::DateTime,
            DataType::Boolean => ErrorClass::Runtime,
            _ => ErrorClass::NumberFormat,
        };
        let message = format!(
            "The value '{value}' of the type \"STRING\" cannot be cast to \"{to}\" because it is malformed. Correct the \
             value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return \
             NULL instead."
        );
        SparkError::new(class, "CAST_INVALID_INPUT", "22018", message)
            .with("expression", format!("'{value}'"))
            .with("sourceType", "\"STRING\"")
            .with("targetType", format!("\"{to}\""))
    }

    fn overflow(&self, array: &ArrayRef, error: &ArrowError) -> SparkError {
        let (from, to) = (sql_name(array.data_type()), sql_name(self.to));
        if let DataType::Decimal128(precision, scale) = self.to {
            let message = format!("A value of type \"{from}\" cannot be represented as Decimal({precision}, {scale}).");
            return SparkError::new(
                ErrorClass::Arithmetic,
                "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
                "22003",
                message,
            )
            .with("precision", precision.to_string())
            .with("scale", scale.to_string());
        }
        let message = format!(
            "A value of the type \"{from}\" cannot be cast to \"{to}\" due to an overflow ({error}). Use `try_cast` to \
             tolerate overflow and return NULL instead."
        );
        SparkError::new(ErrorClass::Arithmetic, "CAST_OVERFLOW", "22003", message)
            .with("sourceType", format!("\"{from}\""))
            .with("targetType", format!("\"{to}\""))
    }

    fn out_of_range(&self) -> SparkError {
        let message = format!("A value is out of the range of \"{}\".", sql_name(self.to));
        SparkError::new(ErrorClass::DateTime, "DATETIME_OVERFLOW", "22008", message)
    }
}

/// Whole numbers without what does not fit: the low bits of whole numbers, the nearest value of others.
fn truncated(array: &ArrayRef, to: &DataType) -> EngineResult<ArrayRef> {
    let wide: Int64Array = match array.data_type() {
        DataType::Decimal128(_, scale) => {
            let divisor = 10_i128.pow(u32::from(scale.unsigned_abs()));
            array.as_primitive::<Decimal128Type>().unary(|value| (value / divisor) as i64)
        }
        DataType::Float32 | DataType::Float64 => {
            let doubles = arrow::compute::cast(array, &DataType::Float64)?;
            let doubles = doubles.as_primitive::<Float64Type>();
            match to {
                DataType::Int64 => doubles.unary(|value| value as i64),
                _ => doubles.unary(|value| i64::from(value as i32)),
            }
        }
        _ => arrow::compute::cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone(),
    };
    Ok(match to {
        DataType::Int8 => Arc::new(wide.unary::<_, Int8Type>(|value| value as i8)),
        DataType::Int16 => Arc::new(wide.unary::<_, Int16Type>(|value| value as i16)),
        DataType::Int32 => Arc::new(wide.unary::<_, Int32Type>(|value| value as i32)),
        _ => Arc::new(wide),
    })
}

/// Numbers as Java reads them: with `Infinity` and `NaN`, and a `d` or `f` behind.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let (sign, magnitude) = match lower.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, lower.strip_prefix('+').unwrap_or(&lower)),
    };
    match magnitude {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let digits = magnitude.strip_suffix(['d', 'f']).unwrap_or(magnitude);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    is_number.then(|| digits.parse::<f64>().ok()).flatten().map(|value| sign * value)
}

fn invalid_time_zone(name: &str) -> DataFusionError {
    let message = format!("'{name}' is no time zone.");
    SparkError::new(ErrorClass::DateTime, "INVALID_TIMEZONE", "22009", message).into()
}
