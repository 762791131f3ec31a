//! JSON values as values of types.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray,
    StructArray, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType, Date32Type, FieldRef, Fields, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use sheetbend_plan::error::{Result, SparkError};

use super::JsonOptions;
use super::value::{Json, compact};

/// A value, and the row that it is part of.
#[derive(Clone, Copy)]
pub(super) struct Slot<'v> {
    pub(super) value: Option<&'v Json<'v>>,
    pub(super) row: usize,
}

/// Values as an array of a type; where one is of another, NULL, and its row is marked as bad.
pub(super) fn column(slots: &[Slot<'_>], to: &DataType, options: &JsonOptions, bad: &mut [bool]) -> Result<ArrayRef> {
    let times = &options.times;
    Ok(match to {
        DataType::Null => new_null_array(to, slots.len()),
        DataType::Utf8 => Arc::new(slots.iter().map(|slot| text(slot.value?, options)).collect::<StringArray>()),
        DataType::Boolean => {
            let flags = parsed(slots, bad, |json| if let Json::Bool(value) = json { Some(*value) } else { None });
            Arc::new(flags.into_iter().collect::<BooleanArray>())
        }
        DataType::Int8 => numbers::<Int8Type>(slots, to, bad, whole),
        DataType::Int16 => numbers::<Int16Type>(slots, to, bad, whole),
        DataType::Int32 => numbers::<Int32Type>(slots, to, bad, whole),
        DataType::Int64 => numbers::<Int64Type>(slots, to, bad, whole),
        DataType::Float32 => {
            numbers::<Float32Type>(slots, to, bad, |json| double(json, options).map(|value| value as f32))
        }
        DataType::Float64 => numbers::<Float64Type>(slots, to, bad, |json| double(json, options)),
        DataType::Date32 => numbers::<Date32Type>(slots, to, bad, |json| times.date(string(json)?)),
        DataType::Timestamp(_, Some(_)) => numbers::<TimestampMicrosecondType>(slots, to, bad, |json| match json {
            Json::Number(seconds) => seconds.parse::<i64>().ok()?.checked_mul(1_000_000),
            _ => times.timestamp(string(json)?),
        }),
        DataType::Timestamp(_, None) => {
            numbers::<TimestampMicrosecondType>(slots, to, bad, |json| times.timestamp_ntz(string(json)?))
        }
        DataType::Binary => {
            Arc::new(parsed(slots, bad, |json| base64(string(json)?)).into_iter().collect::<BinaryArray>())
        }
        DataType::Struct(fields) => structs(slots, fields, options, bad)?,
        DataType::List(item) => lists(slots, item, options, bad)?,
        DataType::Map(entries, _) => maps(slots, entries, options, bad)?,
        other => {
            let texts: StringArray = slots.iter().map(|slot| slot.value.and_then(Json::text)).collect();
            let values = times.reader.values(&texts, other)?;
            for (at, slot) in slots.iter().enumerate() {
                bad[slot.row] |= values.is_null(at) && !texts.is_null(at);
            }
            values
        }
    })
}

fn parsed<T>(slots: &[Slot<'_>], bad: &mut [bool], parse: impl Fn(&Json<'_>) -> Option<T>) -> Vec<Option<T>> {
    let values = slots.iter().map(|slot| {
        let json = slot.value.filter(|json| **json != Json::Null)?;
        let value = parse(json);
        bad[slot.row] |= value.is_none();
        value
    });
    values.collect()
}

fn numbers<T: ArrowPrimitiveType>(
    slots: &[Slot<'_>],
    to: &DataType,
    bad: &mut [bool],
    parse: impl Fn(&Json<'_>) -> Option<T::Native>,
) -> ArrayRef {
    let values: PrimitiveArray<T> = parsed(slots, bad, parse).into_iter().collect();
    Arc::new(values.with_data_type(to.clone()))
}

fn whole<T: std::str::FromStr>(json: &Json<'_>) -> Option<T> {
    if let Json::Number(text) = json { text.parse().ok() } else { None }
}

fn double(json: &Json<'_>, options: &JsonOptions) -> Option<f64> {
    let text = match json {
        Json::Number(text) => text,
        Json::Text(text)
            if matches!(text.as_ref(), "NaN" | "Infinity" | "+Infinity" | "-Infinity" | "INF" | "+INF" | "-INF") =>
        {
            text.as_ref()
        }
        _ => return None,
    };
    options.times.reader.parse_double(text)
}

fn string<'j>(json: &'j Json<'_>) -> Option<&'j str> {
    if let Json::Text(text) = json { Some(text) } else { None }
}

fn structs(slots: &[Slot<'_>], fields: &Fields, options: &JsonOptions, bad: &mut [bool]) -> Result<ArrayRef> {
    let objects = parsed(slots, bad, |json| matches!(json, Json::Object(..)).then_some(()));
    let nulls: NullBuffer = objects.iter().map(Option::is_some).collect();
    if fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(slots.len(), Some(nulls))));
    }
    let columns = fields.iter().enumerate().map(|(at, field)| {
        let values: Vec<_> = slots
            .iter()
            .map(|slot| Slot { value: slot.value.and_then(|json| json.get(field.name(), at)), ..*slot })
            .collect();
        column(&values, field.data_type(), options, bad)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls)).map_err(SparkError::internal)?))
}

fn lists(slots: &[Slot<'_>], item: &FieldRef, options: &JsonOptions, bad: &mut [bool]) -> Result<ArrayRef> {
    let is_list = parsed(slots, bad, |json| matches!(json, Json::Array(..)).then_some(()));
    let nulls: NullBuffer = is_list.iter().map(Option::is_some).collect();
    let items = |slot: &Slot<'_>| match slot.value {
        Some(Json::Array(items, _)) => items.len(),
        _ => 0,
    };
    let offsets = OffsetBuffer::from_lengths(slots.iter().map(items));
    let all: Vec<_> = slots
        .iter()
        .filter_map(|slot| if let Some(Json::Array(items, _)) = slot.value { Some((items, slot.row)) } else { None })
        .flat_map(|(items, row)| items.iter().map(move |item| Slot { value: Some(item), row }))
        .collect();
    let values = column(&all, item.data_type(), options, bad)?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, Some(nulls)).map_err(SparkError::internal)?))
}

fn maps(slots: &[Slot<'_>], entries: &FieldRef, options: &JsonOptions, bad: &mut [bool]) -> Result<ArrayRef> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(SparkError::internal("a map has entries"));
    };
    let is_map = parsed(slots, bad, |json| matches!(json, Json::Object(..)).then_some(()));
    let nulls: NullBuffer = is_map.iter().map(Option::is_some).collect();
    let count = |slot: &Slot<'_>| if let Some(Json::Object(fields, _)) = slot.value { fields.len() } else { 0 };
    let offsets = OffsetBuffer::from_lengths(slots.iter().map(count));
    let (mut keys, mut values) = (vec![], vec![]);
    for slot in slots {
        if let Some(Json::Object(fields, _)) = slot.value {
            keys.extend(fields.iter().map(|(key, _)| Some(key.as_ref())));
            values.extend(fields.iter().map(|(_, value)| Slot { value: Some(value), row: slot.row }));
        }
    }
    let keys = options.times.reader.values(&StringArray::from(keys), fields[0].data_type())?;
    let values = column(&values, fields[1].data_type(), options, bad)?;
    let structs = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(SparkError::internal)?;
    let map = MapArray::try_new(Arc::clone(entries), offsets, structs, Some(nulls), false);
    Ok(Arc::new(map.map_err(SparkError::internal)?))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut word, mut bits) = (0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        word = word << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 0xFF) as u8);
        }
    }
    Some(bytes)
}

/// The text of a value; none for NULL. Spark keeps the spaces of files, and not those of texts.
fn text<'a>(value: &'a Json<'_>, options: &JsonOptions) -> Option<Cow<'a, str>> {
    Some(match value {
        Json::Array(_, whole) | Json::Object(_, whole) if options.of_texts => Cow::Owned(compact(whole)),
        other => Cow::Borrowed(other.text()?),
    })
}
