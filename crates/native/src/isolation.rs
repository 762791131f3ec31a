//! The options of isolation, as Python gives them.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use sheetbend_datasource::isolation::{Isolation, OPTIONS};
use sheetbend_datasource::worker::pool;

/// What `options` say.
///
/// # Errors
/// A Python `OptionError`, where one is not there or has a value that it does not take.
pub(crate) fn parse_isolation(py: Python<'_>, mut options: BTreeMap<String, String>) -> PyResult<Isolation> {
    let isolation = Isolation::take(&mut options).map_err(|error| error.to_string());
    let isolation = match (isolation, options.keys().next()) {
        (Ok(_), Some(unknown)) => Err(format!("There is no option '{unknown}'. There are: {}.", OPTIONS.join(", "))),
        (isolation, _) => isolation,
    };
    isolation.map_err(|text| {
        let errors = py.import("sheetbend.errors");
        errors.and_then(|errors| errors.call_method1("OptionError", (text,))).map_or_else(|e| e, PyErr::from_value)
    })
}

/// Raises an `OptionError` for options that are wrong.
#[pyfunction]
pub(crate) fn check_isolation(py: Python<'_>, options: BTreeMap<String, String>) -> PyResult<()> {
    parse_isolation(py, options).map(drop)
}

/// How many worker processes wait for a request.
#[pyfunction]
pub(crate) fn idle_workers() -> usize {
    pool::idle()
}

/// Ends the worker processes that wait for a request.
#[pyfunction]
pub(crate) fn end_workers(py: Python<'_>) {
    py.detach(pool::close);
}
