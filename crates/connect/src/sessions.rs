//! All sessions of a server.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sheetbend_datasource::format::FormatRegistry;
use sheetbend_plan::error::SparkError;
use spark_connect_proto::UserContext;
use uuid::Uuid;

use crate::session::{Session, SessionKey, Shared, closed, invalid_handle};

/// How many released sessions are remembered, so that their ids do not come to life again.
const REMEMBERED: usize = 1000;

/// The sessions of a server by user and id.
#[derive(Debug)]
pub(crate) struct Sessions {
    shared: Shared,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<SessionKey, Arc<Session>>,
    closed: VecDeque<SessionKey>,
    /// The server ends: no session begins any more.
    ended: bool,
}

impl Sessions {
    /// No session yet; each will see `formats`.
    pub(crate) fn new(formats: Arc<FormatRegistry>) -> Self {
        Self { shared: Shared::new(formats), state: Mutex::default() }
    }

    /// The session of this user and id, which begins if there is none. `observed` is the server's id of the session as
    /// the client knows it.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if the id is no UUID, or the session has ended.
    pub(crate) fn get(
        &self,
        session_id: &str,
        user: Option<&UserContext>,
        observed: Option<&str>,
    ) -> Result<Arc<Session>, SparkError> {
        let key = key(session_id, user)?;
        let mut state = self.state.lock();
        if let Some(session) = state.open.get(&key) {
            if observed.is_some_and(|id| !id.is_empty() && id != session.server_side_id) {
                return Err(changed(session_id));
            }
            session.touch();
            return Ok(session.clone());
        }
        if state.is_closed(&key) {
            return Err(closed(session_id));
        }
        if observed.is_some_and(|id| !id.is_empty()) {
            return Err(changed(session_id));
        }
        let session = Arc::new(Session::new(key.clone(), &self.shared));
        tracing::info!(session = %session_id, "session opened");
        state.open.insert(key, session.clone());
        Ok(session)
    }

    /// Adds a session that was made from another.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if its id is no UUID, or was used.
    pub(crate) fn add(&self, session: Session) -> Result<Arc<Session>, SparkError> {
        uuid(&session.key.session_id)?;
        let mut state = self.state.lock();
        if state.open.contains_key(&session.key) || state.is_closed(&session.key) {
            let id = &session.key.session_id;
            return Err(invalid_handle("SESSION_ALREADY_EXISTS", id, "A session of this id exists already."));
        }
        let session = Arc::new(session);
        state.open.insert(session.key.clone(), session.clone());
        Ok(session)
    }

    /// Ends a session; its server-side id if there was one. Its id cannot be used again unless `reconnect`.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if the id is no UUID.
    pub(crate) fn release(
        &self,
        session_id: &str,
        user: Option<&UserContext>,
        reconnect: bool,
    ) -> Result<Option<String>, SparkError> {
        let key = key(session_id, user)?;
        let mut state = self.state.lock();
        let session = state.open.remove(&key);
        if !reconnect && !state.closed.contains(&key) {
            state.remember(key);
        }
        drop(state);
        Ok(session.map(|session| {
            session.close();
            tracing::info!(session = %session_id, "session closed");
            session.server_side_id.clone()
        }))
    }

    /// Cancels operations that nobody has read for `detached`, and ends sessions that were idle for `idle`.
    pub(crate) fn sweep(&self, detached: Duration, idle: Duration) {
        for session in self.all() {
            for operation in session.operations() {
                let limit = if operation.log.reattachable() { detached } else { Duration::ZERO };
                if operation.log.detached_for().is_some_and(|time| time > limit) {
                    session.remove_operation(&operation.id);
                }
            }
        }
        for session in self.expire(idle) {
            session.close();
            tracing::info!(session = %session.key.session_id, "session expired");
        }
    }

    /// Ends every session, and has none begin any more.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        let open = std::mem::take(&mut state.open);
        drop(state);
        for session in open.into_values() {
            session.close();
        }
    }

    fn all(&self) -> Vec<Arc<Session>> {
        self.state.lock().open.values().cloned().collect()
    }

    /// Takes out the sessions that were idle for `idle`: under the lock under which requests find theirs, so that no
    /// request is given one that ends.
    fn expire(&self, idle: Duration) -> Vec<Arc<Session>> {
        let mut state = self.state.lock();
        let expired: Vec<_> = state.open.extract_if(|_, session| session.idle() > idle).collect();
        let sessions = expired.into_iter().map(|(key, session)| {
            state.remember(key);
            session
        });
        sessions.collect()
    }
}

impl State {
    fn is_closed(&self, key: &SessionKey) -> bool {
        self.ended || self.closed.contains(key)
    }

    fn remember(&mut self, key: SessionKey) {
        if self.closed.len() == REMEMBERED {
            self.closed.pop_front();
        }
        self.closed.push_back(key);
    }
}

fn key(session_id: &str, user: Option<&UserContext>) -> Result<SessionKey, SparkError> {
    uuid(session_id)?;
    let user_id = user.map(|user| user.user_id.clone()).unwrap_or_default();
    Ok(SessionKey { user_id, session_id: session_id.to_owned() })
}

fn uuid(id: &str) -> Result<(), SparkError> {
    match Uuid::try_parse(id) {
        Ok(_) => Ok(()),
        Err(_) => Err(invalid_handle(
            "FORMAT",
            id,
            "Handle must be an UUID string of the format '00112233-4455-6677-8899-aabbccddeeff'.",
        )),
    }
}

fn changed(session_id: &str) -> SparkError {
    invalid_handle(
        "SESSION_CHANGED",
        session_id,
        "The existing Spark server driver instance has restarted. Please reconnect.",
    )
}
