//! The Spark Connect server, started and stopped from Python.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use sheetbend_cluster::Runner;
use sheetbend_cluster::health::{self, Health, Serving};
use sheetbend_cluster::server::{Alone, Cluster, ClusterConfig};
use sheetbend_connect::clients::Clients;
use sheetbend_connect::{Server as ConnectServer, ServerConfig};
use sheetbend_datasource::client_format::PickledFormats;
use sheetbend_datasource::format::FormatRegistry;
use sheetbend_datasource::isolation::Isolation;
use sheetbend_datasource::python_format::{PythonDataSourceFormat, RegisteredFormat};
use sheetbend_datasource::worker::pool;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::executor::{TrustOptions, installation, parse_health};
use crate::isolation::parse_isolation;
use crate::runtime::runtime;
use crate::scan::to_python;

/// One server. It is started once and stopped once.
#[pyclass(frozen, module = "sheetbend._native")]
pub(crate) struct Server {
    config: ServerConfig,
    /// What holds for its sources, where neither the query nor the registration says it.
    isolation: Isolation,
    /// Set by the first who starts it, and unset where that fails.
    started: AtomicBool,
    cluster: Option<ClusterConfig>,
    /// Where it tells how it does.
    health: Option<SocketAddr>,
    running: Mutex<Option<Running>>,
}

/// A server that listens.
struct Running {
    /// Where executors reach it.
    scheduler: Option<SocketAddr>,
    health: Option<Serving>,
    shutdown: Option<oneshot::Sender<()>>,
    ended: CancellationToken,
}

#[pymethods]
impl Server {
    #[new]
    #[pyo3(signature = (host, port, *, detached_timeout, session_timeout, isolation=BTreeMap::new(), cluster=None, clients=None, health=None))]
    #[expect(clippy::too_many_arguments, reason = "a Python function with keyword arguments")]
    fn new(
        py: Python<'_>,
        host: &str,
        port: u16,
        detached_timeout: f64,
        session_timeout: f64,
        isolation: BTreeMap<String, String>,
        cluster: Option<ClusterOptions>,
        clients: Option<ClientOptions>,
        health: Option<(String, u16)>,
    ) -> PyResult<Self> {
        let isolation = parse_isolation(py, isolation)?;
        let cluster = cluster.map(ClusterOptions::config).transpose()?;
        let host: IpAddr = host.parse().map_err(|_| PyValueError::new_err(format!("'{host}' is no IP address")))?;
        let formats = FormatRegistry::with_classes(Arc::new(PickledFormats::new(isolation.clone())));
        formats.register(Arc::new(PythonDataSourceFormat::new(isolation.clone())));
        let config = ServerConfig {
            address: SocketAddr::new(host, port),
            detached_timeout: seconds("detached_timeout", detached_timeout)?,
            session_timeout: seconds("session_timeout", session_timeout)?,
            clients: clients.map(ClientOptions::parse).transpose()?.unwrap_or_default(),
            ..ServerConfig::new(Arc::new(formats))
        };
        let health = health.map(parse_health).transpose()?;
        let (started, running) = (AtomicBool::new(false), Mutex::new(None));
        Ok(Self { config, isolation, started, cluster, health, running })
    }

    /// Adds a plug-in as the format `name`, in place of one of that name. No client can take a name that is `reserved`.
    #[pyo3(signature = (name, plugin, *, reserved=false, isolation=BTreeMap::new()))]
    fn register(
        &self,
        py: Python<'_>,
        name: &str,
        plugin: &Bound<'_, PyAny>,
        reserved: bool,
        isolation: BTreeMap<String, String>,
    ) -> PyResult<()> {
        let isolation = parse_isolation(py, isolation)?.or(&self.isolation);
        let format =
            RegisteredFormat::try_new(name, plugin, isolation).map_err(|error| to_python(py, &error.into()))?;
        let format = if reserved { format.reserve() } else { format };
        self.config.formats.register(Arc::new(format));
        Ok(())
    }

    /// Listens, and returns the port.
    fn start(&self, py: Python<'_>) -> PyResult<u16> {
        if self.started.swap(true, Ordering::AcqRel) {
            return Err(PyRuntimeError::new_err("the server has been started already"));
        }
        self.listen(py).inspect_err(|_| self.started.store(false, Ordering::Release))
    }

    /// Where executors reach the scheduler; none before the start, and where there is no cluster.
    #[getter]
    fn scheduler(&self) -> Option<String> {
        Some(self.running.lock().as_ref()?.scheduler?.to_string())
    }

    /// Where it tells how it does; none before the start, and where it does not.
    #[getter]
    fn health(&self) -> Option<String> {
        Some(self.running.lock().as_ref()?.health.as_ref()?.address.to_string())
    }

    /// Cancels what runs, ends every session, and returns when all have ended.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(running) = &mut *self.running.lock() {
            // The server ends when the sender is gone.
            running.shutdown.take();
            running.health.take();
        }
        self.wait(py, None)?;
        py.detach(pool::close);
        Ok(())
    }

    /// Waits until the server has stopped, at most `timeout` seconds; returns whether it has.
    #[pyo3(signature = (timeout))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let Some(ended) = self.running.lock().as_ref().map(|running| running.ended.clone()) else {
            return Ok(true);
        };
        let timeout = timeout.map(|timeout| seconds("timeout", timeout)).transpose()?;
        let runtime = runtime()?;
        py.detach(|| {
            runtime.block_on(async {
                let ended = ended.cancelled();
                match timeout {
                    Some(timeout) => drop(tokio::time::timeout(timeout, ended).await),
                    None => ended.await,
                }
            });
        });
        Ok(ended.is_cancelled())
    }
}

impl Server {
    fn listen(&self, py: Python<'_>) -> PyResult<u16> {
        let runtime = runtime()?;
        let cluster = self.cluster.clone().map(|config| {
            let address = config.address;
            py.detach(|| runtime.block_on(Cluster::start(config))).map_err(|error| unheard(address, &error))
        });
        let cluster = cluster.transpose()?.map(Arc::new);
        let scheduler = cluster.as_ref().map(|cluster| cluster.address());
        let health = self.serve_health(py, cluster.clone())?;
        let runner = cluster.map(|cluster| cluster as Arc<dyn Runner>);
        let config = ServerConfig { cluster: runner, ..self.config.clone() };
        let address = config.address;
        let bound = py.detach(|| runtime.block_on(ConnectServer::bind(config)));
        let server = bound.map_err(|error| unheard(address, &error))?;
        let port = server.local_address().port();
        let (shutdown, asked) = oneshot::channel();
        let ended = CancellationToken::new();
        // By its drop, so that nobody waits for ever for a server that panicked.
        let end = ended.clone().drop_guard();
        runtime.spawn(async move {
            let _end = end;
            if let Err(error) = server.serve(async { drop(asked.await) }).await {
                tracing::error!(%error, "the server ended");
            }
        });
        *self.running.lock() = Some(Running { scheduler, health, shutdown: Some(shutdown), ended });
        Ok(port)
    }

    fn serve_health(&self, py: Python<'_>, cluster: Option<Arc<Cluster>>) -> PyResult<Option<Serving>> {
        let Some(address) = self.health else { return Ok(None) };
        let health = cluster.map_or_else(|| Arc::new(Alone) as Arc<dyn Health>, |cluster| cluster as Arc<dyn Health>);
        let runtime = runtime()?;
        let serving = py.detach(|| runtime.block_on(health::serve(address, health)));
        serving.map(Some).map_err(|error| unheard(address, &error))
    }
}

/// The error for a port that cannot be had.
pub(crate) fn unheard(address: SocketAddr, error: &io::Error) -> PyErr {
    match error.raw_os_error() {
        Some(number) => PyOSError::new_err((number, format!("cannot listen on {address}: {error}"))),
        None => PyOSError::new_err(error.to_string()),
    }
}

/// What a server asks of clients, and shows them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct ClientOptions {
    token: Option<String>,
    /// The files of the certificate and its key.
    tls: Option<(PathBuf, PathBuf)>,
    behind_proxy: bool,
}

impl ClientOptions {
    fn parse(self) -> PyResult<Clients> {
        let mut clients = Clients::default();
        if let Some(token) = self.token {
            clients = clients.with_token(&token);
        }
        if let Some((certificate, key)) = self.tls {
            let shown = clients.with_certificate(&certificate, &key);
            clients = shown.map_err(|error| PyValueError::new_err(error.to_string()))?;
        }
        Ok(if self.behind_proxy { clients.behind_proxy() } else { clients })
    }
}

/// How a server has a cluster: where executors reach it, and what they show.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct ClusterOptions {
    host: String,
    port: u16,
    trust: TrustOptions,
    python: String,
    plugins: BTreeMap<String, String>,
    patience: f64,
}

impl ClusterOptions {
    fn config(self) -> PyResult<ClusterConfig> {
        let Self { host, port, trust, python, plugins, patience } = self;
        let host: IpAddr = host.parse().map_err(|_| PyValueError::new_err(format!("'{host}' is no IP address")))?;
        Ok(ClusterConfig {
            address: SocketAddr::new(host, port),
            trust: trust.parse()?,
            installation: installation(python, plugins),
            patience: seconds("patience", patience)?,
        })
    }
}

pub(crate) fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| PyValueError::new_err(format!("{name} must be a number of seconds, got {value}")))
}
