//! Arrow data from Python, by pointer.

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow_array::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyType};
use pyo3_arrow::PyArray;

/// What an object exports.
pub(crate) enum Rows {
    Batch(RecordBatch),
    Stream(Stream),
}

/// A stream that has been imported, and is not asked for anything yet.
pub(crate) struct Stream(FFI_ArrowArrayStream);

impl Stream {
    /// Asks for the schema. The stream may wait for other threads: call it detached from the interpreter.
    pub(crate) fn open(self) -> Result<ArrowArrayStreamReader, ArrowError> {
        ArrowArrayStreamReader::try_new(self.0)
    }
}

/// The rows that `exporter` exports; none where it exports no Arrow data.
///
/// A record batch exports both an array and a stream of one; the array is the cheaper, and never waits.
pub(crate) fn import(exporter: &Bound<'_, PyAny>) -> PyResult<Option<Rows>> {
    let py = exporter.py();
    if exporter.is_instance_of::<PyType>() {
        // A class has the methods of what it makes, but exports nothing.
        return Ok(None);
    }
    if exporter.hasattr(intern!(py, "__arrow_c_array__"))? {
        return batch(exporter.extract::<PyArray>()?).map(|batch| Some(Rows::Batch(batch)));
    }
    if exporter.hasattr(intern!(py, "__arrow_c_stream__"))? {
        let capsule = exporter.call_method0(intern!(py, "__arrow_c_stream__"))?.cast_into::<PyCapsule>()?;
        return stream(&capsule).map(|stream| Some(Rows::Stream(stream)));
    }
    Ok(None)
}

fn batch(array: PyArray) -> PyResult<RecordBatch> {
    let (array, field) = array.into_inner();
    let DataType::Struct(fields) = field.data_type() else {
        return Err(PyTypeError::new_err(format!(
            "an Arrow array of {} came, expected record batches",
            field.data_type()
        )));
    };
    if array.null_count() > 0 {
        return Err(PyTypeError::new_err("a struct array with NULL rows came, expected record batches"));
    }
    // NULLs in columns that have none are found when the batch is checked, and named there.
    let nullable: Vec<_> = fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let rows = RecordBatchOptions::new().with_row_count(Some(array.len()));
    RecordBatch::try_new_with_options(Schema::new(nullable).into(), array.as_struct().columns().to_vec(), &rows)
        .map_err(|error| PyTypeError::new_err(error.to_string()))
}

fn stream(capsule: &Bound<'_, PyCapsule>) -> PyResult<Stream> {
    let pointer = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
    // SAFETY: a capsule of this name points to a valid ArrowArrayStream, by the Arrow PyCapsule interface. `from_raw`
    // moves it out and leaves a released one, so that the capsule's destructor frees the struct and nothing twice.
    Ok(Stream(unsafe { FFI_ArrowArrayStream::from_raw(pointer.cast().as_ptr()) }))
}
