//! Reads one plug-in through the engine, and gives the rows back to Python: what `sheetbend.testing` stands on.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext, ident};
use futures::StreamExt;
use parking_lot::Mutex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::{PyRecordBatchReader, PySchema};
use sheetbend_datasource::error::PluginFailure;
use sheetbend_datasource::format::{SourceInfo, TableFormat};
use sheetbend_datasource::python_format::RegisteredFormat;
use sheetbend_datasource::scan::ScanPlanner;
use sheetbend_datasource::unattached;
use tokio::sync::mpsc::{self, error::TryRecvError};

use crate::isolation::parse_isolation;
use crate::runtime::runtime;

/// Plans to read `plugin`, an instance or a class; the rows are read when the result is.
///
/// Args: the options; the names of the columns to read, all when None; the most rows; how many partitions at a time;
/// the name of the source in messages; the promised schema, in place of the one that the plug-in infers; where its code
/// runs.
#[pyfunction]
#[pyo3(signature = (plugin, options, *, columns=None, limit=None, target_partitions=None, name="source", schema=None, isolation=BTreeMap::new()))]
#[expect(clippy::too_many_arguments, reason = "a Python function with keyword arguments")]
pub(crate) fn scan(
    py: Python<'_>,
    plugin: &Bound<'_, PyAny>,
    options: BTreeMap<String, String>,
    columns: Option<Vec<String>>,
    limit: Option<usize>,
    target_partitions: Option<usize>,
    name: &str,
    schema: Option<PySchema>,
    isolation: BTreeMap<String, String>,
) -> PyResult<Scan> {
    let isolation = parse_isolation(py, isolation)?;
    let format = RegisteredFormat::try_new(name, plugin, isolation).map_err(|error| to_python(py, &error.into()))?;
    let info = SourceInfo { options, schema: schema.map(PySchema::into_inner), ..SourceInfo::default() };
    let runtime = runtime()?;
    let planned = py.detach(|| runtime.block_on(plan(format, info, columns, limit, target_partitions)));
    let (context, plan) = planned.map_err(|error| to_python(py, &error))?;
    let stream = py.detach(|| {
        let _entered = runtime.enter();
        execute_stream(Arc::clone(&plan), context.task_ctx())
    });
    let stream = stream.map_err(|error| to_python(py, &error))?;
    Ok(Scan { plan, stream: Mutex::new(Some(stream)) })
}

async fn plan(
    format: RegisteredFormat,
    info: SourceInfo,
    columns: Option<Vec<String>>,
    limit: Option<usize>,
    target_partitions: Option<usize>,
) -> Result<(SessionContext, Arc<dyn ExecutionPlan>), DataFusionError> {
    let mut config = SessionConfig::new();
    if let Some(target) = target_partitions {
        config = config.with_target_partitions(target);
    }
    let state = SessionStateBuilder::new().with_config(config).with_default_features();
    let context = SessionContext::new_with_state(state.with_query_planner(Arc::new(ScanPlanner)).build());
    let mut table = context.read_table(format.create_provider(info).await?)?;
    if let Some(columns) = columns {
        table = table.select(columns.into_iter().map(ident))?;
    }
    let table = if limit.is_some() { table.limit(0, limit)? } else { table };
    let plan = table.create_physical_plan().await?;
    Ok((context, plan))
}

/// Rows to be read, once, by whatever speaks Arrow.
#[pyclass(frozen, module = "sheetbend._native")]
pub(crate) struct Scan {
    plan: Arc<dyn ExecutionPlan>,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

#[pymethods]
impl Scan {
    /// The physical plan; `metrics=True` adds what has been counted so far.
    #[pyo3(signature = (*, metrics=false))]
    fn explain(&self, metrics: bool) -> String {
        let shown = match metrics {
            true => DisplayableExecutionPlan::with_metrics(self.plan.as_ref()),
            false => DisplayableExecutionPlan::new(self.plan.as_ref()),
        };
        shown.indent(false).to_string()
    }

    /// What has been counted so far, summed over the partitions of the node that reads the source. Times are nanoseconds.
    fn metrics(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        let mut nodes = vec![&self.plan];
        while let Some(node) = nodes.pop() {
            if node.name() == "PythonExec" {
                let metrics = node.metrics().unwrap_or_default();
                for metric in metrics.iter().filter(|metric| !metric.value().is_timestamp()) {
                    *counted.entry(metric.value().name().to_owned()).or_default() += metric.value().as_usize();
                }
            }
            nodes.extend(node.children());
        }
        counted
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(pyo3_arrow::ffi::to_schema_pycapsule(py, self.plan.schema().as_ref())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let stream = self.stream.lock().take();
        let stream = stream.ok_or_else(|| PyValueError::new_err("the rows of this scan have been read already"))?;
        let reader = PyRecordBatchReader::new(Box::new(Pull { schema: stream.schema(), rows: Rows::Unasked(stream) }));
        reader.into_pyobject(py)?.call_method1("__arrow_c_stream__", (requested_schema,))
    }
}

/// How many batches may wait for the consumer: enough for it not to wait for a task to be woken for each.
const AHEAD: usize = 4;

/// Hands the rows of a query to a consumer in C.
struct Pull {
    schema: SchemaRef,
    rows: Rows,
}

/// What is left of the rows of a query.
enum Rows {
    Unasked(SendableRecordBatchStream),
    /// They come from a task of the runtime: nothing of the query runs on the thread of the consumer, of which is not
    /// known whether it holds the interpreter. The last one is none.
    Coming(mpsc::Receiver<Option<Result<RecordBatch, DataFusionError>>>),
    Ended,
}

impl Pull {
    fn pull(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let mut receiver = match std::mem::replace(&mut self.rows, Rows::Ended) {
            Rows::Unasked(stream) => {
                let runtime = runtime().map_err(|error| ArrowError::ExternalError(error.into()))?;
                let (sender, receiver) = mpsc::channel(AHEAD);
                runtime.spawn(send_all(stream, sender));
                receiver
            }
            Rows::Coming(receiver) => receiver,
            Rows::Ended => return Ok(None),
        };
        let received = match receiver.try_recv() {
            // A consumer may hold the interpreter, which those who make the rows may need.
            Err(TryRecvError::Empty) => unattached(|| receiver.blocking_recv()).flatten(),
            received => received.ok(),
        };
        let next = received.ok_or_else(|| ArrowError::ComputeError("the query panicked".to_owned()))?;
        let Some(batch) = next.transpose().map_err(|error| to_arrow(&error))? else { return Ok(None) };
        self.rows = Rows::Coming(receiver);
        Ok(Some(batch))
    }
}

impl Iterator for Pull {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        // This is called through C, where a panic would end the process.
        catch_unwind(AssertUnwindSafe(|| self.pull()))
            .unwrap_or_else(|_| Err(ArrowError::ComputeError("the query panicked".to_owned())))
            .transpose()
    }
}

impl Drop for Pull {
    fn drop(&mut self) {
        // Not here, for the same reason.
        if let (Rows::Unasked(stream), Ok(runtime)) = (std::mem::replace(&mut self.rows, Rows::Ended), runtime()) {
            runtime.spawn(async move { drop(stream) });
        }
    }
}

impl RecordBatchReader for Pull {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

async fn send_all(
    mut stream: SendableRecordBatchStream,
    sender: mpsc::Sender<Option<Result<RecordBatch, DataFusionError>>>,
) {
    loop {
        let next = tokio::select! {
            biased;
            () = sender.closed() => return,
            next = stream.next() => next,
        };
        let last = !matches!(next, Some(Ok(_)));
        if sender.send(next).await.is_err() || last {
            return;
        }
    }
}

/// An exception of `sheetbend.errors`, with the plug-in's traceback in its text.
pub(crate) fn to_python(py: Python<'_>, error: &DataFusionError) -> PyErr {
    let errors = py.import("sheetbend.errors");
    errors.and_then(|errors| errors.call_method1("PluginError", (text(error),))).map_or_else(|e| e, PyErr::from_value)
}

fn to_arrow(error: &DataFusionError) -> ArrowError {
    // C strings end at a NUL.
    ArrowError::ExternalError(text(error).replace('\0', "\\0").into())
}

fn text(error: &DataFusionError) -> String {
    match PluginFailure::of(error) {
        Some(PluginFailure { message, traceback: Some(traceback), .. }) => format!("{message}\n\n{traceback}"),
        Some(failure) => failure.message.clone(),
        None => error.to_string(),
    }
}
