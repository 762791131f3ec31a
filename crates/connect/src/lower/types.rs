//! Spark's types and Arrow's, both ways.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, TimeUnit};
use sheetbend_plan::ddl;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::interval::IntervalFields;
use sheetbend_plan::types::METADATA;
use spark_connect_proto::data_type::{self as kind, Kind};
use spark_connect_proto::{self as proto};

use crate::error::missing;

/// The Arrow type of a Spark type.
///
/// # Errors
/// A type that has no Arrow form here.
pub(crate) fn from_proto(data_type: proto::DataType) -> Result<DataType> {
    Ok(match data_type.kind.ok_or_else(|| missing("data_type.kind"))? {
        Kind::Null(_) => DataType::Null,
        Kind::Binary(_) => DataType::Binary,
        Kind::Boolean(_) => DataType::Boolean,
        Kind::Byte(_) => DataType::Int8,
        Kind::Short(_) => DataType::Int16,
        Kind::Integer(_) => DataType::Int32,
        Kind::Long(_) => DataType::Int64,
        Kind::Float(_) => DataType::Float32,
        Kind::Double(_) => DataType::Float64,
        Kind::Decimal(decimal) => decimal_type(decimal.precision.unwrap_or(10), decimal.scale.unwrap_or(0))?,
        Kind::String(_) | Kind::Char(_) | Kind::VarChar(_) => DataType::Utf8,
        Kind::Date(_) => DataType::Date32,
        Kind::Timestamp(_) => ddl::timestamp(),
        Kind::TimestampNtz(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::Time(_) => DataType::Time64(TimeUnit::Nanosecond),
        Kind::CalendarInterval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        Kind::YearMonthInterval(_) => DataType::Interval(IntervalUnit::YearMonth),
        Kind::DayTimeInterval(_) => DataType::Duration(TimeUnit::Microsecond),
        Kind::Array(array) => ddl::list(inner(array.element_type)?, array.contains_null),
        Kind::Struct(fields) => {
            DataType::Struct(fields.fields.into_iter().map(field_from_proto).collect::<Result<Fields>>()?)
        }
        Kind::Map(map) => ddl::map(inner(map.key_type)?, inner(map.value_type)?, map.value_contains_null),
        Kind::Unparsed(text) => ddl::parse_data_type(&text.data_type_string)?,
        Kind::Udt(udt) => inner(udt.sql_type)?,
        Kind::Variant(_) => return Err(SparkError::unsupported("the type VARIANT")),
        Kind::Geometry(_) | Kind::Geography(_) => return Err(SparkError::unsupported("geospatial types")),
        Kind::TimestampNtzNanos(_) | Kind::TimestampLtzNanos(_) => {
            return Err(SparkError::unsupported("timestamps of nanoseconds"));
        }
    })
}

/// The Spark type of an Arrow type.
///
/// # Errors
/// A type that Spark does not have.
pub(crate) fn to_proto(data_type: &DataType) -> Result<proto::DataType> {
    kind_to_proto(data_type, None)
}

fn field_to_proto(field: &Field) -> Result<proto::DataType> {
    kind_to_proto(field.data_type(), IntervalFields::of(field))
}

fn kind_to_proto(data_type: &DataType, fields: Option<IntervalFields>) -> Result<proto::DataType> {
    let kind = match data_type {
        DataType::Null => Kind::Null(kind::Null::default()),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Kind::Binary(kind::Binary::default())
        }
        DataType::Boolean => Kind::Boolean(kind::Boolean::default()),
        DataType::Int8 => Kind::Byte(kind::Byte::default()),
        DataType::Int16 => Kind::Short(kind::Short::default()),
        DataType::Int32 => Kind::Integer(kind::Integer::default()),
        DataType::Int64 => Kind::Long(kind::Long::default()),
        DataType::Float32 => Kind::Float(kind::Float::default()),
        DataType::Float64 => Kind::Double(kind::Double::default()),
        DataType::Decimal128(precision, scale) => Kind::Decimal(kind::Decimal {
            precision: Some(i32::from(*precision)),
            scale: Some(i32::from(*scale)),
            ..kind::Decimal::default()
        }),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Kind::String(kind::String { collation: "UTF8_BINARY".to_owned(), ..kind::String::default() })
        }
        DataType::Date32 => Kind::Date(kind::Date::default()),
        DataType::Timestamp(_, Some(_)) => Kind::Timestamp(kind::Timestamp::default()),
        DataType::Timestamp(_, None) => Kind::TimestampNtz(kind::TimestampNtz::default()),
        DataType::Time64(_) => Kind::Time(kind::Time { precision: Some(6), ..kind::Time::default() }),
        DataType::Interval(IntervalUnit::MonthDayNano) => Kind::CalendarInterval(kind::CalendarInterval::default()),
        DataType::Interval(IntervalUnit::YearMonth) => Kind::YearMonthInterval(kind::YearMonthInterval {
            start_field: Some(fields.map_or(0, |fields| fields.first.into())),
            end_field: Some(fields.map_or(1, |fields| fields.last.into())),
            ..kind::YearMonthInterval::default()
        }),
        DataType::Duration(_) => Kind::DayTimeInterval(kind::DayTimeInterval {
            start_field: Some(fields.map_or(0, |fields| fields.first.into())),
            end_field: Some(fields.map_or(3, |fields| fields.last.into())),
            ..kind::DayTimeInterval::default()
        }),
        DataType::List(element) | DataType::LargeList(element) | DataType::FixedSizeList(element, _) => {
            Kind::Array(Box::new(kind::Array {
                element_type: Some(Box::new(field_to_proto(element)?)),
                contains_null: element.is_nullable(),
                ..kind::Array::default()
            }))
        }
        DataType::Struct(members) => Kind::Struct(struct_to_proto(members)?),
        DataType::Map(entries, _) => {
            let DataType::Struct(members) = entries.data_type() else { return Err(unknown(data_type)) };
            let [key, value] = members.as_ref() else { return Err(unknown(data_type)) };
            Kind::Map(Box::new(kind::Map {
                key_type: Some(Box::new(field_to_proto(key)?)),
                value_type: Some(Box::new(field_to_proto(value)?)),
                value_contains_null: value.is_nullable(),
                ..kind::Map::default()
            }))
        }
        other => return Err(unknown(other)),
    };
    Ok(proto::DataType { kind: Some(kind) })
}

/// The Spark type of a row.
pub(crate) fn schema_to_proto(schema: &Schema) -> Result<proto::DataType> {
    Ok(proto::DataType { kind: Some(Kind::Struct(struct_to_proto(schema.fields())?)) })
}

/// Spark's `DECIMAL(precision, scale)`.
pub(crate) fn decimal_type(precision: i32, scale: i32) -> Result<DataType> {
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p @ 1..=38), Ok(s)) if s >= 0 && s.unsigned_abs() <= p => Ok(DataType::Decimal128(p, s)),
        _ => Err(crate::error::invalid_plan(&format!("There is no type DECIMAL({precision},{scale})."))),
    }
}

/// The Spark form of an Arrow type that a client may send: one encoding for each kind of value.
pub(crate) fn spark_form(data_type: &DataType) -> DataType {
    let field = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(spark_form(field.data_type())));
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, Some(_)) => ddl::timestamp(),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Nanosecond),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal256(p, s) if *p <= 38 => {
            DataType::Decimal128(*p, *s)
        }
        DataType::Dictionary(_, value) => spark_form(value),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => ddl::list(spark_form(element.data_type()), element.is_nullable()),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        other => other.clone(),
    }
}

fn struct_to_proto(fields: &Fields) -> Result<kind::Struct> {
    let fields = fields.iter().map(|field| {
        Ok(kind::StructField {
            name: field.name().clone(),
            data_type: Some(field_to_proto(field)?),
            nullable: field.is_nullable(),
            metadata: metadata_to_json(&IntervalFields::without(field.metadata())),
        })
    });
    Ok(kind::Struct { fields: fields.collect::<Result<_>>()?, ..kind::Struct::default() })
}

fn field_from_proto(field: kind::StructField) -> Result<Field> {
    let data_type = from_proto(field.data_type.ok_or_else(|| missing("field.data_type"))?)?;
    Ok(Field::new(field.name, data_type, field.nullable))
}

fn metadata_to_json(metadata: &HashMap<String, String>) -> Option<String> {
    if let Some(json) = metadata.get(METADATA) {
        return Some(json.clone());
    }
    (!metadata.is_empty()).then(|| serde_json::to_string(metadata).unwrap_or_default())
}

fn inner(data_type: Option<Box<proto::DataType>>) -> Result<DataType> {
    from_proto(*data_type.ok_or_else(|| missing("data_type"))?)
}

fn unknown(data_type: &DataType) -> SparkError {
    SparkError::unsupported(format_args!("the Arrow type {data_type} in a result"))
}
