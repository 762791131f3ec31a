//! `from_json`: text as values of a type.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, StringArray, StructArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::error::Result as EngineResult;

use super::value::Json;
use crate::error::SparkError;
use crate::format::format_double;
use crate::functions::cast::parsed_or_null;
use crate::functions::csv::in_pattern;
use crate::functions::java_pattern::Pattern;
use crate::functions::native::Args;
use crate::types::is_integral;

pub(super) fn from_json(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let empty = match args.result {
        DataType::Struct(_) => Some(Json::Object(vec![])),
        _ => None,
    };
    let values: Vec<_> = (0..args.rows)
        .map(|row| {
            let text = args.text(0, row)?;
            // What is no JSON, or is JSON of another kind, is a struct without values.
            let json = Json::parse(text);
            match (args.result, json) {
                (DataType::Struct(_), Some(Json::Array(mut items))) if items.len() == 1 => items.pop(),
                (DataType::Struct(_), Some(json @ Json::Object(_))) => Some(json),
                (DataType::Struct(_), _) => empty.clone(),
                (_, json) => json,
            }
        })
        .collect();
    let pattern = args.text(1, 0).map(Pattern::parse).transpose()?;
    let reading = Reading { zone: args.zone, pattern };
    reading.column(&values.iter().map(Option::as_ref).collect::<Vec<_>>(), args.result)
}

/// How values are read.
struct Reading<'a> {
    /// The session's time zone.
    zone: &'a str,
    /// How timestamps are written, if it is said.
    pattern: Option<Pattern>,
}

impl Reading<'_> {
    /// Values as an array of a type; NULL where one is of another type.
    fn column(&self, values: &[Option<&Json>], to: &DataType) -> EngineResult<ArrayRef> {
        match to {
            DataType::Struct(fields) => self.structs(values, fields),
            DataType::List(item) => self.lists(values, item),
            DataType::Map(entries, _) => self.maps(values, entries),
            DataType::Null => Ok(new_null_array(to, values.len())),
            _ => {
                let texts: StringArray =
                    values.iter().map(|value| value.and_then(|value| readable(value, to))).collect();
                match (&self.pattern, to) {
                    (Some(pattern), DataType::Timestamp(..)) => in_pattern(texts.iter(), pattern, to, self.zone),
                    _ => parsed_or_null(&texts, to, self.zone),
                }
            }
        }
    }

    fn structs(&self, values: &[Option<&Json>], fields: &Fields) -> EngineResult<ArrayRef> {
        let nulls: NullBuffer = values.iter().map(|value| matches!(value, Some(Json::Object(_)))).collect();
        let columns = fields.iter().map(|field| {
            let values: Vec<_> = values.iter().map(|value| value.and_then(|value| value.get(field.name()))).collect();
            self.column(&values, field.data_type())
        });
        let columns = columns.collect::<EngineResult<Vec<_>>>()?;
        if columns.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(values.len(), Some(nulls))));
        }
        Ok(Arc::new(StructArray::try_new(fields.clone(), columns, Some(nulls))?))
    }

    fn lists(&self, values: &[Option<&Json>], item: &FieldRef) -> EngineResult<ArrayRef> {
        let lists = values.iter().map(|value| match value {
            Some(Json::Array(items)) => Some(items.as_slice()),
            _ => None,
        });
        let lists: Vec<_> = lists.collect();
        let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.map_or(0, |items| items.len())));
        let nulls: NullBuffer = lists.iter().map(Option::is_some).collect();
        let items: Vec<_> = lists.into_iter().flatten().flatten().map(Some).collect();
        let items = self.column(&items, item.data_type())?;
        Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, Some(nulls))?))
    }

    fn maps(&self, values: &[Option<&Json>], entries: &FieldRef) -> EngineResult<ArrayRef> {
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(SparkError::internal("a map has entries").into());
        };
        let maps = values.iter().map(|value| match value {
            Some(Json::Object(fields)) => Some(fields.as_slice()),
            _ => None,
        });
        let maps: Vec<_> = maps.collect();
        let offsets = OffsetBuffer::from_lengths(maps.iter().map(|map| map.map_or(0, <[_]>::len)));
        let nulls: NullBuffer = maps.iter().map(Option::is_some).collect();
        let (keys, values): (Vec<_>, Vec<_>) =
            maps.into_iter().flatten().flatten().map(|(key, value)| (Some(key.clone()), Some(value))).unzip();
        let keys = parsed_or_null(&StringArray::from(keys), fields[0].data_type(), self.zone)?;
        let columns = vec![keys, self.column(&values, fields[1].data_type())?];
        let structs = StructArray::try_new(fields.clone(), columns, None)?;
        Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, structs, Some(nulls), false)?))
    }
}

/// The text of a value that may be one of a type.
fn readable(value: &Json, to: &DataType) -> Option<String> {
    match (value, to) {
        (_, DataType::Utf8) => value.text(),
        (Json::Bool(value), DataType::Boolean) => Some(value.to_string()),
        (Json::Int(value), DataType::Decimal128(..) | DataType::Float32 | DataType::Float64) => Some(value.to_string()),
        (Json::Int(value), to) if is_integral(to) => Some(value.to_string()),
        (Json::Double(value), DataType::Decimal128(..)) => Some(value.to_string()),
        (Json::Double(value), DataType::Float32 | DataType::Float64) => Some(format_double(*value)),
        (Json::Text(text), DataType::Float32 | DataType::Float64) => {
            let special = matches!(text.as_str(), "NaN" | "Infinity" | "+Infinity" | "-Infinity" | "INF" | "-INF");
            special.then(|| text.clone())
        }
        (Json::Text(text), DataType::Date32 | DataType::Timestamp(..)) => Some(text.clone()),
        _ => None,
    }
}
