//! Schemas as text: Spark's JSON, or DDL such as `a INT, b STRING`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use serde_json::Value;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

use crate::lower::types;

/// The schema that `text` describes.
///
/// # Errors
/// No schema, or a type that is not supported.
pub(crate) fn parse_schema(text: &str) -> Result<SchemaRef> {
    match parse_type(text)? {
        DataType::Struct(fields) => Ok(Arc::new(Schema::new(fields))),
        other => Ok(Arc::new(Schema::new(vec![Field::new("value", other, true)]))),
    }
}

/// The type that `text` describes; a list of columns is a struct.
///
/// # Errors
/// No type, or one that is not supported.
pub(crate) fn parse_type(text: &str) -> Result<DataType> {
    if text.trim_start().starts_with(['{', '"']) {
        let value = serde_json::from_str(text).map_err(|e| invalid(text, &e.to_string()))?;
        return from_json(&value);
    }
    ddl(text)
}

fn ddl(text: &str) -> Result<DataType> {
    let _ = text;
    Err(SparkError::unsupported("schemas as DDL text"))
}

fn from_json(value: &Value) -> Result<DataType> {
    if let Value::String(name) = value {
        return from_name(name);
    }
    let part = |name: &str| value.get(name).ok_or_else(|| invalid(&value.to_string(), &format!("no `{name}`")));
    let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(true);
    match value.get("type").and_then(Value::as_str) {
        Some("struct") => {
            let fields =
                part("fields")?.as_array().ok_or_else(|| invalid(&value.to_string(), "`fields` is no list"))?;
            Ok(DataType::Struct(fields.iter().map(field_from_json).collect::<Result<Fields>>()?))
        }
        Some("array") => Ok(types::list(from_json(part("elementType")?)?, flag("containsNull"))),
        Some("map") => {
            Ok(types::map_of(from_json(part("keyType")?)?, from_json(part("valueType")?)?, flag("valueContainsNull")))
        }
        Some("udt") => from_json(part("sqlType")?),
        _ => Err(invalid(&value.to_string(), "no `type` that Spark knows")),
    }
}

fn field_from_json(value: &Value) -> Result<Field> {
    let name = value.get("name").and_then(Value::as_str).ok_or_else(|| invalid(&value.to_string(), "no `name`"))?;
    let data_type = value.get("type").ok_or_else(|| invalid(&value.to_string(), "no `type`"))?;
    let nullable = value.get("nullable").and_then(Value::as_bool).unwrap_or(true);
    let metadata = value.get("metadata").and_then(Value::as_object).into_iter().flatten();
    let metadata =
        metadata.map(|(key, value)| (key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    Ok(Field::new(name, from_json(data_type)?, nullable).with_metadata(metadata.collect()))
}

fn from_name(name: &str) -> Result<DataType> {
    Ok(match name.trim().to_lowercase().as_str() {
        "void" | "null" => DataType::Null,
        "boolean" => DataType::Boolean,
        "byte" | "tinyint" => DataType::Int8,
        "short" | "smallint" => DataType::Int16,
        "integer" | "int" => DataType::Int32,
        "long" | "bigint" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "decimal" => DataType::Decimal128(10, 0),
        "string" => DataType::Utf8,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" | "timestamp_ltz" => types::timestamp(),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "interval" => DataType::Interval(IntervalUnit::MonthDayNano),
        other => return from_parameters(other).ok_or_else(|| invalid(name, "no type that Spark knows"))?,
    })
}

/// Types with parameters: `decimal(10,2)`, `varchar(5)`, `interval day to second`, `string collate unicode`.
fn from_parameters(name: &str) -> Option<Result<DataType>> {
    if let Some(fields) = name.strip_prefix("interval ") {
        let years = fields.starts_with("year") || fields.starts_with("month");
        return Some(Ok(if years {
            DataType::Interval(IntervalUnit::YearMonth)
        } else {
            DataType::Duration(TimeUnit::Microsecond)
        }));
    }
    if name.starts_with("string collate ") {
        return Some(Ok(DataType::Utf8));
    }
    let (kind, parameters) = name.strip_suffix(')')?.split_once('(')?;
    let mut numbers = parameters.split(',').map(|number| number.trim().parse::<i32>());
    let first = numbers.next()?.ok()?;
    Some(match kind.trim() {
        "decimal" => types::decimal_type(first, numbers.next().and_then(Result::ok).unwrap_or(0)),
        "char" | "varchar" => Ok(DataType::Utf8),
        "time" => Ok(DataType::Time64(TimeUnit::Nanosecond)),
        _ => return None,
    })
}

fn invalid(text: &str, why: &str) -> SparkError {
    SparkError::new(
        ErrorClass::Analysis,
        "INVALID_SCHEMA",
        "42K07",
        format!("The input schema {text} is not a valid schema: {why}."),
    )
    .with("inputSchema", text)
}
