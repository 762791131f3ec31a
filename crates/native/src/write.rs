//! Writes to one plug-in what another reads: what `sheetbend.testing` stands on.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use sheetbend_datasource::format::{SourceInfo, TableFormat};
use sheetbend_datasource::isolation::Isolation;
use sheetbend_datasource::python_format::RegisteredFormat;
use sheetbend_datasource::write::{PythonWriteExec, SaveMode, Write, execute, here};

use crate::isolation::parse_isolation;
use crate::runtime::runtime;
use crate::scan::to_python;

/// Writes to `plugin` what the plug-in `rows` reads, a task a partition; what was counted.
///
/// Args: the options of the writer; the save mode; the name of the table; the name of the source in messages; where the code of
/// `plugin` runs.
#[pyfunction]
#[pyo3(signature = (plugin, rows, options, *, mode, table=None, name="source", isolation=BTreeMap::new()))]
#[expect(clippy::too_many_arguments, reason = "a Python function with keyword arguments")]
pub(crate) fn write(
    py: Python<'_>,
    plugin: &Bound<'_, PyAny>,
    rows: &Bound<'_, PyAny>,
    options: BTreeMap<String, String>,
    mode: &str,
    table: Option<String>,
    name: &str,
    isolation: BTreeMap<String, String>,
) -> PyResult<BTreeMap<String, usize>> {
    let mode = SaveMode::named(mode).ok_or_else(|| PyValueError::new_err(format!("'{mode}' is no save mode")))?;
    let format = |name: &str, plugin, isolation| {
        RegisteredFormat::try_new(name, plugin, isolation).map_err(|error| to_python(py, &DataFusionError::from(error)))
    };
    let target = format(name, plugin, parse_isolation(py, isolation)?)?;
    let rows = format("rows", rows, Isolation::default())?;
    let info = SourceInfo { options, ..SourceInfo::default() };
    let write = |schema: SchemaRef| Write { mode, schema, table };
    let runtime = runtime()?;
    let written = py.detach(|| runtime.block_on(run(target, rows, info, write)));
    written.map_err(|error| to_python(py, &error))
}

async fn run(
    target: RegisteredFormat,
    rows: RegisteredFormat,
    info: SourceInfo,
    write: impl FnOnce(SchemaRef) -> Write,
) -> Result<BTreeMap<String, usize>, DataFusionError> {
    let source = target.create_source(info).await?;
    let context = SessionContext::new();
    let input = context.read_table(rows.create_provider(SourceInfo::default()).await?)?.create_physical_plan().await?;
    let exec = PythonWriteExec::new(source, write(input.schema()), input);
    execute(&exec, context.task_ctx(), here()).await?;
    let mut counted = BTreeMap::new();
    for metric in exec.metrics().unwrap_or_default().iter() {
        *counted.entry(metric.value().name().to_owned()).or_default() += metric.value().as_usize();
    }
    Ok(counted)
}
