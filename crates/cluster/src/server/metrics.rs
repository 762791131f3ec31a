//! What a server tells of its cluster over HTTP.

use async_trait::async_trait;

use super::jobs::Outcome;
use super::scheduler::Cluster;
use crate::health::{Health, Metric};

#[async_trait]
impl Health for Cluster {
    fn obstacle(&self) -> Option<String> {
        (self.floor.executors.vcores() == 0).then(|| "no executor has joined".to_owned())
    }

    async fn metrics(&self) -> Vec<Metric> {
        let jobs = self.floor.jobs.list().await;
        let ended = |outcome| self.floor.jobs.ended(outcome);
        let (running, done) = jobs.iter().fold((0, 0), |(running, done), job| (running + job.running, done + job.done));
        let waiting = jobs.iter().map(|job| job.tasks).sum::<usize>().saturating_sub(running + done);
        let outcomes = [
            ("done", ended(Outcome::Done)),
            ("failed", ended(Outcome::Failed)),
            ("cancelled", ended(Outcome::Cancelled)),
        ];
        vec![
            Metric::gauge("sheetbend_jobs_running", "Queries that run on the cluster.", jobs.len()),
            Metric::outcomes("sheetbend_jobs_ended_total", "Queries of the cluster that have ended.", &outcomes),
            Metric::gauge("sheetbend_tasks_running", "Tasks that run on executors.", running),
            Metric::gauge("sheetbend_tasks_waiting", "Tasks of running jobs that wait.", waiting),
            Metric::gauge("sheetbend_executors", "Executors that have joined.", self.floor.executors.list().len()),
            Metric::gauge("sheetbend_vcores", "Tasks that all executors run at a time.", self.floor.executors.vcores()),
        ]
    }
}

/// A server that has no cluster: it is ready as soon as it answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

#[async_trait]
impl Health for Alone {
    fn obstacle(&self) -> Option<String> {
        None
    }

    async fn metrics(&self) -> Vec<Metric> {
        Vec::new()
    }
}
