//! The Python extension module `sheetbend._native`: what the Python package calls, and no logic of its own.

mod runtime;
mod scan;

use pyo3::prelude::*;

/// The native half of Sheetbend. Private: `sheetbend` and `sheetbend.testing` wrap it.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<scan::Scan>()?;
    module.add_function(wrap_pyfunction!(scan::scan, module)?)?;
    module.add_function(wrap_pyfunction!(runtime::reads_under_way, module)?)?;
    runtime::register_shutdown(module)?;
    Ok(())
}
