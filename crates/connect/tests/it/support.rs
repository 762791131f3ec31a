//! A server and a client of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sheetbend_connect::{STACK_BYTES, Server, ServerConfig};
use sheetbend_datasource::format::FormatRegistry;
use spark_connect_proto::execute_plan_request::{RequestOption, request_option};
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::spark_connect_service_client::SparkConnectServiceClient;
use spark_connect_proto::*;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tonic::transport::Channel;
use tonic::{Status, Streaming};
use tonic_types::StatusExt;
use uuid::Uuid;

/// More rows than any test reads.
pub(crate) const ENDLESS: i64 = 1 << 50;

/// A running server, and a session of one client. The server ends with it.
pub(crate) struct Fixture {
    pub(crate) client: SparkConnectServiceClient<Channel>,
    /// What the client calls through.
    pub(crate) channel: Channel,
    pub(crate) session_id: String,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Duration::from_millis(400), Duration::from_secs(600)).await
    }

    pub(crate) async fn with(detached_timeout: Duration, session_timeout: Duration) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = ServerConfig::new(Arc::new(FormatRegistry::default()));
        let config = ServerConfig { address, detached_timeout, session_timeout, ..config };
        let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build().unwrap();
        let server = runtime.spawn(Server::bind(config)).await.unwrap().unwrap();
        let url = format!("http://{}", server.local_address());
        let (stop, stopped) = oneshot::channel();
        let served = spawn_blocking(move || runtime.block_on(server.serve(async { drop(stopped.await) })));
        let channel = Channel::from_shared(url).unwrap().connect().await.unwrap();
        let client = SparkConnectServiceClient::new(channel.clone());
        Self { client, channel, session_id: Uuid::new_v4().to_string(), stop, served }
    }

    pub(crate) fn request(&self, root: Relation) -> ExecutePlanRequest {
        let reattach = request_option::RequestOption::ReattachOptions(ReattachOptions { reattachable: true });
        ExecutePlanRequest {
            session_id: self.session_id.clone(),
            operation_id: Some(Uuid::new_v4().to_string()),
            plan: Some(Plan { op_type: Some(plan::OpType::Root(root)) }),
            request_options: vec![RequestOption { request_option: Some(reattach) }],
            ..ExecutePlanRequest::default()
        }
    }

    pub(crate) async fn start(&mut self, request: ExecutePlanRequest) -> Streaming<ExecutePlanResponse> {
        self.client.execute_plan(request).await.unwrap().into_inner()
    }

    /// Executes a relation to its end.
    pub(crate) async fn execute(&mut self, root: Relation) -> Result<Vec<ExecutePlanResponse>, Status> {
        let request = self.request(root);
        let responses = self.client.execute_plan(request).await?.into_inner();
        rest(responses).await
    }

    pub(crate) async fn reattach(
        &mut self,
        operation_id: &str,
        last_response_id: Option<&str>,
    ) -> Result<Streaming<ExecutePlanResponse>, Status> {
        let request = ReattachExecuteRequest {
            session_id: self.session_id.clone(),
            operation_id: operation_id.to_owned(),
            last_response_id: last_response_id.map(str::to_owned),
            ..ReattachExecuteRequest::default()
        };
        Ok(self.client.reattach_execute(request).await?.into_inner())
    }

    pub(crate) async fn operations(&mut self) -> usize {
        let request = GetStatusRequest { session_id: self.session_id.clone(), ..GetStatusRequest::default() };
        self.client.get_status(request).await.unwrap().into_inner().operation_statuses.len()
    }
}

/// A query in SQL.
pub(crate) fn sql(text: impl Into<String>) -> Relation {
    relation(RelType::Sql(Sql { query: text.into(), ..Sql::default() }))
}

/// What is left of a stream.
pub(crate) async fn rest(mut responses: Streaming<ExecutePlanResponse>) -> Result<Vec<ExecutePlanResponse>, Status> {
    let mut all = Vec::new();
    while let Some(response) = responses.message().await? {
        all.push(response);
    }
    Ok(all)
}

pub(crate) fn relation(rel_type: RelType) -> Relation {
    Relation { rel_type: Some(rel_type), ..Relation::default() }
}

pub(crate) fn range(end: i64) -> Relation {
    relation(RelType::Range(Range { start: Some(0), end, step: 1, num_partitions: None }))
}

/// The batches of a result.
pub(crate) fn batches<'a>(responses: &'a [ExecutePlanResponse]) -> Vec<&'a execute_plan_response::ArrowBatch> {
    let batch = |response: &'a ExecutePlanResponse| match &response.response_type {
        Some(ResponseType::ArrowBatch(batch)) => Some(batch),
        _ => None,
    };
    responses.iter().filter_map(batch).collect()
}

pub(crate) fn rows(responses: &[ExecutePlanResponse]) -> i64 {
    batches(responses).iter().map(|batch| batch.row_count).sum()
}

pub(crate) fn is_complete(responses: &[ExecutePlanResponse]) -> bool {
    matches!(responses.last().unwrap().response_type, Some(ResponseType::ResultComplete(_)))
}

/// The error condition that a status carries.
pub(crate) fn condition(status: &Status) -> String {
    status.get_details_error_info().unwrap().metadata["errorClass"].clone()
}
