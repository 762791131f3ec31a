//! Being a member of a cluster: the call that joins, and the loop that asks for tasks.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow_flight::Action;
use arrow_flight::flight_service_client::FlightServiceClient;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{PollWorkParams, PollWorkResult, TaskStatus};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::work::Machine;
use super::{ExecutorConfig, ExecutorError, PAUSE};
use crate::control::{ATTACH, Attach, Event};
use crate::link::{CONNECT, MESSAGE_BYTES, connect};

/// The longest time between two calls for tasks: they tell that the executor is there.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Why membership has ended.
pub(super) enum Ended {
    /// It was to.
    Shutdown,
    /// The server is gone.
    Lost(String),
}

/// Joins, and runs tasks until the server is gone or the executor is to end.
pub(super) async fn serve(
    config: &ExecutorConfig,
    machine: &Arc<Machine>,
    shutdown: &CancellationToken,
    joined: impl Fn(),
) -> Result<Ended, ExecutorError> {
    let (channel, events) = tokio::select! {
        () = shutdown.cancelled() => return Ok(Ended::Shutdown),
        joined = join(config, machine) => joined?,
    };
    joined();
    let (finished, statuses) = mpsc::unbounded_channel();
    let tasks = SchedulerGrpcClient::new(channel)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    let mut membership = Membership { machine, events, tasks, finished, statuses, live: HashSet::new() };
    Ok(match membership.run(shutdown, config.drain).await {
        Ok(()) => Ended::Shutdown,
        Err(status) => Ended::Lost(status.message().to_owned()),
    })
}

/// Tries until the server takes the executor in, or refuses it.
async fn join(
    config: &ExecutorConfig,
    machine: &Machine,
) -> Result<(Channel, Streaming<arrow_flight::Result>), ExecutorError> {
    let end = Instant::now() + config.patience;
    loop {
        let attempt = async {
            let channel = connect(&config.scheduler, &config.trust).await?;
            let events = attach(channel.clone(), &machine.attach(config)).await?;
            Ok((channel, events))
        };
        let failed = match timeout_at(Instant::now() + CONNECT, attempt).await {
            Ok(Ok(joined)) => return Ok(joined),
            Ok(Err(status)) => status,
            Err(_) => Status::unavailable("it does not answer"),
        };
        let scheduler = config.scheduler.clone();
        let reason = failed.message().to_owned();
        if matches!(failed.code(), Code::FailedPrecondition | Code::Unauthenticated | Code::InvalidArgument) {
            return Err(ExecutorError::Refused { scheduler, reason });
        }
        if Instant::now() >= end {
            return Err(ExecutorError::Away { scheduler, patience: config.patience, reason });
        }
        sleep(PAUSE).await;
    }
}

async fn attach(channel: Channel, attach: &Attach) -> Result<Streaming<arrow_flight::Result>, Status> {
    let body = serde_json::to_vec(attach).map_err(|error| Status::invalid_argument(error.to_string()))?;
    let action = Action { r#type: ATTACH.to_owned(), body: body.into() };
    let mut events = FlightServiceClient::new(channel).do_action(action).await?.into_inner();
    match next(&mut events).await? {
        Event::Attached => Ok(events),
        other => Err(Status::internal(format!("the server begins with {other:?}"))),
    }
}

async fn next(events: &mut Streaming<arrow_flight::Result>) -> Result<Event, Status> {
    let told = events.message().await?.ok_or_else(|| Status::unavailable("the server has ended"))?;
    serde_json::from_slice(&told.body).map_err(|error| Status::internal(error.to_string()))
}

/// A member of a cluster.
struct Membership<'a> {
    machine: &'a Arc<Machine>,
    events: Streaming<arrow_flight::Result>,
    tasks: SchedulerGrpcClient<Channel>,
    /// Where tasks leave their end, and where it is taken from.
    finished: mpsc::UnboundedSender<TaskStatus>,
    statuses: mpsc::UnboundedReceiver<TaskStatus>,
    /// The jobs whose data may be fetched from here.
    live: HashSet<String>,
}

impl Membership<'_> {
    /// Runs tasks until the executor is to end and has nothing left that anyone needs, or for `drain` at most.
    async fn run(&mut self, shutdown: &CancellationToken, drain: Duration) -> Result<(), Status> {
        let mut reports: Vec<TaskStatus> = vec![];
        let mut end = None;
        loop {
            if shutdown.is_cancelled() && end.is_none() {
                end = Some(Instant::now() + drain);
                self.machine.vitals.draining.store(true, Ordering::Relaxed);
            }
            let free = if end.is_some() { 0 } else { self.machine.free() };
            let asked = PollWorkParams {
                metadata: Some(self.machine.registration().clone()),
                num_free_vcores: free as u32,
                task_status: std::mem::take(&mut reports),
            };
            let PollWorkResult { tasks, jobs_to_clean } = self.tasks.poll_work(asked).await?.into_inner();
            for job in jobs_to_clean {
                if job.remove_stage_ids.is_empty() {
                    self.live.remove(&job.job_id);
                }
                self.machine.clean(job);
            }
            let got_some = !tasks.is_empty();
            for task in tasks {
                self.live.insert(task.job_id.clone());
                self.machine.start(task, self.finished.clone());
            }
            let is_idle = self.machine.is_idle() && self.live.is_empty();
            if end.is_some_and(|end| is_idle || Instant::now() >= end) {
                return Ok(());
            }
            // There may be more, for which this call had no room to answer.
            if got_some && self.machine.free() > 0 {
                continue;
            }
            self.wait(shutdown, end.is_some(), &mut reports).await?;
        }
    }

    /// Until there is something to report or to ask for.
    async fn wait(
        &mut self,
        shutdown: &CancellationToken,
        draining: bool,
        reports: &mut Vec<TaskStatus>,
    ) -> Result<(), Status> {
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            tokio::select! {
                biased;
                status = self.statuses.recv() => {
                    reports.extend(status);
                    while let Ok(status) = self.statuses.try_recv() {
                        reports.push(status);
                    }
                    return Ok(());
                }
                event = next(&mut self.events) => match event? {
                    Event::Wake if draining || self.machine.free() > 0 => return Ok(()),
                    Event::Cancel { job } => self.machine.cancel(&job),
                    Event::Wake | Event::Attached => {}
                },
                () = shutdown.cancelled(), if !draining => return Ok(()),
                () = sleep_until(heartbeat) => return Ok(()),
            }
        }
    }
}
