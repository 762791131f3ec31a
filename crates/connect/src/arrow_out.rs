//! Record batches as the client reads them: each an Arrow IPC stream of one batch, in the types of the result's schema.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use prost::bytes::Bytes;
use sheetbend_plan::error::{Result, SparkError};

/// How large a message should be.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// One IPC stream and the number of its rows.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) data: Bytes,
    pub(crate) rows: usize,
}

/// `batch` with the names and types of `schema`.
///
/// # Errors
/// The columns do not fit.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != schema.fields().len() {
        return Err(SparkError::internal(format_args!(
            "The result has {} columns, its schema {}.",
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
    let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>().map_err(SparkError::internal)?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(SparkError::internal)
}

/// `batch` in as many messages as it takes for each to be about [`BATCH_BYTES`]; a row is not divided.
///
/// # Errors
/// A type that Arrow's IPC format cannot carry.
pub(crate) fn encode(batch: &RecordBatch) -> Result<Vec<Encoded>> {
    let mut messages = Vec::new();
    // What a batch takes in memory is a guess: slices share buffers. What a message takes is known when it is made.
    let guess = batch.get_array_memory_size().div_ceil(BATCH_BYTES).max(1);
    let rows = batch.num_rows().div_ceil(guess).max(1);
    let mut offset = 0;
    loop {
        let length = rows.min(batch.num_rows() - offset);
        encode_halves(&batch.slice(offset, length), &mut messages)?;
        offset += length;
        if offset >= batch.num_rows() {
            return Ok(messages);
        }
    }
}

fn encode_halves(batch: &RecordBatch, messages: &mut Vec<Encoded>) -> Result<()> {
    let data = stream(batch).map_err(SparkError::internal)?;
    if data.len() <= BATCH_BYTES + BATCH_BYTES / 4 || batch.num_rows() < 2 {
        messages.push(Encoded { data: data.into(), rows: batch.num_rows() });
        return Ok(());
    }
    let middle = batch.num_rows() / 2;
    encode_halves(&batch.slice(0, middle), messages)?;
    encode_halves(&batch.slice(middle, batch.num_rows() - middle), messages)
}

fn stream(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(batch)?;
    writer.into_inner()
}

/// A batch of `schema` without rows, which an empty result still needs.
pub(crate) fn empty(schema: &SchemaRef) -> RecordBatch {
    RecordBatch::new_empty(Arc::clone(schema))
}
