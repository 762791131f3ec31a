//! Columns of files as Spark sees them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use sheetbend_plan::ddl;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::types::client_type;

use crate::error::column_twice;

/// The columns of a file, in the types that the engine has for Spark's. Any value of a file may be NULL.
pub(crate) fn engine_schema(schema: &Schema) -> Schema {
    Schema::new(schema.fields().iter().map(engine_field).collect::<Vec<_>>())
}

fn engine_field(field: &FieldRef) -> FieldRef {
    Arc::new(Field::new(field.name(), nullable(&client_type(field.data_type(), "UTC")), true))
}

/// The columns, each of which may be NULL, and so may all that is in them.
pub fn nullable_fields(fields: &[FieldRef]) -> Vec<FieldRef> {
    let nullable = |field: &FieldRef| {
        Arc::new(field.as_ref().clone().with_data_type(nullable(field.data_type())).with_nullable(true))
    };
    fields.iter().map(nullable).collect()
}

fn nullable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(item) => ddl::list(nullable(item.data_type()), true),
        DataType::Struct(fields) => DataType::Struct(nullable_fields(fields).into()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(entries) if entries.len() == 2 => {
                ddl::map(nullable(entries[0].data_type()), nullable(entries[1].data_type()), true)
            }
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

/// Whether two names are those of one column.
pub(crate) fn same_name(left: &str, right: &str, case_sensitive: bool) -> bool {
    let same_letters = || match left.is_ascii() && right.is_ascii() {
        true => left.eq_ignore_ascii_case(right),
        false => left.to_lowercase() == right.to_lowercase(),
    };
    left == right || (!case_sensitive && same_letters())
}

/// How deep the values of a type lie in each other.
pub(crate) fn depth(data_type: &DataType) -> usize {
    match data_type {
        DataType::List(item) => 1 + depth(item.data_type()),
        DataType::Map(entries, _) => depth(entries.data_type()),
        DataType::Struct(fields) => 1 + fields.iter().map(|field| depth(field.data_type())).max().unwrap_or(0),
        _ => 0,
    }
}

/// # Errors
/// `COLUMN_ALREADY_EXISTS` for two columns of one name.
pub(crate) fn check_unique<'a>(names: impl Iterator<Item = &'a str>, case_sensitive: bool) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(if case_sensitive { name.to_owned() } else { name.to_lowercase() }) {
            return Err(column_twice(name));
        }
    }
    Ok(())
}

/// The columns of both schemas: those of the left, then those that only the right has.
///
/// # Errors
/// `CANNOT_MERGE_SCHEMAS` for a column that has two types.
pub(crate) fn merged(left: &Schema, right: &Schema, case_sensitive: bool) -> Result<Schema> {
    match merged_fields(left.fields(), right.fields(), case_sensitive) {
        Some(fields) => Ok(Schema::new(fields)),
        None => {
            let name = |schema: &Schema| format!("\"{}\"", ddl::sql_name(&DataType::Struct(schema.fields().clone())));
            let (left, right) = (name(left), name(right));
            let message =
                format!("Failed merging schemas: initial schema: {left}, schema that cannot be merged: {right}.");
            Err(SparkError::new(ErrorClass::Internal, "CANNOT_MERGE_SCHEMAS", "42KD9", message)
                .with("left", left)
                .with("right", right))
        }
    }
}

fn merged_fields(left: &Fields, right: &Fields, case_sensitive: bool) -> Option<Fields> {
    let mut fields: Vec<FieldRef> = left.iter().cloned().collect();
    for field in right {
        match fields.iter_mut().find(|known| same_name(known.name(), field.name(), case_sensitive)) {
            Some(known) => {
                let both = merged_type(known.data_type(), field.data_type(), case_sensitive)?;
                *known = Arc::new(known.as_ref().clone().with_data_type(both));
            }
            None => fields.push(Arc::clone(field)),
        }
    }
    Some(fields.into())
}

fn merged_type(left: &DataType, right: &DataType, case_sensitive: bool) -> Option<DataType> {
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (DataType::Struct(left), DataType::Struct(right)) => {
            Some(DataType::Struct(merged_fields(left, right, case_sensitive)?))
        }
        (DataType::List(left), DataType::List(right)) => {
            Some(ddl::list(merged_type(left.data_type(), right.data_type(), case_sensitive)?, true))
        }
        _ => None,
    }
}
