//! The physical node that writes files.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use sheetbend_plan::error::Result;
use sheetbend_plan::wire;

use super::plan::Layout;
use super::rows::Task;
use crate::{FileFormat, Options};

/// What the tasks of a write need to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(super) format: FileFormat,
    pub(super) options: Options,
    pub(super) time_zone: String,
    pub(super) case_sensitive: bool,
    /// The columns that become folders.
    pub(super) partition_by: Vec<String>,
    /// All columns, those of folders with them.
    #[serde(with = "wire::types::schema")]
    pub(super) schema: SchemaRef,
    /// Where files lie until the write is committed.
    pub(super) folder: PathBuf,
}

/// Writes the rows of its input into files, a task a partition. Each gives a row for each file that it has written: its path
/// below the folder of the target. No two attempts write to one file, so that one that was given up on does no harm.
#[derive(Debug, Clone)]
pub(crate) struct FileWriteExec {
    target: Arc<Target>,
    layout: Arc<Layout>,
    /// The numbers of the partitions, where they are not their positions.
    numbers: Option<Arc<[usize]>>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl FileWriteExec {
    /// # Errors
    /// Columns or options that do not fit the format.
    pub(crate) fn try_new(target: Target, input: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let layout = Layout::of(&target)?;
        Ok(Self::with(Arc::new(target), Arc::new(layout), input))
    }

    fn with(target: Arc<Target>, layout: Arc<Layout>, input: Arc<dyn ExecutionPlan>) -> Self {
        let partitions = Partitioning::UnknownPartitioning(input.output_partitioning().partition_count());
        let equivalence = EquivalenceProperties::new(written());
        let properties = PlanProperties::new(equivalence, partitions, EmissionType::Final, Boundedness::Bounded);
        Self { target, layout, numbers: None, input, properties: Arc::new(properties) }
    }

    /// What the tasks need to know.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The same node as a part of a plan, whose partitions have these numbers in the whole.
    pub(crate) fn numbered(&self, numbers: &[usize]) -> Self {
        Self { numbers: Some(numbers.into()), ..self.clone() }
    }

    /// How the task of a partition begins, in a new attempt.
    pub(super) fn task(&self, partition: usize) -> impl FnOnce() -> Result<Task> + Send + use<> {
        let number = self.numbers.as_ref().and_then(|numbers| numbers.get(partition).copied()).unwrap_or(partition);
        let (layout, target) = (Arc::clone(&self.layout), Arc::clone(&self.target));
        move || Task::begin(number, layout, target)
    }

    fn with_input(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> EngineResult<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => {
                let node = Self::with(Arc::clone(&self.target), Arc::clone(&self.layout), input);
                Ok(Arc::new(Self { numbers: self.numbers.clone(), ..node }))
            }
            _ => Err(DataFusionError::Internal("FileWriteExec has one child".to_owned())),
        }
    }
}

/// A file a row.
fn written() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("file", DataType::Utf8, false)]))
}

impl ExecutionPlan for FileWriteExec {
    fn name(&self) -> &str {
        "FileWriteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// How many files there are is for the query to say.
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

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> EngineResult<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let task = self.task(partition);
        let files = stream::once(async move {
            // A task of its own: partitions are written at the same time, whoever polls them.
            let files = SpawnedTask::spawn(run(rows, task))
                .await
                .map_err(|error| DataFusionError::External(error.into()))??;
            Ok(RecordBatch::try_new(written(), vec![Arc::new(StringArray::from(files))])?)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(written(), files.boxed())))
    }
}

impl DisplayAs for FileWriteExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match format {
            DisplayFormatType::TreeRender => "\n",
            _ => {
                write!(f, "FileWriteExec: ")?;
                ", "
            }
        };
        let mut shown = vec![format!("format={}", self.target.format.title())];
        shown.push(format!("partitions={}", self.properties.partitioning.partition_count()));
        shown.push(format!("partition_by=[{}]", self.target.partition_by.join(", ")));
        write!(f, "{}", shown.join(separator))
    }
}

/// Writes the rows of a partition, a batch while the next is made. Returns the files.
///
/// A thread that may wait for the disk is taken for a batch and given back: the rows may come from other such threads, of
/// which there are fewer than a query may have partitions.
async fn run(
    mut rows: SendableRecordBatchStream,
    begin: impl FnOnce() -> Result<Task> + Send + 'static,
) -> EngineResult<Vec<String>> {
    // Nothing is read where nothing can be written.
    let mut task = waiting(begin).await?;
    let mut next = rows.next().await;
    while let Some(batch) = next.transpose()? {
        let writing = waiting(move || {
            task.write(&batch)?;
            Ok(task)
        });
        let (written, following) = tokio::join!(writing, rows.next());
        (task, next) = (written?, following);
    }
    waiting(move || task.finish()).await
}

/// Does what may wait for the disk.
async fn waiting<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> EngineResult<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| DataFusionError::External(Box::new(error)))??)
}
