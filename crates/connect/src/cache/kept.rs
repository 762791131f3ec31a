//! Rows that are made once and kept in memory.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::project_schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};
use parking_lot::RwLock;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// The rows of a plan: read from it the first time, from memory then. Rows that do not fit into memory are read from the
/// plan each time.
#[derive(Debug)]
pub(super) struct KeptTable {
    plan: LogicalPlan,
    schema: SchemaRef,
    memory: Arc<dyn MemoryPool>,
    rows: RwLock<Arc<Slot>>,
}

/// Where the rows come to lie.
#[derive(Debug, Default)]
struct Slot {
    rows: OnceCell<Rows>,
    too_large: AtomicBool,
}

/// Rows by partition.
#[derive(Debug)]
struct Rows {
    partitions: Vec<Vec<RecordBatch>>,
    /// Gives their memory back with them.
    _memory: MemoryReservation,
}

impl KeptTable {
    /// The rows of a plan, none of which is read yet.
    pub(super) fn new(plan: LogicalPlan, memory: Arc<dyn MemoryPool>) -> Self {
        let schema = Arc::clone(plan.schema().inner());
        Self { plan, schema, memory, rows: RwLock::default() }
    }

    /// Forgets the rows, which are read from the plan again.
    pub(super) fn forget(&self) {
        let rows = std::mem::take(&mut *self.rows.write());
        drop(rows);
    }
}

#[async_trait]
impl TableProvider for KeptTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let slot = Arc::clone(&*self.rows.read());
        if let Some(rows) = slot.rows.get() {
            let schema = Arc::clone(&self.schema);
            return Ok(MemorySourceConfig::try_new_exec(&rows.partitions, schema, projection.cloned())?);
        }
        let input = state.create_physical_plan(&self.plan).await?;
        Ok(Arc::new(KeptExec::try_new(input, slot, Arc::clone(&self.memory), projection.cloned())?))
    }
}

/// Reads its input to the end before it gives the first row, and keeps what it has read.
#[derive(Debug)]
struct KeptExec {
    input: Arc<dyn ExecutionPlan>,
    slot: Arc<Slot>,
    memory: Arc<dyn MemoryPool>,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl KeptExec {
    fn try_new(
        input: Arc<dyn ExecutionPlan>,
        slot: Arc<Slot>,
        memory: Arc<dyn MemoryPool>,
        projection: Option<Vec<usize>>,
    ) -> Result<Self> {
        let schema = project_schema(&input.schema(), projection.as_ref())?;
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Ok(Self { input, slot, memory, projection, properties: Arc::new(properties) })
    }
}

impl DisplayAs for KeptExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeptExec: kept={}", self.slot.rows.initialized())
    }
}

impl ExecutionPlan for KeptExec {
    fn name(&self) -> &'static str {
        "KeptExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        // The input is planned for itself: what is done above must not change what is kept.
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
            false => Err(DataFusionError::Internal("KeptExec has no children".to_owned())),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (input, slot, memory) = (Arc::clone(&self.input), Arc::clone(&self.slot), Arc::clone(&self.memory));
        let projection = self.projection.clone();
        let rows = async move {
            let rows: SendableRecordBatchStream = match filled(&slot, &input, &memory, &context).await? {
                Some(rows) => {
                    let rows = rows.partitions.get(partition).cloned().unwrap_or_default();
                    Box::pin(RecordBatchStreamAdapter::new(input.schema(), stream::iter(rows.into_iter().map(Ok))))
                }
                None => input.execute(partition, context)?,
            };
            Ok::<_, DataFusionError>(rows.map(move |batch| match &projection {
                Some(columns) => Ok(batch?.project(columns)?),
                None => batch,
            }))
        };
        let rows = stream::once(rows).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

/// The rows of a slot, which whoever comes first reads; none where they do not fit into memory.
async fn filled<'a>(
    slot: &'a Slot,
    input: &Arc<dyn ExecutionPlan>,
    memory: &Arc<dyn MemoryPool>,
    context: &Arc<TaskContext>,
) -> Result<Option<&'a Rows>> {
    let too_large = || slot.too_large.load(Ordering::Acquire);
    let fill = || async {
        // Another partition may have found out while this one waited.
        if too_large() {
            return Err(DataFusionError::ResourcesExhausted(String::new()));
        }
        read(input, memory, context).await.inspect_err(|error| {
            if let DataFusionError::ResourcesExhausted(reason) = error {
                tracing::warn!(%reason, "rows are not kept: they do not fit into the memory for it");
                slot.too_large.store(true, Ordering::Release);
            }
        })
    };
    match slot.rows.get_or_try_init(fill).await {
        Ok(rows) => Ok(Some(rows)),
        Err(_) if too_large() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn read(
    input: &Arc<dyn ExecutionPlan>,
    memory: &Arc<dyn MemoryPool>,
    context: &Arc<TaskContext>,
) -> Result<Rows> {
    let reservation = MemoryConsumer::new("kept rows").register(memory);
    let count = input.output_partitioning().partition_count();
    let mut readers = JoinSet::new();
    for partition in 0..count {
        let mut rows = input.execute(partition, Arc::clone(context))?;
        let reservation = reservation.new_empty();
        readers.spawn(async move {
            let mut batches = Vec::new();
            while let Some(batch) = rows.try_next().await? {
                reservation.try_grow(batch.get_array_memory_size())?;
                batches.push(batch);
            }
            Ok::<_, DataFusionError>((partition, batches, reservation))
        });
    }
    let mut partitions = vec![Vec::new(); count];
    while let Some(read) = readers.join_next().await {
        let (partition, batches, part) = read.map_err(|e| DataFusionError::External(Box::new(e)))??;
        partitions[partition] = batches;
        reservation.grow(part.free());
    }
    Ok(Rows { partitions, _memory: reservation })
}
