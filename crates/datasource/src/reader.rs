//! Reads the specs of one partition on a thread of its own.
//!
//! A thread of its own, because it waits: for the plug-in, for the interpreter, for room in the channel. In a pool of
//! limited size, readers that wait for room could keep out the one that the query needs next.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::error::{DataFusionError, Result};
use futures::Stream;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::channel::{Lost, Receiver, Sender, channel};
use crate::conform::Conform;
use crate::error::{self, BridgeError};
use crate::failure::Site;
use crate::import::{self, Rows};
use crate::interpreter::{detached, guarded};
use crate::metrics::ReadMetrics;
use crate::python;
use crate::reads::{Entry, Read};
use crate::size;
use crate::source::Source;
use crate::spec::Spec;

const METHOD: &str = "read_partition";

/// How much may lie in the channel of a partition.
const CHANNEL_BYTES: usize = 4 << 20;

/// How large a batch goes on. The queues of the engine count batches, not bytes: with large ones they hold far more than
/// is needed to keep it busy.
const PIECE_BYTES: usize = 2 << 20;

/// A main thread's stack: extension modules rely on it when they recurse.
const STACK_BYTES: usize = 8 << 20;

/// What one partition reads.
pub(crate) struct Reader {
    pub(crate) source: Arc<Source>,
    pub(crate) schema: SchemaRef,
    pub(crate) projection: Option<Vec<usize>>,
    pub(crate) limit: Option<usize>,
    pub(crate) batch_size: usize,
    pub(crate) metrics: ReadMetrics,
}

impl Reader {
    /// Starts to read `specs`, one after the other. The read is cancelled when the stream is dropped.
    pub(crate) fn start(self, specs: Vec<Spec>) -> Result<ReadStream> {
        let (sender, receiver) = channel(CHANNEL_BYTES);
        let read = Arc::new(Read::new(receiver.closer(), self.source.site(METHOD)));
        if specs.is_empty() || self.limit == Some(0) {
            sender.finish();
            return Ok(ReadStream { receiver, read });
        }
        let entry = Entry::of(&read).ok_or_else(|| self.source.site(METHOD).ended())?;
        let conform = Conform::try_new(Arc::clone(&self.schema), self.projection.clone())?;
        let reading = Reading { conform, left: self.limit, sender, read: Arc::clone(&read), reader: self };
        spawn("sheetbend-read", move || {
            reading.run(&specs);
            drop(entry);
        })?;
        Ok(ReadStream { receiver, read })
    }
}

/// The batches of a partition.
pub(crate) struct ReadStream {
    receiver: Receiver<RecordBatch, BridgeError>,
    read: Arc<Read>,
}

impl Stream for ReadStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.receiver).poll_next(context).map_err(DataFusionError::from)
    }
}

impl Drop for ReadStream {
    fn drop(&mut self) {
        let left = self.read.close();
        if !self.receiver.has_sender() && left.is_empty() {
            return;
        }
        // Callbacks of the plug-in may wait, and so may dropping what was imported from Python: not here, where other
        // queries may run.
        let Some(entry) = Entry::of(&self.read) else { return };
        let read = Arc::clone(&self.read);
        let cancelling = spawn("sheetbend-cancel", move || {
            Python::try_attach(|py| read.cancel_context(py));
            drop((left, entry));
        });
        if let Err(error) = cancelling {
            tracing::warn!(%error, "no thread to cancel a read");
        }
    }
}

/// A read that is under way, on its thread.
struct Reading {
    reader: Reader,
    conform: Conform,
    /// How many rows are still wanted.
    left: Option<usize>,
    sender: Sender<RecordBatch, BridgeError>,
    read: Arc<Read>,
}

/// Whether to go on.
type Flow = ControlFlow<()>;

impl Reading {
    fn run(mut self, specs: &[Spec]) {
        let site = self.reader.source.site(METHOD);
        let started = Instant::now();
        // Attached until the end, but for waits: so thread-locals of the plug-in live as long as its thread.
        let result = guarded(&site, |_| {
            self.reader.metrics.entered(started);
            self.read_all(specs)
        });
        match result {
            // Nobody receives this, but where the process ends.
            Ok(()) if self.sender.is_closed() => self.sender.fail(site.ended()),
            Ok(()) => self.sender.finish(),
            Err(error) => self.sender.fail(error),
        }
    }

    fn read_all(&mut self, specs: &[Spec]) -> error::Result<()> {
        let method = self.reader.source.site(METHOD);
        for spec in specs {
            let site = Site { partition: Some(spec.position), ..method.clone() };
            // Guarded one by one, so that a panic names its partition.
            if self.sender.is_closed() || guarded(&site, |py| self.read_spec(py, spec, &site))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read_spec(&mut self, py: Python<'_>, spec: &Spec, site: &Site) -> error::Result<Flow> {
        let raised = |error: PyErr| site.raised(py, &error);
        let context = python::new_context(py, self.reader.batch_size, spec.position).map_err(raised)?;
        self.read.set_context(Some(context.clone().unbind()));
        // A cancel that came before the context was there has found none.
        if self.sender.is_closed() {
            return Ok(Flow::Break(()));
        }
        let opening = self.reader.metrics.plugin_time.timer();
        let source = Arc::clone(&self.reader.source);
        let rows = python::read_partition(source.plugin(py), &spec.json, source.options(), &context).map_err(raised)?;
        drop(opening);
        let flow = self.send_items(py, &rows, site);
        if !matches!(flow, Ok(Flow::Continue(()))) {
            self.read.cancel_context(py);
        }
        self.read.set_context(None);
        let closed = python::close(&rows).map_err(raised);
        match (flow, closed) {
            (Ok(Flow::Continue(())), Err(error)) => Err(error),
            (flow, Err(error)) => {
                tracing::warn!(%error, "a plug-in failed when its read was ended early");
                flow
            }
            (flow, Ok(())) => flow,
        }
    }

    fn send_items(&mut self, py: Python<'_>, rows: &Bound<'_, PyIterator>, site: &Site) -> error::Result<Flow> {
        let raised = |error: PyErr| site.raised(py, &error);
        loop {
            let producing = self.reader.metrics.plugin_time.timer();
            let Some(item) = rows.clone().next().transpose().map_err(raised)? else {
                return Ok(Flow::Continue(()));
            };
            let exported = import::import(&item).map_err(raised)?;
            drop(producing);
            let Some(exported) = exported else {
                return Err(site.broke(python::unexpected_item(&item).map_err(raised)?));
            };
            drop(item);
            let metrics = self.reader.metrics.clone();
            let flow = detached(py, &metrics, || match exported {
                Rows::Batch(batch) => self.send(batch, site),
                Rows::Stream(stream) => self.send_stream(stream, site),
            })?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
    }

    fn send_stream(&mut self, stream: import::Stream, site: &Site) -> error::Result<Flow> {
        let failed = |error: ArrowError| site.failed(format!("failed: its Arrow stream ended with: {error}"));
        let mut batches = stream.open().map_err(failed)?;
        loop {
            let producing = self.reader.metrics.plugin_time.timer();
            let Some(batch) = batches.next().transpose().map_err(failed)? else {
                return Ok(Flow::Continue(()));
            };
            drop(producing);
            if self.send(batch, site)?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
    }

    fn send(&mut self, batch: RecordBatch, site: &Site) -> error::Result<Flow> {
        let mut batch = self
            .conform
            .apply(&batch)
            .map_err(|mismatch| site.broke(format!("gave a batch that is not as promised: {mismatch}")))?;
        let bytes = size::bytes(&batch);
        self.reader.metrics.batches.add(1);
        self.reader.metrics.bytes.add(bytes);
        if batch.num_rows() == 0 {
            return Ok(if self.sender.is_closed() { Flow::Break(()) } else { Flow::Continue(()) });
        }
        if let Some(left) = &mut self.left {
            batch = batch.slice(0, batch.num_rows().min(*left));
            *left -= batch.num_rows();
        }
        let waiting = self.reader.metrics.channel_wait.timer();
        let sent =
            size::pieces(&batch, bytes, PIECE_BYTES).try_for_each(|(piece, bytes)| self.sender.send(piece, bytes));
        drop(waiting);
        Ok(if sent.is_err() || self.left == Some(0) { Flow::Break(()) } else { Flow::Continue(()) })
    }
}

impl From<Lost> for BridgeError {
    fn from(lost: Lost) -> Self {
        Self::Engine(DataFusionError::Internal(lost.to_string()))
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    thread.spawn(work).map(drop).map_err(DataFusionError::IoError)
}
