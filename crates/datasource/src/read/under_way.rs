//! The reads that are under way in this process, so that it can end in order.
//!
//! A thread that enters the interpreter while that ends takes the process down. So before it ends, every read is
//! cancelled and waited for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use parking_lot::{Condvar, Mutex};

use crate::error::BridgeError;
use crate::python::failure::Site;
use crate::read::channel::Closer;
use crate::read::watchdog::{self, Slow, Step};

static READS: Mutex<Reads> = Mutex::new(Reads { next: 0, ended: false, under_way: BTreeMap::new() });
static ONE_BEGAN: Condvar = Condvar::new();
static ONE_ENDED: Condvar = Condvar::new();

struct Reads {
    next: u64,
    ended: bool,
    under_way: BTreeMap<u64, Arc<Read>>,
}

/// How many threads read, or cancel a read.
pub fn count() -> usize {
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
    let (told, all_told) = mpsc::channel::<()>();
    for read in cancelled {
        let told = told.clone();
        // Not here: a plug-in may hang when it is told, and the others are to be told all the same.
        let telling = thread::Builder::new().name("sheetbend-cancel".to_owned()).spawn(move || {
            read.end();
            drop(told);
        });
        if let Err(error) = telling {
            tracing::warn!(%error, "no thread to cancel a read");
        }
    }
    drop(told);
    // Nothing is ever sent: this ends with the last of the threads.
    let _ = all_told.recv_timeout(end.saturating_duration_since(Instant::now()));
    let mut reads = READS.lock();
    while !reads.under_way.is_empty() && !ONE_ENDED.wait_until(&mut reads, end).timed_out() {}
    reads.under_way.len()
}

/// The steps of reads that have just come to take longer than `threshold`. Waits for a read where there is none.
pub(crate) fn slow(threshold: Duration) -> Vec<(Site, Slow)> {
    let mut reads = READS.lock();
    ONE_BEGAN.wait_while(&mut reads, |reads| reads.under_way.is_empty());
    let slow = |read: &Arc<Read>| read.step.slow(threshold).map(|slow| (read.site.clone(), slow));
    reads.under_way.values().filter_map(slow).collect()
}

/// Has the plug-in end what it does. May wait; called at most once.
pub(crate) type Canceller = Box<dyn FnOnce() + Send>;

/// A read, as seen by whoever cancels it.
pub(crate) struct Read {
    site: Site,
    channel: Closer<RecordBatch, BridgeError>,
    pub(crate) step: Step,
    /// For the partition that is being read.
    canceller: Mutex<Option<Canceller>>,
}

impl Read {
    pub(crate) fn new(site: Site, channel: Closer<RecordBatch, BridgeError>) -> Self {
        Self { site, channel, step: Step::default(), canceller: Mutex::new(None) }
    }

    /// Takes the batches that wait from the channel, and has no more come.
    pub(crate) fn close(&self) -> Vec<RecordBatch> {
        self.channel.close()
    }

    /// Whether its thread still sends.
    pub(crate) fn is_sending(&self) -> bool {
        self.channel.has_sender()
    }

    /// Sets what a cancel does; none where there is nothing to end. A cancel that came before has found none: look
    /// whether the channel is closed after this.
    pub(crate) fn on_cancel(&self, canceller: Option<Canceller>) {
        // The old one is dropped when the lock is free again: that may run Python code.
        let _old = std::mem::replace(&mut *self.canceller.lock(), canceller);
    }

    /// Tells the plug-in that nobody waits for its rows any more.
    pub(crate) fn cancel(&self) {
        let canceller = self.canceller.lock().take();
        if let Some(cancel) = canceller {
            cancel();
        }
    }

    fn end(&self) {
        let left = self.close();
        self.cancel();
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
        drop(reads);
        ONE_BEGAN.notify_one();
        watchdog::start();
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
