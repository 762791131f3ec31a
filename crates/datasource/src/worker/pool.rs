//! Workers that wait for the next request, so that it need not wait for a process to start.
//!
//! There is no limit to how many workers run: a query may need rows of all its partitions before it takes more of one.
//! There is one to how many wait, and for how long.

use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::spec::MIN_CONCURRENCY;
use crate::worker::launch::Launch;
use crate::worker::worker::{END_PATIENCE, Worker};

/// As many as a query reads at the same time on a small machine.
const MOST_IDLE: usize = MIN_CONCURRENCY;

/// How long a worker waits before it is ended.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// How often idle workers are looked at.
const SWEEP: Duration = Duration::from_secs(1);

static POOL: Mutex<Pool> = Mutex::new(Pool { idle: Vec::new(), closings: 0, is_swept: false });
static CHANGED: Condvar = Condvar::new();

struct Pool {
    /// The one that was used last is last.
    idle: Vec<Idle>,
    /// How often the pool was closed: a worker that was taken before does not come back.
    closings: u64,
    is_swept: bool,
}

struct Idle {
    worker: Worker,
    since: Instant,
}

/// A worker that was taken. It is killed when this is dropped, unless it is released.
pub(crate) struct Lease {
    pub(crate) worker: Worker,
    closings: u64,
}

/// Ends all workers that wait for a request, and has those that work now end when they are done.
pub fn close() {
    let mut pool = POOL.lock();
    pool.closings += 1;
    let idle = std::mem::take(&mut pool.idle);
    drop(pool);
    CHANGED.notify_all();
    end(idle.into_iter().map(|idle| idle.worker).collect());
}

/// How many workers wait for a request.
pub fn idle() -> usize {
    POOL.lock().idle.len()
}

/// A worker for a plug-in: one that waits, best with the source `opened`, or one that `start` makes.
///
/// # Errors
/// What `start` fails with.
pub(crate) fn lease<E>(
    launch: &Launch,
    plugin: &str,
    opened: u64,
    start: impl FnOnce() -> Result<Worker, E>,
) -> Result<Lease, E> {
    loop {
        let mut pool = POOL.lock();
        let closings = pool.closings;
        let fits = |idle: &Idle| idle.worker.plugin == plugin && *idle.worker.launch == *launch;
        let best = |idle: &Idle| fits(idle) && idle.worker.opened == Some(opened);
        let found = pool.idle.iter().rposition(best).or_else(|| pool.idle.iter().rposition(fits));
        let taken = found.map(|index| pool.idle.remove(index).worker);
        drop(pool);
        match taken {
            Some(mut worker) => {
                // It may have died while it waited.
                if worker.is_alive() {
                    return Ok(Lease { worker, closings });
                }
            }
            None => return Ok(Lease { worker: start()?, closings }),
        }
    }
}

impl Lease {
    /// Gives the worker back, if it waits for requests again.
    pub(crate) fn release(self) {
        if !self.worker.is_waiting() {
            return;
        }
        let mut pool = POOL.lock();
        if self.closings != pool.closings {
            drop(pool);
            end(vec![self.worker]);
            return;
        }
        pool.idle.push(Idle { worker: self.worker, since: Instant::now() });
        let too_many = if pool.idle.len() > MOST_IDLE { Some(pool.idle.remove(0)) } else { None };
        let begin_sweep = !std::mem::replace(&mut pool.is_swept, true);
        drop(pool);
        end(too_many.into_iter().map(|idle| idle.worker).collect());
        if begin_sweep {
            let started = thread::Builder::new().name("sheetbend-workers".to_owned()).spawn(sweep);
            if let Err(error) = started {
                tracing::warn!(%error, "no thread to end idle workers");
                POOL.lock().is_swept = false;
            }
        }
    }
}

/// Ends workers that have waited for long or have died, until none waits.
fn sweep() {
    let mut pool = POOL.lock();
    while !pool.idle.is_empty() {
        CHANGED.wait_for(&mut pool, SWEEP);
        let old = |idle: &mut Idle| idle.since.elapsed() >= IDLE_TIME || !idle.worker.is_alive();
        let ended = pool.idle.extract_if(.., old).map(|idle| idle.worker).collect();
        parking_lot::MutexGuard::unlocked(&mut pool, || end(ended));
    }
    pool.is_swept = false;
}

fn end(workers: Vec<Worker>) {
    workers.iter().for_each(Worker::ask_to_end);
    let deadline = Instant::now() + END_PATIENCE;
    workers.into_iter().for_each(|worker| worker.end(deadline));
}
