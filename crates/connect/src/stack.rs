//! Room for recursion: plans are trees, and walking, resolving or dropping a deep one takes stack.

use std::any::Any;
use std::future::Future;
use std::thread;

use sheetbend_datasource::alone::alone;
use sheetbend_datasource::error::panic_text;
use sheetbend_plan::error::{Result, SparkError};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

/// The stack that threads of the runtime need: enough for a plan of the deepest message that the codec lets in. A page that
/// is not touched costs nothing.
pub const STACK_BYTES: usize = 128 << 20;

/// How many queries are analysed at once. They must leave threads of the runtime for what they wait for.
static PLANNING: Semaphore = Semaphore::const_new(256);

/// Runs `work` on a large stack and waits for it.
pub(crate) fn grow<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    thread::scope(|scope| {
        let thread =
            thread::Builder::new().name("decode".to_owned()).stack_size(STACK_BYTES).spawn_scoped(scope, work)?;
        thread.join().map_err(|panic| std::io::Error::other(panic_text(&*panic)))
    })
}

/// Runs the future that `make` makes on a thread of its own: one of the runtime's threads that may wait, which have
/// [`STACK_BYTES`].
///
/// Where the caller no longer waits, it is dropped at its next await.
///
/// # Errors
/// The future's own; a panic is an internal error.
pub(crate) async fn run<T, F>(make: impl FnOnce() -> F + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>>,
{
    let permit = PLANNING.acquire().await.map_err(SparkError::internal)?;
    let (mut sender, receiver) = oneshot::channel();
    let runtime = Handle::current();
    let task = tokio::task::spawn_blocking(move || {
        let future = async {
            tokio::select! {
                result = make() => drop(sender.send(result)),
                () = sender.closed() => {}
            }
        };
        alone(|| runtime.block_on(future));
        // Not before: a thread that a plug-in holds is taken, whether somebody waits or not.
        drop(permit);
    });
    match receiver.await {
        Ok(result) => result,
        Err(_) => Err(task.await.err().and_then(|error| error.try_into_panic().ok()).map_or_else(
            || SparkError::internal("The query's analysis ended without an answer."),
            |panic| panicked(&*panic),
        )),
    }
}

/// The error of a panic.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> SparkError {
    SparkError::internal(format!("The server has a fault: {}. Other queries are not affected.", panic_text(panic)))
}
