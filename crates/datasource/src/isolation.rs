//! Isolation: whether the code of a plug-in runs in this process or in one of its own.
//!
//! It is said by options whose names the engine keeps for itself. No plug-in gets them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::error::nearest;

/// The options of this module, in the order in which they are documented.
pub const OPTIONS: [&str; 5] = [MODE, PYTHON, MEMORY, START_TIMEOUT, BATCH_TIMEOUT];

pub(crate) const MODE: &str = "isolation";
pub(crate) const PYTHON: &str = "isolation_python";
pub(crate) const MEMORY: &str = "isolation_memory";
pub(crate) const START_TIMEOUT: &str = "isolation_start_timeout";
pub(crate) const BATCH_TIMEOUT: &str = "isolation_batch_timeout";

/// Options that begin with this are the engine's, so that a misspelt one is not taken for the plug-in's.
const PREFIX: &str = "isolation_";

/// Where the code of a plug-in runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// In this process, on threads of it.
    Thread,
    /// In worker processes.
    Process,
}

/// What is said of isolation at one place: by a query, at a registration, for a server. What is not said there is said
/// by the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Isolation {
    /// Where the code runs; in this process by default.
    pub mode: Option<Mode>,
    /// The interpreter of the worker; the one of this process by default.
    pub python: Option<String>,
    /// How many bytes of address space the worker may take; no limit by default.
    pub memory: Option<u64>,
    /// How long a worker may take to start; 30 s by default.
    pub start_timeout: Option<Duration>,
    /// How long the plug-in may take for a batch, or for any other answer; no limit by default.
    pub batch_timeout: Option<Duration>,
}

/// An option of the engine that is not there, or has a value that it does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidOption(String);

impl Isolation {
    /// Takes the engine's options out of `options`, whose keys are found without regard to case.
    ///
    /// # Errors
    /// A value that an option does not take, or an option that there is not.
    pub fn take(options: &mut BTreeMap<String, String>) -> Result<Self, InvalidOption> {
        let mut taken = Self::default();
        let own = |key: &str| key == MODE || key.starts_with(PREFIX);
        let keys: Vec<_> = options.keys().filter(|key| own(&key.to_lowercase())).cloned().collect();
        for key in keys {
            if let Some(value) = options.remove(&key) {
                taken.set(&key.to_lowercase(), value.trim())?;
            }
        }
        Ok(taken)
    }

    /// These, with what they do not say taken from `others`.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        Self {
            mode: self.mode.or(others.mode),
            python: self.python.or_else(|| others.python.clone()),
            memory: self.memory.or(others.memory),
            start_timeout: self.start_timeout.or(others.start_timeout),
            batch_timeout: self.batch_timeout.or(others.batch_timeout),
        }
    }

    /// What a query says, with what it does not say taken from `defaults`.
    ///
    /// # Errors
    /// Options for a worker process, where there is to be none.
    pub fn with_defaults(self, defaults: &Self) -> Result<Self, InvalidOption> {
        let said = Self { mode: None, ..self.clone() } != Self::default();
        let whole = self.or(defaults);
        match said && !whole.is_process() {
            true => Err(InvalidOption(format!(
                "Options that begin with '{PREFIX}' are for worker processes: give '{MODE}' = 'process' too."
            ))),
            false => Ok(whole),
        }
    }

    /// Whether the code runs in worker processes.
    pub fn is_process(&self) -> bool {
        self.mode == Some(Mode::Process)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), InvalidOption> {
        let invalid = |expected: &str| InvalidOption(format!("Option '{key}' must be {expected}, got '{value}'."));
        match key {
            MODE => self.mode = Some(mode(value).ok_or_else(|| invalid("one of thread, process"))?),
            PYTHON if value.is_empty() => return Err(invalid("the path of a Python interpreter")),
            PYTHON => self.python = Some(value.to_owned()),
            MEMORY => self.memory = Some(bytes(value).ok_or_else(|| invalid("a size such as 512m or 2g"))?),
            START_TIMEOUT => self.start_timeout = Some(duration(value).ok_or_else(|| invalid(DURATION))?),
            BATCH_TIMEOUT => self.batch_timeout = Some(duration(value).ok_or_else(|| invalid(DURATION))?),
            _ => {
                let known = OPTIONS.map(str::to_owned);
                return Err(InvalidOption(format!("There is no option '{key}'.{}", nearest(key, &known))));
            }
        }
        Ok(())
    }
}

const DURATION: &str = "a time above zero, in seconds or such as 500ms, 30s or 2m";

fn mode(text: &str) -> Option<Mode> {
    match text.to_lowercase().as_str() {
        "thread" => Some(Mode::Thread),
        "process" => Some(Mode::Process),
        _ => None,
    }
}

/// `2g` as bytes; a plain number is one of bytes.
fn bytes(text: &str) -> Option<u64> {
    let text = text.to_lowercase();
    let (number, unit) = split(text.strip_suffix('b').unwrap_or(&text));
    let shift = match unit {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    let bytes = number.parse::<u64>().ok()?.checked_mul(1 << shift)?;
    (bytes > 0).then_some(bytes)
}

/// `2m` as two minutes; a plain number is one of seconds.
fn duration(text: &str) -> Option<Duration> {
    let text = text.to_lowercase();
    let (number, unit) = split(&text);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let duration = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
    (!duration.is_zero()).then_some(duration)
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}
