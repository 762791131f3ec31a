//! Which clients are answered: those that show the token, over TLS.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use sheetbend_cluster::trust::{TokenDigest, causes};
use tonic::service::Interceptor;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Status};

/// What is asked of clients, and shown to them. By default nothing is, for clients on this machine.
#[derive(Clone, Default)]
pub struct Clients {
    token: Option<TokenDigest>,
    identity: Option<Identity>,
    behind_proxy: bool,
}

/// A certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate {} and its key {} cannot be used: {reason}", certificate.display(), key.display())]
pub struct UnfitCertificate {
    certificate: PathBuf,
    key: PathBuf,
    reason: String,
}

impl Clients {
    /// Asks for a token, which clients send as a bearer token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(TokenDigest::of(token)), ..self }
    }

    /// Shows a certificate, and encrypts. The files are PEM.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else, a key of another certificate.
    pub fn with_certificate(self, certificate: &Path, key: &Path) -> Result<Self, UnfitCertificate> {
        let unfit = |reason: String| UnfitCertificate { certificate: certificate.into(), key: key.into(), reason };
        let read = |path: &Path| std::fs::read(path).map_err(|error| unfit(format!("{}: {error}", path.display())));
        let clients = Self { identity: Some(Identity::from_pem(read(certificate)?, read(key)?)), ..self };
        match clients.server() {
            Ok(_) => Ok(clients),
            Err(error) => Err(unfit(causes(&error))),
        }
    }

    /// Listens on other addresses without a certificate: a proxy in between encrypts.
    #[must_use]
    pub fn behind_proxy(self) -> Self {
        Self { behind_proxy: true, ..self }
    }

    /// # Errors
    /// An address that others may reach, where nothing is asked of them, or their token would be read by others.
    pub(crate) fn check(&self, address: IpAddr) -> io::Result<()> {
        let missing = match (&self.token, &self.identity) {
            _ if address.is_loopback() => return Ok(()),
            (None, _) => "whoever reaches it can run code, so it needs a token for its clients",
            (_, None) if !self.behind_proxy => {
                "their token would go over the network as it is, so it needs a certificate"
            }
            _ => return Ok(()),
        };
        let message =
            format!("The server does not listen on {address}: {missing}. Or use a loopback address such as 127.0.0.1.");
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }

    /// What listens for them.
    ///
    /// # Errors
    /// A certificate that cannot be used.
    pub(crate) fn server(&self) -> Result<Server, tonic::transport::Error> {
        match &self.identity {
            Some(identity) => Server::builder().tls_config(ServerTlsConfig::new().identity(identity.clone())),
            None => Ok(Server::builder()),
        }
    }

    /// What lets those calls pass that carry the token, where there is one.
    pub(crate) fn guard(&self) -> Guard {
        Guard(self.token)
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients(..)")
    }
}

/// Lets those calls pass that carry the token, or all where there is none.
#[derive(Clone)]
pub(crate) struct Guard(Option<TokenDigest>);

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(wanted) = self.0 else { return Ok(request) };
        let given = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        match wanted.is_of(given) {
            true => Ok(request),
            false => Err(Status::unauthenticated(
                "The token of this server is missing or wrong: connect to sc://host:port/;token=..., or set \
                 SPARK_CONNECT_AUTHENTICATE_TOKEN.",
            )),
        }
    }
}
