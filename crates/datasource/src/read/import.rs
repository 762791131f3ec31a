//! Arrow data from Python, by pointer.

use std::ffi::{CStr, c_int};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions, StructArray};
use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::read::capsule::{self, Unfit};
use crate::read::columns::columns;
use crate::read::release::{Origin, deferred};

/// What an object exports.
pub(crate) enum Rows {
    Batch(RecordBatch),
    Stream(Stream),
}

/// Imports the items of one read.
#[derive(Debug, Default)]
pub(crate) struct Importer {
    /// The schema that came last, with its description: most items have the same.
    last: Option<(Vec<u8>, SchemaRef)>,
    /// The description of the item at hand.
    description: Vec<u8>,
}

/// A stream that has been imported, and is not asked for anything yet.
pub(crate) struct Stream(FFI_ArrowArrayStream);

/// The batches of a stream, pulled without the interpreter.
pub(crate) struct Batches {
    stream: FFI_ArrowArrayStream,
    schema: SchemaRef,
}

impl Importer {
    /// The rows that `exporter` exports; none where it exports no Arrow data.
    ///
    /// A record batch exports both an array and a stream of one; the array is the cheaper, and never waits.
    pub(crate) fn import(&mut self, exporter: &Bound<'_, PyAny>) -> Result<Option<Rows>, Unfit> {
        let py = exporter.py();
        if exporter.is_instance_of::<PyType>() {
            // A class has the methods of what it makes, but exports nothing.
            return Ok(None);
        }
        if exporter.hasattr(intern!(py, "__arrow_c_array__"))? {
            let exported = capsule::array(exporter)?;
            self.description.clear();
            exported.check(&mut self.description)?;
            let schema = self.schema(exported.schema())?;
            // SAFETY: the array has the type of the schema that it was exported with.
            return Ok(Some(Rows::Batch(unsafe { record_batch(exported.array, &schema, Origin::Object) }?)));
        }
        if exporter.hasattr(intern!(py, "__arrow_c_stream__"))? {
            return Ok(Some(Rows::Stream(Stream(capsule::stream(exporter)?))));
        }
        Ok(None)
    }

    /// The schema that was described.
    fn schema(&mut self, schema: &FFI_ArrowSchema) -> Result<SchemaRef, ArrowError> {
        if let Some((_, last)) = self.last.as_ref().filter(|(description, _)| *description == self.description) {
            return Ok(Arc::clone(last));
        }
        let fields = match DataType::try_from(schema)? {
            DataType::Struct(fields) => fields,
            found => {
                return Err(ArrowError::SchemaError(format!(
                    "an Arrow array of {found} came, expected record batches"
                )));
            }
        };
        let schema = nullable(&fields);
        self.last = Some((self.description.clone(), Arc::clone(&schema)));
        Ok(schema)
    }
}

impl Stream {
    /// Asks for the schema. The stream may wait for other threads: call it detached from the interpreter.
    pub(crate) fn open(self) -> Result<Batches, ArrowError> {
        let Self(mut stream) = self;
        let mut schema = FFI_ArrowSchema::empty();
        let get_schema = stream.get_schema.ok_or_else(released)?;
        // SAFETY: both are valid, and the stream is not released.
        let status = unsafe { get_schema(&mut stream, &mut schema) };
        check(&mut stream, status)?;
        capsule::check_schema(&schema, &mut Vec::new()).map_err(ArrowError::CDataInterface)?;
        Ok(Batches { stream, schema: nullable(Schema::try_from(&schema)?.fields()) })
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    /// The next batch. The stream may wait for other threads: call it detached from the interpreter.
    fn next(&mut self) -> Option<Self::Item> {
        self.pull().transpose()
    }
}

impl Batches {
    fn pull(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let mut array = FFI_ArrowArray::empty();
        let get_next = self.stream.get_next.ok_or_else(released)?;
        // SAFETY: both are valid, and the stream is not released.
        let status = unsafe { get_next(&mut self.stream, &mut array) };
        check(&mut self.stream, status)?;
        if array.is_released() {
            return Ok(None);
        }
        let columns = i64::try_from(self.schema.fields().len()).unwrap_or(i64::MAX);
        capsule::check_array(&array, columns).map_err(ArrowError::CDataInterface)?;
        // SAFETY: the arrays of a stream have the type of its schema.
        unsafe { record_batch(array, &self.schema, Origin::Stream) }.map(Some)
    }
}

/// # Safety
/// `array` is a struct array of the fields of `schema`.
unsafe fn record_batch(array: FFI_ArrowArray, schema: &SchemaRef, origin: Origin) -> Result<RecordBatch, ArrowError> {
    let array = Arc::new(deferred(array, origin));
    let rows = RecordBatchOptions::new().with_row_count(Some(array.len()));
    // SAFETY: said by the caller.
    let columns = match unsafe { columns(&array, schema.fields()) } {
        Some(columns) => columns,
        None => {
            let array = Arc::into_inner(array).ok_or_else(released)?;
            // SAFETY: said by the caller.
            let data = unsafe { from_ffi_and_data_type(array, DataType::Struct(schema.fields().clone())) }?;
            if data.null_count() > 0 {
                let found = "a struct array with NULL rows came, expected record batches";
                return Err(ArrowError::SchemaError(found.to_owned()));
            }
            StructArray::from(data).into_parts().1
        }
    };
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
}

/// NULLs in columns that have none are found when a batch is checked, and named there.
fn nullable(fields: &Fields) -> SchemaRef {
    let fields: Vec<_> = fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    Arc::new(Schema::new(fields))
}

fn check(stream: &mut FFI_ArrowArrayStream, status: c_int) -> Result<(), ArrowError> {
    if status == 0 {
        return Ok(());
    }
    let message = stream.get_last_error.and_then(|get_last_error| {
        // SAFETY: the stream is not released; the text is none, or ends at a NUL and lives until the next call.
        let text = unsafe { get_last_error(stream).as_ref().map(|text| CStr::from_ptr(text)) };
        text.map(|text| text.to_string_lossy().into_owned())
    });
    Err(ArrowError::CDataInterface(message.unwrap_or_else(|| format!("error {status}, without a message"))))
}

fn released() -> ArrowError {
    ArrowError::CDataInterface("the stream has been released already".to_owned())
}
