//! The physical node that reads a source.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, project_schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{DynamicFilterTracking, EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType, apply_expression_roots,
};
use datafusion::physical_plan::filter_pushdown::{ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::read::{Deadline, ReadMetrics, ReadStream, Reader, order};
use crate::scan::{DynamicFilters, PlannedScan};
use crate::source::Source;
use crate::spec;

/// Reads a source. Its input has one row a partition spec (see [`crate::spec`]); a partition reads the specs of the
/// input's partition of the same number, one after the other.
#[derive(Debug, Clone)]
pub struct PythonExec {
    scan: Arc<PlannedScan>,
    projection: Option<Vec<usize>>,
    /// The columns that are kept, as the source calls them.
    projected: SchemaRef,
    /// The most rows of a partition.
    limit: Option<usize>,
    /// The order of each partition, by the columns that are kept.
    order: Vec<PhysicalSortExpr>,
    /// What becomes known of the wanted rows while the query runs.
    dynamic_filters: Vec<Arc<dyn PhysicalExpr>>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PythonExec {
    /// Reads the columns `projection` of a scan, at most `limit` rows a partition.
    ///
    /// # Errors
    /// A projection of columns that are not there.
    pub fn try_new(
        scan: Arc<PlannedScan>,
        projection: Option<Vec<usize>>,
        limit: Option<usize>,
        input: Arc<dyn ExecutionPlan>,
    ) -> Result<Self> {
        let schema = project_schema(&scan.schema, projection.as_ref())?;
        let partitions = input.output_partitioning().partition_count();
        // One after the other, two ordered specs are not in order.
        let is_ordered = spec::count(&input).is_some_and(|specs| specs <= partitions);
        let order = if is_ordered { order::of(&scan.pushed.ordering, &schema) } else { vec![] };
        let properties = Arc::new(properties(Arc::clone(&schema), &order, partitions));
        let metrics = ExecutionPlanMetricsSet::new();
        let dynamic_filters = vec![];
        Ok(Self { scan, projection, projected: schema, limit, order, dynamic_filters, input, properties, metrics })
    }

    /// The same rows with the names of `schema`, which has as many columns.
    pub(crate) fn renamed(&self, schema: SchemaRef) -> Self {
        let order: Vec<_> = self.order.iter().filter_map(|key| order::renamed(key, &schema)).collect();
        let properties = properties(schema, &order, self.properties.partitioning.partition_count());
        Self { properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new(), ..self.clone() }
    }

    fn is_renamed(&self) -> bool {
        self.schema() != self.projected
    }

    pub(crate) fn scan(&self) -> &PlannedScan {
        &self.scan
    }

    /// The source that is read.
    pub fn source(&self) -> &Arc<Source> {
        &self.scan.source
    }

    /// The schema that the source promises, before projection.
    pub fn table_schema(&self) -> &SchemaRef {
        &self.scan.schema
    }

    /// The columns that are kept; none for all.
    pub fn projection(&self) -> Option<&Vec<usize>> {
        self.projection.as_ref()
    }

    /// The read of a partition. It starts when it is polled: a plan may never get to some of its partitions.
    pub(crate) fn read(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<impl Future<Output = Result<ReadStream>> + Send + 'static> {
        let reader = Reader {
            source: Arc::clone(&self.scan.source),
            schema: Arc::clone(&self.scan.schema),
            projection: self.projection.clone(),
            output: self.schema(),
            limit: self.limit,
            order: self.order.clone(),
            dynamic_filters: DynamicFilters::new(
                &self.dynamic_filters,
                Arc::clone(&self.projected),
                Arc::clone(&self.scan.table),
            ),
            batch_size: context.session_config().batch_size(),
            deadline: Deadline::of(&context),
            metrics: ReadMetrics::new(&self.metrics, partition),
        };
        let specs = self.input.execute(partition, context)?;
        Ok(async move { reader.start(spec::collect(specs).await?) })
    }

    /// The batches of `read`, counted for a partition.
    pub(crate) fn stream(
        &self,
        partition: usize,
        read: impl Future<Output = Result<ReadStream>> + Send + 'static,
    ) -> SendableRecordBatchStream {
        let baseline = BaselineMetrics::new(&self.metrics, partition);
        let batches = stream::once(read).try_flatten();
        // The rows alone: how much memory is behind them takes longer to find than to read them.
        let recorded = batches.inspect_ok(move |batch| baseline.record_output(batch.num_rows()));
        let schema = Arc::clone(self.properties.eq_properties.schema());
        Box::pin(cooperative(RecordBatchStreamAdapter::new(schema, recorded.boxed())))
    }

    fn with_input(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return Err(DataFusionError::Internal("PythonExec has one child".to_owned()));
        };
        let exec = Self::try_new(Arc::clone(&self.scan), self.projection.clone(), self.limit, input)?;
        let exec = if self.is_renamed() { exec.renamed(self.schema()) } else { exec };
        Ok(Arc::new(Self { dynamic_filters: self.dynamic_filters.clone(), ..exec }))
    }
}

fn properties(schema: SchemaRef, order: &[PhysicalSortExpr], partitions: usize) -> PlanProperties {
    PlanProperties::new(
        EquivalenceProperties::new_with_orderings(schema, [order.to_vec()]),
        Partitioning::UnknownPartitioning(partitions),
        EmissionType::Incremental,
        Boundedness::Bounded,
    )
    .with_scheduling_type(SchedulingType::Cooperative)
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
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.dynamic_filters, visit)
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

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let rows = args.partition().map(|partition| spec::partition(&self.input, partition)).transpose()?.flatten();
        let known = match (args.partition(), rows) {
            (Some(_), None) => Statistics::new_unknown(self.table_schema()),
            (_, rows) => self.scan.statistics(rows.as_ref())?,
        };
        let known = known.project(self.projection.as_ref());
        let partitions = if args.partition().is_some() { 1 } else { self.properties.partitioning.partition_count() };
        Ok(Arc::new(match self.limit {
            // Which partitions have so many rows is not known.
            Some(limit) if known.num_rows.get_value().is_none_or(|rows| *rows > limit) => {
                known.to_inexact().with_fetch(self.limit, 0, partitions)?
            }
            _ => known,
        }))
    }

    /// Keeps the filters that are dynamic. They help, and are not promised to be applied. A filter that is known already
    /// comes again where a plan is optimised twice.
    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let mut kept = self.dynamic_filters.clone();
        for filter in result.parent_filters.iter().map(|parent| &parent.filter) {
            let is_dynamic = DynamicFilterTracking::classify(filter).contains_dynamic_filter();
            // A source knows its columns by its own names.
            let is_known = is_dynamic && !self.is_renamed();
            if phase == FilterPushdownPhase::Post && is_known && !kept.contains(filter) {
                kept.push(Arc::clone(filter));
            }
        }
        let changed = kept.len() > self.dynamic_filters.len();
        let unapplied = FilterPushdownPropagation::all_unsupported(result);
        Ok(match changed {
            true => unapplied.with_updated_node(Arc::new(Self { dynamic_filters: kept, ..self.clone() })),
            false => unapplied,
        })
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        Ok(self.stream(partition, self.read(partition, context)?))
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
        let mut shown = vec![format!("source={}", self.source().format()), format!("plugin={}", self.source().class())];
        shown.extend(spec::count(&self.input).map(|specs| format!("specs={specs}")));
        shown.push(format!("partitions={}", self.properties.partitioning.partition_count()));
        let names: Vec<_> = self.projected.fields().iter().map(|field| field.name().clone()).collect();
        shown.extend(self.projection.as_ref().map(|_| format!("projection=[{}]", names.join(", "))));
        shown.extend(self.scan.pushed.parts());
        shown.extend(self.limit.map(|limit| format!("limit={limit}")));
        let dynamic: Vec<_> = self.dynamic_filters.iter().map(ToString::to_string).collect();
        shown.extend((!dynamic.is_empty()).then(|| format!("dynamic_filters=[{}]", dynamic.join(", "))));
        write!(f, "{}", shown.join(separator))
    }
}
