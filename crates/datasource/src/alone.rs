//! Whether a thread may wait for a plug-in itself.
//!
//! Code of a plug-in waits: for the interpreter, a driver, a network. So it runs on threads that are there to wait, and a
//! query that is planned changes threads twice for each call. Where it has a thread to itself that is not needed.

use std::cell::Cell;
use std::pin::pin;
use std::task::Poll;

use futures::future::{poll_fn, try_join_all};

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on a thread that may wait and that nothing else needs: what calls a plug-in in there waits right here.
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    let _before = Restore(ALONE.replace(true));
    work()
}

/// Whether this thread may wait.
pub(crate) fn is_alone() -> bool {
    ALONE.get()
}

/// The values of all futures. What several of them wait for, they wait for at the same time.
///
/// # Errors
/// The first error that comes.
pub async fn together<T, E>(
    futures: impl IntoIterator<Item = impl Future<Output = Result<T, E>>>,
) -> Result<Vec<T>, E> {
    let futures: Vec<_> = futures.into_iter().collect();
    let several = futures.len() > 1;
    let mut all = pin!(try_join_all(futures));
    poll_fn(|context| -> Poll<_> {
        let _before = Restore(ALONE.replace(is_alone() && !several));
        all.as_mut().poll(context)
    })
    .await
}

struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        ALONE.set(self.0);
    }
}
