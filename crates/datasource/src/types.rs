//! Arrow types of a source, as the table has them, and which may stand for which.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};

/// The schema of the table that a source with `schema` makes.
///
/// The engine and its clients know fewer types than Arrow has. Where one is missing, the next that holds all its values
/// takes its place:
///
/// | the source promises | the table has |
/// | --- | --- |
/// | large_utf8, utf8_view | utf8 |
/// | large_binary, binary_view | binary |
/// | large_list, list_view, large_list_view | list |
/// | uint8, uint16, uint32, uint64 | int16, int32, int64, decimal(20, 0) |
/// | float16 | float32 |
/// | timestamp in s, ms or ns | timestamp in us, the time zone kept |
/// | date64 | date32 |
/// | dictionary, run-end encoded | the type of its values |
///
/// Types inside lists, structs and maps too. Metadata is kept.
pub fn table_schema(schema: &Schema) -> Schema {
    Schema::new_with_metadata(fields(schema.fields()), schema.metadata().clone())
}

/// The type of a table for a type of a source.
pub fn table_type(source: &DataType) -> DataType {
    match source {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Date64 => DataType::Date32,
        DataType::Dictionary(_, values) => table_type(values),
        DataType::RunEndEncoded(_, values) => table_type(values.data_type()),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
            DataType::List(field(item))
        }
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(field(item), *size),
        DataType::Struct(members) => DataType::Struct(fields(members)),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        other => other.clone(),
    }
}

fn fields(fields: &Fields) -> Fields {
    fields.iter().map(field).collect()
}

fn field(field: &FieldRef) -> FieldRef {
    match table_type(field.data_type()) {
        same if same == *field.data_type() => Arc::clone(field),
        other => Arc::new(Field::clone(field).with_data_type(other)),
    }
}

/// How values of one type become values of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Widening {
    /// The types are the same.
    Same,
    /// The other type holds every value.
    Safe,
    /// The other type holds only some of the values; each has to be looked at.
    Checked,
}

/// How values of `from` become values of `to`; none where they may not.
pub fn widening(from: &DataType, to: &DataType) -> Option<Widening> {
    use DataType as T;
    use Widening::{Checked, Safe, Same};
    let safe = |yes: bool| yes.then_some(Safe);
    match (from, to) {
        _ if from == to => Some(Same),
        (T::Null, _) => Some(Safe),
        (T::Dictionary(_, values), to) => widening(values, to).map(|inner| inner.max(Safe)),
        (T::RunEndEncoded(_, values), to) => widening(values.data_type(), to).map(|inner| inner.max(Safe)),
        (T::UInt64, T::Decimal128(precision, 0)) => safe(*precision >= 20),
        (from, to) if from.is_integer() && to.is_integer() => safe(holds_integers(from, to)),
        (T::Float16, T::Float32 | T::Float64) | (T::Float32, T::Float64) => Some(Safe),
        (T::LargeUtf8 | T::Utf8View | T::Utf8, T::Utf8 | T::LargeUtf8) => Some(Safe),
        (T::LargeBinary | T::BinaryView | T::Binary | T::FixedSizeBinary(_), T::Binary | T::LargeBinary) => Some(Safe),
        (T::Date32, T::Timestamp(TimeUnit::Microsecond, None)) => Some(Safe),
        (T::Date64, T::Date32) => Some(Checked),
        // A zone says how an instant is shown, and changes none. A timestamp without one is no instant.
        (T::Timestamp(unit, from_zone), T::Timestamp(TimeUnit::Microsecond, to_zone)) => {
            let exact = if *unit == TimeUnit::Nanosecond { Checked } else { Safe };
            (from_zone.is_some() == to_zone.is_some()).then_some(exact)
        }
        (T::Time32(_), T::Time64(_)) | (T::Time64(TimeUnit::Microsecond), T::Time64(TimeUnit::Nanosecond)) => {
            Some(Safe)
        }
        (from, T::Decimal128(to_precision, to_scale) | T::Decimal256(to_precision, to_scale)) => {
            let (precision, scale) = decimal(from)?;
            safe(precision <= *to_precision && scale == *to_scale)
        }
        (
            T::List(from) | T::LargeList(from) | T::ListView(from) | T::LargeListView(from) | T::FixedSizeList(from, _),
            T::List(to),
        ) => nested(from, to),
        (T::FixedSizeList(from, from_size), T::FixedSizeList(to, to_size)) if from_size == to_size => nested(from, to),
        (T::Map(from, _), T::Map(to, _)) => entries(from, to),
        (T::Struct(from), T::Struct(to)) => members(from, to, true),
        _ => None,
    }
}

fn nested(from: &Field, to: &Field) -> Option<Widening> {
    widening(from.data_type(), to.data_type()).map(|inner| inner.max(Widening::Safe))
}

fn entries(from: &Field, to: &Field) -> Option<Widening> {
    match (from.data_type(), to.data_type()) {
        // The names of the entries are a habit of the writer's.
        (DataType::Struct(from), DataType::Struct(to)) => members(from, to, false),
        _ => None,
    }
}

fn members(from: &Fields, to: &Fields, by_name: bool) -> Option<Widening> {
    if from.len() != to.len() {
        return None;
    }
    from.iter().zip(to).try_fold(Widening::Safe, |widest, (from, to)| match by_name && from.name() != to.name() {
        true => None,
        false => nested(from, to).map(|inner| inner.max(widest)),
    })
}

fn holds_integers(from: &DataType, to: &DataType) -> bool {
    let bits = |of: &DataType| of.primitive_width().unwrap_or_default();
    match (from.is_signed_integer(), to.is_signed_integer()) {
        (false, true) => bits(from) < bits(to),
        (true, false) => false,
        _ => bits(from) <= bits(to),
    }
}

fn decimal(of: &DataType) -> Option<(u8, i8)> {
    match of {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}
