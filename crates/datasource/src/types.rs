//! Arrow types of a source, as the table has them, and which may stand for which.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Fields, IntervalUnit, Schema, TimeUnit};

/// The keys of a field's metadata that make it of an extension type.
const EXTENSION: &str = "ARROW:extension:";

/// A column of a type that no table can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column '{column}' is {data_type}, a type that no table can have; cast it in the plug-in")]
pub struct UnknownType {
    /// The column; dots reach into it.
    pub column: String,
    /// Its type.
    pub data_type: String,
}

/// The schema of the table that a source with `schema` makes.
///
/// The engine and its clients know fewer types than Arrow has. Where one is missing, the next that holds its values takes
/// its place:
///
/// | the source promises | the table has |
/// | --- | --- |
/// | large_utf8, utf8_view | utf8 |
/// | large_binary, binary_view, fixed_size_binary | binary |
/// | large_list, list_view, large_list_view, fixed_size_list | list |
/// | uint8, uint16, uint32, uint64 | int16, int32, int64, decimal(20, 0) |
/// | float16 | float32 |
/// | decimal32, decimal64, decimal256 | decimal128, of 38 digits where there are more |
/// | decimals of a negative scale | the scale 0, and as many digits more |
/// | timestamp in s, ms or ns | timestamp in us, the time zone kept |
/// | duration in s, ms or ns | duration in us |
/// | time32, time64 in us | time64 in ns |
/// | date64 | date32 |
/// | dictionary, run-end encoded | the type of its values |
///
/// Types inside lists, structs and maps too. Metadata is kept; but an extension type whose values change their Arrow type
/// is one no more.
///
/// # Errors
/// Unions, intervals of days and milliseconds, and decimals whose digits lie 38 places or more away from the point.
pub fn table_schema(schema: &Schema) -> Result<Schema, UnknownType> {
    Ok(Schema::new_with_metadata(fields(schema.fields(), "")?, schema.metadata().clone()))
}

/// The type of a table for the type of a source, as of [`table_schema`].
///
/// # Errors
/// A type that no table can have, in `column`.
pub fn table_type(source: &DataType, column: &str) -> Result<DataType, UnknownType> {
    use DataType as T;
    Ok(match source {
        T::LargeUtf8 | T::Utf8View => T::Utf8,
        T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => T::Binary,
        T::UInt8 => T::Int16,
        T::UInt16 => T::Int32,
        T::UInt32 => T::Int64,
        T::UInt64 => T::Decimal128(20, 0),
        T::Float16 => T::Float32,
        T::Timestamp(_, zone) => T::Timestamp(TimeUnit::Microsecond, zone.clone()),
        T::Duration(_) => T::Duration(TimeUnit::Microsecond),
        T::Time32(_) | T::Time64(_) => T::Time64(TimeUnit::Nanosecond),
        T::Date64 => T::Date32,
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => {
            decimal(source).and_then(table_decimal).ok_or_else(|| unknown(source, column))?
        }
        T::Dictionary(_, values) => table_type(values, column)?,
        T::RunEndEncoded(_, values) => table_type(values.data_type(), column)?,
        T::List(item) | T::LargeList(item) | T::ListView(item) | T::LargeListView(item) | T::FixedSizeList(item, _) => {
            T::List(field(item, column)?)
        }
        T::Struct(members) => T::Struct(fields(members, &format!("{column}."))?),
        T::Map(entries, sorted) => T::Map(field(entries, column)?, *sorted),
        T::Union(..) | T::Interval(IntervalUnit::DayTime) => return Err(unknown(source, column)),
        other => other.clone(),
    })
}

/// Spark's decimals have up to 38 digits, none of them left of the point's zeros.
fn table_decimal((precision, scale): (u8, i8)) -> Option<DataType> {
    let most = DECIMAL128_MAX_PRECISION;
    match u8::try_from(scale) {
        Ok(places) if places > most => None,
        Ok(_) => Some(DataType::Decimal128(precision.min(most), scale)),
        Err(_) => {
            let digits = precision.saturating_add(scale.unsigned_abs());
            (digits <= most).then_some(DataType::Decimal128(digits, 0))
        }
    }
}

fn unknown(source: &DataType, column: &str) -> UnknownType {
    UnknownType { column: column.to_owned(), data_type: source.to_string() }
}

fn fields(fields: &Fields, within: &str) -> Result<Fields, UnknownType> {
    fields.iter().map(|member| field(member, &format!("{within}{}", member.name()))).collect()
}

fn field(field: &FieldRef, column: &str) -> Result<FieldRef, UnknownType> {
    let data_type = table_type(field.data_type(), column)?;
    if data_type == *field.data_type() {
        return Ok(Arc::clone(field));
    }
    let mut metadata = field.metadata().clone();
    metadata.retain(|key, _| !key.starts_with(EXTENSION));
    Ok(Arc::new(Field::clone(field).with_data_type(data_type).with_metadata(metadata)))
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
        (T::Duration(unit), T::Duration(TimeUnit::Microsecond)) => {
            Some(if *unit == TimeUnit::Nanosecond { Checked } else { Safe })
        }
        (T::Time32(_), T::Time64(_)) | (T::Time64(TimeUnit::Microsecond), T::Time64(TimeUnit::Nanosecond)) => {
            Some(Safe)
        }
        (from, T::Decimal128(to_precision, to_scale) | T::Decimal256(to_precision, to_scale)) => {
            widening_decimal(decimal(from)?, (*to_precision, *to_scale))
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

/// What has more digits than a table's decimal is looked at value by value: columns are often declared wider than filled.
fn widening_decimal((precision, scale): (u8, i8), (to_precision, to_scale): (u8, i8)) -> Option<Widening> {
    let whole = |precision: u8, scale: i8| i16::from(precision) - i16::from(scale);
    if scale <= to_scale && whole(precision, scale) <= whole(to_precision, to_scale) {
        return Some(Widening::Safe);
    }
    let cut = precision > DECIMAL128_MAX_PRECISION && to_precision == DECIMAL128_MAX_PRECISION && scale == to_scale;
    cut.then_some(Widening::Checked)
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
