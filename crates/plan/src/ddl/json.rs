//! The JSON of `StructType.json()`.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Fields};
use serde_json::Value;

use super::{list, map, parse};
use crate::error::{ErrorClass, Result, SparkError};

pub(super) fn parse(text: &str) -> Result<DataType> {
    let value: Value = serde_json::from_str(text).map_err(|e| invalid(&e.to_string()))?;
    data_type(&value)
}

fn data_type(value: &Value) -> Result<DataType> {
    if let Value::String(name) = value {
        return parse::data_type(name);
    }
    match value.get("type").and_then(Value::as_str) {
        Some("struct") => {
            let fields = value.get("fields").and_then(Value::as_array).ok_or_else(|| missing("fields", value))?;
            fields.iter().map(field).collect::<Result<Fields>>().map(DataType::Struct)
        }
        Some("array") => {
            let element = data_type(member(value, "elementType")?)?;
            Ok(list(element, flag(value, "containsNull")))
        }
        Some("map") => {
            let key = data_type(member(value, "keyType")?)?;
            let item = data_type(member(value, "valueType")?)?;
            Ok(map(key, item, flag(value, "valueContainsNull")))
        }
        // What a user-defined type is made of; its class means nothing here.
        Some("udt") => data_type(member(value, "sqlType")?),
        _ => Err(missing("type", value)),
    }
}

fn field(value: &Value) -> Result<Field> {
    let name = value.get("name").and_then(Value::as_str).ok_or_else(|| missing("name", value))?;
    let field = Field::new(name, data_type(member(value, "type")?)?, flag(value, "nullable"));
    let metadata: HashMap<String, String> = match value.get("metadata") {
        Some(Value::Object(entries)) => entries.iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
        _ => HashMap::new(),
    };
    Ok(field.with_metadata(metadata))
}

/// A string as it is, anything else as JSON: metadata of Arrow is text.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn member<'a>(value: &'a Value, name: &str) -> Result<&'a Value> {
    value.get(name).ok_or_else(|| missing(name, value))
}

/// A flag that is true unless it is given as false.
fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(true)
}

fn missing(name: &str, value: &Value) -> SparkError {
    invalid(&format!("expected `{name}` in {value}"))
}

fn invalid(reason: &str) -> SparkError {
    SparkError::new(
        ErrorClass::Parse,
        "INVALID_JSON_DATA_TYPE",
        "2203G",
        format!("The JSON of a data type could not be read: {reason}."),
    )
    .with("invalidType", reason)
}
