//! Runs plans: from an unresolved relation to a stream of batches.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use sheetbend_datasource::read::Deadline;
use sheetbend_datasource::scan::ScanPlanner;
use sheetbend_plan::environment::Resolved;
use sheetbend_plan::error::Result;
use sheetbend_plan::ir::Relation;
use sheetbend_plan::session::session_state;

use crate::failure;
use crate::session::Session;

/// What all queries of a server share.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    state: Arc<SessionState>,
}

/// A query that is ready to run.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) context: Arc<TaskContext>,
    /// The columns as the client is to see them.
    pub(crate) schema: SchemaRef,
}

impl Engine {
    /// An engine with Spark's functions.
    pub(crate) fn new() -> Self {
        let state = SessionStateBuilder::new_from_existing(session_state(None));
        Self { state: Arc::new(state.with_query_planner(Arc::new(ScanPlanner)).build()) }
    }

    /// Resolves and plans `relation`, to be run until `deadline`. To be called where there is stack for it.
    pub(crate) async fn plan(
        &self,
        relation: &Relation,
        session: &Session,
        deadline: Option<Instant>,
    ) -> Result<Query> {
        self.prepare(session.resolve(relation).await?, deadline).await
    }

    /// Plans how `query` is run. To be called where there is stack for it.
    pub(crate) async fn prepare(&self, query: Resolved, deadline: Option<Instant>) -> Result<Query> {
        let Resolved { plan, schema } = query;
        // `now()` is the time at which the query began.
        let mut state = SessionState::clone(&self.state);
        let options = Arc::clone(state.config_options());
        state.execution_props_mut().mark_start_execution(options);
        if let Some(deadline) = deadline {
            state.config_mut().set_extension(Arc::new(Deadline(deadline)));
        }
        let plan = state.create_physical_plan(&plan).await.map_err(|e| failure::from_engine(&e))?;
        Ok(Query { plan, context: Arc::new(task_context(&state)), schema })
    }

    /// The state that plans are made with.
    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }
}

/// What a plan runs in. Without functions by name: a plan has those that it needs.
fn task_context(state: &SessionState) -> TaskContext {
    TaskContext::new(
        None,
        state.session_id().to_owned(),
        state.config().clone(),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        HashMap::new(),
        Arc::clone(state.runtime_env()),
    )
}

impl Query {
    /// Starts the query. It ends when the stream is dropped.
    pub(crate) fn start(&self) -> Result<SendableRecordBatchStream> {
        execute_stream(self.plan.clone(), self.context.clone()).map_err(|e| failure::from_engine(&e))
    }
}
