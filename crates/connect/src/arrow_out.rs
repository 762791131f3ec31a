//! Record batches as the client reads them: each an Arrow IPC stream of one batch, in the types of the result's schema.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use prost::bytes::Bytes;
use sheetbend_datasource::retype::retype;
pub(crate) use sheetbend_datasource::retype::with_nulls;
use sheetbend_plan::error::{Result, SparkError};

/// How large the rows of a message should be.
pub(crate) const BATCH_BYTES: usize = 3 << 20;

/// How large a message may be where rows can be divided: what gRPC clients take that set no limit of their own, less
/// what is around the rows.
const MESSAGE_BYTES: usize = (4 << 20) - (16 << 10);

/// What a stream has around the rows, for each column and once, about.
const AROUND_BYTES: usize = 512;

/// One IPC stream and the number of its rows.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) data: Bytes,
    pub(crate) rows: usize,
}

/// `batch` with the names and types of `schema`, which is one of [`with_nulls`].
///
/// # Errors
/// The columns do not fit.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    retype(batch, schema).map_err(SparkError::internal)
}

/// `batch`, of about [`BATCH_BYTES`] or less, as a message; as several where it turns out too large for one. A row is
/// not divided.
///
/// # Errors
/// A type that Arrow's IPC format cannot carry.
pub(crate) fn encode(batch: &RecordBatch, bytes: usize) -> Result<Vec<Encoded>> {
    let mut messages = Vec::new();
    encode_halves(batch, bytes, &mut messages)?;
    Ok(messages)
}

fn encode_halves(batch: &RecordBatch, bytes: usize, messages: &mut Vec<Encoded>) -> Result<()> {
    let data = stream(batch, bytes).map_err(SparkError::internal)?;
    if data.len() <= MESSAGE_BYTES || batch.num_rows() < 2 {
        messages.push(Encoded { data: data.into(), rows: batch.num_rows() });
        return Ok(());
    }
    let middle = batch.num_rows() / 2;
    encode_halves(&batch.slice(0, middle), bytes / 2, messages)?;
    encode_halves(&batch.slice(middle, batch.num_rows() - middle), bytes / 2, messages)
}

fn stream(batch: &RecordBatch, bytes: usize) -> Result<Vec<u8>, ArrowError> {
    // A buffer that grew as it was written would be kept at up to twice the size.
    let around = AROUND_BYTES * (1 + batch.num_columns());
    let mut writer = StreamWriter::try_new(Vec::with_capacity(bytes + around), &batch.schema())?;
    writer.write(batch)?;
    writer.into_inner()
}

/// A batch of `schema` without rows, which an empty result still needs.
pub(crate) fn empty(schema: &SchemaRef) -> RecordBatch {
    RecordBatch::new_empty(Arc::clone(schema))
}
