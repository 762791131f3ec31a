//! One task: a part of a plan, which leaves its rows in files.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ballista_core::JobId;
use ballista_core::error::BallistaError;
use ballista_core::extension::SessionConfigHelperExt;
use ballista_core::serde::protobuf::failed_task::FailedReason;
use ballista_core::serde::protobuf::task_status::Status;
use ballista_core::serde::protobuf::{
    FailedTask, IoError, OperatorMetricsSet, SuccessfulTask, TaskDefinition, TaskStatus,
};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::FutureExt;
use sheetbend_datasource::error::PluginFailure;
use sheetbend_datasource::part::Partitions;
use sheetbend_plan::error::SparkError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::stop::stoppable;
use super::work::{Machine, Seat};
use crate::failure;

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

/// The end of a task, for the scheduler.
pub(super) struct Finished {
    pub(super) status: TaskStatus,
}

/// Runs a task in its seat.
pub(super) async fn run(seat: Seat, task: TaskDefinition, finished: mpsc::UnboundedSender<Finished>) {
    let mut report = Report::of(&task, finished);
    let executor_id = seat.machine.registration().id.clone();
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let ran = AssertUnwindSafe(stage(&seat.machine, task, stop)).catch_unwind().await;
    let ran = ran.unwrap_or_else(|panic| Err(BallistaError::Internal(panicked(panic.as_ref()))));
    report.status.status = Some(match ran {
        Ok((done, metrics)) => {
            report.status.metrics = metrics;
            Status::Successful(SuccessfulTask { executor_id, ..done })
        }
        Err(error) => Status::Failed(failed(error, seat.machine.failure)),
    });
    // The scheduler is to find the room that it frees.
    drop(seat);
}

/// Runs the part of the plan, and tells what it has left.
async fn stage(
    machine: &Arc<Machine>,
    task: TaskDefinition,
    stop: CancellationToken,
) -> Result<(SuccessfulTask, Vec<OperatorMetricsSet>), BallistaError> {
    let numbers: Vec<_> = task.global_output_partition_ids.iter().map(|number| *number as usize).collect();
    let (preparing, numbered) = (Arc::clone(machine), numbers.clone());
    let (job, stage_id, task_id) = (JobId::from(task.job_id.clone()), task.stage_id as usize, task.task_id as usize);
    // To load a plug-in is to wait for Python.
    let prepared = tokio::task::spawn_blocking(move || prepare(&preparing, &task, numbered));
    let (plan, context) = prepared.await.map_err(BallistaError::TokioError)??;
    let folder = machine.folder();
    let config = context.session_config();
    let plan = stoppable(plan, stop)?;
    let engine = DefaultExecutionEngine::new();
    let stage = engine.create_query_stage_exec(job, stage_id, task_id, numbers, plan, folder, config)?;
    let partitions = stage.execute_query_stage(task_id, Arc::clone(&context)).await?;
    let done = SuccessfulTask {
        executor_id: String::new(),
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
    let config = config.with_extension(Arc::new(Partitions::new(numbers)));
    let (session, runtime) = (task.session_id.clone(), Arc::clone(&machine.runtime));
    let name = format!("{}/{}/{}", task.job_id, task.stage_id, task.task_id);
    let none = Default::default;
    let context = TaskContext::new(
        Some(name),
        session,
        config,
        none(),
        Default::default(),
        Default::default(),
        Default::default(),
        runtime,
    );
    let context = Arc::new(context);
    let plan = PhysicalPlanNode::try_decode(&task.plan)?.try_into_physical_plan(&context, &machine.codec)?;
    Ok((plan, context))
}

/// What the scheduler is told of a task that failed: whether another attempt may do better, and for the client the error
/// as a whole.
fn failed(error: BallistaError, failure: fn(&DataFusionError) -> SparkError) -> FailedTask {
    let (told, is_transient) = match &error {
        BallistaError::DataFusionError(error) => {
            let cause = failure::cause(error);
            let is_transient = PluginFailure::of(cause).is_some_and(|failure| failure.transient);
            (Some(failure::encode(&failure(cause))), is_transient)
        }
        BallistaError::Internal(what) => (Some(failure::encode(&SparkError::internal(what))), false),
        _ => (None, false),
    };
    let failed = match is_transient {
        true => FailedTask {
            error: String::new(),
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

fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    format!("a task panicked: {text}")
}

/// Tells of the end of a task when it is dropped, also where it was cancelled.
struct Report {
    status: TaskStatus,
    finished: mpsc::UnboundedSender<Finished>,
}

impl Report {
    fn of(task: &TaskDefinition, finished: mpsc::UnboundedSender<Finished>) -> Self {
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
        drop(self.finished.send(Finished { status: std::mem::take(&mut self.status) }));
    }
}

fn millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
