//! An operation: one plan that a client has sent for execution.

use std::future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use futures::{FutureExt, StreamExt};
use sheetbend_datasource::read::size::{self, Limits};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use spark_connect_proto::execute_plan_response::{ArrowBatch, ResponseType, ResultComplete};
use spark_connect_proto::get_status_response::operation_status::OperationState;
use spark_connect_proto::{DataType, ExecutePlanResponse, Plan};
use tokio_util::sync::CancellationToken;

use crate::arrow_out::{self, BATCH_BYTES, Encoded};
use crate::compressed::{self, Asked};
use crate::engine::Engine;
use crate::failure;
use crate::lower::types;
use crate::responses::{Origin, ResponseLog};
use crate::rows::{self, Rows};
use crate::session::Session;
use crate::{command, stack};

/// A row of this size goes out in pieces, if the client can put them together: messages end at 128 MiB.
const CHUNK_BYTES: usize = 32 << 20;

/// How often the client is told how far a query is; Spark's `spark.connect.progress.reportInterval`.
const REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// What goes into one message. A batch may have any number of rows there.
const MESSAGE: Limits = Limits { rows: usize::MAX, bytes: BATCH_BYTES };

/// One execution.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) tags: Vec<String>,
    pub(crate) log: Arc<ResponseLog>,
    cancelled: CancellationToken,
}

/// What an operation needs to run.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) session: Arc<Session>,
    pub(crate) engine: Engine,
    /// What the session says of how long a query may take.
    pub(crate) time: Option<TimeLimit>,
    /// Whether the client puts together a batch that comes in pieces.
    pub(crate) chunking: bool,
}

/// How long an operation may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimit {
    timeout: Duration,
    pub(crate) deadline: Instant,
}

impl TimeLimit {
    /// From now on; none for a time that never comes.
    pub(crate) fn new(timeout: Duration) -> Option<Self> {
        Instant::now().checked_add(timeout).map(|deadline| Self { timeout, deadline })
    }

    async fn passed(limit: Option<Self>) -> SparkError {
        let Some(Self { timeout, deadline }) = limit else { return future::pending().await };
        tokio::time::sleep_until(deadline.into()).await;
        SparkError::new(
            ErrorClass::Internal,
            "QUERY_TIMEOUT",
            "HYT00",
            format!(
                "The query was canceled: it took longer than {timeout:?}, the value of spark.sheetbend.queryTimeout."
            ),
        )
    }
}

impl Operation {
    /// An operation that does not run yet.
    pub(crate) fn new(origin: Origin, tags: Vec<String>) -> Self {
        let id = origin.operation_id.clone();
        Self { id, tags, log: ResponseLog::new(origin), cancelled: CancellationToken::new() }
    }

    /// Starts `plan`. Its responses come through the log.
    pub(crate) fn start(&self, plan: Option<Plan>, task: Task) {
        let (log, cancelled, session) = (self.log.clone(), self.cancelled.clone(), task.session.clone());
        let time = task.time;
        let mut work = tokio::spawn(run(plan, task, log.clone()));
        tokio::spawn(async move {
            let outcome = tokio::select! {
                biased;
                // To abort is to drop the query's stream, and with it all that it holds in the engine and in its sources.
                () = cancelled.cancelled() => {
                    work.abort();
                    Err(cancelled_error())
                }
                error = TimeLimit::passed(time) => {
                    work.abort();
                    Err(error)
                }
                outcome = &mut work => outcome.unwrap_or_else(|e| Err(match e.try_into_panic() {
                    Ok(panic) => stack::panicked(&*panic),
                    Err(e) => SparkError::internal(e),
                })),
            };
            if let Err(error) = outcome {
                log.fail(session.status(error));
            }
        });
    }

    /// Ends it now, if it still runs. Its reader is told so.
    pub(crate) fn cancel(&self) {
        if self.log.outcome().is_none() {
            self.cancelled.cancel();
        }
    }

    /// How far it is.
    pub(crate) fn state(&self) -> OperationState {
        match self.log.outcome() {
            None => OperationState::Running,
            Some(Ok(())) => OperationState::Succeeded,
            Some(Err(_)) if self.cancelled.is_cancelled() => OperationState::Cancelled,
            Some(Err(_)) => OperationState::Failed,
        }
    }
}

/// Cancels an operation when nobody can ask for its responses any more.
pub(crate) struct CancelOnDrop(pub(crate) Arc<Operation>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn cancelled_error() -> SparkError {
    SparkError::new(ErrorClass::Internal, "OPERATION_CANCELED", "HY008", "Operation has been canceled.")
}

async fn run(plan: Option<Plan>, task: Task, log: Arc<ResponseLog>) -> Result<()> {
    let mut output = Output { log, schema: None, rows: 0, chunking: task.chunking };
    match compressed::unpacked(plan)? {
        Asked::Rows(relation) => output.rows(rows::prepare(*relation, &task).await?).await?,
        Asked::Command(command) => {
            if let Some(response) = command::execute(*command, &task).await? {
                output.send(response, 0).await;
            }
        }
    }
    output.send(ResponseType::ResultComplete(ResultComplete {}), 0).await;
    output.log.complete();
    Ok(())
}

/// Writes rows to a log.
struct Output {
    log: Arc<ResponseLog>,
    /// The columns, until they have gone out with the first rows.
    schema: Option<DataType>,
    rows: i64,
    chunking: bool,
}

impl Output {
    /// All rows as they come.
    ///
    /// What is there already goes out together, and few messages: the client answers every one with a call.
    async fn rows(&mut self, rows: Rows) -> Result<()> {
        let Rows { schema, mut batches, progress, observing } = rows;
        self.schema = Some(types::schema_to_proto(&schema)?);
        let schema = arrow_out::with_nulls(&schema);
        let mut waiting = Waiting::default();
        let mut reported = false;
        let mut report = tokio::time::interval_at(tokio::time::Instant::now() + REPORT_INTERVAL, REPORT_INTERVAL);
        loop {
            let next = match batches.next().now_or_never() {
                Some(next) => next,
                None => {
                    self.flush(&mut waiting, &schema).await?;
                    self.log.announce();
                    tokio::select! {
                        next = batches.next() => next,
                        _ = report.tick() => {
                            reported = true;
                            self.send(ResponseType::ExecutionProgress(progress.report(false).await), 0).await;
                            continue;
                        }
                    }
                }
            };
            let Some(batch) = next else { break };
            let batch = arrow_out::conform(&batch.map_err(|e| failure::from_engine(&e))?, &schema)?;
            if batch.num_rows() == 0 {
                continue;
            }
            let bytes = size::bytes(&batch);
            // To put batches together is to copy them, which is worth it for small ones only.
            if waiting.bytes + bytes > BATCH_BYTES {
                self.flush(&mut waiting, &schema).await?;
            }
            waiting.add(batch, bytes);
            if waiting.bytes >= BATCH_BYTES {
                self.flush(&mut waiting, &schema).await?;
                self.log.announce();
            }
        }
        self.flush(&mut waiting, &schema).await?;
        if self.rows == 0 {
            self.batch(&arrow_out::empty(&schema), 0).await?;
        }
        // The client itself tells of the end of a query that was short.
        if reported {
            self.send(ResponseType::ExecutionProgress(progress.report(true).await), 0).await;
        }
        // What is left of the query would keep the observed rows from ending.
        drop((batches, progress));
        if !observing.is_empty() {
            self.log.announce();
        }
        let mut observed_metrics = Vec::with_capacity(observing.len());
        for observing in observing {
            observed_metrics.push(observing.end().await?);
        }
        if !observed_metrics.is_empty() {
            self.log.append(ExecutePlanResponse { observed_metrics, ..ExecutePlanResponse::default() }, 0).await;
        }
        Ok(())
    }

    async fn flush(&mut self, waiting: &mut Waiting, schema: &SchemaRef) -> Result<()> {
        let Waiting { mut batches, bytes } = std::mem::take(waiting);
        let batch = match batches.len() {
            0 => return Ok(()),
            1 => batches.remove(0),
            _ => concat_batches(schema, &batches).map_err(SparkError::internal)?,
        };
        drop(batches);
        self.batch(&batch, bytes).await
    }

    /// A batch of any size; a message is made when the one before it has found room.
    async fn batch(&mut self, batch: &RecordBatch, bytes: usize) -> Result<()> {
        for (piece, bytes) in size::pieces(batch.clone(), bytes, MESSAGE) {
            for message in arrow_out::encode(&piece, bytes)? {
                self.message(message).await?;
            }
        }
        Ok(())
    }

    async fn message(&mut self, message: Encoded) -> Result<()> {
        let Encoded { data, rows } = message;
        let rows = i64::try_from(rows).map_err(SparkError::internal)?;
        let whole = ArrowBatch { row_count: rows, start_offset: Some(self.rows), ..ArrowBatch::default() };
        self.rows += rows;
        if !self.chunking || data.len() <= CHUNK_BYTES {
            let bytes = data.len();
            self.send(ResponseType::ArrowBatch(ArrowBatch { data, ..whole }), bytes).await;
            return Ok(());
        }
        let count = data.len().div_ceil(CHUNK_BYTES);
        for index in 0..count {
            let start = index * CHUNK_BYTES;
            let data = data.slice(start..data.len().min(start + CHUNK_BYTES));
            let bytes = data.len();
            let piece = ArrowBatch {
                data,
                chunk_index: i64::try_from(index).ok(),
                num_chunks_in_batch: i64::try_from(count).ok(),
                ..whole.clone()
            };
            self.send(ResponseType::ArrowBatch(piece), bytes).await;
        }
        Ok(())
    }

    async fn send(&mut self, response: ResponseType, bytes: usize) {
        let schema = self.schema.take();
        let response = ExecutePlanResponse { schema, response_type: Some(response), ..ExecutePlanResponse::default() };
        self.log.append(response, bytes).await;
    }
}

/// Batches that have come but are not sent.
#[derive(Default)]
struct Waiting {
    batches: Vec<RecordBatch>,
    bytes: usize,
}

impl Waiting {
    fn add(&mut self, batch: RecordBatch, bytes: usize) {
        self.bytes += bytes;
        self.batches.push(batch);
    }
}
