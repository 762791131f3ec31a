//! The Python extension module `sheetbend._native`: what the Python package calls, and no logic of its own.

mod ddl;
mod executor;
mod isolation;
mod runtime;
mod scan;
mod server;
mod write;

use pyo3::prelude::*;
use tracing_subscriber::EnvFilter;

/// What is left out of the log at any level: these call it an error that a job has been cancelled, or that nobody wants
/// the rest of the rows.
const QUIET: [&str; 3] = [
    "ballista_core::execution_plans::shuffle_reader=off",
    "ballista_scheduler::state::executor_manager=off",
    "ballista_scheduler::state::task_manager=off",
];

/// The native half of Sheetbend. Private: `sheetbend` and `sheetbend.testing` wrap it.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // A second import in the same process finds the log set up already.
    let filter = EnvFilter::try_from_env("SHEETBEND_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let filter = QUIET.iter().fold(filter, |filter, quiet| match quiet.parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    });
    drop(tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init());
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<executor::Executor>()?;
    module.add_class::<scan::Scan>()?;
    module.add_class::<server::Server>()?;
    module.add_function(wrap_pyfunction!(executor::ask_cluster, module)?)?;
    module.add_function(wrap_pyfunction!(ddl::parse_ddl, module)?)?;
    module.add_function(wrap_pyfunction!(scan::scan, module)?)?;
    module.add_function(wrap_pyfunction!(write::write, module)?)?;
    module.add_function(wrap_pyfunction!(runtime::reads_under_way, module)?)?;
    module.add_function(wrap_pyfunction!(isolation::check_isolation, module)?)?;
    module.add_function(wrap_pyfunction!(isolation::idle_workers, module)?)?;
    module.add_function(wrap_pyfunction!(isolation::end_workers, module)?)?;
    runtime::register_shutdown(module)?;
    Ok(())
}
