//! A plug-in whose code runs in worker processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::array::RecordBatchReader;
use arrow::buffer::Buffer;
use arrow::error::ArrowError;
use bytes::Bytes;
use pyo3::prelude::*;

use crate::error::{BridgeError, Result};
use crate::host::{Host, Message};
use crate::ipc;
use crate::python;
use crate::python::failure::{Secrets, Site};
use crate::python::interpreter::guarded;
use crate::python::plugin::display;
use crate::read::{Flow, Job};
use crate::recipe::{Origin, Recipe};
use crate::source::Source;
use crate::spec::Spec;
use crate::worker::cancel::Cancel;
use crate::worker::launch::Launch;
use crate::worker::pool::{self, Lease};
use crate::worker::protocol::{Place, Reply, Request};
use crate::worker::worker::{Patience, Worker};
use crate::write::WriteJob;

static NEXT_SOURCE: AtomicU64 = AtomicU64::new(0);

/// A plug-in with its options.
struct InWorker {
    launch: Arc<Launch>,
    batch_timeout: Option<Duration>,
    /// Its plug-in is one that can be sent.
    recipe: Recipe,
    /// What workers are kept apart by.
    plugin: String,
    /// By which a worker that has this source open is found.
    number: u64,
}

/// A plug-in that is to run in workers.
pub(crate) struct Isolated {
    /// What messages call it.
    pub(crate) site: Site,
    pub(crate) recipe: Recipe,
}

impl Isolated {
    /// Opens the source in a worker, where its options are checked.
    ///
    /// # Errors
    /// No worker can be started, the plug-in cannot be loaded there, or its options are wrong.
    pub(crate) fn open(self) -> Result<Source> {
        let Self { site, recipe } = self;
        let origin = recipe.origin.packed(&site)?;
        let (launch, site) = guarded(&site, |py| {
            let raised = |error: PyErr| site.raised(py, &error);
            let launch = Launch::new(py, &recipe.isolation).map_err(raised)?;
            // The worker says what the plug-in calls secret; until it does, what looks like a secret is one.
            let secrets = python::secrets(py, &recipe.info).map_err(raised)?;
            Ok((launch, Site { secrets: Secrets::new(secrets), ..site.clone() }))
        })?;
        let number = NEXT_SOURCE.fetch_add(1, Ordering::Relaxed);
        let batch_timeout = recipe.isolation.batch_timeout;
        let plugin = site.plugin.clone();
        let packed = Recipe { origin, ..recipe.clone() };
        let host = InWorker { launch: Arc::new(launch), batch_timeout, recipe: packed, plugin, number };
        let mut lease = host.lease(&site, &never)?;
        let opened = host.open(&mut lease.worker, &site, &never);
        lease.release();
        let (class, secrets, methods) = opened?;
        let plugin = display(&recipe.format, &class);
        let site = Site { plugin, secrets: Secrets::new(secrets), ..site };
        Ok(Source::new(class, Arc::new(host), site, methods, recipe))
    }
}

impl Host for InWorker {
    fn call(&self, site: &Site, input: Message) -> Result<Message> {
        let mut lease = self.opened(site, &never)?;
        let output = self.ask(&mut lease.worker, site, input);
        lease.release();
        output
    }

    fn read(&self, job: &mut Job) -> Result<()> {
        let Some(first) = job.next_spec()? else { return Ok(()) };
        let site = Site { partition: Some(first.position), ..job.site.clone() };
        let mut lease = self.opened(&site, &|| job.is_closed())?;
        let read = self.read_specs(&mut lease.worker, job, first);
        lease.release();
        read
    }

    fn write(&self, job: &WriteJob) -> Result<Message> {
        let mut lease = self.opened(&job.site, &|| job.is_closed())?;
        let message = self.write_rows(&mut lease.worker, job);
        lease.release();
        message
    }
}

impl InWorker {
    fn lease(&self, site: &Site, is_over: &dyn Fn() -> bool) -> Result<Lease> {
        let start = || Worker::start(&self.launch, &self.plugin, site, is_over);
        let lease = pool::lease(&self.launch, &self.plugin, self.number, start)?;
        lease.worker.begin(site);
        Ok(lease)
    }

    /// A worker in which this source is open.
    fn opened(&self, site: &Site, is_over: &dyn Fn() -> bool) -> Result<Lease> {
        let mut lease = self.lease(site, is_over)?;
        if lease.worker.opened != Some(self.number) {
            let opened = self.open(&mut lease.worker, &Site { method: "load", ..site.clone() }, is_over);
            if let Err(error) = opened {
                lease.release();
                return Err(error);
            }
        }
        Ok(lease)
    }

    fn ask(&self, worker: &mut Worker, site: &Site, input: Message) -> Result<Message> {
        let (schema, payload) = payload(&input).map_err(|error| unsendable(site, &error))?;
        let request = Request::Call { method: site.method, json: &input.json, schema };
        worker.send(site, &request, &payload)?;
        match worker.receive(site, &Patience { limit: self.batch_timeout, is_over: &never })? {
            (Reply::Result { json, schema }, payload) => {
                message(json, schema, &payload).map_err(|error| site.broke(format!("returned no table: {error}")))
            }
            (Reply::Failure { failure, .. }, _) => Err(site.reported(failure)),
            (other, _) => Err(worker.unexpected(site, &other)),
        }
    }

    /// Opens the source. Returns the plug-in's class, the texts that it calls secret, and its optional methods.
    fn open(
        &self,
        worker: &mut Worker,
        site: &Site,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(String, Vec<String>, Vec<String>)> {
        let Recipe { format, origin, info, .. } = &self.recipe;
        let (module, class, pickle) = match origin {
            Origin::Named { module, class } => (module.as_str(), class.as_str(), &[][..]),
            Origin::Pickled(pickle) => ("", "", pickle.as_slice()),
            Origin::Object(_) | Origin::Sent { .. } => return Err(site.failed("cannot be sent as it is")),
        };
        let schema = info.schema.as_ref().map(|schema| ipc::write_schema(schema)).transpose();
        let schema = schema.map_err(|error| unsendable(site, &error))?.unwrap_or_default();
        let request = Request::Open {
            format,
            module,
            class,
            options: &info.options,
            paths: &info.paths,
            predicates: &info.predicates,
            pickle: pickle.len(),
        };
        worker.opened = None;
        worker.send(site, &request, &[pickle, &schema].concat())?;
        match worker.receive(site, &Patience { limit: self.batch_timeout, is_over })?.0 {
            Reply::Opened { class, secrets, methods } => {
                worker.opened = Some(self.number);
                Ok((class, secrets, methods))
            }
            Reply::Failure { failure, secrets } => {
                let site = Site { secrets: site.secrets.with(secrets), ..site.clone() };
                Err(site.reported(failure))
            }
            other => Err(worker.unexpected(site, &other)),
        }
    }

    fn read_specs(&self, worker: &mut Worker, job: &mut Job, first: Spec) -> Result<()> {
        let mut next = Some(first);
        while let Some(spec) = next {
            let site = Site { partition: Some(spec.position), ..job.site.clone() };
            if job.is_closed() || self.read_spec(worker, job, &spec, &site)?.is_break() {
                break;
            }
            next = job.next_spec()?;
        }
        Ok(())
    }

    fn read_spec(&self, worker: &mut Worker, job: &mut Job, spec: &Spec, site: &Site) -> Result<Flow> {
        let wanted = job.wanted()?;
        let (schema, payload) = match &wanted {
            Some(wanted) => payload(wanted).map_err(|error| unsendable(site, &error))?,
            None => (0, vec![]),
        };
        let request = Request::Read {
            spec: &spec.json,
            partition: spec.position,
            batch_size: job.limits.rows,
            remaining: job.deadline.map(|end| end.saturating_duration_since(Instant::now()).as_secs_f64()),
            wanted: wanted.as_ref().map(|wanted| wanted.json.as_str()),
            schema,
        };
        let cancel = Arc::new(Cancel::new(worker.sender()));
        let cancelling = Arc::clone(&cancel);
        job.read.on_cancel(Some(Box::new(move || cancelling.send())));
        let begun = match job.is_closed() {
            true => Ok(false),
            false => cancel.begin(|| worker.send(site, &request, &payload)),
        };
        let flow = begun.and_then(|begun| match begun {
            true => self.receive_rows(worker, job, site, &cancel),
            false => Ok(Flow::Break(())),
        });
        job.read.on_cancel(None);
        cancel.end();
        flow
    }

    fn write_rows(&self, worker: &mut Worker, job: &WriteJob) -> Result<Message> {
        let site = &job.site;
        let cancel = Arc::new(Cancel::new(worker.sender()));
        let (cancelling, rows) = (Arc::clone(&cancel), job.rows.clone());
        job.under_way.on_cancel(Some(Box::new(move || {
            rows.abort();
            cancelling.send();
        })));
        let request = Request::Write { work: &job.input.json, partition: job.partition };
        let schema = ipc::write_schema(&job.rows.schema()).map_err(|error| unsendable(site, &error))?;
        let begun = match job.is_closed() {
            true => Ok(false),
            false => cancel.begin(|| worker.send(site, &request, &schema)),
        };
        let written = begun.and_then(|begun| match begun {
            true => self.send_rows(worker, job, &cancel),
            false => Err(site.failed("was cancelled before it began")),
        });
        job.under_way.on_cancel(None);
        cancel.end();
        written
    }

    /// Gives the plug-in the rows that it pulls, until it has written them.
    fn send_rows(&self, worker: &mut Worker, job: &WriteJob, cancel: &Cancel) -> Result<Message> {
        let patience = Patience { limit: self.batch_timeout, is_over: &|| cancel.is_overdue() };
        let mut rows = job.rows.clone();
        loop {
            job.under_way.step.begin(Instant::now(), Some(job.partition));
            let received = worker.receive(&job.site, &patience);
            job.under_way.step.end();
            match received?.0 {
                Reply::Pull => match rows.next().map(|rows| ipc::write_batch(&rows?)) {
                    Some(Ok(batch)) => worker.send(&job.site, &Request::Rows, &batch)?,
                    Some(Err(error)) => {
                        worker.send(&job.site, &Request::End { error: Some(error.to_string()) }, &[])?;
                    }
                    None => worker.send(&job.site, &Request::End { error: None }, &[])?,
                },
                Reply::Written { message } => return Ok(Message { json: message, ..Message::default() }),
                Reply::Failure { failure, .. } => return Err(job.site.reported(failure)),
                other => return Err(worker.unexpected(&job.site, &other)),
            }
        }
    }

    fn receive_rows(&self, worker: &mut Worker, job: &mut Job, site: &Site, cancel: &Cancel) -> Result<Flow> {
        let patience = Patience { limit: self.batch_timeout, is_over: &|| cancel.is_overdue() };
        // What the query gets. When it wants no more, the plug-in is still to end what it does.
        let mut flow = Ok(Flow::Continue(()));
        loop {
            let ended = match job.step(site, || worker.receive(site, &patience)) {
                Ok((Reply::Batch { segment, dropped }, payload)) => {
                    worker.drop_segments(&dropped);
                    let stream = stream(worker, site, segment.as_ref(), payload)?;
                    worker.took();
                    if wants_more(&flow) {
                        flow = send(job, site, stream);
                        if !wants_more(&flow) {
                            job.read.cancel();
                        }
                    }
                    continue;
                }
                Ok((Reply::Finished { counts }, _)) => {
                    counts.iter().for_each(|(name, count)| job.metrics.add(name, *count));
                    return flow;
                }
                Ok((Reply::Failure { failure, .. }, _)) => site.reported(failure),
                Ok((other, _)) => worker.unexpected(site, &other),
                Err(error) => error,
            };
            if wants_more(&flow) && !cancel.was_sent() {
                return Err(ended);
            }
            tracing::warn!(error = %ended, "a plug-in failed when its read was ended early");
            return if wants_more(&flow) { Ok(Flow::Break(())) } else { flow };
        }
    }
}

fn wants_more(flow: &Result<Flow>) -> bool {
    matches!(flow, Ok(Flow::Continue(())))
}

fn stream(worker: &mut Worker, site: &Site, segment: Option<&Place>, payload: Bytes) -> Result<Buffer> {
    match segment {
        Some(place) => worker.open_segment(site, place).map(Buffer::from),
        // A copy: what comes through the socket lies anywhere, and beside other frames.
        None => Ok(Buffer::from(payload.as_ref())),
    }
}

fn send(job: &mut Job, site: &Site, stream: Buffer) -> Result<Flow> {
    let batch = ipc::read_batch(stream);
    let batch = batch.map_err(|error| site.failed(format!("failed: its batch cannot be read: {error}")))?;
    job.send(&batch, site)
}

/// A message as bytes: its schema, of so many, and its batch.
fn payload(message: &Message) -> Result<(usize, Vec<u8>), ArrowError> {
    let schema = message.schema.as_ref().map(|schema| ipc::write_schema(schema)).transpose()?.unwrap_or_default();
    let batch = message.batch.as_ref().map(ipc::write_batch).transpose()?.unwrap_or_default();
    Ok((schema.len(), [schema, batch].concat()))
}

fn message(json: String, schema: usize, payload: &Bytes) -> Result<Message, ArrowError> {
    let (schema, batch) = payload.split_at_checked(schema).unwrap_or_default();
    let schema = if schema.is_empty() { None } else { Some(ipc::read_schema(schema)?) };
    let batch = if batch.is_empty() { None } else { Some(ipc::read_batch(Buffer::from(batch))?) };
    Ok(Message { json, schema, batch })
}

fn unsendable(site: &Site, error: &ArrowError) -> BridgeError {
    site.failed(format!("failed: what it is called with cannot be sent to a worker process: {error}"))
}

fn never() -> bool {
    false
}
