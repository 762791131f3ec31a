//! Writes the rows of one partition on a thread of its own, as a reader reads them: it waits for the plug-in, for the
//! interpreter and for rows.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use futures::Stream;

use crate::error::BridgeError;
use crate::host::Message;
use crate::python::failure::Site;
use crate::read::channel::{Receiver, channel};
use crate::read::under_way::{Entry, Read};
use crate::read::{abandon, spawn};
use crate::source::Source;
use crate::write::job::WriteJob;
use crate::write::metrics::WriteMetrics;
use crate::write::rows::Rows;
use crate::write::tasks::Tasks;

const METHOD: &str = "write_partition";

/// What one partition writes.
pub(crate) struct Writer {
    pub(crate) source: Arc<Source>,
    /// JSON of an object with `handle` and `task`.
    pub(crate) work: String,
    pub(crate) rows: Rows,
    pub(crate) partition: usize,
    pub(crate) metrics: WriteMetrics,
    pub(crate) tasks: Tasks,
}

/// The rows that tasks give: the number of a partition and its commit message, JSON.
pub(crate) fn message_schema() -> SchemaRef {
    let column = |name, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![column("partition", DataType::UInt64), column("message", DataType::Utf8)]))
}

impl Writer {
    /// Starts to write. The task is cancelled when the stream is dropped before it has given its row.
    pub(crate) fn start(self) -> Result<MessageStream> {
        let Self { source, work, rows, partition, metrics, tasks } = self;
        let site = Site { partition: Some(partition), ..source.site(METHOD) };
        let (sender, receiver) = channel(usize::MAX);
        let under_way = Arc::new(Read::new(site.clone(), receiver.closer()));
        let entry = Entry::of(&under_way).ok_or_else(|| site.ended())?;
        let input = Message { json: work, ..Message::default() };
        let job = WriteJob { site, input, rows, under_way: Arc::clone(&under_way), partition, sender };
        let task = tasks.enter();
        spawn("sheetbend-write", move || {
            let writing = metrics.write_time.timer();
            let written = source.host().write(&job);
            drop(writing);
            let WriteJob { rows, sender, .. } = job;
            // What failed the query is the cause of what the plug-in then says, if it says anything.
            let message = match rows.close() {
                Err(error) => Err(error.into()),
                Ok(()) => written.and_then(|message| message_row(partition, &message.json)),
            };
            match message {
                Ok(row) => {
                    // Nobody may wait for it any more.
                    drop(sender.send(row, 0));
                    sender.finish();
                }
                Err(error) => sender.fail(error),
            }
            drop((task, entry));
        })?;
        Ok(MessageStream { receiver, under_way })
    }
}

fn message_row(partition: usize, message: &str) -> Result<RecordBatch, BridgeError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from_value(partition as u64, 1)),
        Arc::new(StringArray::from_iter_values([message])),
    ];
    RecordBatch::try_new(message_schema(), columns).map_err(|error| BridgeError::Engine(error.into()))
}

/// The one row that a task gives.
pub(crate) struct MessageStream {
    receiver: Receiver<RecordBatch, BridgeError>,
    under_way: Arc<Read>,
}

impl Stream for MessageStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let one = self.receiver.poll_some(context, |_, _| false);
        // One at a time, so there is one.
        one.map(|rows| rows.and_then(|rows| rows.map(|mut rows| rows.pop()).transpose())).map_err(DataFusionError::from)
    }
}

impl Drop for MessageStream {
    fn drop(&mut self) {
        abandon(&self.under_way);
    }
}
