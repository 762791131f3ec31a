//! Which tasks of each job have been handed out, and which of them have not ended yet.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ballista_core::serde::protobuf::{TaskDefinition, TaskStatus};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The tasks of all jobs.
#[derive(Debug)]
pub(super) struct Ledger {
    jobs: Mutex<HashMap<String, Tasks>>,
    /// Told of each task that has ended.
    ended: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Tasks {
    /// By executor, stage and number.
    running: HashSet<(String, u32, u32)>,
    /// Partitions that were handed out, with their stages.
    handed: HashSet<(u32, u32)>,
    /// Cancelled where a partition of the last stage would have to be handed out again; none where it may be.
    once: Option<CancellationToken>,
    /// The executors that have got partitions which are handed out once.
    last: HashSet<String>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { jobs: Mutex::default(), ended: watch::Sender::new(()) }
    }
}

impl Ledger {
    /// Has each partition of a job's last stage handed out once: the token is cancelled instead of a second time.
    pub(super) fn once(&self, job: &str) -> CancellationToken {
        let again = CancellationToken::new();
        self.jobs.lock().entry(job.to_owned()).or_default().once = Some(again.clone());
        again
    }

    /// Whether the partitions of a job's last stage are handed out once.
    pub(super) fn is_once(&self, job: &str) -> bool {
        self.jobs.lock().get(job).is_some_and(|tasks| tasks.once.is_some())
    }

    /// Writes down a task that an executor is about to get; returns whether it may. `is_last` says whether it is of the
    /// last stage of its job.
    pub(super) fn hand(&self, executor: &str, task: &TaskDefinition, is_last: bool) -> bool {
        let mut jobs = self.jobs.lock();
        let tasks = jobs.entry(task.job_id.clone()).or_default();
        let mut is_first = true;
        for partition in &task.global_output_partition_ids {
            is_first &= tasks.handed.insert((task.stage_id, *partition));
        }
        if let (false, true, Some(again)) = (is_first, is_last, &tasks.once) {
            again.cancel();
            return false;
        }
        if is_last {
            tasks.last.insert(executor.to_owned());
        }
        tasks.running.insert((executor.to_owned(), task.stage_id, task.task_id));
        true
    }

    /// Strikes tasks out that have ended on an executor.
    pub(super) fn end(&self, executor: &str, ended: &[(String, u32, u32)]) {
        let mut jobs = self.jobs.lock();
        for (job, stage, task) in ended {
            if let Some(tasks) = jobs.get_mut(job) {
                tasks.running.remove(&(executor.to_owned(), *stage, *task));
            }
        }
        self.ended.send_replace(());
    }

    /// Strikes out all tasks of an executor that is gone, and whatever it has left.
    pub(super) fn leave(&self, executor: &str) {
        for tasks in self.jobs.lock().values_mut() {
            tasks.running.retain(|(of, ..)| of != executor);
            if let (Some(again), true) = (&tasks.once, tasks.last.contains(executor)) {
                again.cancel();
            }
        }
        self.ended.send_replace(());
    }

    /// Waits until no task of a job runs, at most `patience`, and forgets the job.
    pub(super) async fn close(&self, job: &str, patience: Duration) {
        let mut ended = self.ended.subscribe();
        let is_idle = |(): &()| self.jobs.lock().get(job).is_none_or(|tasks| tasks.running.is_empty());
        if tokio::time::timeout(patience, ended.wait_for(is_idle)).await.is_err() {
            tracing::warn!(job, "tasks of a job still run after it has ended");
        }
        self.jobs.lock().remove(job);
    }
}

/// What tells an ended task from all others: its job, its stage, its number.
pub(super) fn ended(status: &TaskStatus) -> (String, u32, u32) {
    (status.job_id.clone(), status.stage_id, status.task_id)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Ledger;
    use ballista_core::serde::protobuf::TaskDefinition;

    fn task(task_id: u32, partition: u32) -> TaskDefinition {
        let partitions = vec![partition];
        TaskDefinition {
            task_id,
            job_id: "job".to_owned(),
            global_output_partition_ids: partitions,
            ..TaskDefinition::default()
        }
    }

    #[test]
    fn a_partition_of_the_last_stage_is_handed_out_once() {
        let ledger = Ledger::default();
        assert!(ledger.hand("a", &task(0, 7), true));
        assert!(ledger.hand("b", &task(1, 7), true), "nobody has asked for more");
        let again = ledger.once("job");
        assert!(ledger.hand("b", &task(2, 7), false));
        assert!(!again.is_cancelled());
        assert!(!ledger.hand("b", &task(3, 7), true));
        assert!(again.is_cancelled());
    }

    #[test]
    fn one_that_leaves_with_such_a_partition_would_have_it_handed_out_again() {
        let ledger = Ledger::default();
        let again = ledger.once("job");
        assert!(ledger.hand("a", &task(0, 0), false));
        assert!(ledger.hand("b", &task(1, 1), true));
        ledger.leave("a");
        assert!(!again.is_cancelled());
        ledger.leave("b");
        assert!(again.is_cancelled());
    }

    #[tokio::test]
    async fn a_job_is_closed_when_its_tasks_have_ended_or_their_executors_have_left() {
        let ledger = Ledger::default();
        ledger.hand("a", &task(0, 0), true);
        ledger.hand("b", &task(1, 1), true);
        ledger.end("a", &[("job".to_owned(), 0, 0)]);
        let closed = ledger.close("job", Duration::from_secs(60));
        tokio::pin!(closed);
        let early = tokio::time::timeout(Duration::from_millis(20), closed.as_mut()).await;
        assert!(early.is_err(), "a task still runs");
        ledger.leave("b");
        closed.await;
        assert!(ledger.jobs.lock().is_empty());
    }
}
