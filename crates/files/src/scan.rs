//! Reads files that are rows from their beginning to their end: CSV, JSON and text.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result as EngineResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, project_schema};
use sheetbend_plan::error::{Result, SparkError};

use crate::lines::is_splittable;
use crate::table::{Columns, DataFile};

/// Rows of a batch.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Bytes of text in a batch, after which it is full.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// Batches that wait for the query.
const WAITING: usize = 2;

/// Bytes of a part of a file that is worth a thread of its own.
const PART_BYTES: u64 = 4 << 20;

/// A file, or the lines of it that begin in a range of bytes.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) data: DataFile,
    pub(crate) range: Option<(u64, u64)>,
}

impl Part {
    /// A file as a whole.
    pub(crate) fn whole(data: DataFile) -> Self {
        Self { data, range: None }
    }

    /// Whether the first line of the file is in it.
    pub(crate) fn is_first(&self) -> bool {
        self.range.is_none_or(|(start, _)| start == 0)
    }
}

/// The batches of a part.
pub(crate) type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// How files of a format are read.
pub(crate) trait RowFormat: Debug + Send + Sync {
    /// The rows of a part: those columns of the files, by position.
    fn read<'a>(&'a self, part: &Part, columns: &'a [usize]) -> Result<Batches<'a>>;

    /// Whether each line is a row by itself.
    fn is_lines(&self) -> bool;
}

/// A table of such files.
#[derive(Debug)]
pub(crate) struct RowTable {
    pub(crate) columns: Columns,
    pub(crate) data: Vec<DataFile>,
    pub(crate) format: Arc<dyn RowFormat>,
}

#[async_trait]
impl TableProvider for RowTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns.all)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        Ok(self.columns.answered(filters))
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let schema = project_schema(&self.columns.all, projection)?;
        let data = self.columns.pruned(&self.data, filters, state)?;
        if data.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let output: Vec<_> = projection.map_or_else(|| (0..schema.fields().len()).collect(), Clone::clone);
        let partitions = split(data, state.config().target_partitions(), self.format.is_lines());
        let partitions = partitions.into_iter().map(|parts| {
            let format = Arc::clone(&self.format);
            let of_files = self.columns.of_files.fields().len();
            let schema = Arc::clone(&schema);
            let reading = Arc::new(Reading { parts, format, schema, output: output.clone(), of_files });
            Arc::new(Partition(reading)) as Arc<dyn PartitionStream>
        });
        Ok(Arc::new(StreamingTableExec::try_new(Arc::clone(&schema), partitions.collect(), None, [], false, limit)?))
    }
}

/// The parts of some files in about so many groups of the same size.
fn split(data: Vec<DataFile>, groups: usize, is_lines: bool) -> Vec<Vec<Part>> {
    let total: u64 = data.iter().map(|data| data.file.size).sum();
    let share = total.div_ceil(groups.max(1) as u64).max(1);
    let size = share.max(PART_BYTES);
    let mut parts = vec![];
    for data in data {
        let bytes = data.file.size;
        if !is_lines || bytes <= size || !is_splittable(&data.file.path) {
            parts.push(Part::whole(data));
            continue;
        }
        let starts = (0..bytes.div_ceil(size)).map(|at| at * size);
        parts.extend(starts.map(|start| Part { data: data.clone(), range: Some((start, (start + size).min(bytes))) }));
    }
    let (mut split, mut filled) = (vec![vec![]], 0);
    for part in parts {
        if filled >= share && split.len() < groups {
            split.push(vec![]);
            filled = 0;
        }
        filled += part.range.map_or(part.data.file.size, |(start, end)| end - start);
        if let Some(group) = split.last_mut() {
            group.push(part);
        }
    }
    split
}

#[derive(Debug)]
struct Partition(Arc<Reading>);

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut stream = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.0.schema), WAITING);
        let (reading, rows) = (Arc::clone(&self.0), stream.tx());
        stream.spawn_blocking(move || {
            // Nobody waits for the rows any more where they cannot be sent.
            reading.run(|batch| rows.blocking_send(Ok(batch)).is_ok())
        });
        stream.build()
    }
}

/// What is read by one partition of the plan.
#[derive(Debug)]
struct Reading {
    parts: Vec<Part>,
    format: Arc<dyn RowFormat>,
    schema: SchemaRef,
    /// The columns of the table that are asked for.
    output: Vec<usize>,
    /// How many columns of the table are of the files.
    of_files: usize,
}

impl Reading {
    /// Gives every batch to `send`, until that is false.
    fn run(&self, send: impl Fn(RecordBatch) -> bool) -> EngineResult<()> {
        let columns: Vec<_> = self.output.iter().copied().filter(|at| *at < self.of_files).collect();
        for part in &self.parts {
            for batch in self.format.read(part, &columns)? {
                if !send(self.completed(batch?, part)?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The rows with what the folders say of them.
    fn completed(&self, batch: RecordBatch, part: &Part) -> EngineResult<RecordBatch> {
        let rows = batch.num_rows();
        let mut of_file = batch.columns().iter();
        let columns = self.output.iter().map(|at| match at.checked_sub(self.of_files) {
            None => of_file.next().cloned().ok_or_else(|| SparkError::internal("a column is missing").into()),
            Some(partition) => part.data.value(partition).to_array_of_size(rows),
        });
        let columns = columns.collect::<EngineResult<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}
