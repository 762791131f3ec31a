//! Rows that come with a plan.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use prost::bytes::{Buf, Bytes};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::RelationKind;

use super::types;
use crate::error::invalid_plan;
use crate::schema_text;

/// Rows of Arrow IPC streams, each whole in itself, in the columns of `schema` if one is given.
///
/// # Errors
/// Bytes that are no Arrow stream, or rows that do not fit the schema.
pub(crate) fn relation(streams: &[Bytes], schema: Option<&str>) -> Result<RelationKind> {
    let stated = schema.filter(|text| !text.is_empty()).map(schema_text::parse_schema).transpose()?;
    let mut found = None;
    let mut batches = Vec::new();
    for stream in streams {
        let reader = StreamReader::try_new(stream.clone().reader(), None).map_err(malformed)?;
        found.get_or_insert_with(|| reader.schema());
        for batch in reader {
            batches.push(batch.map_err(malformed)?);
        }
    }
    let schema = match (stated, found) {
        (Some(stated), _) => stated,
        (None, Some(found)) => spark_schema(&found),
        (None, None) => return Err(invalid_plan("A local relation has neither rows nor a schema.")),
    };
    let batches = batches.iter().map(|batch| fit(batch, &schema)).collect::<Result<_>>()?;
    Ok(RelationKind::Local { schema, batches })
}

fn spark_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    let fields = fields.map(|f| Field::new(f.name(), types::spark_form(f.data_type()), f.is_nullable()));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn fit(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != schema.fields().len() {
        return Err(invalid_plan(&format!(
            "A local relation has {} columns, its schema {}.",
            batch.num_columns(),
            schema.fields().len()
        )));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns
        .map(|(column, field)| cast_with_options(column, field.data_type(), &strict))
        .collect::<Result<Vec<ArrayRef>, ArrowError>>()
        .map_err(misfit)?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(misfit)
}

fn malformed(error: ArrowError) -> SparkError {
    invalid_plan(&format!("The rows of a local relation are no Arrow IPC stream: {error}."))
}

fn misfit(error: ArrowError) -> SparkError {
    SparkError::new(
        ErrorClass::Analysis,
        "INVALID_LOCAL_RELATION",
        "42K0E",
        format!("The rows of a local relation do not fit its schema: {error}."),
    )
}
