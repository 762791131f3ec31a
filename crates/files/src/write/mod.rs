//! Writes rows into files: all of them or none.

mod csv;
mod encode;
mod exec;
mod json;
mod parquet;
mod plan;
mod rows;
mod staging;

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

pub(crate) use exec::{FileWriteExec, Target};

use crate::error::uri;
use crate::{Files, path};
use staging::Staging;

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

/// Runs a plan, and gives the rows of all its partitions.
pub type Run = Box<
    dyn FnOnce(Arc<dyn ExecutionPlan>, Arc<TaskContext>) -> BoxFuture<'static, EngineResult<SendableRecordBatchStream>>
        + Send,
>;

/// Writes the rows of a plan, whose columns have the names and types of `schema`. `run` runs the tasks, on machines that have
/// the same files.
///
/// # Errors
/// `PATH_ALREADY_EXISTS`, columns that the format has no place for, what the plan or the file system fails with. Nothing is
/// left behind then.
pub async fn write(
    write: Write,
    plan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    context: Arc<TaskContext>,
    run: Run,
) -> EngineResult<()> {
    let folder = folder(&write.files)?;
    let staging = Staging::new(folder.clone());
    let Write { files, mode, partition_by, dynamic } = write;
    let target = Target {
        format: files.format,
        options: files.options,
        time_zone: files.settings.time_zone,
        case_sensitive: files.settings.case_sensitive,
        partition_by,
        schema,
        folder: staging.new_files(),
    };
    let exec = Arc::new(FileWriteExec::try_new(target, plan)?);
    match mode {
        SaveMode::Error if folder.exists() => return Err(already_exists(&folder).into()),
        SaveMode::Ignore if folder.exists() => return Ok(()),
        _ => staging.create()?,
    }
    let mut rows = run(Arc::clone(&exec) as Arc<dyn ExecutionPlan>, context).await?;
    let mut written = vec![];
    while let Some(batch) = rows.try_next().await? {
        written.extend(paths(&batch)?);
    }
    let commit = tokio::task::spawn_blocking(move || {
        // A query without a row makes one file, which tells the columns.
        if written.is_empty() {
            written.extend(exec.task(0)()?.finish_with_a_file()?.into_iter().map(PathBuf::from));
        }
        staging.commit(&written, mode == SaveMode::Overwrite, dynamic)
    });
    commit.await.map_err(|error| DataFusionError::External(Box::new(error)))??;
    Ok(())
}

/// The files that a task has written.
fn paths(batch: &RecordBatch) -> EngineResult<Vec<PathBuf>> {
    let files = batch.columns().first().and_then(|files| files.as_string_opt::<i32>());
    let files = files.ok_or_else(|| DataFusionError::Internal("a task of a write gives files".to_owned()))?;
    Ok(files.iter().flatten().map(PathBuf::from).collect())
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
