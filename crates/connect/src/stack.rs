//! Room for recursion: plans are trees, and walking, resolving or dropping a deep one takes stack.

use std::any::Any;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use sheetbend_plan::error::{Result, SparkError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Enough for a plan of the deepest message that the codec lets in; a page that is not touched costs nothing.
const STACK_BYTES: usize = 128 << 20;

/// Runs `work` on a large stack and waits for it.
pub(crate) fn grow<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    thread::scope(|scope| {
        let thread =
            thread::Builder::new().name("decode".to_owned()).stack_size(STACK_BYTES).spawn_scoped(scope, work)?;
        thread.join().map_err(|panic| std::io::Error::other(panic_message(&*panic)))
    })
}

/// Runs the future that `make` makes on a thread with a large stack.
///
/// It runs within the caller's runtime. Where the caller no longer waits, it is dropped at its next await.
///
/// # Errors
/// The future's own; a panic is an internal error.
pub(crate) async fn run<T, F>(make: impl FnOnce() -> F + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>>,
{
    let (mut sender, receiver) = oneshot::channel();
    let runtime = Handle::current();
    let body = move || {
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                tokio::select! {
                    result = make() => Some(result),
                    () = sender.closed() => None,
                }
            })
        }));
        match outcome {
            Ok(Some(result)) => drop(sender.send(result)),
            Ok(None) => {}
            Err(panic) => drop(sender.send(Err(panicked(&*panic)))),
        }
    };
    thread::Builder::new()
        .name("plan".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(body)
        .map_err(|e| SparkError::internal(format!("No thread for the query's analysis: {e}.")))?;
    receiver.await.unwrap_or_else(|_| Err(SparkError::internal("The query's analysis ended without an answer.")))
}

/// The error of a panic.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> SparkError {
    SparkError::internal(format!("The server has a fault: {}. Other queries are not affected.", panic_message(panic)))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panic")
}
