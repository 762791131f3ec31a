//! Batches under other names and types.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;

/// `batch` with the names and types of `schema`, column by column. What has its type already is not copied.
///
/// # Errors
/// Another number of columns, a value that its new type does not hold, or NULL where there is to be none.
pub fn retype(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    if batch.num_columns() != schema.fields().len() {
        return Err(ArrowError::SchemaError(format!(
            "The rows have {} columns, their schema {}.",
            batch.num_columns(),
            schema.fields().len()
        )));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        if column.data_type() == field.data_type() {
            Ok(column.clone())
        } else {
            cast_with_options(column, field.data_type(), &strict)
        }
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
}

/// `schema` with room for NULL in every column, element, member and value.
///
/// What a query says of NULL is there for the reader. Rows that go by it would fail the query where it is wrong.
pub fn with_nulls(schema: &Schema) -> SchemaRef {
    let fields: Vec<_> = schema.fields().iter().map(nullable).collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn nullable(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::List(item) => DataType::List(nullable(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(nullable).collect()),
        DataType::Map(entries, sorted) => DataType::Map(nullable_values(entries), *sorted),
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type).with_nullable(true))
}

/// Entries and their keys are never NULL in Arrow.
fn nullable_values(entries: &FieldRef) -> FieldRef {
    let DataType::Struct(members) = entries.data_type() else { return Arc::clone(entries) };
    let members = members.iter().enumerate().map(|(at, member)| match at {
        0 => Arc::new(Field::clone(&nullable(member)).with_nullable(false)),
        _ => nullable(member),
    });
    Arc::new(Field::clone(entries).with_data_type(DataType::Struct(members.collect())))
}
