//! Where executors ask for tasks and tell of their ends. Nothing else of Ballista's scheduler is for them.

use std::sync::Arc;

use ballista_core::serde::protobuf::scheduler_grpc_server::SchedulerGrpc;
use ballista_core::serde::protobuf::task_status::Status as Outcome;
use ballista_core::serde::protobuf::{
    CancelJobParams, CancelJobResult, CleanJobDataParams, CleanJobDataResult, CreateUpdateSessionParams,
    CreateUpdateSessionResult, ExecuteQueryParams, ExecuteQueryResult, ExecutorStoppedParams, ExecutorStoppedResult,
    GetJobMetricsParams, GetJobMetricsResult, GetJobStatusParams, GetJobStatusResult, HeartBeatParams, HeartBeatResult,
    PollWorkParams, PollWorkResult, RegisterExecutorParams, RegisterExecutorResult, RemoveSessionParams,
    RemoveSessionResult, TaskDefinition, UpdateTaskStatusParams, UpdateTaskStatusResult,
};
use ballista_scheduler::state::execution_stage::ExecutionStage;
use futures::stream::BoxStream;
use tonic::{Request, Response, Status};

use super::attach::Lost;
use super::executors::Executors;
use super::jobs::{Jobs, graph};
use super::ledger::{Ended, Ledger};
use super::scheduler::Scheduler;
use crate::reads::Reads;

/// Answers executors, and writes down what they get.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) scheduler: Arc<Scheduler>,
    pub(super) executors: Arc<Executors>,
    pub(super) jobs: Arc<Jobs>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) lost: Lost,
}

impl Desk {
    /// The partitions that a task reads.
    async fn inputs(&self, job: &str, stage: u32, task: u32) -> Vec<usize> {
        let Some(graph) = graph(&self.scheduler, job) else { return vec![] };
        let graph = graph.read().await;
        let tasks = graph.stages().get(&(stage as usize)).and_then(ExecutionStage::task_infos);
        tasks
            .and_then(|tasks| tasks.get(task as usize))
            .map_or_else(Vec::new, |task| task.global_input_partition_ids.clone())
    }

    async fn is_last(&self, task: &TaskDefinition) -> bool {
        // The others are not asked about.
        if !self.ledger.is_once(&task.job_id) {
            return false;
        }
        let Some(graph) = graph(&self.scheduler, &task.job_id) else { return true };
        let graph = graph.read().await;
        graph.stages().keys().all(|stage| *stage <= task.stage_id as usize)
    }
}

type Answer<T> = Result<Response<T>, Status>;

fn none<T>() -> Answer<T> {
    Err(Status::unimplemented("executors of a sheetbend server ask for tasks, and no more"))
}

#[tonic::async_trait]
impl SchedulerGrpc for Desk {
    type ExecuteQueryPushStream = BoxStream<'static, Result<GetJobStatusResult, Status>>;

    async fn poll_work(&self, mut request: Request<PollWorkParams>) -> Answer<PollWorkResult> {
        let asked = request.get_mut();
        let executor = asked.metadata.as_ref().map(|metadata| metadata.id.clone()).unwrap_or_default();
        if !self.executors.has(&executor) {
            return Err(Status::unavailable("the executor was taken for lost"));
        }
        for status in &mut asked.task_status {
            self.jobs.read(&status.job_id, status.stage_id, status.task_id, Reads::of(&status.metrics));
            status.metrics.iter_mut().for_each(|node| node.metrics.clear());
        }
        for status in &asked.task_status {
            if matches!(&status.status, Some(Outcome::Failed(failed)) if failed.retryable) {
                let inputs = self.inputs(&status.job_id, status.stage_id, status.task_id).await;
                self.ledger.fail(&executor, &status.job_id, status.stage_id, &inputs);
            }
        }
        let reported: Vec<_> = asked.task_status.iter().map(Ended::from).collect();
        if !reported.is_empty() {
            self.ledger.end(&executor, &reported);
        }
        if self.ledger.rests(&executor, || self.executors.ids()) {
            asked.num_free_vcores = 0;
        }
        let answer = self.scheduler.poll_work(request).await;
        let PollWorkResult { tasks, jobs_to_clean } = answer?.into_inner();
        let mut handed = vec![];
        for task in tasks {
            if self.ledger.is_cancelled(&task.job_id) {
                // It was planned when it was cancelled, of which the scheduler takes no note.
                drop(self.scheduler.cancel_job(task.job_id.into()).await);
                continue;
            }
            let is_last = self.is_last(&task).await;
            if self.ledger.has_failures(&task.job_id) {
                let inputs = self.inputs(&task.job_id, task.stage_id, task.task_id).await;
                self.ledger.again(&task.job_id, task.stage_id, &inputs);
            }
            if self.ledger.hand(&executor, &task, is_last) {
                handed.push(task);
            }
        }
        if !self.executors.has(&executor) {
            (self.lost)(executor);
        }
        Ok(Response::new(PollWorkResult { tasks: handed, jobs_to_clean }))
    }

    async fn register_executor(&self, _: Request<RegisterExecutorParams>) -> Answer<RegisterExecutorResult> {
        none()
    }

    async fn heart_beat_from_executor(&self, _: Request<HeartBeatParams>) -> Answer<HeartBeatResult> {
        none()
    }

    async fn update_task_status(&self, _: Request<UpdateTaskStatusParams>) -> Answer<UpdateTaskStatusResult> {
        none()
    }

    async fn create_update_session(&self, _: Request<CreateUpdateSessionParams>) -> Answer<CreateUpdateSessionResult> {
        none()
    }

    async fn remove_session(&self, _: Request<RemoveSessionParams>) -> Answer<RemoveSessionResult> {
        none()
    }

    async fn execute_query_push(&self, _: Request<ExecuteQueryParams>) -> Answer<Self::ExecuteQueryPushStream> {
        none()
    }

    async fn execute_query(&self, _: Request<ExecuteQueryParams>) -> Answer<ExecuteQueryResult> {
        none()
    }

    async fn get_job_status(&self, _: Request<GetJobStatusParams>) -> Answer<GetJobStatusResult> {
        none()
    }

    async fn get_job_metrics(&self, _: Request<GetJobMetricsParams>) -> Answer<GetJobMetricsResult> {
        none()
    }

    async fn executor_stopped(&self, _: Request<ExecutorStoppedParams>) -> Answer<ExecutorStoppedResult> {
        none()
    }

    async fn cancel_job(&self, _: Request<CancelJobParams>) -> Answer<CancelJobResult> {
        none()
    }

    async fn clean_job_data(&self, _: Request<CleanJobDataParams>) -> Answer<CleanJobDataResult> {
        none()
    }
}
