//! What a worker process is started with.

use std::time::Duration;

use pyo3::prelude::*;

use crate::isolation::Isolation;
use crate::python;

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How to start a worker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    /// The interpreter, and the script that it runs.
    pub(crate) python: String,
    pub(crate) script: String,
    /// Where modules are imported from, and whether these are all such paths.
    pub(crate) paths: Vec<String>,
    pub(crate) own_paths: bool,
    /// Bytes of address space.
    pub(crate) memory: Option<u64>,
    pub(crate) start_timeout: Duration,
}

impl Launch {
    /// What `isolation` says, filled up with what this interpreter knows of itself.
    ///
    /// # Errors
    /// It does not know where it is.
    pub(crate) fn new(py: Python<'_>, isolation: &Isolation) -> PyResult<Self> {
        let (python, script, paths, own_paths) = python::launch(py, isolation.python.as_deref())?;
        let start_timeout = isolation.start_timeout.unwrap_or(START_TIMEOUT);
        Ok(Self { python, script, paths, own_paths, memory: isolation.memory, start_timeout })
    }
}
