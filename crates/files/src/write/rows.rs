//! The files of one partition of the query.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::format::{CAST, format_array};

use super::encode::Encoder;
use super::plan::Layout;
use super::staging::Staging;
use crate::error::io;
use crate::partitions::{NULL, escaped};

/// Files that are open at a time; of more folders, one file is closed for the next.
const OPEN: usize = 64;

/// Writes the rows of one partition.
pub(super) struct Task {
    number: usize,
    layout: Arc<Layout>,
    staging: Arc<Staging>,
    /// All columns, those of folders with them.
    schema: SchemaRef,
    open: BTreeMap<String, Box<dyn Encoder>>,
    /// How many files each folder has.
    files: HashMap<String, usize>,
}

impl Task {
    pub(super) fn new(number: usize, layout: Arc<Layout>, staging: Arc<Staging>, schema: SchemaRef) -> Self {
        Self { number, layout, staging, schema, open: BTreeMap::new(), files: HashMap::new() }
    }

    /// # Errors
    /// What the file system fails with.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = conformed(batch, &self.schema)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let data = batch.project(&self.layout.data).map_err(SparkError::internal)?;
        if self.layout.partitions.is_empty() {
            return self.encoder(String::new())?.write(&data);
        }
        let mut rows: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (row, folder) in self.folders(&batch)?.into_iter().enumerate() {
            rows.entry(folder).or_default().push(u32::try_from(row).map_err(SparkError::internal)?);
        }
        for (folder, rows) in rows {
            let part = match rows.len() == data.num_rows() {
                true => data.clone(),
                false => take_record_batch(&data, &UInt32Array::from(rows)).map_err(SparkError::internal)?,
            };
            self.encoder(folder)?.write(&part)?;
        }
        Ok(())
    }

    /// Ends all files. A query without a row makes one file, which tells the columns.
    ///
    /// # Errors
    /// What the file system fails with.
    pub(super) fn finish(mut self) -> Result<()> {
        if self.number == 0 && self.files.is_empty() && self.layout.partitions.is_empty() {
            self.encoder(String::new())?;
        }
        std::mem::take(&mut self.open).into_values().try_for_each(|encoder| encoder.finish())
    }

    /// The folder of each row.
    fn folders(&self, batch: &RecordBatch) -> Result<Vec<String>> {
        let mut folders = vec![String::new(); batch.num_rows()];
        for at in &self.layout.partitions {
            let name = escaped(self.schema.field(*at).name());
            let texts = format_array(batch.column(*at), &self.layout.time_zone, CAST).map_err(SparkError::internal)?;
            for (row, folder) in folders.iter_mut().enumerate() {
                let is_text = texts.is_valid(row) && !texts.value(row).is_empty();
                let value = if is_text { escaped(texts.value(row)) } else { NULL.to_owned() };
                folder.push_str(&format!("{name}={value}/"));
            }
        }
        Ok(folders)
    }

    /// The open file of a folder.
    fn encoder(&mut self, folder: String) -> Result<&mut Box<dyn Encoder>> {
        use std::collections::btree_map::Entry;
        if self.open.len() >= OPEN
            && !self.open.contains_key(&folder)
            && let Some((_, encoder)) = self.open.pop_first()
        {
            encoder.finish()?;
        }
        match self.open.entry(folder) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(slot) => {
                let count = self.files.entry(slot.key().clone()).or_default();
                let (task, id, end) = (self.number, self.staging.id, self.layout.encoding.extension());
                let name = format!("part-{task:05}-{id}-c{count:03}{end}");
                *count += 1;
                let path = self.staging.new_files().join(slot.key());
                fs::create_dir_all(&path).map_err(|e| io(&path, &e))?;
                let encoder = self.layout.encoding.create(&path.join(name), &self.layout.schema)?;
                Ok(slot.insert(encoder))
            }
        }
    }
}

/// The rows in the names and types of a schema.
fn conformed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| {
        match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            false => arrow::compute::cast(column, field.data_type()),
        }
    });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>().map_err(SparkError::internal)?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(SparkError::internal)
}
