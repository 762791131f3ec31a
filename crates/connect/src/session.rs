//! A session: what one client has set, named, uploaded and started.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use parking_lot::{Mutex, RwLock};
use sheetbend_datasource::format::FormatRegistry;
use sheetbend_plan::error::{ErrorClass, SparkError};
use tonic::Status;
use uuid::Uuid;

use crate::artifacts::Artifacts;
use crate::cache::Cache;
use crate::config::Config;
use crate::error::ErrorLog;
use crate::functions::SessionFunctions;
use crate::memory;
use crate::operation::Operation;
use crate::tables::Tables;
use crate::variables::SessionVariables;
use crate::views::Views;

/// Who a session belongs to, and its id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    pub(crate) user_id: String,
    pub(crate) session_id: String,
}

/// What all sessions of a server share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) formats: Arc<FormatRegistry>,
    /// Global temporary views.
    pub(crate) globals: Arc<Views>,
    /// Where rows that sessions keep take their memory from.
    pub(crate) kept_memory: Arc<dyn MemoryPool>,
}

impl Shared {
    /// Nothing but the formats.
    pub(crate) fn new(formats: Arc<FormatRegistry>) -> Self {
        let kept_memory = Arc::new(GreedyMemoryPool::new(memory::for_kept_rows()));
        Self { formats, globals: Arc::default(), kept_memory }
    }
}

/// One client's session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) key: SessionKey,
    /// The server's own id. Clients check that it never changes.
    pub(crate) server_side_id: String,
    pub(crate) config: RwLock<Config>,
    pub(crate) views: Views,
    /// The temporary views that all sessions share.
    pub(crate) globals: Arc<Views>,
    pub(crate) tables: Tables,
    pub(crate) variables: SessionVariables,
    pub(crate) functions: SessionFunctions,
    pub(crate) cache: Cache,
    pub(crate) artifacts: Artifacts,
    pub(crate) errors: ErrorLog,
    /// The formats of the server, and those that the session adds.
    pub(crate) formats: Arc<FormatRegistry>,
    shared: Shared,
    operations: Mutex<Operations>,
    last_used: Mutex<Instant>,
}

/// The operations of a session by id.
#[derive(Debug, Default)]
struct Operations {
    by_id: HashMap<String, Arc<Operation>>,
    /// Set when the session ends. What is started later would run on with nobody to end it.
    closed: bool,
}

impl Session {
    /// A new session over what all sessions share.
    pub(crate) fn new(key: SessionKey, shared: &Shared) -> Self {
        Self {
            key,
            server_side_id: Uuid::new_v4().to_string(),
            config: RwLock::default(),
            views: Views::default(),
            globals: Arc::clone(&shared.globals),
            tables: Tables::default(),
            variables: SessionVariables::default(),
            functions: SessionFunctions::default(),
            cache: Cache::new(Arc::clone(&shared.kept_memory)),
            artifacts: Artifacts::default(),
            errors: ErrorLog::default(),
            formats: Arc::new(FormatRegistry::child(Arc::clone(&shared.formats))),
            shared: shared.clone(),
            operations: Mutex::default(),
            last_used: Mutex::new(Instant::now()),
        }
    }

    /// A session of another id with the same settings, views, tables, variables, functions, artifacts and formats.
    pub(crate) fn fork(&self, session_id: String) -> Self {
        let key = SessionKey { user_id: self.key.user_id.clone(), session_id };
        let config = self.config.read().clone();
        Self {
            config: RwLock::new(config),
            views: self.views.clone(),
            tables: self.tables.clone(),
            variables: self.variables.clone(),
            functions: self.functions.clone(),
            artifacts: self.artifacts.clone(),
            formats: Arc::new(self.formats.fork()),
            ..Self::new(key, &self.shared)
        }
    }

    /// The status of an error, of which more can be fetched if it is long.
    pub(crate) fn status(&self, error: SparkError) -> Status {
        tracing::debug!(condition = %error.condition, session = %self.key.session_id, "request failed");
        self.errors.status(error)
    }

    /// Takes note that the client is there.
    pub(crate) fn touch(&self) {
        *self.last_used.lock() = Instant::now();
    }

    /// For how long the client has asked nothing and nothing has run.
    pub(crate) fn idle(&self) -> Duration {
        if self.operations.lock().by_id.is_empty() { self.last_used.lock().elapsed() } else { Duration::ZERO }
    }

    /// Adds an operation.
    ///
    /// # Errors
    /// `INVALID_HANDLE` if there is one of its id, or the session has ended.
    pub(crate) fn add_operation(&self, operation: Arc<Operation>) -> Result<(), SparkError> {
        let mut operations = self.operations.lock();
        if operations.closed {
            return Err(closed(&self.key.session_id));
        }
        if operations.by_id.contains_key(&operation.id) {
            return Err(invalid_handle(
                "OPERATION_ALREADY_EXISTS",
                &operation.id,
                "An operation of this id exists already.",
            ));
        }
        operations.by_id.insert(operation.id.clone(), operation);
        Ok(())
    }

    /// The operation of this id.
    pub(crate) fn operation(&self, id: &str) -> Option<Arc<Operation>> {
        self.operations.lock().by_id.get(id).cloned()
    }

    /// All operations.
    pub(crate) fn operations(&self) -> Vec<Arc<Operation>> {
        self.operations.lock().by_id.values().cloned().collect()
    }

    /// Forgets an operation, and cancels it if it runs.
    pub(crate) fn remove_operation(&self, id: &str) {
        let removed = self.operations.lock().by_id.remove(id);
        if let Some(operation) = removed {
            operation.cancel();
            self.touch();
        }
    }

    /// Cancels and forgets everything, for good.
    pub(crate) fn close(&self) {
        let ended = Operations { closed: true, ..Operations::default() };
        let operations = std::mem::replace(&mut *self.operations.lock(), ended);
        for operation in operations.by_id.into_values() {
            operation.cancel();
        }
        self.views.clear();
        self.tables.clear();
        self.cache.close();
        self.artifacts.clear();
    }
}

/// A session that has ended.
pub(crate) fn closed(session_id: &str) -> SparkError {
    invalid_handle("SESSION_CLOSED", session_id, "Session was closed.")
}

/// An id that leads to nothing.
pub(crate) fn invalid_handle(kind: &str, handle: &str, message: &str) -> SparkError {
    SparkError::new(
        ErrorClass::Internal,
        &format!("INVALID_HANDLE.{kind}"),
        "HY000",
        format!("The handle {handle} is invalid. {message}"),
    )
    .with("handle", handle)
}
