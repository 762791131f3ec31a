//! The files of a table, and the columns that their folders add.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::expr_rewriter::unnormalize_col;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use sheetbend_plan::error::{Result, SparkError};

use crate::listing::{self, File, Listing};
use crate::partitions::{self, Partitions, Rules};
use crate::schema::{check_unique, nullable_fields, same_name};
use crate::{Files, metadata, path, pattern};

/// Options of every format that would change the rows, and are not supported.
const REFUSED: &[&str] = &["modifiedBefore", "modifiedAfter", "ignoreMissingFiles", "ignoreCorruptFiles"];

/// A file and what its folders say.
#[derive(Debug, Clone)]
pub(crate) struct DataFile {
    pub(crate) file: File,
    /// One value a partition column.
    pub(crate) values: Vec<ScalarValue>,
}

impl DataFile {
    /// The value of a column of [`Columns::partitions`].
    pub(crate) fn value(&self, at: usize) -> ScalarValue {
        self.values.get(at).cloned().unwrap_or_else(|| metadata::of(&self.file))
    }
}

/// What a reader has found before it looks into a file.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) files: Files,
    /// The files whose rows are read.
    pub(crate) data: Vec<DataFile>,
    /// The columns that folders add, behind those of the files.
    pub(crate) partitions: Vec<FieldRef>,
}

/// The files and their partitions.
///
/// # Errors
/// As of [`listing::list`] and [`partitions::find`].
pub(crate) async fn find(files: Files) -> Result<Found> {
    let task = tokio::task::spawn_blocking(move || {
        files.options.refuse("all", REFUSED)?;
        let listing = listing::list(&files.all_paths())?;
        let recursive = files.options.flag("recursiveFileLookup", false)?;
        let partitions = if recursive { Partitions::default() } else { partitions_of(&files, &listing)? };
        let field = |(name, data_type): &(String, _)| arrow::datatypes::Field::new(name, Clone::clone(data_type), true);
        let columns = partitions.columns.iter().map(|column| Arc::new(field(column))).collect();
        let mut data = data_files(listing, partitions, recursive);
        if let Some(filter) = files.options.get("pathGlobFilter").map(pattern::compile).transpose()? {
            data.retain(|data| filter.is_match(&listing::name(&data.file.path)));
        }
        Ok(Found { data, partitions: columns, files })
    });
    task.await.map_err(SparkError::internal)?
}

fn partitions_of(files: &Files, listing: &Listing) -> Result<Partitions> {
    let base = files.options.get("basePath").map(path::local).transpose()?;
    let base = base.map(|base| BTreeSet::from([base]));
    let rules = Rules {
        bases: base.as_ref().unwrap_or(&listing.roots),
        given: files.schema.as_ref().map_or(&[], |schema| schema.fields()),
        infer: files.infers_partitions,
        time_zone: &files.settings.time_zone,
    };
    partitions::find(listing, &rules)
}

/// Files outside of the partitions' folders are passed over, as Spark does.
fn data_files(listing: Listing, partitions: Partitions, recursive: bool) -> Vec<DataFile> {
    let Listing { files, direct, .. } = listing;
    let data = files.into_iter().filter_map(|file| {
        if recursive || (partitions.columns.is_empty() && direct.contains(&file.path)) {
            return Some(DataFile { file, values: vec![] });
        }
        let values = partitions.values.get(file.path.parent()?)?.clone();
        Some(DataFile { file, values })
    });
    data.collect()
}

impl Found {
    /// The columns of the files that the user gave; none where the files are to tell.
    pub(crate) fn given_columns(&self) -> Option<Vec<FieldRef>> {
        let given = self.files.schema.as_ref()?;
        let columns: Vec<_> = given.fields().iter().filter(|field| !self.is_partition(field.name())).cloned().collect();
        Some(nullable_fields(&columns))
    }

    /// The columns of the table: of the files, then of the partitions, which hide those of the files.
    ///
    /// # Errors
    /// `COLUMN_ALREADY_EXISTS` for two columns of one name.
    pub(crate) fn columns(&self, of_files: Vec<FieldRef>) -> Result<Columns> {
        let of_files: Vec<_> = of_files.into_iter().filter(|field| !self.is_partition(field.name())).collect();
        let mut all: Vec<_> = of_files.iter().chain(&self.partitions).cloned().collect();
        let case_sensitive = self.files.settings.case_sensitive;
        check_unique(all.iter().map(|field| field.name().as_str()), case_sensitive)?;
        let mut partitions = self.partitions.clone();
        // A column of the files that has this name stays what it is.
        if !all.iter().any(|field| same_name(field.name(), metadata::NAME, case_sensitive)) {
            partitions.push(metadata::column());
            all.push(metadata::column());
        }
        Ok(Columns { of_files: Arc::new(Schema::new(of_files)), partitions, all: Arc::new(Schema::new(all)) })
    }

    fn is_partition(&self, name: &str) -> bool {
        let case_sensitive = self.files.settings.case_sensitive;
        self.partitions.iter().any(|partition| same_name(partition.name(), name, case_sensitive))
    }
}

/// The columns of a table.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    pub(crate) of_files: SchemaRef,
    /// Those that are the same in all rows of a file: of its folders, and what is known of itself.
    pub(crate) partitions: Vec<FieldRef>,
    pub(crate) all: SchemaRef,
}

impl Columns {
    /// The columns that are the same in all rows of a file, without what is known of the file itself where no column of
    /// the `projection` is that: few ask for it, and it costs something for each file.
    pub(crate) fn scanned_partitions(&self, projection: Option<&Vec<usize>>) -> Vec<FieldRef> {
        let last = self.all.fields().len() - 1;
        let is_asked = projection.is_none_or(|columns| columns.contains(&last));
        let count = self.partitions.len();
        match self.partitions.last() {
            Some(column) if metadata::is_one(column) && !is_asked => self.partitions[..count - 1].to_vec(),
            _ => self.partitions.clone(),
        }
    }

    /// Which of the filters the partitions answer.
    pub(crate) fn answered(&self, filters: &[&Expr]) -> Vec<TableProviderFilterPushDown> {
        let support = |filter: &&Expr| match !filter.is_volatile() && self.is_of_partitions(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        filters.iter().map(support).collect()
    }

    fn is_of_partitions(&self, filter: &Expr) -> bool {
        let columns = filter.column_refs();
        !columns.is_empty()
            && columns.iter().all(|column| self.partitions.iter().any(|partition| partition.name() == column.name()))
    }

    /// The files whose partitions pass all filters, which are those that are [`Columns::answered`].
    pub(crate) fn pruned(
        &self,
        data: &[DataFile],
        filters: &[Expr],
        state: &dyn Session,
    ) -> EngineResult<Vec<DataFile>> {
        if filters.is_empty() || data.is_empty() {
            return Ok(data.to_vec());
        }
        let schema = Arc::new(Schema::new(self.partitions.clone()));
        let columns = (0..self.partitions.len())
            .map(|at| ScalarValue::iter_to_array(data.iter().map(|file| file.value(at))))
            .collect::<EngineResult<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(data.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)?;
        let schema = DFSchema::try_from(schema)?;
        let mut kept = vec![true; data.len()];
        for filter in filters {
            let filter = state.create_physical_expr(unnormalize_col(filter.clone()), &schema)?;
            let passed = filter.evaluate(&batch)?.into_array(data.len())?;
            let passed: BooleanArray = datafusion::common::cast::as_boolean_array(&passed)?.clone();
            for (kept, passed) in kept.iter_mut().zip(&passed) {
                *kept &= passed == Some(true);
            }
        }
        Ok(data.iter().zip(kept).filter(|(_, kept)| *kept).map(|(file, _)| file.clone()).collect())
    }
}
