//! How many tasks of a write run on this machine.

use std::time::Duration;

use tokio::sync::watch;

/// Counts the tasks that run; clones count the same ones.
#[derive(Debug, Clone)]
pub(crate) struct Tasks(watch::Sender<usize>);

/// A task that runs, until it is dropped.
pub(crate) struct Task(watch::Sender<usize>);

impl Tasks {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(crate) fn enter(&self) -> Task {
        self.0.send_modify(|count| *count += 1);
        Task(self.0.clone())
    }

    /// Waits until none runs, at most `patience`; returns how many still do.
    pub(crate) async fn ended(&self, patience: Duration) -> usize {
        let mut count = self.0.subscribe();
        let ended = tokio::time::timeout(patience, count.wait_for(|count| *count == 0)).await;
        drop(ended);
        *self.0.borrow()
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
