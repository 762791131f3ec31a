//! The async runtime of the process.

use std::sync::OnceLock;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

/// A main thread's stack: plug-ins are called on the runtime's blocking threads, and extension modules may recurse.
const STACK_BYTES: usize = 8 << 20;

/// The runtime, which is made when it is first needed and lives as long as the process.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn runtime() -> PyResult<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let mut builder = Builder::new_multi_thread();
    let made = builder.enable_all().thread_name("sheetbend").thread_stack_size(STACK_BYTES).build();
    let made = made.map_err(|error| PyRuntimeError::new_err(format!("no async runtime: {error}")))?;
    Ok(RUNTIME.get_or_init(|| made))
}
