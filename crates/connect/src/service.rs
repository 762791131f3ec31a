//! The twelve calls of the protocol. Each finds its session and hands over.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use sheetbend_cluster::Runner;
use sheetbend_plan::error::SparkError;
use spark_connect_proto::execute_plan_request::request_option::RequestOption;
use spark_connect_proto::get_status_response::OperationStatus;
use spark_connect_proto::get_status_response::operation_status::OperationState;
use spark_connect_proto::interrupt_request::{Interrupt, InterruptType};
use spark_connect_proto::release_execute_request::Release;
use spark_connect_proto::*;
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::analyze;
use crate::artifacts::Upload;
use crate::config;
use crate::engine::Engine;
use crate::error::{self, missing};
use crate::operation::{CancelOnDrop, Operation, Task, TimeLimit};
use crate::responses::Origin;
use crate::session::{Session, invalid_handle};
use crate::sessions::Sessions;

pub(crate) use generated::spark_connect_service_server::SparkConnectServiceServer;

mod generated {
    #![expect(unreachable_pub, unused_qualifications, clippy::allow_attributes, reason = "made by tonic-build")]
    include!(concat!(env!("OUT_DIR"), "/spark.connect.SparkConnectService.rs"));
}

type Reply<T> = Result<Response<T>, Status>;
type Responses = Pin<Box<dyn Stream<Item = Result<ExecutePlanResponse, Status>> + Send>>;

/// How long a call waits for its first response before it is answered without.
const SOON: Duration = Duration::from_millis(20);

/// The service of one server.
pub(crate) struct ConnectService {
    sessions: Arc<Sessions>,
    engine: Engine,
}

impl ConnectService {
    /// A service over these sessions, with the executors that it has beside this machine.
    pub(crate) fn new(sessions: Arc<Sessions>, cluster: Option<Arc<dyn Runner>>) -> Self {
        Self { sessions, engine: Engine::new(cluster) }
    }

    fn session(&self, id: &str, user: Option<&UserContext>, observed: Option<&str>) -> Result<Arc<Session>, Status> {
        self.sessions.get(id, user, observed).map_err(|e| error::status(&e, None))
    }
}

/// The session of a request, which has the same three fields in every message.
macro_rules! session_of {
    ($service:expr, $request:expr) => {
        $service.session(
            &$request.session_id,
            $request.user_context.as_ref(),
            $request.client_observed_server_side_session_id.as_deref(),
        )
    };
}

#[async_trait::async_trait]
impl generated::spark_connect_service_server::SparkConnectService for ConnectService {
    type ExecutePlanStream = Responses;
    type ReattachExecuteStream = Responses;

    async fn execute_plan(&self, request: Request<ExecutePlanRequest>) -> Reply<Responses> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let operation_id = operation_id(request.operation_id).map_err(|e| session.status(e))?;
        let (mut reattachable, mut chunking) = (false, false);
        for option in request.request_options {
            match option.request_option {
                Some(RequestOption::ReattachOptions(options)) => reattachable = options.reattachable,
                Some(RequestOption::ResultChunkingOptions(options)) => chunking = options.allow_arrow_batch_chunking,
                _ => {}
            }
        }
        let origin = Origin {
            session_id: session.key.session_id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            operation_id,
            reattachable,
        };
        let operation = Arc::new(Operation::new(origin, request.tags));
        // Read before it starts, so that nobody takes it for one whose client has left.
        let responses = operation.log.read(None).map_err(|e| session.status(e))?;
        session.add_operation(operation.clone()).map_err(|e| session.status(e))?;
        let time = session.config.read().query_timeout().and_then(TimeLimit::new);
        operation.start(request.plan, Task { session, engine: self.engine.clone(), time, chunking });
        // A client that cannot come back is gone for good with its connection.
        let leaving = (!reattachable).then(|| CancelOnDrop(operation));
        let mut responses = Box::pin(responses.inspect(move |_| _ = &leaving).peekable());
        // A small answer that is awaited goes out in one piece, headers and all. The client wakes up for each.
        _ = timeout(SOON, responses.as_mut().peek()).await;
        Ok(Response::new(responses))
    }

    async fn reattach_execute(&self, request: Request<ReattachExecuteRequest>) -> Reply<Responses> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let id = &request.operation_id;
        let operation = session
            .operation(id)
            .ok_or_else(|| session.status(invalid_handle("OPERATION_NOT_FOUND", id, "Operation not found.")))?;
        let responses = operation.log.read(request.last_response_id.as_deref()).map_err(|e| session.status(e))?;
        Ok(Response::new(Box::pin(responses)))
    }

    /// Clients send this for every response. An operation that is gone is released already.
    async fn release_execute(&self, request: Request<ReleaseExecuteRequest>) -> Reply<ReleaseExecuteResponse> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let operation = session.operation(&request.operation_id);
        let operation_id = operation.as_ref().map(|operation| operation.id.clone());
        match (request.release.ok_or_else(|| session.status(missing("release")))?, operation) {
            (Release::ReleaseAll(_), Some(operation)) => session.remove_operation(&operation.id),
            (Release::ReleaseUntil(until), Some(operation)) => operation.log.release_until(&until.response_id),
            (_, None) => {}
        }
        Ok(Response::new(ReleaseExecuteResponse {
            session_id: request.session_id,
            server_side_session_id: session.server_side_id.clone(),
            operation_id,
        }))
    }

    async fn analyze_plan(&self, request: Request<AnalyzePlanRequest>) -> Reply<AnalyzePlanResponse> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let result = match request.analyze {
            Some(question) => analyze::answer(question, &session, &self.engine).await,
            None => Err(missing("analyze")),
        };
        Ok(Response::new(AnalyzePlanResponse {
            session_id: request.session_id,
            server_side_session_id: session.server_side_id.clone(),
            result: Some(result.map_err(|e| session.status(e))?),
        }))
    }

    async fn config(&self, request: Request<ConfigRequest>) -> Reply<ConfigResponse> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let operation = request.operation.and_then(|operation| operation.op_type);
        let pairs = operation
            .ok_or_else(|| missing("operation"))
            .and_then(|operation| config::answer(operation, &session.config));
        Ok(Response::new(ConfigResponse {
            session_id: request.session_id,
            server_side_session_id: session.server_side_id.clone(),
            pairs: pairs.map_err(|e| session.status(e))?,
            warnings: Vec::new(),
        }))
    }

    async fn add_artifacts(&self, request: Request<Streaming<AddArtifactsRequest>>) -> Reply<AddArtifactsResponse> {
        let mut messages = request.into_inner();
        let Some(first) = messages.message().await? else {
            return Err(error::status(&missing("payload"), None));
        };
        let session = session_of!(self, first)?;
        let mut upload = Upload::default();
        upload.add(first.payload, &session.artifacts).map_err(|e| session.status(e))?;
        while let Some(message) = messages.message().await? {
            upload.add(message.payload, &session.artifacts).map_err(|e| session.status(e))?;
        }
        Ok(Response::new(AddArtifactsResponse {
            session_id: session.key.session_id.clone(),
            server_side_session_id: session.server_side_id.clone(),
            artifacts: upload.end().map_err(|e| session.status(e))?,
        }))
    }

    async fn artifact_status(&self, request: Request<ArtifactStatusesRequest>) -> Reply<ArtifactStatusesResponse> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let statuses = request.names.into_iter().map(|name| {
            let exists = session.artifacts.exists(&name);
            (name, artifact_statuses_response::ArtifactStatus { exists })
        });
        Ok(Response::new(ArtifactStatusesResponse {
            statuses: statuses.collect(),
            session_id: request.session_id,
            server_side_session_id: session.server_side_id.clone(),
        }))
    }

    async fn interrupt(&self, request: Request<InterruptRequest>) -> Reply<InterruptResponse> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let meant = |operation: &Operation| match (InterruptType::try_from(request.interrupt_type), &request.interrupt)
        {
            (Ok(InterruptType::All), _) => true,
            (Ok(InterruptType::Tag), Some(Interrupt::OperationTag(tag))) => operation.tags.contains(tag),
            (Ok(InterruptType::OperationId), Some(Interrupt::OperationId(id))) => operation.id == *id,
            _ => false,
        };
        let mut interrupted_ids = Vec::new();
        for operation in session.operations() {
            if meant(&operation) && operation.log.outcome().is_none() {
                operation.cancel();
                interrupted_ids.push(operation.id.clone());
            }
        }
        Ok(Response::new(InterruptResponse {
            session_id: request.session_id,
            server_side_session_id: session.server_side_id.clone(),
            interrupted_ids,
        }))
    }

    async fn release_session(&self, request: Request<ReleaseSessionRequest>) -> Reply<ReleaseSessionResponse> {
        let request = request.into_inner();
        let released =
            self.sessions.release(&request.session_id, request.user_context.as_ref(), request.allow_reconnect);
        Ok(Response::new(ReleaseSessionResponse {
            session_id: request.session_id,
            server_side_session_id: released.map_err(|e| error::status(&e, None))?.unwrap_or_default(),
        }))
    }

    async fn fetch_error_details(
        &self,
        request: Request<FetchErrorDetailsRequest>,
    ) -> Reply<FetchErrorDetailsResponse> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let errors: Vec<_> = session.errors.take(&request.error_id).into_iter().collect();
        Ok(Response::new(FetchErrorDetailsResponse {
            server_side_session_id: session.server_side_id.clone(),
            session_id: request.session_id,
            root_error_idx: (!errors.is_empty()).then_some(0),
            errors,
        }))
    }

    async fn clone_session(&self, request: Request<CloneSessionRequest>) -> Reply<CloneSessionResponse> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let id = request.new_session_id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let new = self.sessions.add(session.fork(id)).map_err(|e| session.status(e))?;
        Ok(Response::new(CloneSessionResponse {
            session_id: request.session_id,
            server_side_session_id: session.server_side_id.clone(),
            new_session_id: new.key.session_id.clone(),
            new_server_side_session_id: new.server_side_id.clone(),
        }))
    }

    async fn get_status(&self, request: Request<GetStatusRequest>) -> Reply<GetStatusResponse> {
        let request = request.into_inner();
        let session = session_of!(self, request)?;
        let wanted = request.operation_status.unwrap_or_default().operation_ids;
        let operations = session.operations();
        let status = |operation_id: String, state: OperationState| OperationStatus {
            operation_id,
            state: state.into(),
            ..OperationStatus::default()
        };
        let operation_statuses = if wanted.is_empty() {
            operations.iter().map(|operation| status(operation.id.clone(), operation.state())).collect()
        } else {
            let state = |id: &str| operations.iter().find(|operation| operation.id == id).map(|found| found.state());
            wanted
                .into_iter()
                .map(|id| (state(&id).unwrap_or(OperationState::Unknown), id))
                .map(|(s, id)| status(id, s))
                .collect()
        };
        Ok(Response::new(GetStatusResponse {
            session_id: request.session_id,
            server_side_session_id: session.server_side_id.clone(),
            operation_statuses,
            ..GetStatusResponse::default()
        }))
    }
}

fn operation_id(requested: Option<String>) -> Result<String, SparkError> {
    match requested {
        None => Ok(Uuid::new_v4().to_string()),
        Some(id) if Uuid::try_parse(&id).is_ok() => Ok(id),
        Some(id) => Err(invalid_handle("FORMAT", &id, "Handle must be an UUID string.")),
    }
}
