//! Spark's names of types and schemas: DDL text (`a INT, b ARRAY<STRING>`), the JSON of `StructType.json()`, and the
//! names that Spark prints.
//!
//! An instant is `Timestamp(Microsecond, "UTC")`, a day-time interval `Duration(Microsecond)`; every form of text is
//! `Utf8`. The length of `varchar(n)` and `char(n)` and the fields of an interval are read and not kept.

mod json;
mod names;
mod parse;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};

pub use names::{sql_name, type_name};
pub(crate) use parse::{columns, split_brackets, type_at, type_of_tokens};

use crate::error::{ErrorClass, Result, SparkError};

/// A schema from DDL text (`a INT NOT NULL COMMENT 'x', b: STRING`, or `struct<a: int>`) or from JSON.
///
/// A comment becomes the field's metadata `comment`.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR` for text that is no schema, `UNSUPPORTED_DATATYPE` for a type that Spark has not.
pub fn parse_schema(text: &str) -> Result<Schema> {
    if text.trim_start().starts_with('{') {
        return match json::parse(text)? {
            DataType::Struct(fields) => Ok(Schema::new(fields)),
            other => Err(unsupported_type(&type_name(&other))),
        };
    }
    parse::schema(text)
}

/// A type from DDL text (`decimal(10,2)`, `array<struct<x: int>>`) or from JSON.
///
/// # Errors
/// As [`parse_schema`].
pub fn parse_data_type(text: &str) -> Result<DataType> {
    if text.trim_start().starts_with(['{', '"']) { json::parse(text) } else { parse::data_type(text) }
}

/// Spark's instant.
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A list whose element has the name that arrow and pyarrow give it, so that equal types compare equal.
pub fn list(element: DataType, nullable: bool) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, nullable)))
}

/// A map whose entries have the names that Spark gives them.
pub fn map(key: DataType, value: DataType, value_nullable: bool) -> DataType {
    let entries = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, value_nullable)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

/// The type of a name without parameters.
fn simple_type(name: &str) -> Option<DataType> {
    Some(match name.to_ascii_lowercase().as_str() {
        "boolean" => DataType::Boolean,
        "tinyint" | "byte" => DataType::Int8,
        "smallint" | "short" => DataType::Int16,
        "int" | "integer" => DataType::Int32,
        "bigint" | "long" => DataType::Int64,
        "float" | "real" => DataType::Float32,
        "double" => DataType::Float64,
        "decimal" | "dec" | "numeric" => DataType::Decimal128(10, 0),
        "string" => DataType::Utf8,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" | "timestamp_ltz" => timestamp(),
        "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "void" | "null" => DataType::Null,
        _ => return None,
    })
}

fn decimal(precision: u8, scale: i8) -> Result<DataType> {
    if precision > 38 {
        return Err(SparkError::new(
            ErrorClass::Parse,
            "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
            "22003",
            format!("A decimal has at most 38 digits, not {precision}."),
        )
        .with("precision", precision.to_string())
        .with("maxPrecision", "38"));
    }
    if precision == 0 || scale < 0 || i16::from(scale) > i16::from(precision) {
        return Err(unsupported_type(&format!("decimal({precision},{scale})")));
    }
    Ok(DataType::Decimal128(precision, scale))
}

fn unsupported_type(name: &str) -> SparkError {
    let name = name.to_uppercase();
    if name == "TIME" || name.starts_with("TIME(") {
        let message = "The data type TIME is not supported.";
        return SparkError::new(ErrorClass::Analysis, "UNSUPPORTED_TIME_TYPE", "0A000", message);
    }
    SparkError::new(ErrorClass::Parse, "UNSUPPORTED_DATATYPE", "0A000", format!("Unsupported data type \"{name}\"."))
        .with("typeName", format!("\"{name}\""))
}
