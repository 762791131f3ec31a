//! Rows that come with a plan.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use prost::bytes::Bytes;
use sheetbend_plan::ddl;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::RelationKind;

use super::types;
use crate::error::invalid_plan;

/// Rows of Arrow IPC streams, each whole in itself, in the columns of `schema` if one is given.
///
/// # Errors
/// Bytes that are no Arrow stream, or rows that do not fit the schema.
pub(crate) fn relation(streams: &[Bytes], schema: Option<&str>) -> Result<RelationKind> {
    let stated = schema.filter(|text| !text.is_empty()).map(ddl::parse_schema).transpose()?.map(Arc::new);
    let mut found = None;
    let mut batches = Vec::new();
    for stream in streams {
        let schema = read(stream, &mut batches)?;
        found.get_or_insert(schema);
    }
    let schema = match (stated, found) {
        (Some(stated), _) => stated,
        (None, Some(found)) => spark_schema(&found),
        (None, None) => return Err(invalid_plan("A local relation has neither rows nor a schema.")),
    };
    let batches = batches.iter().map(|batch| fit(batch, &schema)).collect::<Result<_>>()?;
    Ok(RelationKind::Local { schema, batches })
}

/// The batches of a stream, and their schema. The decoder that is pushed to allocates no more than has come.
fn read(stream: &Bytes, batches: &mut Vec<RecordBatch>) -> Result<SchemaRef> {
    let read = || {
        let mut decoder = StreamDecoder::new();
        let mut rest = Buffer::from(stream.clone());
        while !rest.is_empty() {
            batches.extend(decoder.decode(&mut rest)?);
        }
        decoder.finish()?;
        decoder.schema().ok_or_else(|| ArrowError::IpcError("no schema".to_owned()))
    };
    // The reader trusts parts of the metadata, and panics where they are wrong.
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(ArrowError::IpcError("its metadata contradict each other".to_owned())))
        .map_err(malformed)
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
