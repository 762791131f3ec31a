//! Gives memory back that was imported from Python.
//!
//! The release of a buffer that numpy owns, or any other object of Python, takes the interpreter and may wait for it. The
//! threads of the runtime must not wait: all queries share them. So what they drop is released on a thread of its own.

use std::mem::ManuallyDrop;
use std::thread;
use std::time::{Duration, Instant};

use arrow_array::ffi::FFI_ArrowArray;
use parking_lot::{Condvar, Mutex};
use pyo3::prelude::*;
use tokio::runtime::Handle;

/// How many arrays may wait for their release. Beyond that, whoever drops one releases it: memory must not pile up
/// behind code that does not let go of the interpreter.
const MOST: usize = 256;

static QUEUE: Mutex<Queue> = Mutex::new(Queue { arrays: Vec::new(), releasing: false, started: false });
static FILLED: Condvar = Condvar::new();
static EMPTIED: Condvar = Condvar::new();

struct Queue {
    arrays: Vec<Imported>,
    /// Whether the thread is at what it took last.
    releasing: bool,
    started: bool,
}

/// Who made an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An object of Python, whose buffers mostly belong to Python.
    Object,
    /// A stream, of which that is not known.
    Stream,
}

/// An array as the producer gave it. Its drop releases it.
struct Imported {
    _array: FFI_ArrowArray,
    origin: Origin,
}

/// The same array, whose release does not keep a thread of the runtime.
pub(crate) fn deferred(array: FFI_ArrowArray, origin: Origin) -> FFI_ArrowArray {
    if array.release.is_none() {
        return array;
    }
    FFI_ArrowArray {
        length: array.length,
        null_count: array.null_count,
        offset: array.offset,
        n_buffers: array.n_buffers,
        n_children: array.n_children,
        buffers: array.buffers,
        children: array.children,
        dictionary: array.dictionary,
        release: Some(release),
        private_data: Box::into_raw(Box::new(Imported { _array: array, origin })).cast(),
    }
}

/// Waits until all that was dropped is released. To be called detached, before the interpreter ends.
pub fn drain(patience: Duration) {
    let end = Instant::now() + patience;
    let mut queue = QUEUE.lock();
    while (queue.releasing || !queue.arrays.is_empty()) && !EMPTIED.wait_until(&mut queue, end).timed_out() {}
}

/// The release callback of a [`deferred`] array.
unsafe extern "C" fn release(array: *mut FFI_ArrowArray) {
    // SAFETY: only `deferred` sets this callback, with a box of an `Imported`; it is called once, as it unsets itself.
    let imported = unsafe {
        (*array).release = None;
        Box::from_raw((*array).private_data.cast::<Imported>())
    };
    // Any other thread may wait: Python's own, a reader, one that blocks for the runtime.
    if Handle::try_current().is_ok() {
        enqueue(*imported);
    }
}

fn enqueue(imported: Imported) {
    let mut queue = QUEUE.lock();
    if queue.arrays.len() >= MOST {
        drop(queue);
        return drop(imported);
    }
    queue.arrays.push(imported);
    if !queue.started {
        let spawned = thread::Builder::new().name("sheetbend-free".to_owned()).spawn(run);
        queue.started = spawned.inspect_err(|error| tracing::warn!(%error, "no thread to give memory back")).is_ok();
    }
    drop(queue);
    FILLED.notify_one();
}

fn run() {
    loop {
        let mut queue = QUEUE.lock();
        queue.releasing = false;
        EMPTIED.notify_all();
        FILLED.wait_while(&mut queue, |queue| queue.arrays.is_empty());
        queue.releasing = true;
        let lot = std::mem::take(&mut queue.arrays);
        drop(queue);
        let (objects, others): (Vec<_>, Vec<_>) =
            lot.into_iter().partition(|imported| imported.origin == Origin::Object);
        drop(others);
        if !objects.is_empty() {
            // One entry for all, where each buffer would make one of its own. An interpreter that has ended takes
            // nothing back.
            let mut objects = ManuallyDrop::new(objects);
            Python::try_attach(|_| objects.clear());
        }
    }
}
