//! The server: an address, and the service behind it.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sheetbend_cluster::Runner;
use sheetbend_datasource::format::FormatRegistry;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;

use crate::clients::Clients;
use crate::service::{ConnectService, SparkConnectServiceServer};
use crate::sessions::Sessions;

/// The port that Spark Connect clients try first.
const DEFAULT_PORT: u16 = 15002;

/// Clients send and accept messages of this size.
pub(crate) const MESSAGE_BYTES: usize = 128 << 20;

/// How long connections may take to end when the server does.
const GRACE: Duration = Duration::from_secs(2);

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where it listens; port 0 picks a free one.
    pub address: SocketAddr,
    /// The formats that every session sees.
    pub formats: Arc<FormatRegistry>,
    /// How long an operation goes on that no client reads.
    pub detached_timeout: Duration,
    /// How long a session lives whose client asks nothing.
    pub session_timeout: Duration,
    /// Where queries run that are too large for this machine; none to run all here.
    pub cluster: Option<Arc<dyn Runner>>,
    /// What is asked of clients, and shown to them.
    pub clients: Clients,
}

impl ServerConfig {
    /// Spark's port on loopback, and Spark's timeout of a session.
    pub fn new(formats: Arc<FormatRegistry>) -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, DEFAULT_PORT).into(),
            formats,
            detached_timeout: Duration::from_secs(10),
            session_timeout: Duration::from_secs(60 * 60),
            cluster: None,
            clients: Clients::default(),
        }
    }
}

/// A server that holds its port, and serves once it is told to.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    config: ServerConfig,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Takes the port.
    ///
    /// # Errors
    /// An address that cannot be had, or one that others reach without a token and a certificate.
    pub async fn bind(config: ServerConfig) -> io::Result<Self> {
        let wanted = config.address;
        config.clients.check(wanted.ip())?;
        let listener = TcpListener::bind(wanted).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, config })
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is ready; then cancels what runs, and ends within seconds. To be called within a runtime
    /// whose threads have [`STACK_BYTES`](crate::STACK_BYTES).
    ///
    /// # Errors
    /// The listening socket fails.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let sessions = Arc::new(Sessions::new(self.config.formats.clone()));
        let service =
            SparkConnectServiceServer::new(ConnectService::new(sessions.clone(), self.config.cluster.clone()))
                .max_decoding_message_size(MESSAGE_BYTES)
                .max_encoding_message_size(MESSAGE_BYTES);
        let clients = &self.config.clients;
        let stopping = CancellationToken::new();
        let stop = async {
            shutdown.await;
            tracing::info!("server stops");
            sessions.close();
            stopping.cancel();
        };
        let server = clients
            .server()
            .map_err(io::Error::other)?
            // Notices a client whose machine has gone.
            .http2_keepalive_interval(Some(Duration::from_secs(60)))
            .add_service(InterceptedService::new(service, clients.guard()))
            .serve_with_incoming_shutdown(TcpIncoming::from(self.listener).with_nodelay(Some(true)), stop);
        tracing::info!(address = %self.address, "server listens");
        let served = tokio::select! {
            served = server => served.map_err(io::Error::other),
            () = sweep(&sessions, &self.config) => Ok(()),
            () = async { stopping.cancelled().await; tokio::time::sleep(GRACE).await } => Ok(()),
        };
        sessions.close();
        served
    }
}

/// Ends what nobody waits for, for ever.
async fn sweep(sessions: &Sessions, config: &ServerConfig) {
    let shortest = config.detached_timeout.min(config.session_timeout);
    let mut ticks = tokio::time::interval((shortest / 4).clamp(Duration::from_millis(50), Duration::from_millis(250)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        sessions.sweep(config.detached_timeout, config.session_timeout);
    }
}
