//! A server within the process, and a session with some tables, which every case begins with.

use std::backtrace::Backtrace;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use sheetbend_connect::{STACK_BYTES, Server, ServerConfig};
use spark_connect_proto::execute_plan_response::ResponseType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::*;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::codec::RawCodec;
use crate::format::formats;

/// How long a case may run. What it asks for may well be endless, such as the rows of a range.
const PATIENCE: Duration = Duration::from_millis(500);

/// The tables of the recorded cases in `tests/spark`, from which the first inputs are made.
const TABLES: [&str; 5] = [
    "CREATE TEMP VIEW people AS SELECT * FROM VALUES \
     (1, 'Ann', 31, 'Oslo', 5200.50BD, 1.5D, DATE'1993-02-28'), (2, 'Bo', NULL, 'Rome', 4100.00BD, -2D, DATE'2000-02-29'), \
     (3, NULL, 22, NULL, NULL, DOUBLE('nan'), NULL) AS t(id, name, age, city, salary, score, born)",
    "CREATE TEMP VIEW orders AS SELECT * FROM VALUES (10L, 1, 99.5D, 'paid'), (11L, NULL, 0.5D, NULL) \
     AS t(order_id, person_id, amount, state)",
    "CREATE TEMP VIEW numbers AS SELECT * FROM VALUES \
     (1Y, 2S, 3, 4L, 1.5F, 2.5D, 3.125BD), (-127Y, -300S, -70000, -5000000000L, -0.25F, -1e300D, -99.999BD), \
     (NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS t(t, s, i, l, f, d, m)",
    "CREATE TEMP VIEW texts AS SELECT * FROM VALUES ('Hello World', 1), ('  pad  ', 2), ('', 0), (NULL, NULL) AS t(w, n)",
    "CREATE TEMP VIEW nested AS SELECT array(1, NULL) a, map('k', 1) m, named_struct('x', 1, 'y', 'z') s, \
     timestamp'2024-01-02 03:04:05' t, interval 1 day i, x'00ff' b",
];

static SERVER: Mutex<Option<Running>> = Mutex::new(None);

/// Sends the bytes of a plan, and waits for the end of its answer.
///
/// # Panics
/// When the server does not go on.
pub fn execute_plan(plan: &[u8]) {
    case(async |running| {
        let session = running.fork().await;
        // What a case makes of its bytes is no matter; that the server is there for the next one is.
        let _answer = running.execute(&session, plan).await;
        running.release(session).await;
    });
}

/// Executes a statement as PySpark does: a query comes back as a relation, which is then executed.
///
/// # Panics
/// When the server does not go on.
pub fn execute_sql(text: &str) {
    case(async |running| {
        let session = running.fork().await;
        if let Ok(Some(result)) = running.execute(&session, &statement(text)).await {
            let plan = Plan { op_type: Some(plan::OpType::Root(result)) };
            let _answer = running.execute(&session, &plan.encode_to_vec()).await;
        }
        running.release(session).await;
    });
}

/// Runs a case on the server, which is started when there is none. A server whose case took too long is ended: that
/// waits for all that it still does, so one that hangs is found.
fn case(run: impl AsyncFnOnce(&Running)) {
    let mut server = SERVER.lock().expect("no case panics");
    let running = server.get_or_insert_with(Running::start);
    if running.runtime.block_on(async { timeout(PATIENCE, run(running)).await }).is_err() {
        *server = None;
    }
}

/// A server, a client of it, and the session that others are copies of.
struct Running {
    channel: Channel,
    session: String,
    runtime: Runtime,
}

impl Running {
    fn start() -> Self {
        pass_arrow_reader();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .thread_stack_size(STACK_BYTES)
            .build()
            .expect("a runtime");
        let channel = runtime.block_on(async {
            let config = ServerConfig::new(formats());
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let server = Server::bind(ServerConfig { address, ..config }).await.expect("a free port");
            let url = format!("http://{}", server.local_address());
            tokio::spawn(server.serve(std::future::pending()));
            Channel::from_shared(url).expect("an address").connect().await.expect("a server")
        });
        let running = Self { channel, session: Uuid::new_v4().to_string(), runtime };
        for text in TABLES {
            let done = running.runtime.block_on(running.execute(&running.session, &statement(text)));
            done.expect("a table of the cases");
        }
        running
    }

    /// A copy of the session with the tables.
    async fn fork(&self) -> String {
        let request = CloneSessionRequest { session_id: self.session.clone(), ..CloneSessionRequest::default() };
        let reply: CloneSessionResponse = self.call("CloneSession", request).await;
        reply.new_session_id
    }

    async fn release(&self, session_id: String) {
        let request = ReleaseSessionRequest { session_id, ..ReleaseSessionRequest::default() };
        let _reply: ReleaseSessionResponse = self.call("ReleaseSession", request).await;
    }

    /// A call that has no reason to fail.
    async fn call<T: Message + Default + 'static>(&self, method: &str, request: impl Message) -> T {
        let (mut grpc, path) = self.ready(method).await;
        let request = Request::new(request.encode_to_vec().into());
        grpc.unary(request, path, RawCodec::default()).await.expect("an answer").into_inner()
    }

    /// Executes a plan, which may be any bytes; the relation that it is answered with, if it is.
    async fn execute(&self, session: &str, plan: &[u8]) -> Result<Option<Relation>, Status> {
        let (mut grpc, path) = self.ready("ExecutePlan").await;
        let request = Request::new(request(session, plan));
        let mut responses = grpc.server_streaming(request, path, RawCodec::default()).await?.into_inner();
        let mut result = None;
        while let Some(response) = responses.message().await? {
            let response: ExecutePlanResponse = response;
            if let Some(ResponseType::SqlCommandResult(answer)) = response.response_type {
                result = answer.relation;
            }
        }
        Ok(result)
    }

    async fn ready(&self, method: &str) -> (Grpc<Channel>, PathAndQuery) {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.expect("a server");
        let path = format!("/spark.connect.SparkConnectService/{method}");
        (grpc, path.parse().expect("a path"))
    }
}

/// A panic ends the process, but for those of the reader of Arrow streams, which the server catches where it reads.
fn pass_arrow_reader() {
    let end = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !Backtrace::force_capture().to_string().contains("arrow_ipc::reader") {
            end(info);
        }
    }));
}

/// An `ExecutePlanRequest` around the bytes of its plan.
fn request(session: &str, plan: &[u8]) -> Bytes {
    let request = ExecutePlanRequest { session_id: session.to_owned(), ..ExecutePlanRequest::default() };
    let mut bytes = request.encode_to_vec();
    prost::encoding::bytes::encode(3, &plan.to_vec(), &mut bytes);
    bytes.into()
}

/// The plan of `spark.sql(text)`.
fn statement(text: &str) -> Vec<u8> {
    let sql = Sql { query: text.to_owned(), ..Sql::default() };
    let input = Relation { rel_type: Some(RelType::Sql(sql)), ..Relation::default() };
    let command = SqlCommand { input: Some(input), ..SqlCommand::default() };
    let command = Command { command_type: Some(command::CommandType::SqlCommand(command)) };
    Plan { op_type: Some(plan::OpType::Command(command)) }.encode_to_vec()
}
