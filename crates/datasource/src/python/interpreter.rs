//! When the interpreter is held, and for how long it was waited for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::alone::is_alone;
use crate::error::Result;
use crate::python::failure::Site;
use crate::read::ReadMetrics;

/// Runs `work` on a thread that may wait: this one, where it has only that to do.
///
/// # Errors
/// What `work` fails with; also a panic in it.
pub(crate) async fn blocking<T: Send + 'static>(
    site: Site,
    work: impl FnOnce(&Site) -> Result<T> + Send + 'static,
) -> Result<T> {
    if is_alone() {
        return work(&site);
    }
    let on_panic = site.clone();
    let task = tokio::task::spawn_blocking(move || work(&site));
    task.await.unwrap_or_else(|error| Err(on_panic.failed(format!("failed: {error}"))))
}

/// Runs `work` attached to the interpreter, on this thread.
///
/// # Errors
/// What `work` fails with; also a panic in it, and an interpreter that has ended.
pub(crate) fn guarded<T>(site: &Site, work: impl FnOnce(Python<'_>) -> Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(|| Python::try_attach(work))) {
        Ok(Some(result)) => result,
        Ok(None) => Err(site.ended()),
        Err(payload) => Err(site.panicked(payload.as_ref())),
    }
}

/// Lets other threads have the interpreter while `work` runs, whether this thread holds it or not; none where it has
/// ended.
///
/// For calls that come through C: an extension module may have let the interpreter go, while pyo3 believes that this
/// thread, which it has attached further up, still holds it.
pub fn unattached<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    let _held = Held::new();
    Python::try_attach(|py| py.detach(work))
}

/// The interpreter, held once more by a thread that may hold it already.
struct Held(ffi::PyGILState_STATE);

impl Held {
    fn new() -> Self {
        // SAFETY: any thread may call this while there is an interpreter, and the end of the process waits for the
        // threads that may. It is undone once, by the drop, on the same thread: it does not leave `unattached`.
        Self(unsafe { ffi::PyGILState_Ensure() })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: undoes the call of `new`; what was held since has been let go in order, as guards are.
        unsafe { ffi::PyGILState_Release(self.0) };
    }
}

/// Lets other threads have the interpreter while `work` runs: everything that may wait happens in here.
pub(crate) fn detached<T: Send>(py: Python<'_>, metrics: &ReadMetrics, work: impl FnOnce() -> T + Send) -> T {
    let (value, ready) = py.detach(|| (work(), Instant::now()));
    metrics.entered(ready);
    value
}
