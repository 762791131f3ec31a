//! Schemas as text for people: what `printSchema()` prints.

use std::fmt::Write;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema};

/// The schema as `printSchema` prints it, down to `depth` levels.
pub(crate) fn tree(schema: &Schema, depth: usize) -> String {
    let mut text = "root\n".to_owned();
    fields(&mut text, schema.fields(), " |", depth);
    text
}

/// The key and value of a map type.
fn key_and_value(data_type: &DataType) -> Option<(&Field, &Field)> {
    let DataType::Map(entries, _) = data_type else { return None };
    let DataType::Struct(fields) = entries.data_type() else { return None };
    match fields.as_ref() {
        [key, value] => Some((key, value)),
        _ => None,
    }
}

fn fields(text: &mut String, fields: &Fields, prefix: &str, depth: usize) {
    if depth == 0 {
        return;
    }
    for field in fields {
        line(text, prefix, field.name(), field.data_type(), Some(("nullable", field.is_nullable())));
        inner(text, field.data_type(), prefix, depth);
    }
}

fn inner(text: &mut String, data_type: &DataType, prefix: &str, depth: usize) {
    if depth == 1 {
        return;
    }
    let prefix = format!("{prefix}    |");
    match data_type {
        DataType::Struct(inner) => fields(text, inner, &prefix, depth - 1),
        DataType::List(element) => {
            line(text, &prefix, "element", element.data_type(), Some(("containsNull", element.is_nullable())));
            inner_of(text, element, &prefix, depth);
        }
        DataType::Map(..) => {
            let Some((key, value)) = key_and_value(data_type) else { return };
            line(text, &prefix, "key", key.data_type(), None);
            inner_of(text, key, &prefix, depth);
            line(text, &prefix, "value", value.data_type(), Some(("valueContainsNull", value.is_nullable())));
            inner_of(text, value, &prefix, depth);
        }
        _ => {}
    }
}

fn inner_of(text: &mut String, field: &Field, prefix: &str, depth: usize) {
    inner(text, field.data_type(), prefix, depth - 1);
}

fn line(text: &mut String, prefix: &str, name: &str, data_type: &DataType, flag: Option<(&str, bool)>) {
    let word = word(data_type);
    // Writing to a string does not fail.
    let _ = match flag {
        Some((flag, value)) => writeln!(text, "{prefix}-- {name}: {word} ({flag} = {value})"),
        None => writeln!(text, "{prefix}-- {name}: {word}"),
    };
}

/// Spark's name of a type without what is inside it.
fn word(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void",
        DataType::Boolean => "boolean",
        DataType::Int8 => "byte",
        DataType::Int16 => "short",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Decimal128(precision, scale) => return format!("decimal({precision},{scale})"),
        DataType::Utf8 => "string",
        DataType::Binary => "binary",
        DataType::Date32 => "date",
        DataType::Timestamp(_, Some(_)) => "timestamp",
        DataType::Timestamp(_, None) => "timestamp_ntz",
        DataType::Time64(_) => "time(6)",
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month",
        DataType::Interval(_) => "interval",
        DataType::Duration(_) => "interval day to second",
        DataType::List(_) => "array",
        DataType::Struct(_) => "struct",
        DataType::Map(..) => "map",
        other => return other.to_string(),
    }
    .to_owned()
}
