//! One task: a part of a plan, which leaves its rows in files.

use std::any::Any;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ballista_core::JobId;
use ballista_core::error::BallistaError;
use ballista_core::extension::SessionConfigHelperExt;
use ballista_core::serde::protobuf::failed_task::FailedReason;
use ballista_core::serde::protobuf::task_status::Status;
use ballista_core::serde::protobuf::{
    FailedTask, IoError, OperatorMetricsSet, SuccessfulTask, TaskDefinition, TaskStatus,
};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::arrow::error::ArrowError;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::FutureExt;
use sheetbend_datasource::error::{PluginFailure, panic_text};
use sheetbend_datasource::part::Partitions;
use sheetbend_datasource::write::Tasks;
use sheetbend_files::wire as files;
use sheetbend_plan::error::SparkError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::stop::stoppable;
use super::work::{Machine, Seat};
use crate::failure;
use crate::reads::{self, Reads};

/// How long a task that was cancelled waits for the plug-in that it writes to.
const PATIENCE: Duration = Duration::from_secs(15);

/// What tells a task from every other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) job: String,
    stage: u32,
    task: u32,
}

impl Key {
    pub(super) fn of(task: &TaskDefinition) -> Self {
        Self { job: task.job_id.clone(), stage: task.stage_id, task: task.task_id }
    }
}

/// Runs a task in its seat, until it has ended or `stop` is cancelled. Its end goes to `finished` when nothing of it writes
/// any more.
pub(super) async fn run(
    seat: Seat,
    task: TaskDefinition,
    stop: CancellationToken,
    finished: mpsc::UnboundedSender<TaskStatus>,
) {
    let mut report = Report::of(&task, finished);
    let writing = OnceLock::new();
    let ran = AssertUnwindSafe(stage(&seat.machine, task, stop.clone(), &writing)).catch_unwind();
    let ran = tokio::select! {
        biased;
        () = stop.cancelled() => Err(BallistaError::Cancelled),
        ran = ran => ran.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))),
    };
    stop.cancel();
    let writing = writing.into_inner();
    if let Some(writing) = &writing {
        writing.ended(PATIENCE).await;
    }
    seat.machine.vitals.ended(ran.as_ref().ok().map(|(_, nodes)| Reads::of(nodes)));
    report.status.status = Some(match ran {
        Ok((done, nodes)) => {
            report.status.metrics = reads::only(&nodes);
            Status::Successful(done)
        }
        Err(error) => Status::Failed(failed(error, seat.machine.failure, writing.is_some())),
    });
    // The scheduler is to find the room that it frees.
    drop(seat);
}

/// Runs the part of the plan, and tells what it has left.
async fn stage(
    machine: &Arc<Machine>,
    task: TaskDefinition,
    stop: CancellationToken,
    writing: &OnceLock<Tasks>,
) -> Result<(SuccessfulTask, Vec<OperatorMetricsSet>), BallistaError> {
    let numbers: Vec<_> = task.global_output_partition_ids.iter().map(|number| *number as usize).collect();
    let (preparing, numbered) = (Arc::clone(machine), numbers.clone());
    let (job, stage_id, task_id) = (JobId::from(task.job_id.clone()), task.stage_id as usize, task.task_id as usize);
    // To load a plug-in is to wait for Python.
    let prepared = tokio::task::spawn_blocking(move || prepare(&preparing, &task, numbered));
    let (plan, context) = prepared.await.map_err(BallistaError::TokioError)??;
    if let Some(tasks) = Tasks::of(&plan) {
        writing.get_or_init(|| tasks);
    }
    let folder = machine.folder();
    let config = context.session_config();
    let plan = stoppable(plan, stop)?;
    let engine = DefaultExecutionEngine::new();
    let stage = engine.create_query_stage_exec(job, stage_id, task_id, numbers, plan, folder, config)?;
    let partitions = stage.execute_query_stage(task_id, Arc::clone(&context)).await?;
    let done = SuccessfulTask {
        executor_id: machine.registration().id.clone(),
        partitions,
        runtime_stats: stage.collect_runtime_stats_reports(),
        window_state: stage.collect_window_state_reports()?,
        task_column_stats: stage.collect_column_stats(),
    };
    Ok((done, counted(stage.as_ref())?))
}

/// What each node of the plan has counted.
fn counted(stage: &dyn QueryStageExecutor) -> Result<Vec<OperatorMetricsSet>, BallistaError> {
    stage.collect_plan_metrics().into_iter().map(TryInto::try_into).collect()
}

type Prepared = (Arc<dyn datafusion::physical_plan::ExecutionPlan>, Arc<TaskContext>);

fn prepare(machine: &Machine, task: &TaskDefinition, numbers: Vec<usize>) -> Result<Prepared> {
    let config = machine.settings().update_from_key_value_pair(&task.props);
    let config = config.with_extension(Arc::new(Partitions::new(numbers.clone())));
    let (session, runtime) = (task.session_id.clone(), Arc::clone(&machine.runtime));
    let name = format!("{}/{}/{}", task.job_id, task.stage_id, task.task_id);
    // The plan brings its functions.
    let (scalar, higher_order, aggregate, window) = Default::default();
    let context = TaskContext::new(Some(name), session, config, scalar, higher_order, aggregate, window, runtime);
    let context = Arc::new(context);
    let plan = PhysicalPlanNode::try_decode(&task.plan)?.try_into_physical_plan(&context, &machine.codec)?;
    Ok((files::numbered(plan, &numbers)?, context))
}

/// What the scheduler is told of a task that failed: whether another attempt may do better, and for the client the error
/// as a whole. One that writes is not run again: what it has handed to the plug-in would be there twice.
fn failed(error: BallistaError, failure: fn(&DataFusionError) -> SparkError, writes: bool) -> FailedTask {
    let (told, is_transient) = match &error {
        BallistaError::DataFusionError(error) => {
            let cause = failure::cause(error);
            let is_transient = PluginFailure::of(cause).is_some_and(|failure| failure.transient) || is_cut_off(cause);
            (Some(failure::encode(&failure(cause))), is_transient && !writes)
        }
        BallistaError::Internal(what) => (Some(failure::encode(&SparkError::internal(what))), false),
        error => (None, is_cut_off(error) && !writes),
    };
    let failed = match is_transient {
        true => FailedTask {
            error: error.to_string(),
            retryable: true,
            count_to_failures: true,
            failed_reason: Some(FailedReason::IoError(IoError {})),
        },
        false => FailedTask::from(error),
    };
    let keeps_its_words =
        matches!(failed.failed_reason, Some(FailedReason::FetchPartitionError(_) | FailedReason::TaskKilled(_)));
    match told {
        Some(told) if !keeps_its_words => FailedTask { error: told, ..failed },
        _ => failed,
    }
}

/// Whether rows broke off while they were fetched: whoever had them has ended, which Ballista knows only of a fetch that
/// does not begin.
fn is_cut_off(error: &(dyn Error + 'static)) -> bool {
    let arrow = match error.downcast_ref() {
        Some(BallistaError::ArrowError(error)) => Some(error.as_ref()),
        Some(BallistaError::DataFusionError(error)) => return is_cut_off(error.as_ref()),
        _ => error.downcast_ref(),
    };
    matches!(arrow, Some(ArrowError::IpcError(_))) || error.source().is_some_and(is_cut_off)
}

fn panicked(panic: &(dyn Any + Send)) -> BallistaError {
    BallistaError::Internal(format!("a task panicked: {}", panic_text(panic)))
}

/// Tells of the end of a task when it is dropped, also where it was cancelled.
struct Report {
    status: TaskStatus,
    finished: mpsc::UnboundedSender<TaskStatus>,
}

impl Report {
    fn of(task: &TaskDefinition, finished: mpsc::UnboundedSender<TaskStatus>) -> Self {
        let status = TaskStatus {
            task_id: task.task_id,
            job_id: task.job_id.clone(),
            stage_id: task.stage_id,
            stage_attempt_num: task.stage_attempt_num,
            launch_time: task.launch_time,
            start_exec_time: millis(),
            end_exec_time: 0,
            metrics: vec![],
            status: Some(Status::Failed(FailedTask::from(BallistaError::Cancelled))),
        };
        Self { status, finished }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.status.end_exec_time = millis();
        // Nobody waits for it where the server is gone.
        drop(self.finished.send(std::mem::take(&mut self.status)));
    }
}

fn millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
