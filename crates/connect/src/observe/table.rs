//! Rows that are handed on, and handed over.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::project_schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{StreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// Batches that wait to be aggregated. They are in memory for the query's own sake, so few are enough.
const WAITING: usize = 16;

/// The rows of a plan, each batch of which goes to [`Passed`] too.
#[derive(Debug)]
pub(super) struct Observed {
    plan: LogicalPlan,
    /// Gone once the query runs, so that its end is the end of the other rows.
    sender: Mutex<Option<mpsc::Sender<RecordBatch>>>,
}

/// The rows that have passed.
#[derive(Debug)]
pub(super) struct Passed {
    schema: SchemaRef,
    receiver: Arc<Mutex<Option<mpsc::Receiver<RecordBatch>>>>,
}

impl Observed {
    /// The rows of a plan, and those of them that have passed. Either is read once.
    pub(super) fn new(plan: LogicalPlan) -> (Self, Passed) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let schema = Arc::clone(plan.schema().inner());
        let passed = Passed { schema, receiver: Arc::new(Mutex::new(Some(receiver))) };
        (Self { plan, sender: Mutex::new(Some(sender)) }, passed)
    }
}

#[async_trait]
impl TableProvider for Observed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = state.create_physical_plan(&self.plan).await?;
        let partitions = input.output_partitioning().partition_count();
        let senders = (0..partitions).map(|_| self.sender.lock().clone()).collect();
        self.sender.lock().take();
        PassExec::try_new(Rows::Observed { input, senders: Mutex::new(senders) }, partitions, projection)
    }
}

#[async_trait]
impl TableProvider for Passed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rows = Rows::Passed { schema: Arc::clone(&self.schema), receiver: Arc::clone(&self.receiver) };
        PassExec::try_new(rows, 1, projection)
    }
}

/// One of the two.
#[derive(Debug)]
enum Rows {
    Observed {
        input: Arc<dyn ExecutionPlan>,
        /// One a partition, which goes with its last row.
        senders: Mutex<Vec<Option<mpsc::Sender<RecordBatch>>>>,
    },
    Passed {
        schema: SchemaRef,
        receiver: Arc<Mutex<Option<mpsc::Receiver<RecordBatch>>>>,
    },
}

impl Rows {
    fn schema(&self) -> SchemaRef {
        match self {
            Self::Observed { input, .. } => input.schema(),
            Self::Passed { schema, .. } => Arc::clone(schema),
        }
    }
}

/// Gives the rows of either.
#[derive(Debug)]
struct PassExec {
    rows: Rows,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl PassExec {
    fn try_new(rows: Rows, partitions: usize, projection: Option<&Vec<usize>>) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = project_schema(&rows.schema(), projection)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(Self { rows, projection: projection.cloned(), properties: Arc::new(properties) }))
    }
}

impl DisplayAs for PassExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let observed = matches!(self.rows, Rows::Observed { .. });
        write!(f, "PassExec: observed={observed}")
    }
}

impl ExecutionPlan for PassExec {
    fn name(&self) -> &'static str {
        "PassExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// The input is planned for itself: all its rows must pass, whatever is done above.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => Err(DataFusionError::Internal("PassExec has no children".to_owned())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let projection = self.projection.clone();
        let projected = move |batch: RecordBatch| match &projection {
            Some(columns) => Ok(batch.project(columns)?),
            None => Ok(batch),
        };
        let rows: SendableRecordBatchStream = match &self.rows {
            Rows::Observed { input, senders } => {
                let sender = senders.lock().get_mut(partition).and_then(Option::take);
                let rows = input.execute(partition, context)?.then(move |batch| {
                    let sender = sender.clone();
                    async move {
                        let batch = batch?;
                        if let Some(sender) = sender {
                            // Where nobody aggregates any more, the rows are wanted all the same.
                            drop(sender.send(batch.clone()).await);
                        }
                        Ok::<_, DataFusionError>(batch)
                    }
                });
                let rows = rows.map(move |batch| projected(batch?));
                Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows))
            }
            Rows::Passed { receiver, .. } => {
                let receiver = receiver.lock().take();
                let rows = stream::unfold(receiver, |receiver| async {
                    let mut receiver = receiver?;
                    Some((receiver.recv().await?, Some(receiver)))
                });
                Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows.map(projected)))
            }
        };
        Ok(rows)
    }
}
