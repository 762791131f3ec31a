//! An executor of a cluster, started and stopped from Python.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use sheetbend_cluster::Installation;
use sheetbend_cluster::client::{Question, ask};
use sheetbend_cluster::executor::{ExecutorConfig, Vitals, run};
use sheetbend_cluster::health::{self, Serving};
use sheetbend_cluster::trust::{Tls, Token, Trust};
use sheetbend_connect::failure::from_engine;
use sheetbend_datasource::worker::pool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::runtime::runtime;
use crate::server::{seconds, unheard};

/// One executor. It is started once and stopped once.
#[pyclass(frozen, module = "sheetbend._native")]
pub(crate) struct Executor {
    config: Mutex<Option<ExecutorConfig>>,
    /// Where it tells how it does, and what it tells.
    health: Option<SocketAddr>,
    vitals: Arc<Vitals>,
    serving: Mutex<Option<Serving>>,
    stop: CancellationToken,
    state: watch::Sender<State>,
}

/// How far an executor is.
#[derive(Debug, Clone, Default)]
struct State {
    /// Where it is reached; none before it has joined for the first time.
    address: Option<String>,
    ended: Option<Result<(), String>>,
}

#[pymethods]
impl Executor {
    #[new]
    #[pyo3(signature = (scheduler, *, trust, python, plugins, vcores, memory, work_dir, bind, port, patience, drain, health=None))]
    #[expect(clippy::too_many_arguments, reason = "a Python function with keyword arguments")]
    fn new(
        scheduler: String,
        trust: TrustOptions,
        python: String,
        plugins: BTreeMap<String, String>,
        vcores: usize,
        memory: Option<usize>,
        work_dir: PathBuf,
        bind: Option<&str>,
        port: u16,
        patience: f64,
        drain: f64,
        health: Option<(String, u16)>,
    ) -> PyResult<Self> {
        let bind = bind.map(str::parse::<IpAddr>).transpose();
        let vitals = Arc::new(Vitals::default());
        let config = ExecutorConfig {
            scheduler,
            trust: trust.parse()?,
            installation: installation(python, plugins),
            vcores,
            memory,
            work_dir,
            bind: bind.map_err(|error| PyValueError::new_err(error.to_string()))?,
            port,
            patience: seconds("patience", patience)?,
            drain: seconds("drain", drain)?,
            vitals: Arc::clone(&vitals),
            failure: from_engine,
        };
        let state = watch::Sender::new(State::default());
        Ok(Self {
            config: Mutex::new(Some(config)),
            health: health.map(parse_health).transpose()?,
            vitals,
            serving: Mutex::new(None),
            stop: CancellationToken::new(),
            state,
        })
    }

    /// Joins, and returns when the server has taken the executor in, or it has ended.
    fn start(&self, py: Python<'_>) -> PyResult<String> {
        let config = self.config.lock().take();
        let config = config.ok_or_else(|| PyRuntimeError::new_err("the executor has been started already"))?;
        let runtime = runtime()?;
        // Before it joins, as that may take long.
        if let Some(address) = self.health {
            let health = health::serve(address, Arc::<Vitals>::clone(&self.vitals));
            let serving = py.detach(|| runtime.block_on(health)).map_err(|error| unheard(address, &error))?;
            *self.serving.lock() = Some(serving);
        }
        let (stop, state) = (self.stop.clone(), self.state.clone());
        let joined = state.clone();
        let ended = runtime.spawn(run(config, stop, move |address| {
            joined.send_modify(|state| state.address = Some(address.to_string()));
        }));
        runtime.spawn(async move {
            let ended = match ended.await {
                Ok(ended) => ended.map_err(|error| error.to_string()),
                Err(panic) => Err(panic.to_string()),
            };
            state.send_modify(|state| state.ended = Some(ended));
        });
        let mut told = self.state.subscribe();
        let known = |state: &State| state.address.is_some() || state.ended.is_some();
        let state = py.detach(|| runtime.block_on(async { told.wait_for(known).await.map(|state| state.clone()) }));
        match state.unwrap_or_default() {
            State { ended: Some(Err(error)), .. } => Err(PyRuntimeError::new_err(error)),
            State { address, .. } => Ok(address.unwrap_or_default()),
        }
    }

    /// Where it tells how it does; none before the start, and where it does not.
    #[getter]
    fn health(&self) -> Option<String> {
        self.serving.lock().as_ref().map(|serving| serving.address.to_string())
    }

    /// Asks for no more tasks. It ends when those that run have ended, and what they have left has been fetched.
    fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the executor has ended, at most `timeout` seconds; returns whether it has.
    #[pyo3(signature = (timeout))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let timeout = timeout.map(|timeout| seconds("timeout", timeout)).transpose()?;
        let runtime = runtime()?;
        let mut told = self.state.subscribe();
        let ended = async { told.wait_for(|state| state.ended.is_some()).await.ok().map(|state| state.clone()) };
        let state = py.detach(|| {
            runtime
                .block_on(async { tokio::time::timeout(timeout.unwrap_or(Duration::MAX), ended).await.ok().flatten() })
        });
        match state.and_then(|state| state.ended) {
            None => Ok(false),
            Some(Ok(())) => {
                py.detach(pool::close);
                Ok(true)
            }
            Some(Err(error)) => Err(PyRuntimeError::new_err(error)),
        }
    }
}

/// What is installed here.
pub(crate) fn installation(python: String, plugins: BTreeMap<String, String>) -> Installation {
    Installation { sheetbend: env!("CARGO_PKG_VERSION").to_owned(), python, plugins }
}

/// What the processes of a cluster show each other.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct TrustOptions {
    token: String,
    /// The files of the certificate, its key and the authority.
    tls: Option<(PathBuf, PathBuf, PathBuf)>,
}

impl TrustOptions {
    pub(crate) fn parse(self) -> PyResult<Trust> {
        let token = Token::new(&self.token).map_err(|error| PyValueError::new_err(error.to_string()))?;
        let tls = self.tls.map(|(certificate, key, authority)| Tls::read(&certificate, &key, &authority));
        let tls = tls.transpose().map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Trust { token, tls })
    }
}

/// Where health and metrics are told.
pub(crate) fn parse_health((host, port): (String, u16)) -> PyResult<SocketAddr> {
    let host: IpAddr = host.parse().map_err(|_| PyValueError::new_err(format!("'{host}' is no IP address")))?;
    Ok(SocketAddr::new(host, port))
}

/// What the server at `scheduler` tells of its jobs or its executors, a JSON object each.
#[pyfunction]
#[pyo3(signature = (scheduler, *, trust, what))]
pub(crate) fn ask_cluster(py: Python<'_>, scheduler: &str, trust: TrustOptions, what: &str) -> PyResult<Vec<String>> {
    let trust = trust.parse()?;
    let question = match what {
        "jobs" => Question::Jobs,
        "executors" => Question::Executors,
        _ => return Err(PyValueError::new_err(format!("expected 'jobs' or 'executors', got '{what}'"))),
    };
    let runtime = runtime()?;
    let answer = py.detach(|| runtime.block_on(ask(scheduler, &trust, question)));
    answer.map_err(|error| PyRuntimeError::new_err(error.to_string()))
}
