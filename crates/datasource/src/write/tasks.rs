//! How many tasks of a write run on this machine.

use std::sync::Arc;
use std::time::Duration;

use datafusion::physical_plan::ExecutionPlan;
use tokio::sync::watch;

use crate::write::PythonWriteExec;

/// Counts the tasks of a write that run; clones count the same ones.
#[derive(Debug, Clone)]
pub struct Tasks(watch::Sender<usize>);

/// A task that runs, until it is dropped.
#[derive(Debug)]
pub struct Task(watch::Sender<usize>);

impl Tasks {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Those of the write in `plan`; none where it has no write.
    pub fn of(plan: &Arc<dyn ExecutionPlan>) -> Option<Self> {
        match plan.downcast_ref::<PythonWriteExec>() {
            Some(write) => Some(write.running().clone()),
            None => plan.children().into_iter().find_map(Self::of),
        }
    }

    /// One more that runs. Where they run on other machines, one stands for all.
    pub fn enter(&self) -> Task {
        self.0.send_modify(|count| *count += 1);
        Task(self.0.clone())
    }

    /// Waits until none runs, at most `patience`; returns how many still do.
    pub async fn ended(&self, patience: Duration) -> usize {
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
