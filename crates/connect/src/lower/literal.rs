//! Literals.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, MapArray, StructArray, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, Fields};
use datafusion::common::ScalarValue;
use datafusion::common::utils::SingleRowListArrayBuilder;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::Expr;
use spark_connect_proto as proto;
use spark_connect_proto::expression::Literal;
use spark_connect_proto::expression::literal::specialized_array::ValueType;
use spark_connect_proto::expression::literal::{Array as ArrayLiteral, Decimal, LiteralType, Map, Struct};

use super::types;
use crate::error::{invalid_plan, missing};

/// The value of a literal.
///
/// # Errors
/// A value that does not fit its type, or a type without an Arrow form.
pub(crate) fn value(literal: Literal) -> Result<ScalarValue> {
    let stated = literal.data_type;
    Ok(match literal.literal_type.ok_or_else(|| missing("literal.literal_type"))? {
        LiteralType::Null(of) => null(&types::from_proto(stated.unwrap_or(of))?)?,
        LiteralType::Binary(value) => ScalarValue::Binary(Some(value.into())),
        LiteralType::Boolean(value) => ScalarValue::Boolean(Some(value)),
        LiteralType::Byte(value) => ScalarValue::Int8(Some(narrow(value)?)),
        LiteralType::Short(value) => ScalarValue::Int16(Some(narrow(value)?)),
        LiteralType::Integer(value) => ScalarValue::Int32(Some(value)),
        LiteralType::Long(value) => ScalarValue::Int64(Some(value)),
        LiteralType::Float(value) => ScalarValue::Float32(Some(value)),
        LiteralType::Double(value) => ScalarValue::Float64(Some(value)),
        LiteralType::Decimal(value) => decimal(&value)?,
        LiteralType::String(value) => ScalarValue::Utf8(Some(value)),
        LiteralType::Date(days) => ScalarValue::Date32(Some(days)),
        LiteralType::Timestamp(micros) => ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())),
        LiteralType::TimestampNtz(micros) => ScalarValue::TimestampMicrosecond(Some(micros), None),
        LiteralType::CalendarInterval(interval) => {
            let nanos =
                interval.microseconds.checked_mul(1000).ok_or_else(|| invalid_plan("An interval is too long."))?;
            ScalarValue::new_interval_mdn(interval.months, interval.days, nanos)
        }
        LiteralType::YearMonthInterval(months) => ScalarValue::IntervalYearMonth(Some(months)),
        LiteralType::DayTimeInterval(micros) => ScalarValue::DurationMicrosecond(Some(micros)),
        LiteralType::Time(time) => ScalarValue::Time64Nanosecond(Some(time.nano)),
        LiteralType::Array(array) => list(array, stated)?,
        LiteralType::SpecializedArray(array) => specialized(array.value_type.ok_or_else(|| missing("value_type"))?),
        LiteralType::Map(value) => map(value, stated)?,
        LiteralType::Struct(value) => row(value, stated)?,
        LiteralType::TimestampNtzNanos(_) | LiteralType::TimestampLtzNanos(_) => {
            return Err(SparkError::unsupported("timestamps of nanoseconds"));
        }
    })
}

/// A value as a text has it: a decimal is as wide as its digits.
pub(super) fn as_written(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(ScalarValue::Decimal128(Some(value), _, scale)) => {
            let digits = u8::try_from(value.unsigned_abs().to_string().len()).unwrap_or(DECIMAL128_MAX_PRECISION);
            let precision = digits.max(scale.unsigned_abs());
            Expr::Literal(ScalarValue::Decimal128(Some(value), precision, scale))
        }
        other => other,
    }
}

fn null(data_type: &DataType) -> Result<ScalarValue> {
    ScalarValue::try_from(data_type).map_err(SparkError::internal)
}

fn narrow<T: TryFrom<i32>>(value: i32) -> Result<T> {
    T::try_from(value).map_err(|_| invalid_plan(&format!("The literal {value} does not fit its type.")))
}

fn decimal(literal: &Decimal) -> Result<ScalarValue> {
    let bad = || invalid_plan(&format!("The literal {} is no decimal of its type.", literal.value));
    let text = literal.value.trim();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| bad())?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut unscaled: i128 = format!("{whole}{fraction}").parse().map_err(|_| bad())?;
    let mut scale = i32::try_from(fraction.len()).map_err(|_| bad())?.checked_sub(exponent).ok_or_else(bad)?;
    // The client states DECIMAL(10, 0) for a value of any scale: what is stated is the least, as in Spark.
    let wanted = literal.scale.unwrap_or(0).max(scale).max(0);
    if !(0..=38).contains(&wanted) || scale < -38 {
        return Err(bad());
    }
    while scale < wanted {
        unscaled = unscaled.checked_mul(10).ok_or_else(bad)?;
        scale += 1;
    }
    let digits = i32::try_from(unscaled.unsigned_abs().to_string().len()).map_err(|_| bad())?;
    let precision = literal.precision.unwrap_or(0).max(digits).max(wanted).max(1);
    match types::decimal_type(precision, wanted)? {
        DataType::Decimal128(precision, scale) => Ok(ScalarValue::Decimal128(Some(unscaled), precision, scale)),
        _ => Err(bad()),
    }
}

#[expect(deprecated, reason = "clients before 4.2 give the element type here only")]
fn list(array: ArrayLiteral, stated: Option<proto::DataType>) -> Result<ScalarValue> {
    let elements = array.elements.into_iter().map(value).collect::<Result<Vec<_>>>()?;
    let stated = match stated.or_else(|| array.element_type.map(array_of)).map(types::from_proto).transpose()? {
        Some(DataType::List(element)) => Some(element),
        _ => None,
    };
    let element = match stated {
        Some(element) => element.data_type().clone(),
        None => elements.first().map_or(DataType::Null, ScalarValue::data_type),
    };
    let elements = column(elements, &element)?;
    Ok(ScalarValue::List(Arc::new(SingleRowListArrayBuilder::new(elements).build_list_array())))
}

/// Values as a column of one type.
fn column(values: Vec<ScalarValue>, of: &DataType) -> Result<ArrayRef> {
    if values.is_empty() {
        return Ok(new_empty_array(of));
    }
    let bad = |e: &dyn std::fmt::Display| invalid_plan(&format!("The elements of a literal are not all {of}: {e}."));
    let column = ScalarValue::iter_to_array(values).map_err(|e| bad(&e))?;
    cast(&column, of).map_err(|e| bad(&e))
}

fn array_of(element_type: proto::DataType) -> proto::DataType {
    let array = proto::data_type::Array {
        element_type: Some(Box::new(element_type)),
        contains_null: true,
        ..proto::data_type::Array::default()
    };
    proto::DataType { kind: Some(proto::data_type::Kind::Array(Box::new(array))) }
}

fn specialized(values: ValueType) -> ScalarValue {
    fn all<T>(values: Vec<T>, of: &DataType, scalar: impl Fn(T) -> ScalarValue) -> ScalarValue {
        let values: Vec<_> = values.into_iter().map(scalar).collect();
        ScalarValue::List(ScalarValue::new_list(&values, of, false))
    }
    match values {
        ValueType::Bools(v) => all(v.values, &DataType::Boolean, |v| ScalarValue::Boolean(Some(v))),
        ValueType::Ints(v) => all(v.values, &DataType::Int32, |v| ScalarValue::Int32(Some(v))),
        ValueType::Longs(v) => all(v.values, &DataType::Int64, |v| ScalarValue::Int64(Some(v))),
        ValueType::Floats(v) => all(v.values, &DataType::Float32, |v| ScalarValue::Float32(Some(v))),
        ValueType::Doubles(v) => all(v.values, &DataType::Float64, |v| ScalarValue::Float64(Some(v))),
        ValueType::Strings(v) => all(v.values, &DataType::Utf8, |v| ScalarValue::Utf8(Some(v))),
    }
}

#[expect(deprecated, reason = "clients before 4.2 give the types here only")]
fn map(map: Map, stated: Option<proto::DataType>) -> Result<ScalarValue> {
    let keys = map.keys.into_iter().map(value).collect::<Result<Vec<_>>>()?;
    let values = map.values.into_iter().map(value).collect::<Result<Vec<_>>>()?;
    if keys.len() != values.len() {
        return Err(invalid_plan("A map literal has not as many values as keys."));
    }
    let (key_type, value_type) = match stated.map(types::from_proto).transpose()? {
        Some(DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                (Some(fields[0].data_type().clone()), Some(fields[1].data_type().clone()))
            }
            _ => (None, None),
        },
        _ => (map.key_type.map(types::from_proto).transpose()?, map.value_type.map(types::from_proto).transpose()?),
    };
    let typed = |values: Vec<ScalarValue>, stated: Option<DataType>| {
        let of = stated.or_else(|| values.first().map(ScalarValue::data_type)).unwrap_or(DataType::Null);
        column(values, &of)
    };
    let (keys, values) = (typed(keys, key_type)?, typed(values, value_type)?);
    let fields = Fields::from(vec![
        Field::new("key", keys.data_type().clone(), false),
        Field::new("value", values.data_type().clone(), true),
    ]);
    let offsets = OffsetBuffer::from_lengths([keys.len()]);
    let bad = |e| invalid_plan(&format!("A map literal is not valid: {e}."));
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(bad)?;
    let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    Ok(ScalarValue::Map(Arc::new(MapArray::try_new(field, offsets, entries, None, false).map_err(bad)?)))
}

#[expect(deprecated, reason = "clients before 4.2 give the type here only")]
fn row(row: Struct, stated: Option<proto::DataType>) -> Result<ScalarValue> {
    let of = types::from_proto(stated.or(row.struct_type).ok_or_else(|| missing("struct_type"))?)?;
    let DataType::Struct(fields) = of else { return Err(invalid_plan("A struct literal has no struct type.")) };
    let values = row.elements.into_iter().map(value).collect::<Result<Vec<_>>>()?;
    if fields.len() != values.len() {
        return Err(invalid_plan("A struct literal has not as many values as fields."));
    }
    let columns = values.iter().map(|value| value.to_array().map_err(SparkError::internal)).collect::<Result<_>>()?;
    let one = StructArray::try_new(fields, columns, None)
        .map_err(|e| invalid_plan(&format!("A struct literal is not valid: {e}.")))?;
    Ok(ScalarValue::Struct(Arc::new(one)))
}
