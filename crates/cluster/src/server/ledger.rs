//! Which tasks of each job have been handed out, which of them have not ended yet, and which have failed where.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use ballista_core::serde::protobuf::task_status::Status;
use ballista_core::serde::protobuf::{TaskDefinition, TaskStatus};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::rests::Rests;

/// Of how many cancelled jobs the names are kept: a job that is still being planned is not found by who cancels it.
const CANCELLED: usize = 4096;

/// The tasks of all jobs.
#[derive(Debug)]
pub(super) struct Ledger {
    jobs: Mutex<HashMap<String, Tasks>>,
    /// The jobs that were cancelled last.
    cancelled: Mutex<VecDeque<String>>,
    /// Told of each task that has ended.
    ended: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Tasks {
    /// By executor, stage and number.
    running: HashSet<(String, u32, u32)>,
    /// Partitions that were handed out, with their stages.
    handed: HashSet<(u32, u32)>,
    /// The newest attempt at a stage in which a task of this number was handed out, by stage and number.
    attempts: HashMap<(u32, u32), u32>,
    /// Stages and attempts of which an executor that is still there has rows.
    made: HashSet<(u32, u32, String)>,
    /// Whether each partition of the last stage is handed out once.
    once: bool,
    /// Cancelled where the job cannot come to its end and be right.
    again: CancellationToken,
    /// The executors that have got partitions which are handed out once.
    last: HashSet<String>,
    rests: Rests,
}

impl Default for Ledger {
    fn default() -> Self {
        Self { jobs: Mutex::default(), cancelled: Mutex::default(), ended: watch::Sender::new(()) }
    }
}

impl Ledger {
    /// Begins a job. The token is cancelled where its tasks would leave rows twice, and so it has to begin again; and with
    /// `once`, where a partition of its last stage would be handed out a second time.
    pub(super) fn begin(&self, job: &str, once: bool) -> CancellationToken {
        let mut jobs = self.jobs.lock();
        let tasks = jobs.entry(job.to_owned()).or_default();
        tasks.once = once;
        tasks.again.clone()
    }

    /// Takes note that no task of a job is to be handed out any more.
    pub(super) fn cancel(&self, job: &str) {
        let mut cancelled = self.cancelled.lock();
        if cancelled.len() == CANCELLED {
            cancelled.pop_front();
        }
        cancelled.push_back(job.to_owned());
    }

    /// Whether no task of a job is to be handed out any more.
    pub(super) fn is_cancelled(&self, job: &str) -> bool {
        self.cancelled.lock().iter().any(|cancelled| cancelled == job)
    }

    /// Whether the partitions of a job's last stage are handed out once.
    pub(super) fn is_once(&self, job: &str) -> bool {
        self.jobs.lock().get(job).is_some_and(|tasks| tasks.once)
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
        if (tasks.once && is_last && !is_first) || tasks.leaves_rows_twice(task) {
            tasks.again.cancel();
            return false;
        }
        if is_last {
            tasks.last.insert(executor.to_owned());
        }
        tasks.running.insert((executor.to_owned(), task.stage_id, task.task_id));
        true
    }

    /// Strikes tasks out that have ended on an executor.
    pub(super) fn end(&self, executor: &str, ended: &[Ended]) {
        let mut jobs = self.jobs.lock();
        for Ended { job, stage, attempt, task, is_done } in ended {
            let Some(tasks) = jobs.get_mut(job) else { continue };
            if tasks.running.remove(&(executor.to_owned(), *stage, *task)) && *is_done {
                tasks.made.insert((*stage, *attempt, executor.to_owned()));
            }
        }
        drop(jobs);
        self.ended.send_replace(());
    }

    /// Writes down that a task has failed on an executor in a way that may pass, by the partitions that it reads.
    pub(super) fn fail(&self, executor: &str, job: &str, stage: u32, inputs: &[usize]) {
        if let Some(tasks) = self.jobs.lock().get_mut(job) {
            tasks.rests.fail(executor, stage, inputs, Instant::now());
        }
    }

    /// Writes down that partitions are read again.
    pub(super) fn again(&self, job: &str, stage: u32, inputs: &[usize]) {
        if let Some(tasks) = self.jobs.lock().get_mut(job) {
            tasks.rests.again(stage, inputs);
        }
    }

    /// Whether tasks of a job have failed in a way that may pass.
    pub(super) fn has_failures(&self, job: &str) -> bool {
        self.jobs.lock().get(job).is_some_and(|tasks| !tasks.rests.is_empty())
    }

    /// Whether an executor is to get no task now: one has failed there, and any of `all` others is to try it first.
    pub(super) fn rests(&self, executor: &str, all: impl FnOnce() -> Vec<String>) -> bool {
        let jobs = self.jobs.lock();
        let mut failed = jobs.values().map(|tasks| &tasks.rests).filter(|rests| !rests.is_empty()).peekable();
        failed.peek().is_some() && {
            let all = all();
            failed.any(|rests| rests.has(executor, &all, Instant::now()))
        }
    }

    /// Strikes out all tasks of an executor that is gone, and whatever it has left.
    pub(super) fn leave(&self, executor: &str) {
        for tasks in self.jobs.lock().values_mut() {
            tasks.running.retain(|(of, ..)| of != executor);
            tasks.made.retain(|(_, _, of)| of != executor);
            if tasks.once && tasks.last.contains(executor) {
                tasks.again.cancel();
            }
        }
        self.ended.send_replace(());
    }

    /// Waits until no task of a job runs, at most `patience`, and forgets the job.
    pub(super) async fn close(&self, job: &str, patience: Duration) {
        if tokio::time::timeout(patience, self.idle(job)).await.is_err() {
            tracing::warn!(job, "tasks of a job still run after it has ended");
        }
        self.jobs.lock().remove(job);
    }

    /// Waits until no task of a job runs.
    async fn idle(&self, job: &str) {
        // Not `wait_for`: whoever tells of an end would wait for what it asks, which waits for the jobs.
        let mut ended = self.ended.subscribe();
        while self.jobs.lock().get(job).is_some_and(|tasks| !tasks.running.is_empty()) {
            // The sender is a part of this, so it cannot be gone.
            drop(ended.changed().await);
        }
    }
}

impl Tasks {
    /// Whether a task, which is about to be handed out, would make rows that are there already.
    ///
    /// A stage whose input is lost is begun anew with all its tasks, whose numbers start over, but the scheduler goes on to
    /// count what tasks of the earlier attempt have left as input of the next stage. Where only tasks are run again whose
    /// rows are lost, they get further numbers.
    fn leaves_rows_twice(&mut self, task: &TaskDefinition) -> bool {
        let TaskDefinition { stage_id: stage, stage_attempt_num: attempt, task_id, .. } = *task;
        let earlier = self.attempts.insert((stage, task_id), attempt);
        earlier.is_some_and(|earlier| earlier < attempt)
            && self.made.iter().any(|(of, earlier, _)| *of == stage && *earlier < attempt)
    }
}

/// A task that has ended.
pub(super) struct Ended {
    job: String,
    stage: u32,
    attempt: u32,
    task: u32,
    is_done: bool,
}

impl From<&TaskStatus> for Ended {
    fn from(status: &TaskStatus) -> Self {
        Self {
            job: status.job_id.clone(),
            stage: status.stage_id,
            attempt: status.stage_attempt_num,
            task: status.task_id,
            is_done: matches!(status.status, Some(Status::Successful(_))),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::{CANCELLED, Ended, Ledger};
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

    fn ended(task: u32, is_done: bool) -> Ended {
        Ended { job: "job".to_owned(), stage: 0, attempt: 0, task, is_done }
    }

    #[test]
    fn a_stage_that_is_begun_anew_while_rows_of_it_are_there() {
        let ledger = Ledger::default();
        let again = ledger.begin("job", false);
        for (executor, number) in [("a", 0), ("b", 1)] {
            assert!(ledger.hand(executor, &task(number, number), false));
            ledger.end(executor, &[ended(number, true)]);
        }
        ledger.leave("a");
        let lost = TaskDefinition { stage_attempt_num: 1, ..task(2, 0) };
        assert!(ledger.hand("b", &lost, false), "what was lost alone is run again");
        assert!(!again.is_cancelled());
        assert!(!ledger.hand("b", &TaskDefinition { stage_attempt_num: 2, ..task(0, 0) }, false));
        assert!(again.is_cancelled());
    }

    #[test]
    fn a_stage_that_is_begun_anew_when_no_rows_of_it_are_there() {
        let ledger = Ledger::default();
        let again = ledger.begin("job", false);
        assert!(ledger.hand("a", &task(0, 0), false));
        ledger.end("a", &[ended(0, true)]);
        ledger.leave("a");
        assert!(ledger.hand("b", &TaskDefinition { stage_attempt_num: 1, ..task(0, 0) }, false));
        assert!(!again.is_cancelled());
    }

    #[test]
    fn a_partition_of_the_last_stage_is_handed_out_once() {
        let ledger = Ledger::default();
        assert!(ledger.hand("a", &task(0, 7), true));
        assert!(ledger.hand("b", &task(1, 7), true), "nobody has asked for more");
        let again = ledger.begin("job", true);
        assert!(ledger.hand("b", &task(2, 7), false));
        assert!(!again.is_cancelled());
        assert!(!ledger.hand("b", &task(3, 7), true));
        assert!(again.is_cancelled());
    }

    #[test]
    fn one_that_leaves_with_such_a_partition_would_have_it_handed_out_again() {
        let ledger = Ledger::default();
        let again = ledger.begin("job", true);
        assert!(ledger.hand("a", &task(0, 0), false));
        assert!(ledger.hand("b", &task(1, 1), true));
        ledger.leave("a");
        assert!(!again.is_cancelled());
        ledger.leave("b");
        assert!(again.is_cancelled());
    }

    #[test]
    fn one_where_a_task_has_failed_waits_until_another_has_it() {
        let ledger = Ledger::default();
        let all = || vec!["a".to_owned(), "b".to_owned()];
        assert!(ledger.hand("a", &task(0, 7), true));
        assert!(!ledger.has_failures("job"));
        ledger.fail("a", "job", 0, &[3, 4]);
        assert!(ledger.has_failures("job"));
        assert!(ledger.rests("a", all));
        assert!(!ledger.rests("b", all));
        ledger.again("job", 0, &[3]);
        assert!(ledger.rests("a", all));
        ledger.again("job", 0, &[4]);
        assert!(!ledger.rests("a", all));
    }

    #[test]
    fn the_jobs_that_were_cancelled_last_are_known() {
        let ledger = Ledger::default();
        for number in 0..=CANCELLED {
            ledger.cancel(&number.to_string());
        }
        assert!(!ledger.is_cancelled("0"));
        assert!(ledger.is_cancelled("1"));
        assert!(ledger.is_cancelled(&CANCELLED.to_string()));
    }

    #[test]
    fn jobs_are_closed_while_tasks_of_others_end() {
        let (ledger, over) = (Arc::new(Ledger::default()), Arc::new(AtomicBool::new(false)));
        let (ending, is_over) = (Arc::clone(&ledger), Arc::clone(&over));
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                ending.end("a", &[ended(0, true)]);
            }
        });
        let (done, closed) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            for _ in 0..100 {
                ledger.hand("b", &task(0, 0), false);
                runtime.block_on(ledger.close("job", Duration::from_millis(1)));
            }
            done.send(()).unwrap();
        });
        assert!(closed.recv_timeout(Duration::from_secs(20)).is_ok(), "they wait for each other");
        over.store(true, Ordering::Relaxed);
    }

    #[tokio::test]
    async fn a_job_is_closed_when_its_tasks_have_ended_or_their_executors_have_left() {
        let ledger = Ledger::default();
        ledger.hand("a", &task(0, 0), true);
        ledger.hand("b", &task(1, 1), true);
        ledger.end("a", &[ended(0, false)]);
        let closed = ledger.close("job", Duration::from_secs(60));
        tokio::pin!(closed);
        let early = tokio::time::timeout(Duration::from_millis(20), closed.as_mut()).await;
        assert!(early.is_err(), "a task still runs");
        ledger.leave("b");
        closed.await;
        assert!(ledger.jobs.lock().is_empty());
    }
}
