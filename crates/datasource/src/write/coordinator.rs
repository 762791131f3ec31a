//! A write from its beginning to its end.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::TryStreamExt;
use futures::future::{AbortHandle, AbortRegistration, Abortable, Aborted, BoxFuture, ready};
use futures::stream::select_all;
use uuid::Uuid;

use crate::error::BridgeError;
use crate::host::Message;
use crate::read::channel::channel;
use crate::read::under_way::{Entry, Read};
use crate::source::Source;
use crate::write::PythonWriteExec;
use crate::write::exec::Begun;

/// How long an abort waits for tasks that were cancelled: one that writes on would leave what it writes behind.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a plan, and gives the rows of all its partitions.
pub type Run = Box<
    dyn FnOnce(Arc<dyn ExecutionPlan>, Arc<TaskContext>) -> BoxFuture<'static, Result<SendableRecordBatchStream>>
        + Send,
>;

/// Runs the tasks of a write on this machine.
pub fn here() -> Run {
    Box::new(|plan, context| {
        let tasks =
            (0..plan.output_partitioning().partition_count()).map(|task| plan.execute(task, Arc::clone(&context)));
        let rows = tasks.collect::<Result<Vec<_>>>().map(|tasks| {
            Box::pin(RecordBatchStreamAdapter::new(plan.schema(), select_all(tasks))) as SendableRecordBatchStream
        });
        Box::pin(ready(rows))
    })
}

/// Runs a write: begins it, has `run` run its tasks, and commits their messages, or aborts them where anything fails.
///
/// Where this future is dropped, the tasks are cancelled and aborted while nobody waits; a commit that is under way goes
/// on.
///
/// # Errors
/// What the plug-in or the query fails with first.
pub async fn execute(exec: &PythonWriteExec, context: Arc<TaskContext>, run: Run) -> Result<()> {
    let (abort, registration) = AbortHandle::new_pair();
    let _abandoned = AbortOnDrop(abort.clone());
    let entry = entry(exec.source(), abort)?;
    let exec = exec.clone();
    let written = tokio::spawn(async move {
        let outcome = write(exec, context, run, registration).await;
        drop(entry);
        outcome
    });
    written.await.map_err(|error| DataFusionError::External(error.into()))?
}

/// Ends the tasks when nobody waits for the write any more.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The end of the process waits for a write, as for a read, and ends it.
fn entry(source: &Source, abort: AbortHandle) -> Result<Entry> {
    let (_, receiver) = channel::<RecordBatch, BridgeError>(0);
    let under_way = Arc::new(Read::new(source.site("commit_write"), receiver.closer()));
    under_way.on_cancel(Some(Box::new(move || abort.abort())));
    Ok(Entry::of(&under_way).ok_or_else(|| source.site("begin_write").ended())?)
}

async fn write(
    exec: PythonWriteExec,
    context: Arc<TaskContext>,
    run: Run,
    registration: AbortRegistration,
) -> Result<()> {
    let source = Arc::clone(exec.source());
    let Some(begun) = begin(&exec).await? else { return Ok(()) };
    let exec = Arc::new(exec.begun(begun.clone()));
    let mut messages = Messages(vec![None; exec.tasks()]);
    let tasks = Abortable::new(messages.collect(&exec, context, run), registration).await;
    let outcome = match tasks {
        Ok(Ok(())) => source.call("commit_write", messages.input(&begun)).await.map(drop).map_err(Into::into),
        Ok(Err(error)) => Err(error),
        Err(Aborted) => Err(DataFusionError::Execution("the write was cancelled".to_owned())),
    };
    if outcome.is_err() {
        let left = exec.running().ended(PATIENCE).await;
        if left > 0 {
            tracing::warn!(left, source = source.format(), "a write is aborted while tasks of it still run");
        }
        if let Err(error) = source.call("abort_write", messages.input(&begun)).await {
            tracing::error!(%error, "a write that failed could not be taken back");
        }
    }
    outcome
}

/// None where the plug-in has nothing to write.
async fn begin(exec: &PythonWriteExec) -> Result<Option<Begun>> {
    let write = exec.write();
    let write_id = Uuid::new_v4().to_string();
    let request = serde_json::json!({
        "write_id": write_id,
        "mode": write.mode.name(),
        "table": write.table,
        "partitions": exec.tasks(),
    });
    let input = Message { json: request.to_string(), schema: Some(Arc::clone(&write.schema)), batch: None };
    let handle = exec.source().call("begin_write", input).await?.json;
    Ok((handle != "null").then(|| Begun { write_id: write_id.into(), handle: handle.into() }))
}

/// The commit messages of the tasks, as JSON; none of a task that has not finished.
struct Messages(Vec<Option<String>>);

impl Messages {
    /// Runs all tasks until the first fails; the others are cancelled then.
    async fn collect(&mut self, exec: &Arc<PythonWriteExec>, context: Arc<TaskContext>, run: Run) -> Result<()> {
        let mut rows = run(Arc::clone(exec) as Arc<dyn ExecutionPlan>, context).await?;
        while let Some(rows) = rows.try_next().await? {
            self.take(&rows);
        }
        match self.0.iter().position(Option::is_none) {
            None => Ok(()),
            Some(partition) => {
                Err(DataFusionError::Internal(format!("the task of partition {partition} gave no message")))
            }
        }
    }

    fn take(&mut self, rows: &RecordBatch) {
        let partitions = rows.column(0).as_primitive::<UInt64Type>().values();
        for (partition, message) in partitions.iter().zip(rows.column(1).as_string::<i32>()) {
            if let Some(slot) = self.0.get_mut(*partition as usize) {
                *slot = message.map(str::to_owned);
            }
        }
    }

    /// What a commit or an abort is told.
    fn input(&self, begun: &Begun) -> Message {
        let messages: Vec<_> = self.0.iter().map(|message| message.as_deref().unwrap_or("null")).collect();
        let json = format!("{{\"handle\":{},\"messages\":[{}]}}", begun.handle, messages.join(","));
        Message { json, ..Message::default() }
    }
}
