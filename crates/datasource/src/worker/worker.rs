//! A worker that has started: requests go in, answers come out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::{BridgeError, Result};
use crate::isolation::{BATCH_TIMEOUT, PYTHON, START_TIMEOUT};
use crate::python::failure::Site;
use crate::worker::connection::{Connection, Meeting, Received, Sender};
use crate::worker::launch::Launch;
use crate::worker::process::{End, Process};
use crate::worker::protocol::{Place, Reply, Request, VERSION};
use crate::worker::segment::Segments;

/// How long a worker may take to end in order.
pub(crate) const END_PATIENCE: Duration = Duration::from_millis(500);

/// How long a worker that hangs may take to say where.
const ABORT_PATIENCE: Duration = Duration::from_millis(500);

/// How long the system may take to say how a process has ended, and to hand over what it printed.
const NEWS_PATIENCE: Duration = Duration::from_millis(500);

/// How long a worker that starts is left alone between two looks.
const START_TICK: Duration = Duration::from_millis(2);

/// A process that waits for requests. It is killed when this is dropped.
pub(crate) struct Worker {
    pub(crate) launch: Arc<Launch>,
    /// The only plug-in that it is used for, so that plug-ins cannot see each other.
    pub(crate) plugin: String,
    /// The source that is open in it.
    pub(crate) opened: Option<u64>,
    process: Process,
    connection: Connection,
    segments: Segments,
    /// How many batches have been read that the worker does not know of.
    taken: usize,
    /// Whether it has answered what it was asked.
    is_waiting: bool,
}

/// How long an answer is waited for.
pub(crate) struct Patience<'a> {
    /// The longest time.
    pub(crate) limit: Option<Duration>,
    /// Whether the worker is to be killed instead.
    pub(crate) is_over: &'a dyn Fn() -> bool,
}

impl Worker {
    /// Starts a process, and waits until it is ready.
    ///
    /// # Errors
    /// Whatever keeps it from that, with what it has printed. Also where `is_over`.
    pub(crate) fn start(launch: &Arc<Launch>, plugin: &str, site: &Site, is_over: &dyn Fn() -> bool) -> Result<Self> {
        let started = Instant::now();
        let meeting = Meeting::open().map_err(|error| site.lost(format!("no socket for a worker process: {error}")))?;
        let mut process = Process::start(launch, &meeting.address(), site).map_err(|error| {
            site.lost(format!("'{}' ({PYTHON}) cannot be started as a worker process: {error}", launch.python))
        })?;
        let connection = loop {
            match meeting.accept() {
                Ok(Some(connection)) => break connection,
                Ok(None) => {}
                Err(error) => return Err(site.lost(format!("its worker process cannot be reached: {error}"))),
            }
            if let Some(end) = process.ended() {
                return Err(not_started(site, launch, &process, end));
            }
            if is_over() {
                return Err(site.lost("was cancelled while its worker process started"));
            }
            if started.elapsed() >= launch.start_timeout {
                return Err(not_ready(site, launch, &mut process));
            }
            std::thread::sleep(START_TICK);
        };
        let mut worker = Self {
            launch: Arc::clone(launch),
            plugin: plugin.to_owned(),
            opened: None,
            process,
            connection,
            segments: Segments::default(),
            taken: 0,
            is_waiting: false,
        };
        worker.greet(site, started, is_over)?;
        Ok(worker)
    }

    /// Has what is printed from now on logged as of `site`.
    pub(crate) fn begin(&self, site: &Site) {
        self.process.output.begin(site);
    }

    /// Whether it waits for requests still.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// What says something to it from another thread.
    pub(crate) fn sender(&self) -> Sender {
        self.connection.sender().clone()
    }

    /// Whether it waits for requests. One that was lost does not.
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_waiting
    }

    /// Sends a request, whose answers are to be received.
    ///
    /// # Errors
    /// The worker is gone, or does not listen.
    pub(crate) fn send(&mut self, site: &Site, request: &Request<'_>, payload: &[u8]) -> Result<()> {
        self.is_waiting = false;
        self.connection.sender().send(request, payload).map_err(|_| self.gone(site))
    }

    /// The next answer.
    ///
    /// # Errors
    /// The worker is gone, did not answer in time or not as agreed. It cannot be used any more.
    pub(crate) fn receive(&mut self, site: &Site, patience: &Patience<'_>) -> Result<(Reply, Bytes)> {
        if !self.connection.has_frame() {
            self.say_taken(site)?;
        }
        let since = Instant::now();
        loop {
            match self.connection.receive() {
                // One that sends on and on has not ended either.
                Ok(Received::Reply(Reply::Batch { .. }, _)) if (patience.is_over)() => {}
                Ok(Received::Reply(reply, payload)) => {
                    self.is_waiting = !matches!(reply, Reply::Batch { .. } | Reply::Pull);
                    return Ok((reply, payload));
                }
                Ok(Received::End) => return Err(self.gone(site)),
                Ok(Received::Silence) => {}
                Err(error) => return Err(self.unreadable(site, &error)),
            }
            if (patience.is_over)() {
                self.process.kill();
                return Err(site.lost("its worker process did not end when it was cancelled, and was killed"));
            }
            if let Some(limit) = patience.limit.filter(|limit| since.elapsed() >= *limit) {
                self.process.abort(ABORT_PATIENCE);
                let printed = self.process.output.last_lines(NEWS_PATIENCE);
                return Err(site.lost(format!(
                    "it gave nothing for {limit:?} ({BATCH_TIMEOUT}), so its worker process was killed{printed}"
                )));
            }
        }
    }

    /// The stream at `place`.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn open_segment(&mut self, site: &Site, place: &Place) -> Result<Bytes> {
        let file = place.capacity.and_then(|_| self.connection.take_file());
        self.segments.open(place, file).map_err(|error| self.unreadable(site, &error))
    }

    /// Forgets segments that the worker has forgotten.
    pub(crate) fn drop_segments(&mut self, numbers: &[u32]) {
        self.segments.drop_all(numbers);
    }

    /// A batch has been read: the worker may send another. It is told so when nothing else is to be done.
    pub(crate) fn took(&mut self) {
        self.taken += 1;
    }

    /// The error for an answer that does not fit.
    pub(crate) fn unexpected(&mut self, site: &Site, reply: &Reply) -> BridgeError {
        self.unreadable(site, &format_args!("the answer '{}' does not fit", reply.name()))
    }

    /// Asks it to end. [`Self::end`] waits for that.
    pub(crate) fn ask_to_end(&self) {
        // Where this fails it has ended.
        drop(self.connection.sender().send(&Request::Finish, &[]));
    }

    /// Waits until it has ended, at the latest at `deadline`, when it is killed.
    pub(crate) fn end(mut self, deadline: Instant) {
        self.process.wait(deadline.saturating_duration_since(Instant::now()));
    }

    fn greet(&mut self, site: &Site, started: Instant, is_over: &dyn Fn() -> bool) -> Result<()> {
        let launch = Arc::clone(&self.launch);
        let init = Request::Init {
            protocol: VERSION,
            paths: &launch.paths,
            own_paths: launch.own_paths,
            memory: launch.memory,
        };
        self.send(site, &init, &[])?;
        let is_late = || is_over() || started.elapsed() >= launch.start_timeout;
        loop {
            match self.connection.receive() {
                Ok(Received::Reply(Reply::Ready { protocol: VERSION }, _)) => {
                    self.is_waiting = true;
                    return Ok(());
                }
                Ok(Received::Reply(Reply::Ready { protocol }, _)) => {
                    return Err(site.lost(format!(
                        "its worker process speaks version {protocol} of the protocol, the server version {VERSION}: the \
                         package was updated while the server ran. Start the server again"
                    )));
                }
                Ok(Received::Reply(reply, _)) => return Err(self.unexpected(site, &reply)),
                Ok(Received::Silence) if is_late() => return Err(not_ready(site, &launch, &mut self.process)),
                Ok(Received::Silence) => {}
                Ok(Received::End) => {
                    let end = self.process.wait(NEWS_PATIENCE).unwrap_or_else(|| self.process.kill());
                    return Err(not_started(site, &launch, &self.process, end));
                }
                Err(error) => return Err(self.unreadable(site, &error)),
            }
        }
    }

    fn say_taken(&mut self, site: &Site) -> Result<()> {
        match std::mem::take(&mut self.taken) {
            0 => Ok(()),
            batches => {
                let freed = self.segments.take_freed();
                let took = Request::Took { batches, freed };
                self.connection.sender().send(&took, &[]).map_err(|_| self.gone(site))
            }
        }
    }

    fn gone(&mut self, site: &Site) -> BridgeError {
        let end = self.process.wait(NEWS_PATIENCE).unwrap_or_else(|| self.process.kill());
        let printed = self.process.output.last_lines(NEWS_PATIENCE);
        site.crashed(format!("its worker process {end}{printed}"))
    }

    fn unreadable(&mut self, site: &Site, what: &dyn std::fmt::Display) -> BridgeError {
        self.is_waiting = false;
        self.process.kill();
        let printed = self.process.output.last_lines(NEWS_PATIENCE);
        site.lost(format!("its worker process sent what is not agreed, and was killed: {what}{printed}"))
    }
}

fn not_started(site: &Site, launch: &Launch, process: &Process, end: End) -> BridgeError {
    let printed = process.output.last_lines(NEWS_PATIENCE);
    site.lost(format!("its worker process ({}) did not start: it {end}{printed}", launch.python))
}

fn not_ready(site: &Site, launch: &Launch, process: &mut Process) -> BridgeError {
    process.abort(ABORT_PATIENCE);
    let printed = process.output.last_lines(NEWS_PATIENCE);
    site.lost(format!(
        "its worker process ({}) was not ready within {:?} ({START_TIMEOUT}), and was killed{printed}",
        launch.python, launch.start_timeout
    ))
}
