//! A plug-in whose code runs in this process.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{RecordBatch, RecordBatchReader};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyIterator};

use crate::error::Result;
use crate::host::{Host, Message};
use crate::python::failure::Site;
use crate::python::interpreter::{detached, guarded, unattached};
use crate::python::plugin::Plugin;
use crate::python::{self, Raised, Told};
use crate::read::capsule::Unfit;
use crate::read::import::{Importer, Rows, Stream};
use crate::read::release::{release_objects, release_others};
use crate::read::under_way::{Canceller, Read};
use crate::read::{Flow, Job};
use crate::spec::Spec;
use crate::write::{self, Rows as WriteRows, WriteJob};

/// A plug-in with its options.
pub(crate) struct InProcess {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) options: Py<PyAny>,
}

impl Host for InProcess {
    fn call(&self, site: &Site, input: Message) -> Result<Message> {
        guarded(site, |py| {
            let output = python::call(self.plugin.object.bind(py), &self.options, site.method, input);
            output.map_err(|raised| match raised {
                Raised::Plugin(error) => site.raised(py, &error),
                Raised::Import(what) => site.broke(format!("returned no schema of a table: {what}")),
            })
        })
    }

    fn read(&self, job: &mut Job) -> Result<()> {
        let started = Instant::now();
        // Attached until the end, but for waits: so thread-locals of the plug-in live as long as its thread.
        guarded(&job.site.clone(), |_| {
            job.metrics.entered(started);
            while let Some(spec) = job.next_spec()? {
                let site = Site { partition: Some(spec.position), ..job.site.clone() };
                // Guarded one by one, so that a panic names its partition.
                if job.is_closed() || guarded(&site, |py| self.read_spec(py, job, &spec, &site))?.is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn write(&self, job: &WriteJob) -> Result<Message> {
        guarded(&job.site, |py| self.write_rows(py, job))
    }
}

impl InProcess {
    fn write_rows(&self, py: Python<'_>, job: &WriteJob) -> Result<Message> {
        let raised = |error: PyErr| job.site.raised(py, &error);
        let context = python::new_write_context(py, job.partition).map_err(raised)?;
        let (rows, cancel) = (job.rows.clone(), canceller(&context, &job.site));
        job.under_way.on_cancel(Some(Box::new(move || {
            rows.abort();
            cancel();
        })));
        if job.is_closed() {
            return Err(job.site.failed("was cancelled before it began"));
        }
        let (plugin, under_way) = (self.plugin.object.bind(py), Arc::clone(&job.under_way));
        let rows = Box::new(Detached { rows: job.rows.clone(), partition: job.partition, under_way });
        job.under_way.step.begin(Instant::now(), Some(job.partition));
        let written = python::write_partition(plugin, &job.input.json, rows, &self.options, &context);
        job.under_way.step.end();
        job.under_way.on_cancel(None);
        Ok(Message { json: written.map_err(raised)?, ..Message::default() })
    }

    fn read_spec(&self, py: Python<'_>, job: &mut Job, spec: &Spec, site: &Site) -> Result<Flow> {
        let raised = |error: PyErr| site.raised(py, &error);
        let wanted = job.wanted()?;
        let context = self.context(py, job, spec, wanted).map_err(raised)?;
        job.read.on_cancel(Some(canceller(&context, site)));
        if job.is_closed() {
            return Ok(Flow::Break(()));
        }
        let plugin = self.plugin.object.bind(py);
        let open = || python::read_partition(plugin, &spec.json, &self.options, &context);
        let rows = job.step(site, open).map_err(raised)?;
        let flow = send_items(py, job, &rows, site);
        if !matches!(flow, Ok(Flow::Continue(()))) {
            job.read.cancel();
        }
        job.read.on_cancel(None);
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

    fn context<'py>(
        &self,
        py: Python<'py>,
        job: &Job,
        spec: &Spec,
        wanted: Option<Message>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let metrics = job.metrics.clone();
        let add = PyCFunction::new_closure(py, None, None, move |arguments, _| {
            let (name, count): (String, usize) = arguments.extract()?;
            metrics.add(&name, count);
            PyResult::Ok(())
        })?;
        let remaining = job.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()).as_secs_f64());
        let told = Told { batch_size: job.limits.rows, partition: spec.position, remaining, wanted, add };
        python::new_context(&self.plugin.format, &self.options, told)
    }
}

/// Lets other threads have the interpreter while rows are waited for: whoever asks for them may hold it, and those who
/// make them may need it.
struct Detached {
    rows: WriteRows,
    partition: usize,
    under_way: Arc<Read>,
}

impl Iterator for Detached {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        // To wait for rows is no step of the plug-in.
        self.under_way.step.end();
        let rows = &mut self.rows;
        let next = unattached(|| rows.next());
        self.under_way.step.begin(Instant::now(), Some(self.partition));
        next.unwrap_or_else(|| Some(Err(write::ended("the Python interpreter has ended"))))
    }
}

impl RecordBatchReader for Detached {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}

fn canceller(context: &Bound<'_, PyAny>, site: &Site) -> Canceller {
    let (context, site) = (context.clone().unbind(), site.clone());
    Box::new(move || {
        let cancelled = Python::try_attach(|py| {
            // By way of the site, which knows the secrets: a driver may repeat its connection string.
            python::cancel(context.bind(py)).map_err(|error| site.raised(py, &error))
        });
        if let Some(Err(error)) = cancelled {
            tracing::warn!(%error, "a callback that cancels a read failed");
        }
    })
}

fn send_items(py: Python<'_>, job: &mut Job, rows: &Bound<'_, PyIterator>, site: &Site) -> Result<Flow> {
    let raised = |error: PyErr| site.raised(py, &error);
    let unfit = |unfit: Unfit| match unfit {
        Unfit::Raised(error) => raised(error),
        Unfit::Export(what) => site.broke(format!("gave Arrow data that cannot be taken: {what}")),
    };
    let mut importer = Importer::default();
    loop {
        let next = || -> Result<_, Unfit> {
            release_objects(py);
            let item = rows.clone().next().transpose()?;
            item.map(|item| Ok((importer.import(&item)?, item))).transpose()
        };
        let Some((exported, item)) = job.step(site, next).map_err(unfit)? else {
            return Ok(Flow::Continue(()));
        };
        let metrics = job.metrics.clone();
        let flow = match exported {
            Some(Rows::Batch(batch)) => {
                drop(item);
                // Dropped after the wait, attached: it may be the last that holds memory of Python.
                detached(py, &metrics, || job.send(&batch, site))?
            }
            Some(Rows::Stream(stream)) => {
                drop(item);
                detached(py, &metrics, || send_stream(job, stream, site))?
            }
            None => return Err(site.broke(python::unexpected_item(&item).map_err(raised)?)),
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
}

fn send_stream(job: &mut Job, stream: Stream, site: &Site) -> Result<Flow> {
    let failed = |error: ArrowError| site.failed(format!("failed: its Arrow stream ended with: {error}"));
    let mut batches = job.step(site, || stream.open()).map_err(failed)?;
    while let Some(batch) = job.step(site, || batches.next()).transpose().map_err(failed)? {
        release_others();
        if job.send(&batch, site)?.is_break() {
            return Ok(Flow::Break(()));
        }
    }
    Ok(Flow::Continue(()))
}
