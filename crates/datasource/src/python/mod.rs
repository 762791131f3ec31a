//! Calls into `sheetbend._bridge`, the Python half of the bridge. Each function is one of the same name there.

pub(crate) mod failure;
pub(crate) mod in_process;
pub(crate) mod interpreter;
pub(crate) mod plugin;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatchReader;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCFunction, PyDict, PyIterator};
use pyo3_arrow::{PyRecordBatch, PyRecordBatchReader, PySchema};
use serde::Deserialize;

use crate::client_class::ClientClass;
use crate::format::SourceInfo;
use crate::host::Message;
use crate::read::capsule::{self, Unfit};

/// What is to be said of an exception.
#[derive(Debug, FromPyObject, Deserialize)]
pub(crate) struct Failure {
    pub(crate) text: String,
    pub(crate) contract: bool,
    pub(crate) traceback: Option<String>,
    pub(crate) condition: String,
    pub(crate) sql_state: String,
    pub(crate) transient: bool,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Whether the text is a sentence by itself, rather than what goes on from the name of the method.
    pub(crate) whole: bool,
}

/// Options as a plug-in gets them, and the texts in them that are secret.
#[derive(FromPyObject)]
pub(crate) struct Configured {
    pub(crate) options: Py<PyAny>,
    pub(crate) secrets: Vec<String>,
    /// The methods that a plug-in may have, and this one has.
    pub(crate) methods: Vec<String>,
}

pub(crate) fn load<'py>(py: Python<'py>, module: &str, class: &str) -> PyResult<Bound<'py, PyAny>> {
    bridge(py)?.call_method1(intern!(py, "load"), (module, class))
}

pub(crate) fn adopt<'py>(candidate: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    bridge(candidate.py())?.call_method1(intern!(candidate.py(), "adopt"), (candidate,))
}

pub(crate) fn unpickle<'py>(
    py: Python<'py>,
    class: &ClientClass,
    files: &BTreeMap<String, Arc<[u8]>>,
) -> PyResult<Bound<'py, PyAny>> {
    bridge(py)?.call_method1(intern!(py, "unpickle"), sent(py, class, files)?)
}

/// The arguments for a class that a client has sent: name, pickle, version of Python, files.
type Sent<'py> = (String, Bound<'py, PyBytes>, String, Bound<'py, PyDict>);

fn sent<'py>(py: Python<'py>, class: &ClientClass, files: &BTreeMap<String, Arc<[u8]>>) -> PyResult<Sent<'py>> {
    let sent = PyDict::new(py);
    for (name, data) in files {
        sent.set_item(name, PyBytes::new(py, data))?;
    }
    Ok((class.name.clone(), PyBytes::new(py, &class.pickled), class.python_version.clone(), sent))
}

pub(crate) fn class_name(plugin: &Bound<'_, PyAny>) -> PyResult<String> {
    bridge(plugin.py())?.call_method1(intern!(plugin.py(), "class_name"), (plugin,))?.extract()
}

pub(crate) fn configure(plugin: &Bound<'_, PyAny>, info: &SourceInfo) -> PyResult<Configured> {
    let py = plugin.py();
    let values = PyDict::new(py);
    for (key, value) in &info.options {
        values.set_item(key, value)?;
    }
    let schema = info.schema.as_ref().map(|schema| PySchema::new(schema.clone()).into_pyarrow(py)).transpose()?;
    let arguments = (plugin, values, &info.paths, &info.predicates, schema);
    bridge(py)?.call_method1(intern!(py, "configure"), arguments)?.extract()
}

pub(crate) fn check_options(plugin: &Bound<'_, PyAny>, source: &str, options: &Py<PyAny>) -> PyResult<()> {
    let py = plugin.py();
    bridge(py)?.call_method1(intern!(py, "check"), (plugin, source, options)).map(drop)
}

/// Why a call gave nothing.
pub(crate) enum Raised {
    /// The method raised, or returned something of another kind.
    Plugin(PyErr),
    /// It returned Arrow data that cannot be taken, and why.
    Import(String),
}

/// Calls `method` of a plug-in.
pub(crate) fn call(
    plugin: &Bound<'_, PyAny>,
    options: &Py<PyAny>,
    method: &str,
    input: Message,
) -> Result<Message, Raised> {
    let py = plugin.py();
    let called = || -> PyResult<Parts> {
        let arguments = (plugin, options, method, to_python(py, input)?);
        bridge(py)?.call_method1(intern!(py, "call"), arguments)?.extract()
    };
    let (json, schema, batch) = called().map_err(Raised::Plugin)?;
    let schema = schema.map(|schema| capsule::schema(schema.bind(py))).transpose().map_err(|unfit| match unfit {
        Unfit::Raised(error) => Raised::Plugin(error),
        Unfit::Export(what) => Raised::Import(what),
    })?;
    let batch = batch.map(|batch| batch.extract::<PyRecordBatch>(py)).transpose().map_err(Raised::Plugin)?;
    Ok(Message { json, schema, batch: batch.map(PyRecordBatch::into_inner) })
}

/// A [`Message`] of Python objects.
type Parts = (String, Option<Py<PyAny>>, Option<Py<PyAny>>);

fn to_python(py: Python<'_>, message: Message) -> PyResult<Parts> {
    let schema = message.schema.map(|schema| PySchema::new(schema).into_pyarrow(py).map(Bound::unbind)).transpose()?;
    let batch = message.batch.map(|batch| PyRecordBatch::new(batch).into_pyarrow(py).map(Bound::unbind)).transpose()?;
    Ok((message.json, schema, batch))
}

/// What a reader is told of its read.
pub(crate) struct Told<'py> {
    pub(crate) batch_size: usize,
    /// The position of the partition.
    pub(crate) partition: usize,
    /// Seconds until the query ends.
    pub(crate) remaining: Option<f64>,
    /// A filter that all rows pass that are wanted.
    pub(crate) wanted: Option<Message>,
    /// Is called with the name of a metric and what is to be added to it.
    pub(crate) add: Bound<'py, PyCFunction>,
}

pub(crate) fn new_context<'py>(source: &str, options: &Py<PyAny>, told: Told<'py>) -> PyResult<Bound<'py, PyAny>> {
    let py = told.add.py();
    // Called by readers that ask: a filter of many literals takes its time to cross.
    let wanted = told.wanted.map(|wanted| {
        PyCFunction::new_closure(py, None, None, move |arguments, _| to_python(arguments.py(), wanted.clone()))
    });
    let wanted = wanted.transpose()?;
    let told = (told.batch_size, told.partition, told.remaining, wanted, told.add);
    bridge(py)?.call_method1(intern!(py, "new_context"), (source, options, told))
}

pub(crate) fn cancel(context: &Bound<'_, PyAny>) -> PyResult<()> {
    context.call_method0(intern!(context.py(), "cancel")).map(drop)
}

pub(crate) fn read_partition<'py>(
    plugin: &Bound<'py, PyAny>,
    spec: &str,
    options: &Py<PyAny>,
    context: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyIterator>> {
    let arguments = (plugin, spec, options, context);
    bridge(plugin.py())?.call_method1(intern!(plugin.py(), "read_partition"), arguments)?.try_iter()
}

pub(crate) fn new_write_context(py: Python<'_>, partition: usize) -> PyResult<Bound<'_, PyAny>> {
    bridge(py)?.call_method1(intern!(py, "new_write_context"), (partition,))
}

/// Has a plug-in write `rows`; the commit message, JSON.
pub(crate) fn write_partition(
    plugin: &Bound<'_, PyAny>,
    work: &str,
    rows: Box<dyn RecordBatchReader + Send>,
    options: &Py<PyAny>,
    context: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let py = plugin.py();
    let batches = PyRecordBatchReader::new(rows).into_pyarrow(py)?;
    bridge(py)?.call_method1(intern!(py, "write_partition"), (plugin, work, batches, options, context))?.extract()
}

pub(crate) fn unexpected_item(item: &Bound<'_, PyAny>) -> PyResult<String> {
    bridge(item.py())?.call_method1(intern!(item.py(), "unexpected_item"), (item,))?.extract()
}

pub(crate) fn close(rows: &Bound<'_, PyIterator>) -> PyResult<()> {
    bridge(rows.py())?.call_method1(intern!(rows.py(), "close"), (rows,)).map(drop)
}

pub(crate) fn failure(py: Python<'_>, error: &PyErr) -> PyResult<Failure> {
    // Not `PyErr::value`, which has no traceback yet.
    let value = error.clone_ref(py).into_value(py);
    bridge(py)?.call_method1(intern!(py, "failure"), (value,))?.extract()
}

/// The interpreter of a worker, the script that it runs, the paths of its modules, and whether these are all.
pub(crate) fn launch(py: Python<'_>, python: Option<&str>) -> PyResult<(String, String, Vec<String>, bool)> {
    let module = py.import(intern!(py, "sheetbend.worker.launch"))?;
    module.call_method1(intern!(py, "launch"), (python,))?.extract()
}

/// A plug-in as bytes, of which a worker makes it anew.
pub(crate) fn pack(plugin: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let module = plugin.py().import(intern!(plugin.py(), "sheetbend.worker.pickling"))?;
    module.call_method1(intern!(plugin.py(), "pack"), (plugin,))?.extract()
}

/// What was packed by [`pack`] or [`pack_class`], perhaps in another process.
pub(crate) fn unpack<'py>(py: Python<'py>, packed: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let module = py.import(intern!(py, "sheetbend.worker.pickling"))?;
    module.call_method1(intern!(py, "unpack"), (PyBytes::new(py, packed),))
}

/// A class that a client has sent, as bytes, of which a worker makes a plug-in: no code of it runs here.
pub(crate) fn pack_class(
    py: Python<'_>,
    class: &ClientClass,
    files: &BTreeMap<String, Arc<[u8]>>,
) -> PyResult<Vec<u8>> {
    let module = py.import(intern!(py, "sheetbend.worker.pickling"))?;
    module.call_method1(intern!(py, "pack_class"), sent(py, class, files)?)?.extract()
}

/// The texts among the options that are secret by the looks of them, without a plug-in that says so.
pub(crate) fn secrets(py: Python<'_>, info: &SourceInfo) -> PyResult<Vec<String>> {
    Ok(configure(py.None().bind(py), info)?.secrets)
}

fn bridge(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import(intern!(py, "sheetbend._bridge"))
}
