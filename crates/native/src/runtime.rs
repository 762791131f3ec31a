//! The async runtime of the process, and its end.

use std::time::Duration;

use parking_lot::Mutex;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use sheetbend_connect::STACK_BYTES;
use sheetbend_datasource::read::{release, under_way};
use sheetbend_datasource::worker::pool;
use tokio::runtime::{Builder, Handle, Runtime};

/// How long the end of the process waits for plug-ins that still read.
const PATIENCE: Duration = Duration::from_secs(10);

static RUNTIME: Mutex<State> = Mutex::new(State::Unused);

enum State {
    Unused,
    Running(Runtime),
    Ended,
}

/// The runtime, which is made when it is first needed.
///
/// # Errors
/// The system gives no threads, or the interpreter ends.
pub(crate) fn runtime() -> PyResult<Handle> {
    let mut state = RUNTIME.lock();
    match &*state {
        State::Running(runtime) => return Ok(runtime.handle().clone()),
        State::Ended => return Err(PyRuntimeError::new_err("the interpreter has ended")),
        State::Unused => {}
    }
    let mut builder = Builder::new_multi_thread();
    let made = builder.enable_all().thread_name("sheetbend").thread_stack_size(STACK_BYTES).build();
    let made = made.map_err(|error| PyRuntimeError::new_err(format!("no async runtime: {error}")))?;
    let handle = made.handle().clone();
    *state = State::Running(made);
    Ok(handle)
}

/// Has [`shutdown`] called when the interpreter ends, while threads may still enter it.
pub(crate) fn register_shutdown(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let shutdown = wrap_pyfunction!(shutdown, module)?;
    module.py().import("atexit")?.call_method1("register", (shutdown,)).map(drop)
}

/// Cancels every read and waits for all threads that may enter the interpreter.
#[pyfunction]
fn shutdown(py: Python<'_>) {
    py.detach(|| {
        let left = under_way::shutdown(PATIENCE);
        if left > 0 {
            tracing::warn!(left, "the process ends while plug-ins still read");
        }
        pool::close();
        let state = std::mem::replace(&mut *RUNTIME.lock(), State::Ended);
        if let State::Running(runtime) = state {
            runtime.shutdown_timeout(PATIENCE);
        }
        release::drain(PATIENCE);
    });
}

/// How many threads read from plug-ins, or cancel that.
#[pyfunction]
pub(crate) fn reads_under_way() -> usize {
    under_way::count()
}
