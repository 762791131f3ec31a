//! An executor's part: it joins a server, asks for tasks, runs them, and keeps what they leave until it is fetched.

mod attach;
mod stop;
mod tasks;
mod vitals;
mod work;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use ballista_executor::flight_service::BallistaFlightService;
use datafusion::error::DataFusionError;
use sheetbend_plan::error::SparkError;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use uuid::Uuid;

use crate::control::Installation;
use crate::link::{self, CONNECT, MESSAGE_BYTES};
use crate::trust::Trust;
use attach::Ended;
pub use vitals::Vitals;
use work::Machine;

/// How long is waited before the server is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// How an executor is set up.
#[derive(Clone)]
pub struct ExecutorConfig {
    /// Host and port of the server's scheduler.
    pub scheduler: String,
    /// What is shown to it, and asked of whoever fetches data.
    pub trust: Trust,
    /// What is installed here.
    pub installation: Installation,
    /// How many partitions are run at a time.
    pub vcores: usize,
    /// How many bytes the engine may take for all tasks; none for no limit.
    pub memory: Option<usize>,
    /// Where what tasks leave is kept, in a folder of this executor's own.
    pub work_dir: PathBuf,
    /// Where data is fetched; by default the address that reaches the server. Port 0 picks a free one.
    pub bind: Option<IpAddr>,
    /// The port for it.
    pub port: u16,
    /// How long the server may be away before the executor gives up.
    pub patience: Duration,
    /// How long an executor that is to end waits for its tasks, and for what they leave to be fetched.
    pub drain: Duration,
    /// What is told of it over HTTP.
    pub vitals: Arc<Vitals>,
    /// The error that a client is told for one of the engine.
    pub failure: fn(&DataFusionError) -> SparkError,
}

impl fmt::Debug for ExecutorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecutorConfig").field("scheduler", &self.scheduler).finish_non_exhaustive()
    }
}

/// Why an executor ended that was not told to.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// Something on this machine.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server does not want it.
    #[error("the server at {scheduler} refuses this executor: {reason}")]
    Refused {
        /// The server.
        scheduler: String,
        /// Why.
        reason: String,
    },
    /// The server cannot be reached.
    #[error("no server answers at {scheduler} for {patience:?}: {reason}")]
    Away {
        /// The server.
        scheduler: String,
        /// How long it was tried.
        patience: Duration,
        /// What the last attempt came to.
        reason: String,
    },
}

/// Runs tasks until `shutdown` is cancelled; then ends those that run, and what they have left is kept until it is
/// fetched. `joined` is called with the executor's address each time that it has joined.
///
/// # Errors
/// The server refuses it, or is away for too long.
pub async fn run(
    config: ExecutorConfig,
    shutdown: CancellationToken,
    joined: impl Fn(SocketAddr) + Send + Sync,
) -> Result<(), ExecutorError> {
    let (bind, host) = match config.bind {
        Some(bind) if !bind.is_unspecified() => (bind, bind),
        bind => {
            let host = reaching(&config).await?;
            (bind.unwrap_or(host), host)
        }
    };
    let listener = TcpListener::bind((bind, config.port)).await?;
    let address = SocketAddr::new(host, listener.local_addr()?.port());
    let folder = WorkDir::create(config.work_dir.join(format!("executor-{}", Uuid::new_v4())))?;
    let data = BallistaFlightService::new(folder.0.to_string_lossy().into_owned());
    let data = FlightServiceServer::new(data)
        .max_decoding_message_size(MESSAGE_BYTES)
        .max_encoding_message_size(MESSAGE_BYTES);
    let server = link::server(&config.trust)
        .map_err(io::Error::other)?
        .add_service(InterceptedService::new(data, config.trust.token.guard()));
    let serving = CancellationToken::new();
    let ended = serving.clone();
    let _serving = serving.drop_guard();
    tokio::spawn(async move {
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        if let Err(error) = server.serve_with_incoming_shutdown(incoming, ended.cancelled()).await {
            tracing::error!(%error, "the port for data ended");
        }
    });
    while !shutdown.is_cancelled() {
        // Under a name of its own each time: the server may not have noticed yet that the last connection is gone.
        let machine = Arc::new(Machine::new(&config, Uuid::new_v4().to_string(), address, &folder.0)?);
        let taken_in = || {
            machine.vitals.joined.store(true, Ordering::Relaxed);
            joined(address);
        };
        match attach::serve(&config, &machine, &shutdown, taken_in).await? {
            Ended::Shutdown => break,
            Ended::Lost(reason) => tracing::warn!(reason, "the server is gone"),
        }
        machine.vitals.joined.store(false, Ordering::Relaxed);
        // What ran was for a server that does not ask for it any more.
        machine.forget();
    }
    Ok(())
}

/// The address of this machine that reaches the server.
async fn reaching(config: &ExecutorConfig) -> Result<IpAddr, ExecutorError> {
    let started = tokio::time::Instant::now();
    loop {
        let reason = match timeout(CONNECT, TcpStream::connect(&config.scheduler)).await {
            Ok(Ok(connection)) => return Ok(connection.local_addr()?.ip()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it does not answer".to_owned(),
        };
        if started.elapsed() >= config.patience {
            let (scheduler, patience) = (config.scheduler.clone(), config.patience);
            return Err(ExecutorError::Away { scheduler, patience, reason });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A folder that is gone when the executor has ended.
struct WorkDir(PathBuf);

impl WorkDir {
    fn create(path: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "the folder of an executor could not be removed");
        }
    }
}
