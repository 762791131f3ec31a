//! Arrow data as bytes: Arrow IPC streams.

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::{StreamDecoder, StreamReader};
use arrow::ipc::writer::StreamWriter;

/// A schema, as a stream without batches.
pub(crate) fn write_schema(schema: &Schema) -> Result<Vec<u8>, ArrowError> {
    StreamWriter::try_new(Vec::new(), schema)?.into_inner()
}

/// A batch, as a stream of it.
pub(crate) fn write_batch(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema())?;
    stream.write(batch)?;
    stream.into_inner()
}

/// The schema of a stream.
pub(crate) fn read_schema(stream: &[u8]) -> Result<SchemaRef, ArrowError> {
    Ok(StreamReader::try_new(stream, None)?.schema())
}

/// The first batch of a stream, which stays where it is: only columns that are not aligned are copied.
pub(crate) fn read_batch(mut stream: Buffer) -> Result<RecordBatch, ArrowError> {
    let batch = StreamDecoder::new().decode(&mut stream)?;
    batch.ok_or_else(|| ArrowError::IpcError("there is no batch in the stream".to_owned()))
}
