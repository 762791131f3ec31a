//! How the processes of a cluster know each other.
//!
//! Whoever may send an executor a task can run any code there, so no call is answered without the token. Ballista's own
//! clients let us set no header but the user agent: it carries the token on every connection of a cluster. With
//! certificates nobody else hears it, and none that the cluster's authority has not signed comes as far as a call.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tonic::service::Interceptor;
use tonic::transport::{Certificate, ClientTlsConfig, Identity, Server, ServerTlsConfig};
use tonic::{Request, Status};

/// The fewest characters of a token.
const FEWEST: usize = 16;

/// The name for which every process of a cluster has a certificate: machines come and go, and so do their names.
const NAME: &str = "sheetbend";

const AGENT: &str = concat!("sheetbend/", env!("CARGO_PKG_VERSION"));

/// What the processes of a cluster show each other.
#[derive(Debug, Clone)]
pub struct Trust {
    /// What every call carries.
    pub token: Token,
    /// What encrypts them; none to send them as they are.
    pub tls: Option<Tls>,
}

/// The token of a cluster. It is never shown.
#[derive(Clone)]
pub struct Token(Arc<str>);

/// A token that nobody should use.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a cluster's token must have {FEWEST} characters at least, and only letters, digits, '-' and '_'")]
pub struct UnfitToken;

impl Token {
    /// The token of this text.
    ///
    /// # Errors
    /// One that is short, or that no header can carry.
    pub fn new(text: &str) -> Result<Self, UnfitToken> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match text.len() >= FEWEST && text.chars().all(fits) {
            true => Ok(Self(text.into())),
            false => Err(UnfitToken),
        }
    }

    /// What goes with every call: the one header that Ballista's own clients let us set.
    pub(crate) fn user_agent(&self) -> String {
        format!("{AGENT} {}", self.0)
    }

    /// What lets only those calls pass that carry the token.
    pub(crate) fn guard(&self) -> Guard {
        Guard(TokenDigest::of(&self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The digest of a token: to compare it takes as long for a token that is nearly right as for any other.
#[derive(Clone, Copy)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of this token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Whether `given` is the token.
    pub fn is_of(&self, given: &str) -> bool {
        self.0 == Self::of(given).0
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(..)")
    }
}

/// Lets those calls pass that carry the token.
#[derive(Clone)]
pub(crate) struct Guard(TokenDigest);

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let agent = request.metadata().get("user-agent").and_then(|agent| agent.to_str().ok());
        let given = agent.and_then(|agent| agent.split(' ').nth(1)).unwrap_or_default();
        match self.0.is_of(given) {
            true => Ok(request),
            false => Err(Status::unauthenticated(
                "the cluster's token is missing or wrong: give the executor the token file of the server",
            )),
        }
    }
}

/// The certificates by which the processes of a cluster prove who they are to each other. Its key is never shown.
#[derive(Clone)]
pub struct Tls {
    identity: Identity,
    authority: Certificate,
}

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnfitTls {
    /// A file that cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Files that hold something else, or do not fit together.
    #[error(
        "the certificate {}, its key {} and the authority {} cannot be used: {reason}",
        certificate.display(), key.display(), authority.display()
    )]
    Unusable {
        /// The certificate of this process.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
        /// The certificate of the authority.
        authority: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Tls {
    /// What these files hold, in PEM: the certificate of this process, its key, and the certificate of the authority that
    /// has signed it and all others.
    ///
    /// # Errors
    /// A file that cannot be read, holds no PEM, or does not fit the others.
    pub fn read(certificate: &Path, key: &Path, authority: &Path) -> Result<Self, UnfitTls> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| UnfitTls::Unread { path: path.to_owned(), error });
        let identity = Identity::from_pem(read(certificate)?, read(key)?);
        let tls = Self { identity, authority: Certificate::from_pem(read(authority)?) };
        match Server::builder().tls_config(tls.server()) {
            Ok(_) => Ok(tls),
            Err(error) => Err(UnfitTls::Unusable {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
                authority: authority.to_owned(),
                reason: causes(&error),
            }),
        }
    }

    /// What a process asks of those that connect to it.
    pub(crate) fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new().identity(self.identity.clone()).client_ca_root(self.authority.clone())
    }

    /// What a process shows those that it connects to, and asks of them.
    pub(crate) fn client(&self) -> ClientTlsConfig {
        ClientTlsConfig::new().identity(self.identity.clone()).ca_certificate(self.authority.clone()).domain_name(NAME)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

/// An error of the transport with what it comes from, which alone says what is wrong.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.map(ToString::to_string).fold(error.to_string(), |told, cause| match told.ends_with(&cause) {
        true => told,
        false => format!("{told}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::{AGENT, Token};
    use tonic::Request;
    use tonic::metadata::MetadataValue;
    use tonic::service::Interceptor;

    fn answered(agent: &str) -> bool {
        let mut request = Request::new(());
        if let Ok(agent) = MetadataValue::try_from(agent) {
            request.metadata_mut().insert("user-agent", agent);
        }
        Token::new("0123456789abcdef").is_ok_and(|token| token.guard().call(request).is_ok())
    }

    #[test]
    fn only_the_token_passes() {
        assert!(answered(&format!("{AGENT} 0123456789abcdef tonic/0.14")));
        assert!(!answered(&format!("{AGENT} 0123456789abcdeg tonic/0.14")));
        assert!(!answered(&format!("{AGENT} 0123456789abcdef0 tonic/0.14")));
        assert!(!answered(AGENT));
        assert!(!answered(""));
    }

    #[test]
    fn short_or_odd_tokens_are_refused() {
        for text in ["", "short", "0123456789abcde", "0123456789 abcdef", "0123456789abcdef\n"] {
            assert!(Token::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let shown = Token::new("0123456789abcdef").map(|token| format!("{token:?}"));
        assert_eq!(shown.ok().as_deref(), Some("Token(..)"));
    }
}
