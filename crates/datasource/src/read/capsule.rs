//! Arrow's C structs in capsules of Python, looked at before they are trusted.
//!
//! What C leaves undefined, and the Arrow library takes as given, is an error here: a struct that was released already, a
//! type without end, columns that are not those of the schema.

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyString};

/// How deep a type may nest. It is what pyarrow imports; the Arrow library overflows the stack at about a thousand.
const MAX_DEPTH: usize = 64;

const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";
const STREAM: &CStr = c"arrow_array_stream";

/// Why nothing was imported.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// The object raised.
    Raised(PyErr),
    /// It exported something else than it should; the text goes on from what it is called.
    Export(String),
}

impl From<PyErr> for Unfit {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<ArrowError> for Unfit {
    fn from(error: ArrowError) -> Self {
        Self::Export(error.to_string())
    }
}

/// The schema that `exporter` exports by `__arrow_c_schema__`.
///
/// # Errors
/// Anything else than a schema.
pub(crate) fn schema(exporter: &Bound<'_, PyAny>) -> Result<SchemaRef, Unfit> {
    let method = intern!(exporter.py(), "__arrow_c_schema__");
    let capsule = exporter.call_method0(method)?;
    let schema = pointer::<FFI_ArrowSchema>(&capsule, method, SCHEMA)?;
    // SAFETY: a capsule of this name points to an ArrowSchema, by the Arrow PyCapsule interface; it lives here.
    let schema = unsafe { schema.as_ref() };
    check_schema(schema, &mut Vec::new()).map_err(Unfit::Export)?;
    Ok(Arc::new(Schema::try_from(schema)?))
}

/// A batch as it was exported: its schema, where it lies in its capsule, and the array, moved out of its own.
pub(crate) struct Exported<'py> {
    schema: NonNull<FFI_ArrowSchema>,
    _capsule: Bound<'py, PyAny>,
    pub(crate) array: FFI_ArrowArray,
}

impl Exported<'_> {
    /// The schema of the array.
    pub(crate) fn schema(&self) -> &FFI_ArrowSchema {
        // SAFETY: it was found to be there, and lives as long as its capsule.
        unsafe { self.schema.as_ref() }
    }

    /// Whether a batch can be made of it; says in `description` what its schema is, see [`check_schema`].
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, description: &mut Vec<u8>) -> Result<(), Unfit> {
        check_schema(self.schema(), description).map_err(Unfit::Export)?;
        check_array(&self.array, self.schema().n_children).map_err(Unfit::Export)
    }
}

/// The batch that `exporter` exports by `__arrow_c_array__`.
///
/// # Errors
/// Anything else than an array with its schema.
pub(crate) fn array<'py>(exporter: &Bound<'py, PyAny>) -> Result<Exported<'py>, Unfit> {
    let method = intern!(exporter.py(), "__arrow_c_array__");
    let capsules = exporter.call_method0(method)?;
    let Ok((capsule, array)) = capsules.extract::<(Bound<'py, PyAny>, Bound<'py, PyAny>)>() else {
        let found = kind(&capsules);
        return Err(Unfit::Export(format!("{method} returned {found}, expected a tuple of two PyCapsules")));
    };
    let schema = pointer::<FFI_ArrowSchema>(&capsule, method, SCHEMA)?;
    let array = pointer::<FFI_ArrowArray>(&array, method, ARRAY)?;
    // SAFETY: a capsule of this name points to an ArrowArray, by the Arrow PyCapsule interface. `from_raw` moves it out
    // and leaves a released one, so that the capsule's destructor frees the struct and nothing twice.
    let array = unsafe { FFI_ArrowArray::from_raw(array.as_ptr()) };
    if array.is_released() {
        return Err(Unfit::Export(released(method)));
    }
    Ok(Exported { schema, _capsule: capsule, array })
}

/// The stream that `exporter` exports by `__arrow_c_stream__`.
///
/// # Errors
/// Anything else than a stream.
pub(crate) fn stream(exporter: &Bound<'_, PyAny>) -> Result<FFI_ArrowArrayStream, Unfit> {
    let method = intern!(exporter.py(), "__arrow_c_stream__");
    let capsule = exporter.call_method0(method)?;
    let stream = pointer::<FFI_ArrowArrayStream>(&capsule, method, STREAM)?;
    // SAFETY: a capsule of this name points to an ArrowArrayStream, by the Arrow PyCapsule interface. `from_raw` moves
    // it out and leaves a released one, so that the capsule's destructor frees the struct and nothing twice.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr().cast()) };
    match stream.release {
        Some(_) => Ok(stream),
        None => Err(Unfit::Export(released(method))),
    }
}

/// Whether a schema can be read. Adds to `description` all that it says: equal schemas say the same, and no others.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_schema(schema: &FFI_ArrowSchema, description: &mut Vec<u8>) -> Result<(), String> {
    if schema.release.is_none() {
        return Err("the schema has been released already".to_owned());
    }
    let mut pending = vec![(NonNull::from(schema), 0)];
    while let Some((schema, depth)) = pending.pop() {
        if depth > MAX_DEPTH {
            return Err(format!("a column is nested more than {MAX_DEPTH} levels deep"));
        }
        // SAFETY: the schema is not released, so all that it points to is there.
        let schema = unsafe { schema.as_ref() };
        if schema.format.is_null() || !describe(schema.format, description) || !describe(schema.name, description) {
            return Err("a column has no type, or a name that is not UTF-8".to_owned());
        }
        // SAFETY: as above; metadata are none, or as the C data interface lays them out.
        unsafe { describe_metadata(schema.metadata, description) }?;
        let children = usize::try_from(schema.n_children).unwrap_or_default();
        if children > 0 && schema.children.is_null() {
            return Err(format!("it lacks the {children} columns that it speaks of"));
        }
        description.extend(schema.flags.to_ne_bytes());
        description.extend(children.to_ne_bytes());
        description.push(schema.dictionary.is_null().into());
        // SAFETY: `children` points to as many pointers as there are children.
        let children = (0..children).map(|index| unsafe { *schema.children.add(index) });
        for child in children.chain([schema.dictionary]) {
            pending.extend(NonNull::new(child).map(|child| (child, depth + 1)));
        }
    }
    Ok(())
}

/// Whether a struct array can be one of so many columns.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_array(array: &FFI_ArrowArray, columns: i64) -> Result<(), String> {
    if array.n_children != columns {
        return Err(format!("a batch has {} columns where its schema has {columns}", array.n_children));
    }
    if array.length < 0 || array.offset < 0 {
        return Err(format!("a batch has {} rows, from row {} on", array.length, array.offset));
    }
    Ok(())
}

fn pointer<T>(object: &Bound<'_, PyAny>, method: &Bound<'_, PyString>, name: &CStr) -> Result<NonNull<T>, Unfit> {
    let shown = name.to_string_lossy();
    let capsule = object
        .cast::<PyCapsule>()
        .map_err(|_| Unfit::Export(format!("{method} returned {}, expected a PyCapsule '{shown}'", kind(object))))?;
    let pointer = capsule
        .pointer_checked(Some(name))
        .map_err(|_| Unfit::Export(format!("{method} returned a PyCapsule of another name, expected '{shown}'")))?;
    Ok(pointer.cast())
}

fn kind(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "an object".to_owned(), |name| name.to_string())
}

fn released(method: &Bound<'_, PyString>) -> String {
    format!("{method} returned what has been released already; each export is good for one import")
}

/// Adds a text to a description; returns whether it is UTF-8, as none is.
fn describe(text: *const c_char, description: &mut Vec<u8>) -> bool {
    if text.is_null() {
        // No text starts so.
        description.push(u8::MAX);
        return true;
    }
    // SAFETY: a text of a schema that is not released ends at a NUL.
    let text = unsafe { CStr::from_ptr(text) };
    description.extend(text.to_bytes_with_nul());
    text.to_str().is_ok()
}

/// Adds metadata to a description: how many pairs there are, and of each key and value its length and its bytes.
///
/// # Safety
/// `metadata` is null, or points to metadata of the C data interface.
unsafe fn describe_metadata(metadata: *const c_char, description: &mut Vec<u8>) -> Result<(), String> {
    description.push(metadata.is_null().into());
    if metadata.is_null() {
        return Ok(());
    }
    let mut at = metadata.cast::<u8>();
    // SAFETY: the layout is a count of pairs, and of each key and value its length and its bytes.
    unsafe {
        let pairs = take_length(&mut at, description)?;
        for _text in 0..2 * pairs {
            let length = take_length(&mut at, description)?;
            description.extend(slice::from_raw_parts(at, length));
            at = at.add(length);
        }
    }
    Ok(())
}

/// Adds the length that `at` points to, and moves on to what follows it.
///
/// # Safety
/// `at` points to a length in metadata.
unsafe fn take_length(at: &mut *const u8, description: &mut Vec<u8>) -> Result<usize, String> {
    // SAFETY: said by the caller; it need not be aligned.
    let bytes = unsafe { at.cast::<[u8; size_of::<i32>()]>().read() };
    description.extend(bytes);
    // SAFETY: it is as long.
    *at = unsafe { at.add(bytes.len()) };
    let length = i32::from_ne_bytes(bytes);
    usize::try_from(length).map_err(|_| format!("its metadata speak of a length of {length}"))
}
