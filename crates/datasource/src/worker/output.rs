//! What a worker prints.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::ChildStderr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::python::failure::Site;

/// How much of it is kept for an error.
const KEPT_BYTES: usize = 8 << 10;

/// A longer line counts as several.
const LINE_BYTES: u64 = 4 << 10;

/// A line that Python adds to what it says of a crash, long and of no use.
const NOISE: &str = "Extension modules: ";

/// The last lines that a worker has printed. They are read all the time, so that it never waits to print.
pub(crate) struct Output(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    ended: Condvar,
}

struct State {
    site: Site,
    lines: VecDeque<String>,
    has_ended: bool,
}

impl Output {
    /// Starts to read. Each line is logged with what `site` says.
    pub(crate) fn read(from: Option<ChildStderr>, site: Site) -> Self {
        let state = Mutex::new(State { site, lines: VecDeque::new(), has_ended: false });
        let shared = Arc::new(Shared { state, ended: Condvar::new() });
        let reading = Arc::clone(&shared);
        let started = thread::Builder::new().name("sheetbend-output".to_owned()).spawn(move || reading.read(from));
        if let Err(error) = started {
            tracing::warn!(%error, "no thread to read what a worker prints");
        }
        Self(shared)
    }

    /// Forgets what was printed: what comes now is of `site`.
    pub(crate) fn begin(&self, site: &Site) {
        let mut state = self.0.state.lock();
        state.site = site.clone();
        state.lines.clear();
    }

    /// The last lines, without secrets, after an end that says how; for a process that has ended. Waits for at most
    /// `patience` for the rest of them.
    pub(crate) fn last_lines(&self, patience: Duration) -> String {
        let end = Instant::now() + patience;
        let mut state = self.0.state.lock();
        while !state.has_ended && !self.0.ended.wait_until(&mut state, end).timed_out() {}
        match state.lines.is_empty() {
            true => ".".to_owned(),
            false => {
                let lines: Vec<_> = state.lines.iter().map(String::as_str).collect();
                state.site.secrets.scrub(format!(". It printed last:\n{}", lines.join("\n")))
            }
        }
    }
}

impl State {
    fn keep(&mut self, line: String) {
        self.lines.push_back(line);
        while self.lines.iter().map(String::len).sum::<usize>() > KEPT_BYTES {
            self.lines.pop_front();
        }
    }
}

impl Shared {
    fn read(&self, from: Option<ChildStderr>) {
        let Some(from) = from else { return };
        let mut from = BufReader::new(from);
        let mut bytes = Vec::new();
        while let Ok(1..) = from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut bytes) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            let mut state = self.state.lock();
            let site = state.site.clone();
            if !line.starts_with(NOISE) {
                state.keep(line.clone());
            }
            drop(state);
            tracing::debug!(plugin = site.plugin, line = site.secrets.scrub(line), "a worker printed");
        }
        self.state.lock().has_ended = true;
        self.ended.notify_all();
    }
}
