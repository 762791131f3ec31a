//! The physical node that reads a source.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::project_schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::read::{Deadline, ReadMetrics, Reader, order};
use crate::scan::Pushed;
use crate::source::Source;
use crate::spec;

/// Reads a source. Its input has one row a partition spec (see [`crate::spec`]); a partition reads the specs of the
/// input's partition of the same number, one after the other.
#[derive(Debug, Clone)]
pub struct PythonExec {
    source: Arc<Source>,
    table_schema: SchemaRef,
    projection: Option<Vec<usize>>,
    /// The most rows of a partition.
    limit: Option<usize>,
    pushed: Arc<Pushed>,
    input: Arc<dyn ExecutionPlan>,
    /// The order of each partition, by the columns that are kept.
    order: Vec<PhysicalSortExpr>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PythonExec {
    /// Reads the columns `projection` of a source that promises `table_schema`, at most `limit` rows a partition. The source
    /// does what is `pushed` to it.
    ///
    /// # Errors
    /// A projection of columns that are not there.
    pub fn try_new(
        source: Arc<Source>,
        table_schema: SchemaRef,
        projection: Option<Vec<usize>>,
        limit: Option<usize>,
        pushed: Arc<Pushed>,
        input: Arc<dyn ExecutionPlan>,
    ) -> Result<Self> {
        let schema = project_schema(&table_schema, projection.as_ref())?;
        let partitions = input.output_partitioning().partition_count();
        let partitioning = Partitioning::UnknownPartitioning(partitions);
        // One after the other, two ordered specs are not in order.
        let is_ordered = spec::count(&input).is_some_and(|specs| specs <= partitions);
        let order = if is_ordered { order::of(&pushed.ordering, &schema) } else { vec![] };
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema, [order.clone()]),
            partitioning,
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self {
            source,
            table_schema,
            projection,
            limit,
            pushed,
            order,
            input,
            properties: Arc::new(properties),
            metrics,
        })
    }

    /// The source that is read.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The schema that the source promises, before projection.
    pub fn table_schema(&self) -> &SchemaRef {
        &self.table_schema
    }

    /// The columns that are kept; none for all.
    pub fn projection(&self) -> Option<&Vec<usize>> {
        self.projection.as_ref()
    }

    fn with_input(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return Err(DataFusionError::Internal("PythonExec has one child".to_owned()));
        };
        let (source, schema) = (Arc::clone(&self.source), Arc::clone(&self.table_schema));
        let (projection, pushed) = (self.projection.clone(), Arc::clone(&self.pushed));
        Ok(Arc::new(Self::try_new(source, schema, projection, self.limit, pushed, input)?))
    }
}

impl ExecutionPlan for PythonExec {
    fn name(&self) -> &str {
        "PythonExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// The input must stay as it is planned: one spec, one read.
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

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(Arc::new(Self { limit, metrics: ExecutionPlanMetricsSet::new(), ..self.clone() }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let reader = Reader {
            source: Arc::clone(&self.source),
            schema: Arc::clone(&self.table_schema),
            projection: self.projection.clone(),
            limit: self.limit,
            order: self.order.clone(),
            batch_size: context.session_config().batch_size(),
            deadline: Deadline::of(&context),
            metrics: ReadMetrics::new(&self.metrics, partition),
        };
        let specs = self.input.execute(partition, context)?;
        // The thread starts when the first batch is asked for: a plan may never get to some of its partitions.
        let batches = stream::once(async move { reader.start(spec::collect(specs).await?) }).try_flatten();
        let recorded = batches.inspect_ok(move |batch| {
            batch.record_output(&baseline);
        });
        let schema = Arc::clone(self.properties.eq_properties.schema());
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(schema, recorded.boxed()))))
    }
}

impl DisplayAs for PythonExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match format {
            DisplayFormatType::TreeRender => "\n",
            _ => {
                write!(f, "PythonExec: ")?;
                ", "
            }
        };
        let mut shown = vec![format!("source={}", self.source.format()), format!("plugin={}", self.source.class())];
        shown.extend(spec::count(&self.input).map(|specs| format!("specs={specs}")));
        shown.push(format!("partitions={}", self.properties.partitioning.partition_count()));
        let names: Vec<_> = self.schema().fields().iter().map(|field| field.name().clone()).collect();
        shown.extend(self.projection.as_ref().map(|_| format!("projection=[{}]", names.join(", "))));
        shown.extend(self.pushed.parts());
        shown.extend(self.limit.map(|limit| format!("limit={limit}")));
        write!(f, "{}", shown.join(separator))
    }
}
