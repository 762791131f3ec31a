//! The type that JSON is of.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::value::Json;
use crate::types::{common_type, is_numeric};

/// The type of a value, as a reader of JSON finds it.
pub(super) fn type_of(json: &Json) -> DataType {
    known(json).unwrap_or(DataType::Utf8)
}

/// None for null, which is of any type.
fn known(json: &Json) -> Option<DataType> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(_) => DataType::Boolean,
        Json::Int(_) => DataType::Int64,
        Json::Double(_) => DataType::Float64,
        Json::Text(_) => DataType::Utf8,
        Json::Array(items) => {
            let item = items.iter().filter_map(known).reduce(merged);
            DataType::new_list(item.unwrap_or(DataType::Utf8), true)
        }
        Json::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().map(|(key, value)| Field::new(key, type_of(value), true)).collect();
            fields.sort_by(|left, right| left.name().cmp(right.name()));
            DataType::Struct(fields.into())
        }
    })
}

/// A type that holds the values of both; text where they have nothing in common.
fn merged(left: DataType, right: DataType) -> DataType {
    match (&left, &right) {
        _ if left == right => left,
        (l, r) if is_numeric(l) && is_numeric(r) => common_type(l, r).unwrap_or(DataType::Utf8),
        (DataType::List(l), DataType::List(r)) => {
            DataType::new_list(merged(l.data_type().clone(), r.data_type().clone()), true)
        }
        (DataType::Struct(l), DataType::Struct(r)) => {
            let mut fields: Vec<Field> = l.iter().map(|field| field.as_ref().clone()).collect();
            for field in r {
                match fields.iter_mut().find(|known| known.name() == field.name()) {
                    Some(known) => {
                        let both = merged(known.data_type().clone(), field.data_type().clone());
                        *known = Field::new(field.name(), both, true);
                    }
                    None => fields.push(field.as_ref().clone()),
                }
            }
            fields.sort_by(|left, right| left.name().cmp(right.name()));
            DataType::Struct(fields.into_iter().map(Arc::new).collect::<Fields>())
        }
        _ => DataType::Utf8,
    }
}
