//! The columns that JSON has.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use sheetbend_plan::ddl;
use sheetbend_plan::error::Result;

use super::JsonOptions;
use super::source::Texts;
use super::value::Json;
use crate::error::malformed;
use crate::records::Mode;

/// How deep the types of columns may lie in each other; what lies deeper is text. A client reads no schema of 33.
const DEEPEST: usize = 24;

/// The columns of some sources, by name.
///
/// # Errors
/// A file that cannot be read; text that is no JSON, where the mode is `FAILFAST`.
pub(super) fn columns(
    sources: impl Iterator<Item = Result<Texts>>,
    options: &JsonOptions,
    corrupt: &str,
) -> Result<Vec<FieldRef>> {
    let mut all = DataType::Struct(Fields::empty());
    let mut is_corrupt = false;
    for texts in sources {
        let mut texts = texts?;
        let mut text = String::new();
        while texts.next(&mut text)? {
            let found = match options.allowed.parse(&text) {
                Ok(None) => continue,
                Ok(Some(json)) => of_row(&json, options),
                Err(_) => None,
            };
            match found {
                Some(found) => all = merged(all, found),
                None if options.mode == Mode::FailFast => return Err(malformed(corrupt)),
                None => is_corrupt |= options.mode == Mode::Permissive,
            }
        }
    }
    let DataType::Struct(fields) = all else { return Ok(vec![]) };
    let mut fields: Vec<FieldRef> = fields.iter().filter_map(finished_field).collect();
    if is_corrupt && !fields.iter().any(|field| field.name() == corrupt) {
        fields.push(Arc::new(Field::new(corrupt, DataType::Utf8, true)));
    }
    fields.sort_by(|left, right| left.name().cmp(right.name()));
    Ok(fields)
}

/// The type of a row, or of the rows that an array holds; none for what is no row.
fn of_row(json: &Json<'_>, options: &JsonOptions) -> Option<DataType> {
    match json {
        Json::Object(..) => Some(type_of(json, options, 0)),
        Json::Array(items, _) => {
            let item = items.iter().map(|item| type_of(item, options, 0)).reduce(merged);
            item.filter(|item| matches!(item, DataType::Struct(_)))
        }
        _ => None,
    }
}

/// The type of a value; `Null` where it is of any.
fn type_of(json: &Json<'_>, options: &JsonOptions, depth: usize) -> DataType {
    match json {
        Json::Null => DataType::Null,
        Json::Bool(_) | Json::Number(_) if options.primitives_as_text => DataType::Utf8,
        Json::Bool(_) => DataType::Boolean,
        Json::Number(text) => number(text, options.prefers_decimal),
        Json::Text(text) if options.infer_timestamp && options.times.timestamp(text).is_some() => ddl::timestamp(),
        Json::Text(_) => DataType::Utf8,
        Json::Array(..) | Json::Object(..) if depth > DEEPEST => DataType::Utf8,
        Json::Array(items, _) => {
            let item = items.iter().map(|item| type_of(item, options, depth + 1)).reduce(merged);
            ddl::list(item.unwrap_or(DataType::Null), true)
        }
        Json::Object(fields, _) => {
            let fields =
                fields.iter().map(|(name, value)| Field::new(name.as_ref(), type_of(value, options, depth + 1), true));
            DataType::Struct(fields.collect())
        }
    }
}

fn number(text: &str, prefers_decimal: bool) -> DataType {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole && text.parse::<i64>().is_ok() {
        return DataType::Int64;
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = i8::try_from(fraction.len()).unwrap_or(i8::MAX);
    let precision = format!("{whole}{fraction}").trim_start_matches('0').len().max(fraction.len()).max(1);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match u8::try_from(precision) {
        Ok(precision @ ..=38) if is_plain && (is_whole || prefers_decimal) => DataType::Decimal128(precision, scale),
        _ => DataType::Float64,
    }
}

/// A type that holds the values of both; text where they have nothing in common.
fn merged(left: DataType, right: DataType) -> DataType {
    use DataType::{Decimal128, Float64, Int64, List, Null, Struct, Utf8};
    match (&left, &right) {
        _ if left == right => left,
        (Null, _) => right,
        (_, Null) => left,
        (Int64 | Decimal128(..), Float64) | (Float64, Int64 | Decimal128(..)) => Float64,
        (Int64, Decimal128(p, s)) | (Decimal128(p, s), Int64) => wider((20, 0), (*p, *s)),
        (Decimal128(lp, ls), Decimal128(rp, rs)) => wider((*lp, *ls), (*rp, *rs)),
        (List(left), List(right)) => ddl::list(merged(left.data_type().clone(), right.data_type().clone()), true),
        (Struct(fields), Struct(_)) if fields.is_empty() => right,
        (Struct(left), Struct(right)) => {
            let mut fields: Vec<FieldRef> = left.iter().cloned().collect();
            for (at, field) in right.iter().enumerate() {
                let hint = fields.get(at).is_some_and(|known| known.name() == field.name()).then_some(at);
                match hint.or_else(|| fields.iter().position(|known| known.name() == field.name())) {
                    Some(at) if fields[at].data_type() == field.data_type() => {}
                    Some(at) => {
                        let both = merged(fields[at].data_type().clone(), field.data_type().clone());
                        fields[at] = Arc::new(Field::new(field.name(), both, true));
                    }
                    None => fields.push(Arc::clone(field)),
                }
            }
            Struct(fields.into())
        }
        _ => Utf8,
    }
}

fn wider((lp, ls): (u8, i8), (rp, rs): (u8, i8)) -> DataType {
    let scale = ls.max(rs);
    let whole = (i16::from(lp) - i16::from(ls)).max(i16::from(rp) - i16::from(rs));
    match u8::try_from(whole + i16::from(scale)) {
        Ok(precision @ ..=38) => DataType::Decimal128(precision, scale),
        _ => DataType::Float64,
    }
}

/// A field without what no value told: text where it is a value, nothing where it would have no field.
fn finished_field(field: &FieldRef) -> Option<FieldRef> {
    Some(Arc::new(Field::new(field.name(), finished(field.data_type())?, true)))
}

fn finished(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Null => DataType::Utf8,
        DataType::List(item) => ddl::list(finished(item.data_type())?, true),
        DataType::Struct(fields) => {
            let mut fields: Vec<_> = fields.iter().filter_map(finished_field).collect();
            if fields.is_empty() {
                return None;
            }
            fields.sort_by(|left, right| left.name().cmp(right.name()));
            DataType::Struct(fields.into())
        }
        other => other.clone(),
    })
}
