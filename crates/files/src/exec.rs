//! The physical node that reads files of rows.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType};
use datafusion::physical_plan::limit::LimitStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::projection::{ProjectionExec, all_alias_free_columns, new_projections_for_columns};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use sheetbend_plan::error::SparkError;
use tokio::sync::mpsc;

use crate::parts;
use crate::scan::{Part, Reading, RowFormat};

/// Batches that wait for the query.
const WAITING: usize = 2;

/// What a thread may need for values that lie in each other. A page that is not touched costs nothing.
const STACK_BYTES: usize = 16 << 20;

/// What is read, and how.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) reading: Arc<Reading>,
    pub(crate) format: Arc<dyn RowFormat>,
    /// The columns that are the same in all rows of a file, behind those of the files.
    pub(crate) partitions: SchemaRef,
}

/// Reads files of rows. Its input has a row a part of a file (see [`parts`]); a partition reads the parts of the input's
/// partition of the same number, one after the other, on a thread that may wait for the disk.
#[derive(Debug, Clone)]
pub(crate) struct FileScanExec {
    scan: Scan,
    /// The columns that are kept, by position: those of the files, and then those of the partitions.
    output: Vec<usize>,
    /// The most rows of a partition.
    limit: Option<usize>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FileScanExec {
    /// # Errors
    /// A column that is not there.
    pub(crate) fn try_new(
        scan: Scan,
        output: Vec<usize>,
        limit: Option<usize>,
        input: Arc<dyn ExecutionPlan>,
    ) -> EngineResult<Self> {
        let all = scan.reading.columns.fields().iter().chain(scan.partitions.fields()).cloned();
        let schema = Arc::new(Schema::new(all.collect::<Vec<_>>()).project(&output)?);
        let partitions = Partitioning::UnknownPartitioning(input.output_partitioning().partition_count());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            partitions,
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self { scan, output, limit, input, properties: Arc::new(properties), metrics })
    }

    /// What is read, and how.
    pub(crate) fn scan(&self) -> &Scan {
        &self.scan
    }

    /// The columns that are kept, by position.
    pub(crate) fn output(&self) -> &[usize] {
        &self.output
    }

    fn with(&self, output: Vec<usize>, input: Arc<dyn ExecutionPlan>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::try_new(self.scan.clone(), output, self.limit, input)?))
    }

    fn with_input(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => self.with(self.output.clone(), input),
            _ => Err(DataFusionError::Internal("FileScanExec has one child".to_owned())),
        }
    }
}

impl ExecutionPlan for FileScanExec {
    fn name(&self) -> &str {
        "FileScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// The input must stay as it is planned: its partitions are of the same size.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        self.with_input(children)
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(Arc::new(Self { limit, metrics: ExecutionPlanMetricsSet::new(), ..self.clone() }))
    }

    /// Columns that a projection leaves out are not read.
    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExec,
    ) -> EngineResult<Option<Arc<dyn ExecutionPlan>>> {
        if !all_alias_free_columns(projection.expr()) {
            return Ok(None);
        }
        let output = new_projections_for_columns(projection.expr(), &self.output);
        self.with(output, Arc::clone(&self.input)).map(Some)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let schema = self.schema();
        let reader = Reader { scan: self.scan.clone(), schema: Arc::clone(&schema), output: self.output.clone() };
        let read = async move { reader.start(parts::collect(rows).await?) };
        let batches = RecordBatchStreamAdapter::new(schema, stream::once(read).try_flatten().boxed());
        let batches = Box::pin(cooperative(batches));
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        Ok(Box::pin(LimitStream::new(batches, 0, self.limit, metrics)))
    }
}

impl DisplayAs for FileScanExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match format {
            DisplayFormatType::TreeRender => "\n",
            _ => {
                write!(f, "FileScanExec: ")?;
                ", "
            }
        };
        let schema = self.schema();
        let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut shown = vec![format!("format={}", self.scan.reading.format.title())];
        shown.push(format!("partitions={}", self.properties.partitioning.partition_count()));
        shown.push(format!("projection=[{}]", names.join(", ")));
        shown.extend(self.limit.map(|limit| format!("limit={limit}")));
        write!(f, "{}", shown.join(separator))
    }
}

/// Reads the parts of one partition.
struct Reader {
    scan: Scan,
    schema: SchemaRef,
    output: Vec<usize>,
}

impl Reader {
    /// The batches of the parts, which a thread of their own reads. It is none of the runtime's: it waits for whoever takes
    /// the batches, which may be long, and others wait for those.
    fn start(self, parts: Vec<Part>) -> EngineResult<impl Stream<Item = EngineResult<RecordBatch>>> {
        let (sender, mut batches) = mpsc::channel(WAITING);
        let read = move || {
            // Nobody waits for the rows any more where they cannot be sent.
            let send = |batch| sender.blocking_send(Ok(batch)).is_ok();
            let ended = catch_unwind(AssertUnwindSafe(|| self.run(&parts, send)));
            // The panic itself is in the log.
            let ended = ended.unwrap_or_else(|_| Err(SparkError::internal("A reader of files has panicked.").into()));
            if let Err(error) = ended {
                drop(sender.blocking_send(Err(error)));
            }
        };
        let thread = thread::Builder::new().name("sheetbend-files".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(read).map_err(|error| DataFusionError::External(error.into()))?;
        Ok(stream::poll_fn(move |context| batches.poll_recv(context)))
    }

    /// Gives every batch to `send`, until that is false.
    fn run(&self, parts: &[Part], send: impl Fn(RecordBatch) -> bool) -> EngineResult<()> {
        let of_files = self.scan.reading.columns.fields().len();
        let columns: Vec<_> = self.output.iter().copied().filter(|at| *at < of_files).collect();
        for part in parts {
            for batch in self.scan.format.read(part, &columns)? {
                if !send(self.completed(batch?, part, of_files)?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The rows with what the folders say of them.
    fn completed(&self, batch: RecordBatch, part: &Part, of_files: usize) -> EngineResult<RecordBatch> {
        let rows = batch.num_rows();
        let mut of_file = batch.columns().iter();
        let columns = self.output.iter().map(|at| match at.checked_sub(of_files) {
            None => of_file.next().cloned().ok_or_else(|| SparkError::internal("a column is missing").into()),
            Some(partition) => part.values[partition].to_array_of_size(rows),
        });
        let columns = columns.collect::<EngineResult<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}
