//! The files of one partition of the query.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::format::{CAST, format_array};
use uuid::Uuid;

use super::Target;
use super::encode::Encoder;
use super::plan::Layout;
use crate::error::{gone, io};
use crate::partitions::{NULL, escaped};

/// Files that are open at a time; of more folders, one file is closed for the next.
const OPEN: usize = 64;

/// Writes the rows of one partition.
pub(super) struct Task {
    number: usize,
    /// Tells this attempt from any other one, and is the folder of its files.
    attempt: Uuid,
    layout: Arc<Layout>,
    target: Arc<Target>,
    open: BTreeMap<String, Box<dyn Encoder>>,
    /// How many files each folder has.
    counts: HashMap<String, usize>,
    /// The paths of all files, below the folder of the target.
    files: Vec<String>,
}

impl Task {
    /// A new attempt.
    ///
    /// # Errors
    /// The folder of the target is not on this machine, or cannot be written to.
    pub(super) fn begin(number: usize, layout: Arc<Layout>, target: Arc<Target>) -> Result<Self> {
        let attempt = Uuid::new_v4();
        make_folder(&target.folder, &attempt.to_string())?;
        Ok(Self { number, attempt, layout, target, open: BTreeMap::new(), counts: HashMap::new(), files: vec![] })
    }

    /// # Errors
    /// What the file system fails with.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = conformed(batch, &self.target.schema)?;
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

    /// Ends all files, and returns their paths below the folder of the target.
    ///
    /// # Errors
    /// What the file system fails with.
    pub(super) fn finish(mut self) -> Result<Vec<String>> {
        std::mem::take(&mut self.open).into_values().try_for_each(|encoder| encoder.finish())?;
        Ok(self.files)
    }

    /// The same where a file without rows has a place: it tells the columns.
    ///
    /// # Errors
    /// What the file system fails with.
    pub(super) fn finish_with_a_file(mut self) -> Result<Vec<String>> {
        if self.layout.partitions.is_empty() {
            self.encoder(String::new())?;
        }
        self.finish()
    }

    /// The folder of each row.
    fn folders(&self, batch: &RecordBatch) -> Result<Vec<String>> {
        let mut folders = vec![String::new(); batch.num_rows()];
        for at in &self.layout.partitions {
            let name = escaped(self.target.schema.field(*at).name());
            let texts = format_array(batch.column(*at), &self.target.time_zone, CAST).map_err(SparkError::internal)?;
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
                let count = self.counts.entry(slot.key().clone()).or_default();
                let (task, attempt, end) = (self.number, self.attempt, self.layout.encoding.extension());
                // The names of folders end with a separator.
                let file = format!("{attempt}/{}part-{task:05}-{attempt}-c{count:03}{end}", slot.key());
                *count += 1;
                make_folder(&self.target.folder, &format!("{attempt}/{}", slot.key()))?;
                let encoder = self.layout.encoding.create(&self.target.folder.join(&file), &self.layout.schema)?;
                self.files.push(file);
                Ok(slot.insert(encoder))
            }
        }
    }
}

/// Makes a folder below `root`, which is there while the write is under way: an attempt that nobody waits for any more is not
/// to bring it back.
fn make_folder(root: &Path, inside: &str) -> Result<()> {
    let mut folder = root.to_owned();
    for name in inside.split_terminator('/') {
        folder.push(name);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(gone(root)),
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(io(&folder, &error)),
            _ => {}
        }
    }
    Ok(())
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
