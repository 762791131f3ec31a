//! The call by which an executor joins. It lasts as long as the executor does: when it breaks, the executor is lost.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, Result as ActionResult, SchemaResult, Ticket,
};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use serde::Serialize;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};

use super::executors::{ExecutorInfo, Executors, Membership};
use super::jobs::Jobs;
use crate::control::{ATTACH, Attach, EXECUTORS, Event, Installation, JOBS};

/// What is done about an executor that is gone.
pub(super) type Lost = Arc<dyn Fn(String) + Send + Sync>;

/// Answers executors, and whoever asks about the cluster.
#[derive(Clone)]
pub(super) struct Control {
    pub(super) executors: Arc<Executors>,
    pub(super) jobs: Arc<Jobs>,
    pub(super) installation: Installation,
    pub(super) lost: Lost,
}

impl Control {
    fn attach(&self, body: &[u8]) -> Result<Attached, Status> {
        let attach: Attach = serde_json::from_slice(body)
            .map_err(|error| Status::invalid_argument(format!("this is no executor that joins: {error}")))?;
        if let Some(difference) = self.installation.difference(&attach.installation) {
            return Err(Status::failed_precondition(format!(
                "the executor on {} has {difference}. Install the same versions on every machine of a cluster.",
                attach.host
            )));
        }
        let (told, membership) = self.executors.join(&attach);
        let loss = Loss { lost: Arc::clone(&self.lost), id: attach.id };
        Ok(Attached { first: Some(Event::Attached), told, _membership: membership, _loss: loss })
    }

    async fn executors(&self) -> Vec<Busy> {
        let tasks = self.jobs.tasks().await;
        let busy = |executor: ExecutorInfo| Busy { tasks: tasks.get(&executor.id).copied().unwrap_or(0), executor };
        self.executors.list().into_iter().map(busy).collect()
    }
}

/// An executor in a list of executors.
#[derive(Serialize)]
struct Busy {
    #[serde(flatten)]
    executor: ExecutorInfo,
    /// How many tasks it runs.
    tasks: usize,
}

fn listed<T: Serialize>(items: &[T]) -> BoxStream<'static, Result<ActionResult, Status>> {
    let result = |item: &T| {
        let body = serde_json::to_vec(item).map_err(|error| Status::internal(error.to_string()))?;
        Ok(ActionResult { body: body.into() })
    };
    stream::iter(items.iter().map(result).collect::<Vec<_>>()).boxed()
}

/// What an executor is told, until it breaks off.
struct Attached {
    first: Option<Event>,
    told: mpsc::UnboundedReceiver<Event>,
    // In this order: what is written down of an executor after its loss was dealt with is found by whoever wrote it.
    _membership: Membership,
    _loss: Loss,
}

impl Stream for Attached {
    type Item = Result<ActionResult, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = match self.first.take() {
            Some(event) => Poll::Ready(Some(event)),
            None => self.told.poll_recv(context),
        };
        event.map(|event| {
            let event = event?;
            let body = serde_json::to_vec(&event).map_err(|error| Status::internal(error.to_string()));
            Some(body.map(|body| ActionResult { body: body.into() }))
        })
    }
}

/// Has the loss of an executor dealt with, when it is dropped.
struct Loss {
    lost: Lost,
    id: String,
}

impl Drop for Loss {
    fn drop(&mut self) {
        (self.lost)(std::mem::take(&mut self.id));
    }
}

fn none<T>() -> Result<T, Status> {
    Err(Status::unimplemented("a sheetbend server has no data to fetch"))
}

#[tonic::async_trait]
impl FlightService for Control {
    type HandshakeStream = BoxStream<'static, Result<HandshakeResponse, Status>>;
    type ListFlightsStream = BoxStream<'static, Result<FlightInfo, Status>>;
    type DoGetStream = BoxStream<'static, Result<FlightData, Status>>;
    type DoPutStream = BoxStream<'static, Result<PutResult, Status>>;
    type DoExchangeStream = BoxStream<'static, Result<FlightData, Status>>;
    type DoActionStream = BoxStream<'static, Result<ActionResult, Status>>;
    type ListActionsStream = BoxStream<'static, Result<ActionType, Status>>;

    async fn do_action(&self, request: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        let action = request.into_inner();
        match action.r#type.as_str() {
            ATTACH => Ok(Response::new(Box::pin(self.attach(&action.body)?))),
            JOBS => Ok(Response::new(listed(&self.jobs.list().await))),
            EXECUTORS => Ok(Response::new(listed(&self.executors().await))),
            other => Err(Status::unimplemented(format!("there is no action '{other}'"))),
        }
    }

    async fn handshake(
        &self,
        _: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        none()
    }

    async fn list_flights(&self, _: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        none()
    }

    async fn get_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        none()
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        none()
    }

    async fn get_schema(&self, _: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        none()
    }

    async fn do_get(&self, _: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        none()
    }

    async fn do_put(&self, _: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        none()
    }

    async fn do_exchange(&self, _: Request<Streaming<FlightData>>) -> Result<Response<Self::DoExchangeStream>, Status> {
        none()
    }

    async fn list_actions(&self, _: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        none()
    }
}
