//! The rows of a task, pulled by whoever writes them.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use futures::stream::{AbortHandle, Abortable};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::read::size;
use crate::retype::retype;
use crate::write::metrics::WriteMetrics;

/// The rows of one partition of a query, as a reader that waits for them on the thread that asks.
///
/// Its clones pull from the same rows. Asking may run the query, and so the code of other plug-ins: do it detached from
/// the interpreter.
#[derive(Clone)]
pub(crate) struct Rows {
    schema: SchemaRef,
    shared: Arc<Shared>,
}

struct Shared {
    input: Mutex<Input>,
    abort: AbortHandle,
    runtime: Handle,
    metrics: WriteMetrics,
}

enum Input {
    Open(Abortable<SendableRecordBatchStream>),
    Ended,
    Failed(DataFusionError),
    Closed,
}

impl Rows {
    /// The rows of `input`, which runs on `runtime`, in the names and types of `schema`.
    pub(crate) fn new(
        input: SendableRecordBatchStream,
        schema: SchemaRef,
        runtime: Handle,
        metrics: WriteMetrics,
    ) -> Self {
        let (abort, registration) = AbortHandle::new_pair();
        let input = Mutex::new(Input::Open(Abortable::new(input, registration)));
        Self { schema, shared: Arc::new(Shared { input, abort, runtime, metrics }) }
    }

    /// Has whoever waits for rows, or asks for more, get an error.
    pub(crate) fn abort(&self) {
        self.shared.abort.abort();
    }

    /// Ends the query, also for clones that are left somewhere.
    ///
    /// # Errors
    /// What the query failed with.
    pub(crate) fn close(self) -> Result<(), DataFusionError> {
        self.abort();
        let input = std::mem::replace(&mut *self.shared.input.lock(), Input::Closed);
        match input {
            Input::Failed(error) => Err(error),
            Input::Open(_) | Input::Ended | Input::Closed => Ok(()),
        }
    }

    fn pull(&self) -> Result<Option<RecordBatch>, ArrowError> {
        let Shared { input, abort, runtime, metrics } = &*self.shared;
        let mut input = input.lock();
        let stream = match &mut *input {
            Input::Open(stream) => stream,
            Input::Ended => return Ok(None),
            Input::Failed(error) => return Err(to_arrow(error)),
            Input::Closed => return Err(ended("the write has ended, and its rows with it")),
        };
        let waiting = metrics.input_wait.timer();
        let next = || runtime.block_on(stream.next()).map(|batch| Ok(retype(&batch?, &self.schema)?)).transpose();
        // A panic must be known as what failed the query, whatever the plug-in makes of it.
        let batch = catch_unwind(AssertUnwindSafe(next)).unwrap_or_else(|_| Err(panicked()));
        drop(waiting);
        if abort.is_aborted() {
            *input = Input::Closed;
            return Err(ended("the write was cancelled"));
        }
        match batch {
            Ok(Some(batch)) => {
                metrics.rows.add(batch.num_rows());
                metrics.batches.add(1);
                metrics.bytes.add(size::bytes(&batch));
                Ok(Some(batch))
            }
            Ok(None) => {
                *input = Input::Ended;
                Ok(None)
            }
            Err(error) => {
                let shown = to_arrow(&error);
                *input = Input::Failed(error);
                Err(shown)
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pull().transpose()
    }
}

impl RecordBatchReader for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// An error that Python knows as an `OSError`.
pub(crate) fn ended(what: &str) -> ArrowError {
    ArrowError::IoError(what.to_owned(), io::Error::other(what.to_owned()))
}

fn panicked() -> DataFusionError {
    DataFusionError::Internal("the query panicked while its rows were written".to_owned())
}

fn to_arrow(error: &DataFusionError) -> ArrowError {
    // C strings end at a NUL.
    ended(&error.strip_backtrace().replace('\0', "\\0"))
}
