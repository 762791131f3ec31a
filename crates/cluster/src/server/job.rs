//! A plan that runs on the executors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ballista_core::JobId;
use ballista_core::error::BallistaError;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::{JobStatus, PartitionLocation};
use datafusion::arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use super::executors::Executors;
use super::jobs::{Jobs, Outcome};
use super::results::Fetcher;
use super::scheduler::Scheduler;
use crate::control::Event;
use crate::failure;
use crate::runner::{Running, Work};
use crate::trust::Token;

/// States of a job that nobody has looked at: one that is left out is made up for by the next.
const STATES: usize = 16;

/// Has `work` run by the executors.
///
/// # Errors
/// The scheduler has ended.
pub(super) async fn start(
    scheduler: Arc<Scheduler>,
    executors: Arc<Executors>,
    jobs: Arc<Jobs>,
    token: Token,
    work: Work,
) -> Result<Running> {
    let config = work.context.session_config().clone().upgrade_for_ballista();
    let state = SessionStateBuilder::new().with_config(config).with_runtime_env(work.context.runtime_env()).build();
    let session = Arc::new(SessionContext::new_with_state(state));
    let schema = work.plan.schema();
    let (states, told) = mpsc::channel(STATES);
    let id = scheduler.submit_physical_plan(&work.name, session, work.plan, Some(states)).await.map_err(engine)?;
    let watch = jobs.add(&scheduler, &id, &work.name);
    let ended = AtomicBool::new(false);
    let job = Arc::new(Job { scheduler, executors, jobs, id, ended, failed: AtomicBool::new(false) });
    let rows = stream::once(rows(job, told, token)).try_flatten();
    let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
    Ok(Running { rows, progress: Some(watch) })
}

/// The rows of a job, when it has ended.
async fn rows(
    job: Arc<Job>,
    mut told: mpsc::Receiver<JobStatus>,
    token: Token,
) -> Result<impl Stream<Item = Result<RecordBatch>> + Send> {
    let locations = ended(&mut told).await.inspect_err(|_| job.failed.store(true, Ordering::Relaxed))?;
    job.ended.store(true, Ordering::Relaxed);
    let fetcher = Fetcher::new(token);
    // The data stays until the last row is taken, or nobody wants more.
    let partitions = stream::iter(locations).then(move |location| {
        let (fetcher, job) = (fetcher.clone(), Arc::clone(&job));
        async move {
            let rows = fetcher.fetch(location).await;
            drop(job);
            rows
        }
    });
    Ok(partitions.try_flatten())
}

/// Where the rows of a job are, when all tasks of it have ended.
async fn ended(told: &mut mpsc::Receiver<JobStatus>) -> Result<Vec<PartitionLocation>> {
    while let Some(JobStatus { status, .. }) = told.recv().await {
        match status {
            Some(Status::Successful(job)) => return Ok(job.partition_location),
            Some(Status::Failed(job)) => return Err(failure::decode(&job.error)),
            _ => {}
        }
    }
    Err(DataFusionError::Execution("the cluster ended before the query did".to_owned()))
}

/// A job that has been handed in. When it is dropped, its tasks end and its data goes.
struct Job {
    scheduler: Arc<Scheduler>,
    executors: Arc<Executors>,
    jobs: Arc<Jobs>,
    id: JobId,
    /// Whether all of its tasks have ended well.
    ended: AtomicBool,
    /// Whether one of them, or the job as a whole, has not.
    failed: AtomicBool,
}

impl Drop for Job {
    fn drop(&mut self) {
        let (scheduler, executors, id) = (Arc::clone(&self.scheduler), Arc::clone(&self.executors), self.id.clone());
        let ended = self.ended.load(Ordering::Relaxed);
        self.jobs.end(
            &self.id,
            match (ended, self.failed.load(Ordering::Relaxed)) {
                (true, _) => Outcome::Done,
                (_, true) => Outcome::Failed,
                _ => Outcome::Cancelled,
            },
        );
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if !ended {
                executors.tell(&Event::Cancel { job: id.to_string() });
                if let Err(error) = scheduler.cancel_job(id.clone()).await {
                    tracing::warn!(%error, "a job could not be cancelled");
                }
            }
            scheduler.state.executor_manager.clean_up_job_data(id);
            // Executors learn what to remove when they ask for tasks.
            executors.tell(&Event::Wake);
        });
    }
}

pub(super) fn engine(error: BallistaError) -> DataFusionError {
    match error {
        BallistaError::DataFusionError(error) => *error,
        other => DataFusionError::External(Box::new(other)),
    }
}
