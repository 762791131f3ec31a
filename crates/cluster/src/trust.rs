//! How the processes of a cluster know each other.
//!
//! Whoever may send an executor a task can run any code there, so no call is answered without the token. Ballista's own
//! clients let us set no header but the user agent: it carries the token on every connection of a cluster.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tonic::service::Interceptor;
use tonic::transport::Endpoint;
use tonic::{Request, Status};

/// How long a connection within a cluster may take.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// How often the other end of a connection is asked whether it is there, and how long it may take to answer.
pub(crate) const PROBE: Duration = Duration::from_secs(5);

/// The fewest characters of a token.
const FEWEST: usize = 16;

const AGENT: &str = concat!("sheetbend/", env!("CARGO_PKG_VERSION"));

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

    /// An endpoint whose calls carry the token, and whose connections break when the other end hangs.
    ///
    /// # Errors
    /// None: a token fits into a header.
    pub(crate) fn on(&self, endpoint: Endpoint) -> Result<Endpoint, tonic::transport::Error> {
        let endpoint = endpoint
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PROBE)
            .keep_alive_timeout(PROBE)
            .keep_alive_while_idle(true);
        endpoint.user_agent(format!("{AGENT} {}", self.0))
    }

    /// What lets only those calls pass that carry the token.
    pub(crate) fn guard(&self) -> Guard {
        Guard(Sha256::digest(&*self.0).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Compares digests, which takes as long for a token that is nearly right as for any other.
#[derive(Clone)]
pub(crate) struct Guard([u8; 32]);

impl Interceptor for Guard {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let agent = request.metadata().get("user-agent").and_then(|agent| agent.to_str().ok());
        let given = agent.and_then(|agent| agent.split(' ').nth(1)).unwrap_or_default();
        match Sha256::digest(given).as_slice() == self.0 {
            true => Ok(request),
            false => Err(Status::unauthenticated(
                "the cluster's token is missing or wrong: give the executor the token file of the server",
            )),
        }
    }
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
