//! Writes rows into files: all of them or none.

mod csv;
mod encode;
mod json;
mod parquet;
mod plan;
mod rows;
mod staging;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::error::uri;
use crate::{Files, path};
use plan::Layout;
use rows::Task;
use staging::Staging;

/// Batches that wait to be written.
const WAITING: usize = 2;

/// What becomes of files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveMode {
    /// They stay.
    Append,
    /// The new ones take their place.
    Overwrite,
    /// The write fails where anything is at the path.
    Error,
    /// The write is left out where anything is at the path.
    Ignore,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Write {
    /// Where to, and how.
    pub files: Files,
    /// What becomes of files that are there already.
    pub mode: SaveMode,
    /// The columns that become folders.
    pub partition_by: Vec<String>,
    /// Of files that are there, only those in folders that are written to are replaced: `partitionOverwriteMode`.
    pub dynamic: bool,
}

/// Writes the rows of a plan, whose columns have the names and types of `schema`.
///
/// # Errors
/// `PATH_ALREADY_EXISTS`, columns that the format has no place for, what the plan or the file system fails with. Nothing is
/// left behind then.
pub async fn write(
    write: Write,
    plan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    context: Arc<TaskContext>,
) -> EngineResult<()> {
    let layout = Arc::new(Layout::of(&write, &schema)?);
    let folder = folder(&write.files)?;
    let exists = folder.exists();
    match write.mode {
        SaveMode::Error if exists => return Err(already_exists(&folder).into()),
        SaveMode::Ignore if exists => return Ok(()),
        _ => {}
    }
    let staging = Arc::new(Staging::new(folder).map_err(DataFusionError::from)?);
    let mut tasks = JoinSet::new();
    for partition in 0..plan.output_partitioning().partition_count() {
        let rows = plan.execute(partition, Arc::clone(&context))?;
        let task = Task::new(partition, Arc::clone(&layout), Arc::clone(&staging), Arc::clone(&schema));
        tasks.spawn(run(rows, task));
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(|error| DataFusionError::External(Box::new(error)))??;
    }
    let commit = tokio::task::spawn_blocking(move || staging.commit(write.mode == SaveMode::Overwrite, write.dynamic));
    commit.await.map_err(|error| DataFusionError::External(Box::new(error)))??;
    Ok(())
}

/// Takes the rows of a partition to a thread that may wait for the disk.
async fn run(mut rows: datafusion::execution::SendableRecordBatchStream, task: Task) -> EngineResult<()> {
    let (sender, mut receiver) = mpsc::channel::<RecordBatch>(WAITING);
    let writing = tokio::task::spawn_blocking(move || {
        let mut task = task;
        while let Some(batch) = receiver.blocking_recv() {
            task.write(&batch)?;
        }
        Ok::<_, SparkError>(task)
    });
    let mut failed = None;
    while let Some(batch) = rows.next().await {
        match batch {
            // The writing thread ends only with an error of its own.
            Ok(batch) => {
                if sender.send(batch).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    drop(sender);
    let task = writing.await.map_err(|error| DataFusionError::External(Box::new(error)))??;
    if let Some(error) = failed {
        return Err(error);
    }
    let finishing = tokio::task::spawn_blocking(move || task.finish());
    finishing.await.map_err(|error| DataFusionError::External(Box::new(error)))??;
    Ok(())
}

/// Makes the folder of a table that has no rows yet.
///
/// # Errors
/// Not one path, or one at which no folder can be made.
pub fn create_folder(files: &Files) -> Result<()> {
    let folder = folder(files)?;
    std::fs::create_dir_all(&folder).map_err(|e| crate::error::io(&folder, &e))
}

/// Whether nothing lies where a table is to be.
pub fn is_vacant(files: &Files) -> bool {
    folder(files).is_ok_and(|folder| std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none()))
}

/// Removes the folder of a table with all that is in it, if it is there.
///
/// # Errors
/// Not one path, or what the system says.
pub fn remove_folder(files: &Files) -> Result<()> {
    let folder = folder(files)?;
    match std::fs::remove_dir_all(&folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|e| crate::error::io(&folder, &e)),
    }
}

/// Moves the folder of a table to where another lies, which is not there yet.
///
/// # Errors
/// Not one path, or what the system says.
pub fn move_folder(from: &Files, to: &Files) -> Result<()> {
    let (from, to) = (folder(from)?, folder(to)?);
    if !from.exists() {
        return Ok(());
    }
    std::fs::rename(&from, &to).map_err(|e| crate::error::io(&to, &e))
}

/// The folder that is written to.
///
/// # Errors
/// Not one path.
pub(crate) fn folder(files: &Files) -> Result<PathBuf> {
    match files.all_paths().as_slice() {
        [path] => path::local(path),
        [] => Err(SparkError::new(ErrorClass::IllegalArgument, "", "", "'path' is not specified")),
        paths => {
            let message = format!("Expected exactly one path to be specified, but got: {}", paths.join(", "));
            Err(SparkError::new(ErrorClass::IllegalArgument, "", "", message))
        }
    }
}

fn already_exists(folder: &std::path::Path) -> SparkError {
    let path = uri(&folder.to_string_lossy());
    let message = format!("Path {path} already exists. Set mode as \"overwrite\" to overwrite the existing path.");
    SparkError::new(ErrorClass::Analysis, "PATH_ALREADY_EXISTS", "42K04", message).with("outputPath", path)
}
