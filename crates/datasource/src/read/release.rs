//! Gives memory back that was imported from Python.
//!
//! The release of a buffer that numpy owns, or any other object of Python, takes the interpreter and may wait for it. The
//! threads of the runtime must not wait: all queries share them. So what they drop waits for a thread that reads, which
//! holds the interpreter now and then anyway; and if none comes by soon, for a thread of its own. To have that one take
//! the interpreter away from those that read, each time, would cost more than all the rest of a batch.

use std::mem::ManuallyDrop;
use std::thread;
use std::time::{Duration, Instant};

use arrow_array::ffi::FFI_ArrowArray;
use parking_lot::{Condvar, Mutex, MutexGuard};
use pyo3::prelude::*;
use tokio::runtime::Handle;

/// How many arrays may wait for their release. Beyond that, whoever drops one releases it: memory must not pile up
/// behind code that does not let go of the interpreter.
const MOST: usize = 256;

/// How long arrays wait for a thread that reads.
const SOON: Duration = Duration::from_millis(2);

static QUEUE: Mutex<Queue> =
    Mutex::new(Queue { objects: Vec::new(), others: Vec::new(), releasing: false, started: false });
static FILLED: Condvar = Condvar::new();
static EMPTIED: Condvar = Condvar::new();

struct Queue {
    /// Arrays of [`Origin::Object`].
    objects: Vec<FFI_ArrowArray>,
    others: Vec<FFI_ArrowArray>,
    /// Whether the thread is at what it took last.
    releasing: bool,
    started: bool,
}

impl Queue {
    fn len(&self) -> usize {
        self.objects.len() + self.others.len()
    }
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
    array: FFI_ArrowArray,
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
        private_data: Box::into_raw(Box::new(Imported { array, origin })).cast(),
    }
}

/// Releases the arrays of objects that wait for it, on a thread that holds the interpreter.
pub(crate) fn release_objects(_: Python<'_>) {
    let objects = std::mem::take(&mut QUEUE.lock().objects);
    drop(objects);
}

/// Releases the other arrays that wait for it. To be called detached, on a thread that may wait.
pub(crate) fn release_others() {
    let others = std::mem::take(&mut QUEUE.lock().others);
    drop(others);
}

/// Waits until all that was dropped is released. To be called detached, before the interpreter ends.
pub fn drain(patience: Duration) {
    let end = Instant::now() + patience;
    let mut queue = QUEUE.lock();
    while (queue.releasing || queue.len() > 0) && !EMPTIED.wait_until(&mut queue, end).timed_out() {}
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
    if queue.len() >= MOST {
        drop(queue);
        return drop(imported);
    }
    match imported.origin {
        Origin::Object => queue.objects.push(imported.array),
        Origin::Stream => queue.others.push(imported.array),
    }
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
        FILLED.wait_while(&mut queue, |queue| queue.len() == 0);
        MutexGuard::unlocked(&mut queue, || thread::sleep(SOON));
        queue.releasing = true;
        let (objects, others) = (std::mem::take(&mut queue.objects), std::mem::take(&mut queue.others));
        drop(queue);
        drop(others);
        if !objects.is_empty() {
            // One entry for all, where each buffer would make one of its own. An interpreter that has ended takes
            // nothing back.
            let mut objects = ManuallyDrop::new(objects);
            Python::try_attach(|_| objects.clear());
        }
    }
}
