//! A plan that runs on the executors.

use std::sync::Arc;
use std::time::Duration;

use ballista_core::JobId;
use ballista_core::error::BallistaError;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::{JobStatus, PartitionLocation, SuccessfulJob};
use datafusion::arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStream, TryStreamExt, stream};
use parking_lot::Mutex;
use sheetbend_datasource::read::size;
use sheetbend_datasource::write::{Task, Tasks};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::executors::Executors;
use super::jobs::{Jobs, Outcome, Watch};
use super::ledger::Ledger;
use super::results::Fetcher;
use super::scheduler::Scheduler;
use crate::control::Event;
use crate::failure;
use crate::runner::{Progress, Running, Work};
use crate::trust::Trust;

/// States of a job that nobody has looked at. The last one must find room.
const STATES: usize = 1024;

/// How often a job is handed in that has to begin again.
const ATTEMPTS: usize = 5;

/// How many bytes of rows are fetched before the first is given away: a job whose rows are lost before that runs again.
const HELD_BYTES: usize = 16 << 20;

/// How long the tasks of a job that has ended are waited for: a hung executor is taken for lost before.
const PATIENCE: Duration = Duration::from_secs(30);

/// What jobs run on, and where it is noted which there are.
#[derive(Clone)]
pub(super) struct Floor {
    pub(super) scheduler: Arc<Scheduler>,
    pub(super) executors: Arc<Executors>,
    pub(super) jobs: Arc<Jobs>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) trust: Trust,
}

impl Floor {
    /// Has `work` run by the executors.
    ///
    /// # Errors
    /// The scheduler has ended.
    pub(super) async fn start(self, work: Work) -> Result<Running> {
        let schema = work.plan.schema();
        let submitted = self.submit(&work).await?;
        let progress: Arc<dyn Progress> = Arc::<Watch>::clone(&submitted.watch);
        let rows = stream::once(self.rows(work, submitted)).try_flatten();
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        Ok(Running { rows, progress: Some(progress) })
    }

    async fn submit(&self, work: &Work) -> Result<Submitted> {
        let config = work.context.session_config().clone().upgrade_for_ballista();
        let state = SessionStateBuilder::new().with_config(config).with_runtime_env(work.context.runtime_env()).build();
        let session = Arc::new(SessionContext::new_with_state(state));
        let (states, told) = mpsc::channel(STATES);
        let plan = Arc::clone(&work.plan);
        let id = self.scheduler.submit_physical_plan(&work.name, session, plan, Some(states)).await.map_err(engine)?;
        let writing = Tasks::of(&work.plan);
        let writes = writing.is_some();
        let again = self.ledger.begin(id.as_ref(), writes);
        let writing = Mutex::new(writing.map(|tasks| tasks.enter()));
        let watch = self.jobs.add(&self.scheduler, &id, &work.name);
        let job = Arc::new(Job { floor: self.clone(), id, outcome: Mutex::new(Outcome::Cancelled), writing });
        Ok(Submitted { job, watch, told, again, writes })
    }

    /// The rows of a job, when it has ended. It is handed in again where they would be wrong, or are lost before the first
    /// is given away.
    async fn rows(self, work: Work, mut submitted: Submitted) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let writes = submitted.writes;
        let mut attempt = 1;
        loop {
            let Some(locations) = submitted.ended().await? else {
                if attempt == ATTEMPTS {
                    return Err(DataFusionError::Execution(format!(
                        "Executors were lost in each of {ATTEMPTS} attempts at the query. Run the query again."
                    )));
                }
                tracing::info!("a stage was begun anew while rows of it were there: the job runs again");
                submitted = self.submit(&work).await?;
                attempt += 1;
                continue;
            };
            let mut rows = Box::pin(self.fetch(locations, submitted.job).fuse());
            match held(&mut rows).await {
                Ok(held) => {
                    let held = stream::iter(held.into_iter().map(Ok));
                    return Ok(held.chain(rows.map_err(move |error| lost(&error, writes))).boxed());
                }
                Err(error) if !writes && attempt < ATTEMPTS => {
                    tracing::info!(%error, "rows were lost before one was given away: the job runs again");
                    submitted = self.submit(&work).await?;
                    attempt += 1;
                }
                Err(error) => return Err(lost(&error, writes)),
            }
        }
    }

    /// The rows of these partitions. The data of the job stays until the last row is taken, or nobody wants more.
    fn fetch(
        &self,
        locations: Vec<PartitionLocation>,
        job: Arc<Job>,
    ) -> impl Stream<Item = Result<RecordBatch>> + Send + use<> {
        let fetcher = Fetcher::new(&self.trust);
        let partitions = stream::iter(locations).then(move |location| {
            let (fetcher, job) = (fetcher.clone(), Arc::clone(&job));
            async move {
                let rows = fetcher.fetch(location).await;
                drop(job);
                rows
            }
        });
        partitions.try_flatten()
    }
}

/// The first of `rows`, of [`HELD_BYTES`] or all there are.
async fn held<R>(rows: &mut R) -> Result<Vec<RecordBatch>>
where
    R: TryStream<Ok = RecordBatch, Error = DataFusionError> + Unpin,
{
    let (mut held, mut bytes) = (Vec::new(), 0);
    while bytes < HELD_BYTES
        && let Some(batch) = rows.try_next().await?
    {
        bytes += size::bytes(&batch);
        held.push(batch);
    }
    Ok(held)
}

/// The error of rows that were ready, and could not be fetched to the end.
fn lost(error: &DataFusionError, writes: bool) -> DataFusionError {
    let what_to_do = match writes {
        true => "The write was taken back: run it again.",
        false => "Run the query again.",
    };
    DataFusionError::Execution(format!(
        "Rows that an executor had ready were lost while they were fetched: it has ended, or cannot be reached. \
         {what_to_do} Cause: {error}"
    ))
}

/// A job that was handed in.
struct Submitted {
    job: Arc<Job>,
    watch: Arc<Watch>,
    told: mpsc::Receiver<JobStatus>,
    /// Cancelled where it has to begin again.
    again: CancellationToken,
    writes: bool,
}

impl Submitted {
    /// Where the rows are, when all tasks have ended; none where the job has to begin again, which a write cannot.
    async fn ended(&mut self) -> Result<Option<Vec<PartitionLocation>>> {
        let locations = tokio::select! {
            biased;
            () = self.again.cancelled() => match self.writes {
                false => return Ok(None),
                true => Err(DataFusionError::Execution(
                    "An executor was lost while it wrote, and what it has written cannot be told. The write was taken \
                     back: run it again."
                        .to_owned(),
                )),
            },
            locations = ended(&mut self.told) => locations,
        };
        *self.job.outcome.lock() = if locations.is_ok() { Outcome::Done } else { Outcome::Failed };
        locations.map(Some)
    }
}

/// Where the rows of a job are, in the order of its partitions, when all tasks of it have ended.
async fn ended(told: &mut mpsc::Receiver<JobStatus>) -> Result<Vec<PartitionLocation>> {
    while let Some(JobStatus { status, .. }) = told.recv().await {
        match status {
            Some(Status::Successful(SuccessfulJob { mut partition_location, .. })) => {
                partition_location.sort_by_key(|location| location.partition_id.as_ref().map(|id| id.partition_id));
                return Ok(partition_location);
            }
            Some(Status::Failed(job)) => return Err(failure::decode(&job.error)),
            _ => {}
        }
    }
    Err(DataFusionError::Execution("the cluster ended before the query did".to_owned()))
}

/// A job that has been handed in. When it is dropped, its tasks end and its data goes.
struct Job {
    floor: Floor,
    id: JobId,
    /// What it has come to so far: it is cancelled when it is dropped before it has ended.
    outcome: Mutex<Outcome>,
    /// Held until nothing writes any more.
    writing: Mutex<Option<Task>>,
}

impl Drop for Job {
    fn drop(&mut self) {
        let Floor { scheduler, executors, jobs, ledger, .. } = self.floor.clone();
        let (id, writing) = (self.id.clone(), self.writing.get_mut().take());
        let outcome = *self.outcome.get_mut();
        jobs.end(&id, outcome);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if outcome != Outcome::Done {
                ledger.cancel(id.as_ref());
                executors.tell(&Event::Cancel { job: id.to_string() });
                if let Err(error) = scheduler.cancel_job(id.clone()).await {
                    tracing::warn!(%error, "a job could not be cancelled");
                }
            }
            // A task that still runs would leave what was removed before.
            ledger.close(id.as_ref(), PATIENCE).await;
            drop(writing);
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
