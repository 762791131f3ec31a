//! The physical node that writes to a source.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{TryStreamExt, stream};
use tokio::runtime::Handle;

use crate::part::Partitions;
use crate::source::Source;
use crate::write::Write;
use crate::write::metrics::WriteMetrics;
use crate::write::rows::Rows;
use crate::write::tasks::Tasks;
use crate::write::writer::{Writer, message_schema};

/// Writes the rows of its input to a source, a task a partition. Each gives one row: the number of the partition, and
/// the plug-in's commit message.
#[derive(Debug, Clone)]
pub struct PythonWriteExec {
    source: Arc<Source>,
    write: Arc<Write>,
    /// None before the write has begun.
    begun: Option<Begun>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    running: Tasks,
}

/// A write that has begun.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    /// Tells it from every other.
    pub(crate) write_id: Arc<str>,
    /// What the plug-in knows it by, JSON.
    pub(crate) handle: Arc<str>,
}

impl PythonWriteExec {
    /// Writes the rows of `input`, whose columns stand in the order of the write's schema.
    pub fn new(source: Arc<Source>, write: Write, input: Arc<dyn ExecutionPlan>) -> Self {
        let input = match input.output_partitioning().partition_count() {
            // A write of nothing has one task, too.
            0 => Arc::new(EmptyExec::new(input.schema())),
            _ => input,
        };
        Self::with(source, Arc::new(write), None, input)
    }

    fn with(source: Arc<Source>, write: Arc<Write>, begun: Option<Begun>, input: Arc<dyn ExecutionPlan>) -> Self {
        let partitions = Partitioning::UnknownPartitioning(input.output_partitioning().partition_count());
        let equivalence = EquivalenceProperties::new(message_schema());
        let properties = PlanProperties::new(equivalence, partitions, EmissionType::Final, Boundedness::Bounded).into();
        Self { source, write, begun, input, properties, metrics: ExecutionPlanMetricsSet::new(), running: Tasks::new() }
    }

    /// The source that is written to.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// What is written.
    pub fn write(&self) -> &Write {
        &self.write
    }

    /// What the write is known by; none before it has begun.
    pub(crate) fn handle(&self) -> Option<&Begun> {
        self.begun.as_ref()
    }

    /// How many tasks there are.
    pub fn tasks(&self) -> usize {
        self.properties.partitioning.partition_count()
    }

    /// The tasks of it that run on this machine.
    pub(crate) fn running(&self) -> &Tasks {
        &self.running
    }

    /// The same node for a write that has begun. Its metrics are those of this one.
    pub(crate) fn begun(&self, begun: Begun) -> Self {
        Self { begun: Some(begun), ..self.clone() }
    }

    fn with_input(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return Err(DataFusionError::Internal("PythonWriteExec has one child".to_owned()));
        };
        let (source, write) = (Arc::clone(&self.source), Arc::clone(&self.write));
        Ok(Arc::new(Self::with(source, write, self.begun.clone(), input)))
    }
}

impl ExecutionPlan for PythonWriteExec {
    fn name(&self) -> &str {
        "PythonWriteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// The plug-in has been told how many tasks there are.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(Begun { write_id, handle }) = &self.begun else {
            return Err(DataFusionError::Internal("a write is executed before it has begun".to_owned()));
        };
        let number = Partitions::number(&context, partition);
        let task = serde_json::json!({"write_id": write_id, "partition": number});
        let metrics = WriteMetrics::new(&self.metrics, partition);
        let input = self.input.execute(partition, context)?;
        let rows = Rows::new(input, Arc::clone(&self.write.schema), Handle::current(), metrics.clone());
        let source = Arc::clone(&self.source);
        let work = format!("{{\"handle\":{handle},\"task\":{task}}}");
        let writer = Writer { source, work, rows, partition: number, metrics, tasks: self.running.clone() };
        // The thread starts when the message is asked for.
        let messages = stream::once(async move { writer.start() }).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(message_schema(), Box::pin(messages))))
    }
}

impl DisplayAs for PythonWriteExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match format {
            DisplayFormatType::TreeRender => "\n",
            _ => {
                write!(f, "PythonWriteExec: ")?;
                ", "
            }
        };
        let mut shown = vec![format!("source={}", self.source.format()), format!("plugin={}", self.source.class())];
        shown.push(format!("mode={}", self.write.mode.name()));
        shown.extend(self.write.table.as_ref().map(|table| format!("table={table}")));
        shown.push(format!("partitions={}", self.tasks()));
        write!(f, "{}", shown.join(separator))
    }
}
