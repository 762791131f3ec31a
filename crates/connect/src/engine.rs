//! Runs plans: from an unresolved relation to a stream of batches.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use sheetbend_cluster::{LocalRunner, Runner, Running, Work};
use sheetbend_datasource::read::Deadline;
use sheetbend_datasource::scan::ScanPlanner;
use sheetbend_datasource::spec::Spread;
use sheetbend_plan::environment::Resolved;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::Relation;
use sheetbend_plan::session::session_state;

use crate::failure;
use crate::place::{self, Place, RUNNER};
use crate::session::Session;

/// What all queries of a server share.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    state: Arc<SessionState>,
    /// The executors, where the server has some.
    cluster: Option<Arc<dyn Runner>>,
}

/// A query that is ready to run.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) context: Arc<TaskContext>,
    /// The columns as the client is to see them.
    pub(crate) schema: SchemaRef,
    /// Where it runs.
    pub(crate) runner: Arc<dyn Runner>,
}

/// What is said of a query beside what it means.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms {
    /// When it is to have ended.
    pub(crate) deadline: Option<Instant>,
    /// Where it is to run.
    pub(crate) place: Place,
    /// How many tasks a source is cut into on a cluster, at the most.
    pub(crate) leaves: Option<usize>,
}

impl Terms {
    /// What a session says.
    ///
    /// # Errors
    /// A setting that has no meaning.
    pub(crate) fn of(session: &Session, deadline: Option<Instant>) -> Result<Self> {
        let config = session.config.read();
        Ok(Self { deadline, place: config.place()?, leaves: config.leaves() })
    }
}

impl Engine {
    /// An engine with Spark's functions.
    pub(crate) fn new(cluster: Option<Arc<dyn Runner>>) -> Self {
        let state = SessionStateBuilder::new_from_existing(session_state(None));
        Self { state: Arc::new(state.with_query_planner(Arc::new(ScanPlanner)).build()), cluster }
    }

    /// Resolves and plans `relation`. To be called where there is stack for it.
    pub(crate) async fn plan(
        &self,
        relation: &Relation,
        session: &Session,
        deadline: Option<Instant>,
    ) -> Result<Query> {
        let terms = Terms::of(session, deadline)?;
        self.prepare(session.resolve(relation).await?, terms).await
    }

    /// Plans how `query` is run. To be called where there is stack for it.
    pub(crate) async fn prepare(&self, query: Resolved, terms: Terms) -> Result<Query> {
        let Resolved { plan, schema } = query;
        let Terms { deadline, place, leaves } = terms;
        let cluster = self.cluster(&plan, place)?;
        // `now()` is the time at which the query began.
        let mut state = SessionState::clone(&self.state);
        if let Some(cluster) = &cluster {
            *state.config_mut() = cluster.settings(state.config().clone());
            if let Some(leaves) = leaves {
                state.config_mut().set_extension(Arc::new(Spread(leaves)));
            }
        }
        let options = Arc::clone(state.config_options());
        state.execution_props_mut().mark_start_execution(options);
        if let Some(deadline) = deadline {
            state.config_mut().set_extension(Arc::new(Deadline(deadline)));
        }
        let plan = state.create_physical_plan(&plan).await.map_err(|e| failure::from_engine(&e))?;
        let runner = match cluster {
            Some(cluster) => placed(cluster, &plan, place)?,
            None => Arc::new(LocalRunner),
        };
        let plan = runner.fit(plan).map_err(|e| failure::from_engine(&e))?;
        Ok(Query { plan, context: Arc::new(task_context(&state)), schema, runner })
    }

    /// The cluster, if that is where a query is to run.
    fn cluster(&self, plan: &LogicalPlan, place: Place) -> Result<Option<Arc<dyn Runner>>> {
        match (place, &self.cluster) {
            (Place::Here, _) | (Place::Auto, None) => Ok(None),
            (Place::Cluster, None) => Err(no_cluster()),
            (Place::Cluster, Some(cluster)) => Ok(Some(Arc::clone(cluster))),
            (Place::Auto, Some(cluster)) => Ok(place::reads_sources(plan).then(|| Arc::clone(cluster))),
        }
    }

    /// The state that plans are made with.
    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }
}

/// Where a plan for a cluster runs in the end.
fn placed(cluster: Arc<dyn Runner>, plan: &Arc<dyn ExecutionPlan>, place: Place) -> Result<Arc<dyn Runner>> {
    match (cluster.check(plan), place) {
        (Ok(()), Place::Auto) if place::is_small(plan) => Ok(Arc::new(LocalRunner)),
        (Ok(()), _) => Ok(cluster),
        (Err(error), Place::Cluster) => Err(failure::from_engine(&error)),
        (Err(error), _) => {
            tracing::info!(%error, "a query runs on the server, as it cannot be sent");
            Ok(Arc::new(LocalRunner))
        }
    }
}

fn no_cluster() -> SparkError {
    let message =
        format!("{RUNNER} is 'cluster', and this server has none: start it with 'sheetbend server --cluster'.");
    place::invalid("cluster", message)
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
    pub(crate) async fn start(&self) -> Result<SendableRecordBatchStream> {
        Ok(self.run().await?.rows)
    }

    /// Starts the query, which can be asked how far it is.
    pub(crate) async fn run(&self) -> Result<Running> {
        let work = Work { name: place::name(&self.plan), plan: self.plan.clone(), context: self.context.clone() };
        self.runner.run(work).await.map_err(|e| failure::from_engine(&e))
    }
}
