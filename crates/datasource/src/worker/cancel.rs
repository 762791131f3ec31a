//! Tells a worker that nobody waits for the rows that it reads.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::worker::connection::Sender;
use crate::worker::protocol::Request;

/// How long the plug-in may take to end a read that was cancelled.
const PATIENCE: Duration = Duration::from_millis(500);

/// The cancel of one read. It is sent once, and only while that read is under way.
pub(crate) struct Cancel(Mutex<State>);

struct State {
    sender: Sender,
    is_reading: bool,
    since: Option<Instant>,
}

impl Cancel {
    pub(crate) fn new(sender: Sender) -> Self {
        Self(Mutex::new(State { sender, is_reading: false, since: None }))
    }

    /// Begins the read, unless it was cancelled already. Returns whether it did.
    ///
    /// # Errors
    /// What `begin` fails with.
    pub(crate) fn begin<E>(&self, begin: impl FnOnce() -> Result<(), E>) -> Result<bool, E> {
        // Locked while it is sent: a cancel that overtook it would go unheard.
        let mut state = self.0.lock();
        if state.since.is_none() {
            begin()?;
            state.is_reading = true;
        }
        Ok(state.is_reading)
    }

    /// The read has ended.
    pub(crate) fn end(&self) {
        self.0.lock().is_reading = false;
    }

    pub(crate) fn send(&self) {
        let mut state = self.0.lock();
        if state.since.is_none() {
            state.since = Some(Instant::now());
            if state.is_reading {
                // Where this fails the worker is gone, and who receives from it learns that.
                drop(state.sender.send(&Request::Cancel, &[]));
            }
        }
    }

    pub(crate) fn was_sent(&self) -> bool {
        self.0.lock().since.is_some()
    }

    /// Whether the worker has had its time to end the read.
    pub(crate) fn is_overdue(&self) -> bool {
        self.0.lock().since.is_some_and(|since| since.elapsed() >= PATIENCE)
    }
}
