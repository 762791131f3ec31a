//! Connections between the processes of a cluster.

use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::EndpointOverrideFn;
use tonic::Status;
use tonic::transport::{Channel, Endpoint, Error, Server, Uri};

use crate::trust::{Trust, causes};

/// How long a connection may take.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// How often the other end is asked whether it is there, and how long it may take to answer.
pub(crate) const PROBE: Duration = Duration::from_secs(5);

/// The largest message: the plan of a task holds the rows of a local relation.
pub(crate) const MESSAGE_BYTES: usize = 256 << 20;

/// What listens for others, and answers those that may be trusted alone.
///
/// # Errors
/// Certificates that cannot be used.
pub(crate) fn server(trust: &Trust) -> Result<Server, Error> {
    let server = Server::builder().http2_keepalive_interval(Some(PROBE)).http2_keepalive_timeout(Some(PROBE));
    match &trust.tls {
        Some(tls) => server.tls_config(tls.server()),
        None => Ok(server),
    }
}

/// Connects to the process at `address`, `host:port`.
///
/// # Errors
/// `UNAVAILABLE` for one that cannot be reached, or that is not to be trusted.
pub(crate) async fn connect(address: &str, trust: &Trust) -> Result<Channel, Status> {
    let channel = async { trusted(Endpoint::from_shared(format!("http://{address}"))?, trust)?.connect().await };
    channel.await.map_err(|error: Error| Status::unavailable(causes(&error)))
}

/// What makes the endpoints of Ballista's own clients like those of [`connect`].
pub(crate) fn endpoints(trust: &Trust) -> EndpointOverrideFn {
    let trust = trust.clone();
    Arc::new(move |endpoint| Ok(trusted(endpoint, &trust)?))
}

/// An endpoint whose calls may be trusted, and whose connections break when the other end hangs.
fn trusted(endpoint: Endpoint, trust: &Trust) -> Result<Endpoint, Error> {
    let endpoint = match &trust.tls {
        Some(tls) => Endpoint::from_shared(encrypted(endpoint.uri()))?.tls_config(tls.client())?,
        None => endpoint,
    };
    endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(PROBE)
        .keep_alive_timeout(PROBE)
        .keep_alive_while_idle(true)
        .user_agent(trust.token.user_agent())
}

fn encrypted(uri: &Uri) -> String {
    format!("https://{}", uri.authority().map_or("", |authority| authority.as_str()))
}
