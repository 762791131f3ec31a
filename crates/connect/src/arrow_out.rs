//! Record batches as the client reads them: each an Arrow IPC stream of one batch, in the types of the result's schema.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use prost::bytes::Bytes;
use sheetbend_plan::error::{Result, SparkError};

/// How large the rows of a message should be.
pub(crate) const BATCH_BYTES: usize = 3 << 20;

/// How large a message may be where rows can be divided: what gRPC clients take that set no limit of their own, less
/// what is around the rows.
const MESSAGE_BYTES: usize = (4 << 20) - (16 << 10);

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
    let rows = batch.num_rows().div_ceil(bytes(batch).div_ceil(BATCH_BYTES).max(1)).max(1);
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

/// About how many bytes the rows of `batch` take. A slice shares its buffers with others; only its own part counts.
pub(crate) fn bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column_bytes(column)).sum()
}

fn column_bytes(column: &dyn Array) -> usize {
    let within = |values: &ArrayRef, offsets: &[i32]| {
        let at = |offset: Option<&i32>| offset.and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
        let (first, last) = (at(offsets.first()), at(offsets.last()));
        size_of_val(offsets) + column_bytes(&values.slice(first, last.saturating_sub(first)))
    };
    match column.data_type() {
        DataType::List(_) => within(column.as_list::<i32>().values(), column.as_list::<i32>().offsets()),
        DataType::Map(..) => {
            let (map, entries) = (column.as_map(), Arc::new(column.as_map().entries().clone()) as ArrayRef);
            within(&entries, map.offsets())
        }
        DataType::Struct(_) => column.as_struct().columns().iter().map(|field| column_bytes(field)).sum(),
        _ => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()),
    }
}

fn encode_halves(batch: &RecordBatch, messages: &mut Vec<Encoded>) -> Result<()> {
    let data = stream(batch).map_err(SparkError::internal)?;
    if data.len() <= MESSAGE_BYTES || batch.num_rows() < 2 {
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
