//! The reads that are under way in this process, so that it can end in order.
//!
//! A thread that enters the interpreter while that ends takes the process down. So before it ends, every read is
//! cancelled and waited for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use parking_lot::{Condvar, Mutex};
use pyo3::prelude::*;

use crate::channel::Closer;
use crate::error::BridgeError;
use crate::failure::Site;
use crate::python;

static READS: Mutex<Reads> = Mutex::new(Reads { next: 0, ended: false, under_way: BTreeMap::new() });
static ONE_ENDED: Condvar = Condvar::new();

struct Reads {
    next: u64,
    ended: bool,
    under_way: BTreeMap<u64, Arc<Read>>,
}

/// How many threads read, or cancel a read.
pub fn under_way() -> usize {
    READS.lock().under_way.len()
}

/// Cancels every read, has none begin any more, and waits for their threads. Returns how many are still there: a
/// plug-in that waits for something without asking its context cannot be stopped.
///
/// Call it detached from the interpreter, before that ends.
pub fn shutdown(patience: Duration) -> usize {
    let end = Instant::now() + patience;
    let mut reads = READS.lock();
    reads.ended = true;
    let cancelled: Vec<_> = reads.under_way.values().cloned().collect();
    drop(reads);
    cancelled.iter().for_each(|read| read.cancel());
    drop(cancelled);
    let mut reads = READS.lock();
    while !reads.under_way.is_empty() && !ONE_ENDED.wait_until(&mut reads, end).timed_out() {}
    reads.under_way.len()
}

/// A read, as seen by whoever cancels it.
pub(crate) struct Read {
    channel: Closer<RecordBatch, BridgeError>,
    /// The context of the partition that is being read.
    context: Mutex<Option<Py<PyAny>>>,
    site: Site,
}

impl Read {
    pub(crate) fn new(channel: Closer<RecordBatch, BridgeError>, site: Site) -> Self {
        Self { channel, context: Mutex::new(None), site }
    }

    /// Takes the batches that wait from the channel, and has no more come.
    pub(crate) fn close(&self) -> Vec<RecordBatch> {
        self.channel.close()
    }

    pub(crate) fn set_context(&self, context: Option<Py<PyAny>>) {
        // The old one is dropped when the lock is free again: that may run Python code.
        let _old = std::mem::replace(&mut *self.context.lock(), context);
    }

    /// Tells the plug-in that nobody waits for its rows any more.
    pub(crate) fn cancel_context(&self, py: Python<'_>) {
        let Some(context) = self.context.lock().take() else { return };
        if let Err(error) = python::cancel(context.bind(py)) {
            // By way of the site, which knows the secrets: a driver may repeat its connection string.
            let error = self.site.raised(py, &error);
            tracing::warn!(%error, "a callback that cancels a read failed");
        }
    }

    fn cancel(&self) {
        let left = self.close();
        Python::try_attach(|py| self.cancel_context(py));
        drop(left);
    }
}

/// The entry of a thread, as long as it may enter the interpreter.
pub(crate) struct Entry(u64);

impl Entry {
    /// None where the process ends.
    pub(crate) fn of(read: &Arc<Read>) -> Option<Self> {
        let mut reads = READS.lock();
        if reads.ended {
            return None;
        }
        reads.next += 1;
        let number = reads.next;
        reads.under_way.insert(number, Arc::clone(read));
        Some(Self(number))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let read = READS.lock().under_way.remove(&self.0);
        ONE_ENDED.notify_all();
        drop(read);
    }
}
