//! Health and metrics over HTTP, for what starts processes anew, balances them or draws them.
//!
//! `/healthz` answers while the process lives, `/readyz` says whether it can do its work, `/metrics` counts in the text
//! format of Prometheus. Nothing there is a secret, and nothing can be changed.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How well a process does.
#[async_trait]
pub trait Health: Send + Sync {
    /// Why it cannot do its work now; none where it can.
    fn obstacle(&self) -> Option<String>;

    /// What it counts.
    async fn metrics(&self) -> Vec<Metric>;
}

/// One thing that is counted.
#[derive(Debug, Clone)]
pub struct Metric {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    /// Values, each with what tells it from the others.
    values: Vec<(Option<(&'static str, &'static str)>, f64)>,
}

impl Metric {
    /// A value that goes up and down.
    pub(crate) fn gauge(name: &'static str, help: &'static str, value: usize) -> Self {
        Self { name, help, kind: "gauge", values: vec![(None, value as f64)] }
    }

    /// A value that only grows.
    pub(crate) fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, kind: "counter", values: vec![(None, value as f64)] }
    }

    /// Values that only grow, by what the label `outcome` says.
    pub(crate) fn outcomes(name: &'static str, help: &'static str, values: &[(&'static str, u64)]) -> Self {
        let values = values.iter().map(|(outcome, value)| (Some(("outcome", *outcome)), *value as f64)).collect();
        Self { name, help, kind: "counter", values }
    }
}

/// In the text format of Prometheus.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, help, kind, values } = self;
        writeln!(f, "# HELP {name} {help}\n# TYPE {name} {kind}")?;
        for (label, value) in values {
            match label {
                Some((label, is)) => writeln!(f, "{name}{{{label}=\"{is}\"}} {value}")?,
                None => writeln!(f, "{name} {value}")?,
            }
        }
        Ok(())
    }
}

/// A port that answers, until it is dropped.
#[derive(Debug)]
pub struct Serving {
    /// Where it answers.
    pub address: SocketAddr,
    _serving: DropGuard,
}

/// Answers at `address`; port 0 picks a free one.
///
/// # Errors
/// An address that cannot be had.
pub async fn serve(address: SocketAddr, health: Arc<dyn Health>) -> io::Result<Serving> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let process = Arc::new(Process { health, began: Instant::now() });
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(process);
    let serving = CancellationToken::new();
    let ended = serving.clone();
    tokio::spawn(async move {
        // Connections that are kept open end too: they hold what is asked.
        let served = axum::serve(listener, router).with_graceful_shutdown(ended.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the port for health ended");
        }
    });
    Ok(Serving { address, _serving: serving.drop_guard() })
}

struct Process {
    health: Arc<dyn Health>,
    began: Instant,
}

async fn ready(State(process): State<Arc<Process>>) -> (StatusCode, String) {
    match process.health.obstacle() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(obstacle) => (StatusCode::SERVICE_UNAVAILABLE, format!("{obstacle}\n")),
    }
}

async fn metrics(State(process): State<Arc<Process>>) -> impl IntoResponse {
    let mut metrics = process.health.metrics().await;
    let uptime = process.began.elapsed().as_secs();
    metrics.push(Metric::counter("sheetbend_uptime_seconds", "How long the process has run.", uptime));
    if let Some(bytes) = resident() {
        metrics.push(Metric::gauge("process_resident_memory_bytes", "Resident memory.", bytes));
    }
    let text: String = metrics.iter().map(ToString::to_string).collect();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// The bytes that this process has in memory, where the system tells.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}
