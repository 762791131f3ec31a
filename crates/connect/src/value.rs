//! Values as the protocol's literals.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use sheetbend_plan::error::{Result, SparkError};
use spark_connect_proto::expression::Literal;
use spark_connect_proto::expression::literal::{Array, Decimal, LiteralType, Map, Struct};

use crate::lower::types;

/// The first value of a column. Types of nested values are said twice: clients look for them in the old place.
///
/// # Errors
/// A type that has no literal.
#[expect(deprecated, reason = "clients up to 4.2 read the types of nested values there")]
pub(crate) fn literal(column: &ArrayRef) -> Result<Literal> {
    let value = ScalarValue::try_from_array(column, 0)?;
    let data_type = types::to_proto(column.data_type())?;
    let of = |literal_type| Literal { literal_type: Some(literal_type), data_type: None };
    if value.is_null() {
        return Ok(of(LiteralType::Null(data_type)));
    }
    let nested = |literal_type| Literal { literal_type: Some(literal_type), data_type: Some(data_type.clone()) };
    Ok(match value {
        ScalarValue::Boolean(Some(value)) => of(LiteralType::Boolean(value)),
        ScalarValue::Int8(Some(value)) => of(LiteralType::Byte(value.into())),
        ScalarValue::Int16(Some(value)) => of(LiteralType::Short(value.into())),
        ScalarValue::Int32(Some(value)) => of(LiteralType::Integer(value)),
        ScalarValue::Int64(Some(value)) => of(LiteralType::Long(value)),
        ScalarValue::Float32(Some(value)) => of(LiteralType::Float(value)),
        ScalarValue::Float64(Some(value)) => of(LiteralType::Double(value)),
        ScalarValue::Utf8(Some(value)) => of(LiteralType::String(value)),
        ScalarValue::Binary(Some(value)) => of(LiteralType::Binary(value.into())),
        ScalarValue::Date32(Some(days)) => of(LiteralType::Date(days)),
        ScalarValue::TimestampMicrosecond(Some(micros), Some(_)) => of(LiteralType::Timestamp(micros)),
        ScalarValue::TimestampMicrosecond(Some(micros), None) => of(LiteralType::TimestampNtz(micros)),
        ScalarValue::DurationMicrosecond(Some(micros)) => of(LiteralType::DayTimeInterval(micros)),
        ScalarValue::IntervalYearMonth(Some(months)) => of(LiteralType::YearMonthInterval(months)),
        ScalarValue::Decimal128(Some(_), precision, scale) => of(LiteralType::Decimal(Decimal {
            value: arrow::util::display::array_value_to_string(column, 0).map_err(SparkError::internal)?,
            precision: Some(precision.into()),
            scale: Some(scale.into()),
        })),
        ScalarValue::List(list) => {
            let values = list.value(0);
            let elements = (0..values.len()).map(|at| literal(&values.slice(at, 1))).collect::<Result<_>>()?;
            let element_type = Some(types::to_proto(&list.value_type())?);
            nested(LiteralType::Array(Array { elements, element_type }))
        }
        ScalarValue::Struct(fields) => {
            let elements = fields.columns().iter().map(literal).collect::<Result<_>>()?;
            nested(LiteralType::Struct(Struct { elements, struct_type: Some(data_type.clone()) }))
        }
        ScalarValue::Map(map) => {
            let entries = map.value(0);
            let of_column = |column: &ArrayRef| -> Result<Vec<Literal>> {
                (0..column.len()).map(|at| literal(&column.slice(at, 1))).collect()
            };
            let (keys, values) = (of_column(entries.column(0))?, of_column(entries.column(1))?);
            let key_type = Some(types::to_proto(map.key_type())?);
            let value_type = Some(types::to_proto(map.value_type())?);
            nested(LiteralType::Map(Map { keys, values, key_type, value_type }))
        }
        other => return Err(SparkError::unsupported(named(&other.data_type()))),
    })
}

fn named(data_type: &DataType) -> String {
    format!("a literal of the type {data_type}")
}
