//! Writes whose tasks are sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, execute_stream};
use datafusion::prelude::SessionContext;
use futures::{FutureExt, TryStreamExt, stream};
use sheetbend_files::wire::{decode, encode, numbered};
use sheetbend_files::{FileFormat, Files, Run, SaveMode, Write, write};
use sheetbend_plan::environment::Settings;

fn schema() -> SchemaRef {
    let fields = ["id", "kind"].map(|name| Field::new(name, DataType::Int64, true));
    Arc::new(Schema::new(fields.to_vec()))
}

/// Three partitions, of which one has no rows.
fn plan(ids: &[i64]) -> Arc<dyn ExecutionPlan> {
    let batch = |ids: &[i64]| {
        let kinds = Int64Array::from_iter_values(ids.iter().map(|id| id % 2));
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(kinds)];
        RecordBatch::try_new(schema(), columns).unwrap()
    };
    let (left, right) = ids.split_at(ids.len() / 2);
    MemorySourceConfig::try_new_exec(&[vec![batch(left)], vec![], vec![batch(right)]], schema(), None).unwrap()
}

/// Runs tasks after a journey each. The first attempt of every task is lost.
fn away(fails: bool) -> Run {
    Box::new(move |plan, context| {
        async move {
            let inputs: Vec<_> = plan.children().into_iter().cloned().collect();
            let mut rows: Vec<Result<RecordBatch>> = vec![];
            for partition in 0..plan.output_partitioning().partition_count() {
                for attempt in 0..2 {
                    let sent = decode(&encode(&plan)?.unwrap(), &inputs)?;
                    let files: Vec<_> = sent.execute(partition, Arc::clone(&context))?.try_collect().await?;
                    rows.extend(files.into_iter().filter(|_| attempt == 1).map(Ok));
                }
            }
            if fails {
                rows.push(Err(DataFusionError::Execution("a machine is gone".to_owned())));
            }
            Ok(Box::pin(RecordBatchStreamAdapter::new(plan.schema(), stream::iter(rows))) as _)
        }
        .boxed()
    })
}

async fn written(folder: &Path, ids: &[i64], mode: SaveMode, run: Run) -> Result<()> {
    let mut files = Files::new(FileFormat::Csv, [].into(), Settings::default());
    files.paths = vec![folder.to_str().unwrap().to_owned()];
    let to = Write { files, mode, partition_by: vec!["kind".to_owned()], dynamic: false };
    write(to, plan(ids), schema(), SessionContext::new().task_ctx(), run).await
}

/// The lines of all files below a folder, with the folder that they are in.
fn lines(folder: &Path) -> Vec<String> {
    let mut lines = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            lines.extend(std::fs::read_to_string(&path).unwrap().lines().map(|line| format!("{inside}: {line}")));
        }
    }
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_lost_attempts_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("table");
    written(&to, &[1, 2, 3, 4], SaveMode::Error, away(false)).await.unwrap();
    assert_eq!(lines(&to), ["kind=0: 2", "kind=0: 4", "kind=1: 1", "kind=1: 3"]);
    written(&to, &[5, 6], SaveMode::Overwrite, away(false)).await.unwrap();
    assert_eq!(lines(&to), ["kind=0: 6", "kind=1: 5"]);
    assert!(!to.join("_temporary").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_write_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("table");
    let error = written(&to, &[1, 2], SaveMode::Error, away(true)).await.unwrap_err();
    assert!(error.to_string().contains("a machine is gone"), "{error}");
    assert!(!to.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_comes_late_brings_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("table");
    let (kept, keep) = std::sync::mpsc::channel();
    let lose: Run = Box::new(move |plan, context| {
        kept.send((plan, context)).unwrap();
        async { Err(DataFusionError::Execution("a machine is gone".to_owned())) }.boxed()
    });
    written(&to, &[1, 2], SaveMode::Error, lose).await.unwrap_err();
    let (plan, context) = keep.recv().unwrap();
    let late = plan.execute(0, context).unwrap().try_collect::<Vec<_>>().await.unwrap_err();
    assert!(late.to_string().contains("WRITE_FOLDER_NOT_FOUND"), "{late}");
    assert!(!to.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_numbered_by_the_partitions_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let run: Run =
        Box::new(|plan, context| async move { execute_stream(numbered(plan, &[7, 8, 9])?, context) }.boxed());
    written(folder.path(), &[1, 2], SaveMode::Append, run).await.unwrap();
    let files = ["kind=0", "kind=1"].map(|kind| std::fs::read_dir(folder.path().join(kind)).unwrap());
    let mut names: Vec<_> =
        files.into_iter().flatten().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names[0].starts_with("part-00007-") && names[1].starts_with("part-00009-"), "{names:?}");
}
