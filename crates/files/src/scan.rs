//! Tables of files that are rows from their beginning to their end: CSV, JSON and text.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::wire;

use crate::exec::{FileScanExec, Scan};
use crate::lines::is_splittable;
use crate::parse::TextFormat;
use crate::table::{Columns, DataFile, Found};
use crate::{FileFormat, Files, Options, csv, json, parts, text};

/// Rows of a batch.
pub(crate) const BATCH_ROWS: usize = 8192;

/// Bytes of text in a batch, after which it is full.
pub(crate) const BATCH_BYTES: usize = 4 << 20;

/// Bytes of a part of a file that is worth a thread of its own.
const PART_BYTES: u64 = 4 << 20;

/// A file, or the lines of it that begin in a range of bytes.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    pub(crate) range: Option<(u64, u64)>,
    /// One value a partition column.
    pub(crate) values: Vec<ScalarValue>,
}

impl Part {
    /// A file as a whole, without what its folders say.
    pub(crate) fn whole(data: &DataFile) -> Self {
        Self { path: data.file.path.clone(), range: None, values: vec![] }
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

/// All that rows depend on beside the bytes of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    pub(crate) format: FileFormat,
    pub(crate) options: Options,
    /// The columns of the files.
    #[serde(with = "wire::types::schema")]
    pub(crate) columns: SchemaRef,
    pub(crate) time_zone: String,
    pub(crate) case_sensitive: bool,
    /// The rows are texts of a column, not parts of files.
    pub(crate) of_texts: bool,
}

impl Reading {
    /// How files are read that have these columns, or texts of them.
    pub(crate) fn of(files: &Files, columns: SchemaRef, of_texts: bool) -> Self {
        Self {
            format: files.format,
            options: files.options.clone(),
            columns,
            time_zone: files.settings.time_zone.clone(),
            case_sensitive: files.settings.case_sensitive,
            of_texts,
        }
    }

    /// What reads such files.
    ///
    /// # Errors
    /// A value that an option does not take, a format whose files are no rows from beginning to end.
    pub(crate) fn row_format(&self) -> Result<Arc<dyn RowFormat>> {
        Ok(match self.format {
            FileFormat::Csv => Arc::new(csv::CsvFormat::of(self)?),
            FileFormat::Json => Arc::new(json::JsonFormat::of(self)?),
            FileFormat::Text => Arc::new(text::TextFormat::of(self)?),
            FileFormat::Parquet => return Err(SparkError::internal("Parquet has a reader of its own")),
        })
    }

    /// What reads such texts.
    ///
    /// # Errors
    /// A value that an option does not take, a format that has no texts.
    pub(crate) fn text_format(&self) -> Result<Arc<dyn TextFormat>> {
        Ok(match self.format {
            FileFormat::Csv => Arc::new(csv::CsvFormat::of(self)?),
            FileFormat::Json => Arc::new(json::JsonFormat::of(self)?),
            other => return Err(SparkError::unsupported(format_args!("texts in the format {}", other.title()))),
        })
    }
}

/// A table of such files.
#[derive(Debug)]
pub(crate) struct RowTable {
    columns: Columns,
    data: Vec<DataFile>,
    reading: Arc<Reading>,
    format: Arc<dyn RowFormat>,
}

impl RowTable {
    /// # Errors
    /// A value that an option does not take.
    pub(crate) fn of(found: Found, columns: Columns) -> Result<Self> {
        let reading = Reading::of(&found.files, Arc::clone(&columns.of_files), false);
        let format = reading.row_format()?;
        Ok(Self { columns, data: found.data, reading: Arc::new(reading), format })
    }
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
        let data = self.columns.pruned(&self.data, filters, state)?;
        let output: Vec<_> = projection.map_or_else(|| (0..self.columns.all.fields().len()).collect(), Clone::clone);
        let partitions = self.columns.scanned_partitions(projection);
        let groups = split(&data, partitions.len(), state.config().target_partitions(), self.format.is_lines());
        let partitions = Arc::new(Schema::new(partitions));
        let input = parts::source(&groups, &partitions)?;
        let scan = Scan { reading: Arc::clone(&self.reading), format: Arc::clone(&self.format), partitions };
        Ok(Arc::new(FileScanExec::try_new(scan, output, limit, input)?))
    }
}

/// The parts of some files in about so many groups of the same size, and in one where there are none.
fn split(data: &[DataFile], partitions: usize, groups: usize, is_lines: bool) -> Vec<Vec<Part>> {
    let total: u64 = data.iter().map(|data| data.file.size).sum();
    let share = total.div_ceil(groups.max(1) as u64).max(1);
    let size = share.max(PART_BYTES);
    let mut parts = vec![];
    for data in data {
        let bytes = data.file.size;
        let whole = Part { values: (0..partitions).map(|at| data.value(at)).collect(), ..Part::whole(data) };
        if !is_lines || bytes <= size || !is_splittable(&data.file.path) {
            parts.push((bytes, whole));
            continue;
        }
        for start in (0..bytes.div_ceil(size)).map(|at| at * size) {
            let end = (start + size).min(bytes);
            parts.push((end - start, Part { range: Some((start, end)), ..whole.clone() }));
        }
    }
    let (mut split, mut filled) = (vec![vec![]], 0);
    for (bytes, part) in parts {
        if filled >= share && split.len() < groups {
            split.push(vec![]);
            filled = 0;
        }
        filled += bytes;
        if let Some(group) = split.last_mut() {
            group.push(part);
        }
    }
    split
}
