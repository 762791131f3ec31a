//! A worker as a process of the system.

use std::fmt;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use crate::python::failure::Site;
use crate::worker::launch::Launch;
use crate::worker::output::Output;

/// How often a process that is to end is looked at.
const TICK: Duration = Duration::from_millis(2);

/// A process that is killed when this is dropped, with those that it has started. It leaves no zombie.
///
/// Its standard input is a pipe that this process holds the other end of: the worker has the kernel kill it when that end
/// closes, so it does not outlive this process, whichever way that ends.
pub(crate) struct Process {
    child: Child,
    pub(crate) output: Output,
    status: Option<End>,
}

/// How a process has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End(Option<ExitStatus>);

impl Process {
    /// Starts a worker that connects to `address`.
    pub(crate) fn start(launch: &Launch, address: &Path, site: &Site) -> io::Result<Self> {
        let mut child = Command::new(&launch.python)
            .arg(&launch.script)
            .arg(address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own: a signal of the terminal is for the server, which ends the worker in order.
            .process_group(0)
            .spawn()?;
        let output = Output::read(child.stderr.take(), site.clone());
        Ok(Self { child, output, status: None })
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<End> {
        if self.status.is_none() && self.has_ended() {
            self.reap();
        }
        self.status
    }

    /// Waits for at most `patience` for it to end.
    pub(crate) fn wait(&mut self, patience: Duration) -> Option<End> {
        let end = Instant::now() + patience;
        while self.ended().is_none() && Instant::now() < end {
            thread::sleep(TICK);
        }
        self.status
    }

    /// Kills it, after `patience` in which it may say where it hangs. Returns how it has ended.
    pub(crate) fn abort(&mut self, patience: Duration) -> End {
        if self.ended().is_none() {
            if let Some(pid) = self.pid() {
                let _ = kill_process(pid, Signal::ABORT);
            }
            self.wait(patience);
        }
        self.kill()
    }

    /// Kills it. Returns how it has ended.
    pub(crate) fn kill(&mut self) -> End {
        match self.ended() {
            Some(end) => end,
            None => self.reap(),
        }
    }

    fn has_ended(&self) -> bool {
        // It stays a zombie, so that its number is still its own when its group is killed.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match self.pid() {
            Some(pid) => !matches!(waitid(WaitId::Pid(pid), options), Ok(None)),
            None => true,
        }
    }

    fn reap(&mut self) -> End {
        if let Some(pid) = self.pid() {
            // It may have gone, which is what is wanted.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let end = End(self.child.wait().ok());
        self.status = Some(end);
        end
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signal = self.0.and_then(|status| status.signal());
        match (self.0.and_then(|status| status.code()), signal) {
            (Some(code), _) => write!(f, "ended with exit status {code}"),
            (None, Some(9)) => {
                write!(f, "was killed (SIGKILL), as the system does where memory runs out")
            }
            (None, Some(number)) => write!(f, "was ended by {}", signal_name(number)),
            (None, None) => write!(f, "has ended"),
        }
    }
}

fn signal_name(number: i32) -> String {
    let named = [
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::ILL, "SIGILL"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::TERM, "SIGTERM"),
    ];
    let name = named.iter().find(|(signal, _)| signal.as_raw() == number);
    name.map_or_else(|| format!("signal {number}"), |(_, name)| (*name).to_owned())
}
