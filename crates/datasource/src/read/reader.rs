//! Reads the specs of one partition on a thread of its own.
//!
//! A thread of its own, because it waits: for the plug-in, for the interpreter, for room in the channel. In a pool of
//! limited size, readers that wait for room could keep out the one that the query needs next.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalSortExpr;
use futures::Stream;

use crate::error::BridgeError;
use crate::read::channel::{Receiver, channel};
use crate::read::conform::Conform;
use crate::read::job::Job;
use crate::read::merge::{Merge, merged};
use crate::read::metrics::ReadMetrics;
use crate::read::order::Order;
use crate::read::size::Limits;
use crate::read::under_way::{Entry, Read};
use crate::scan::DynamicFilters;
use crate::source::Source;
use crate::spec::Spec;

const METHOD: &str = "read_partition";

/// How much may lie in the channel of a partition.
const CHANNEL_BYTES: usize = 4 << 20;

/// How large a batch goes on. The queues of the engine count batches, not bytes: with large ones they hold far more than
/// is needed to keep it busy.
const BATCH_BYTES: usize = 2 << 20;

/// A main thread's stack: extension modules rely on it when they recurse.
const STACK_BYTES: usize = 8 << 20;

/// What one partition reads.
pub(crate) struct Reader {
    pub(crate) source: Arc<Source>,
    pub(crate) schema: SchemaRef,
    pub(crate) projection: Option<Vec<usize>>,
    /// The columns that are kept, as the query calls them.
    pub(crate) output: SchemaRef,
    pub(crate) limit: Option<usize>,
    /// The order that the rows were promised in.
    pub(crate) order: Vec<PhysicalSortExpr>,
    pub(crate) dynamic_filters: DynamicFilters,
    /// The most rows of a batch.
    pub(crate) batch_size: usize,
    pub(crate) deadline: Option<Instant>,
    pub(crate) metrics: ReadMetrics,
}

impl Reader {
    /// Starts to read `specs`, one after the other. The read is cancelled when the stream is dropped.
    pub(crate) fn start(self, specs: Vec<Spec>) -> Result<ReadStream> {
        let site = self.source.site(METHOD);
        let (sender, receiver) = channel(CHANNEL_BYTES);
        let read = Arc::new(Read::new(site.clone(), receiver.closer()));
        let limits = Limits { rows: self.batch_size.max(1), bytes: BATCH_BYTES };
        let stream = ReadStream { _read: Arc::new(AbandonOnDrop(Arc::clone(&read))), receiver, limits };
        if specs.is_empty() || self.limit == Some(0) {
            sender.finish();
            return Ok(stream);
        }
        let entry = Entry::of(&read).ok_or_else(|| site.ended())?;
        let mut job = Job {
            specs: specs.into(),
            dynamic_filters: self.dynamic_filters,
            site: site.clone(),
            limits,
            deadline: self.deadline,
            metrics: self.metrics,
            read,
            conform: Conform::try_new(self.schema, self.projection)?.renamed(self.output),
            order: Order::new(&self.order),
            left: self.limit,
            sender,
        };
        let source = self.source;
        spawn("sheetbend-read", move || {
            match source.host().read(&mut job) {
                // Nobody receives this, but where the process ends.
                Ok(()) if job.is_closed() => job.sender.fail(site.ended()),
                Ok(()) => job.sender.finish(),
                Err(error) => job.sender.fail(error),
            }
            drop(entry);
        })?;
        Ok(stream)
    }
}

/// The batches of a partition. What is ready goes on; small batches are put together where several are.
///
/// Clones share them: each batch goes to whichever asks first. The read goes on until the last one is dropped.
#[derive(Clone)]
pub(crate) struct ReadStream {
    // Before the receiver, whose drop would drop the batches that are left here and now.
    _read: Arc<AbandonOnDrop>,
    receiver: Receiver<RecordBatch, BridgeError>,
    limits: Limits,
}

struct AbandonOnDrop(Arc<Read>);

impl Stream for ReadStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut merge = Merge::new(self.limits);
        let some = self.receiver.poll_some(context, |batch, bytes| merge.takes(batch.num_rows(), bytes));
        match ready!(some) {
            Some(Ok(batches)) => Poll::Ready(merged(batches).map_err(DataFusionError::from).transpose()),
            Some(Err(error)) => Poll::Ready(Some(Err(error.into()))),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        abandon(&self.0);
    }
}

/// Cancels a read, or a write, whose stream is dropped.
pub(crate) fn abandon(read: &Arc<Read>) {
    let left = read.close();
    if !read.is_sending() && left.is_empty() {
        return;
    }
    // Callbacks of the plug-in may wait, and so may dropping what was imported from Python: not here, where other
    // queries may run.
    let Some(entry) = Entry::of(read) else { return };
    let read = Arc::clone(read);
    let cancelling = spawn("sheetbend-cancel", move || {
        read.cancel();
        drop((left, entry));
    });
    if let Err(error) = cancelling {
        tracing::warn!(%error, "no thread to cancel a read");
    }
}

/// Starts a thread for code of a plug-in.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    thread.spawn(work).map(drop).map_err(DataFusionError::IoError)
}
