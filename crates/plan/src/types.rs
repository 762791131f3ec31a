//! Types: which one two values have in common, and which ones a client can read.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Fields, TimeUnit};

/// Under this key the metadata of an Arrow field has that of a PySpark `StructField`, as JSON.
pub const METADATA: &str = "SPARK::metadata::json";

/// Timestamps that stand for an instant, as the engine keeps them; Spark's `TIMESTAMP`.
pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// Timestamps without a zone; Spark's `TIMESTAMP_NTZ`.
pub(crate) fn timestamp_ntz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// The type in which a PySpark client reads a value of type `data_type`.
///
/// Spark has no unsigned integers, views, large offsets or nanoseconds, and its client refuses some of them.
/// Instants are shown in the session's `time_zone`.
pub fn client_type(data_type: &DataType, time_zone: &str) -> DataType {
    let child = |field: &FieldRef| -> FieldRef {
        Arc::new(Field::new(field.name(), client_type(field.data_type(), time_zone), field.is_nullable()))
    };
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal256(precision, scale) => {
            DataType::Decimal128((*precision).min(DECIMAL128_MAX_PRECISION), *scale)
        }
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some(time_zone.into())),
        DataType::Timestamp(_, None) => timestamp_ntz(),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        DataType::Dictionary(_, value) => client_type(value, time_zone),
        DataType::RunEndEncoded(_, value) => client_type(value.data_type(), time_zone),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => DataType::List(child(field)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(child).collect()),
        DataType::Map(entries, sorted) => {
            let entries = entries.as_ref().clone().with_data_type(client_type(entries.data_type(), time_zone));
            DataType::Map(Arc::new(entries), *sorted)
        }
        other => other.clone(),
    }
}

/// Whether values of the type are whole numbers.
pub(crate) fn is_integral(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
}

/// Whether values of the type are numbers.
pub(crate) fn is_numeric(data_type: &DataType) -> bool {
    is_integral(data_type) || matches!(data_type, DataType::Float32 | DataType::Float64 | DataType::Decimal128(..))
}

/// Whether values of the type are text.
pub(crate) fn is_string(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The type that values of two types are brought to before they are compared or put into one column; none where
/// there is none. Spark's ANSI rules: text meets another type by becoming it.
pub(crate) fn common_type(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Binary, Boolean, Date32, Float32, Float64, Int64, List, Map, Null, Struct, Timestamp, Utf8};
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (Null, other) | (other, Null) => Some(other.clone()),
        _ if is_string(left) && is_string(right) => Some(Utf8),
        _ if is_numeric(left) && is_numeric(right) => Some(common_number(left, right)),
        (text, other) | (other, text) if is_string(text) => match other {
            other if is_integral(other) => Some(Int64),
            Float32 | Float64 | DataType::Decimal128(..) => Some(Float64),
            Boolean | Date32 | Timestamp(..) | Binary => Some(other.clone()),
            DataType::Duration(_) | DataType::Interval(_) => Some(other.clone()),
            _ => None,
        },
        (Date32, Timestamp(_, zone)) | (Timestamp(_, zone), Date32) => {
            Some(if zone.is_some() { timestamp() } else { timestamp_ntz() })
        }
        (Timestamp(..), Timestamp(..)) => Some(timestamp()),
        (List(left), List(right)) => Some(List(common_field(left, right)?)),
        (Struct(left), Struct(right)) if left.len() == right.len() => {
            let fields: Option<Fields> =
                left.iter().zip(right).map(|(left, right)| common_field(left, right)).collect();
            Some(Struct(fields?))
        }
        (Map(left, _), Map(right, _)) => Some(Map(common_field(left, right)?, false)),
        _ => None,
    }
}

fn common_field(left: &FieldRef, right: &FieldRef) -> Option<FieldRef> {
    let data_type = common_type(left.data_type(), right.data_type())?;
    Some(Arc::new(Field::new(left.name(), data_type, left.is_nullable() || right.is_nullable())))
}

fn common_number(left: &DataType, right: &DataType) -> DataType {
    match (left, right) {
        (DataType::Decimal128(..), DataType::Float32 | DataType::Float64)
        | (DataType::Float32 | DataType::Float64, DataType::Decimal128(..)) => DataType::Float64,
        (DataType::Float32, other) | (other, DataType::Float32) if is_integral(other) => DataType::Float64,
        _ => match (as_decimal(left), as_decimal(right)) {
            (Some(left_decimal), Some(right_decimal))
                if matches!(left, DataType::Decimal128(..)) || matches!(right, DataType::Decimal128(..)) =>
            {
                wider_decimal(left_decimal, right_decimal)
            }
            _ => {
                if rank(left) >= rank(right) {
                    left.clone()
                } else {
                    right.clone()
                }
            }
        },
    }
}

fn rank(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Int8 => 0,
        DataType::Int16 => 1,
        DataType::Int32 => 2,
        DataType::Int64 => 3,
        DataType::Float32 => 4,
        _ => 5,
    }
}

/// Precision and scale that hold every value of a whole or decimal type.
pub(crate) fn as_decimal(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Int8 => Some((3, 0)),
        DataType::Int16 => Some((5, 0)),
        DataType::Int32 => Some((10, 0)),
        DataType::Int64 => Some((20, 0)),
        DataType::Decimal128(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}

fn wider_decimal((p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> DataType {
    let scale = s1.max(s2);
    let digits = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
    bounded_decimal(digits + i16::from(scale), i16::from(scale))
}

/// A decimal of this precision and scale; where it is wider than 38 digits, scale is given up down to 6 to keep the
/// whole part (`spark.sql.decimalOperations.allowPrecisionLoss`).
pub(crate) fn bounded_decimal(precision: i16, scale: i16) -> DataType {
    let max = i16::from(DECIMAL128_MAX_PRECISION);
    let (precision, scale) =
        if precision <= max { (precision, scale) } else { (max, (max - (precision - scale)).max(scale.min(6))) };
    DataType::Decimal128(precision as u8, scale as i8)
}
