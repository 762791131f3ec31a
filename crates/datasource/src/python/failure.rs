//! Python exceptions, panics and broken contracts as errors that say where.

use std::any::Any;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;

use crate::error::{BridgeError, PluginFailure, panic_text};
use crate::isolation::InvalidOption;
use crate::python::{self, Failure};

const REDACTED: &str = "*********(redacted)";
const CONDITION: &str = "PYTHON_DATA_SOURCE_ERROR";
const CONTRACT_CONDITION: &str = "INVALID_PYTHON_DATA_SOURCE";
/// Bytes of a message.
const MOST_TEXT: usize = 16_000;
const SQL_STATE: &str = "38000";
const OPTION_CONDITION: &str = "INVALID_DATA_SOURCE_OPTION";
const OPTION_SQL_STATE: &str = "22023";

/// Texts that must not leave the bridge, longest first.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<[String]>);

impl Secrets {
    pub(crate) fn new(texts: Vec<String>) -> Self {
        Self(texts.into())
    }

    /// These and `more`.
    pub(crate) fn with(&self, more: Vec<String>) -> Self {
        let mut all = [self.0.to_vec(), more].concat();
        all.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self::new(all)
    }

    /// The text without these.
    pub(crate) fn scrub(&self, text: String) -> String {
        self.0.iter().fold(text, |text, secret| match text.contains(secret.as_str()) {
            true => text.replace(secret.as_str(), REDACTED),
            false => text,
        })
    }
}

/// Where in a plug-in something may go wrong. Every error of the bridge about a plug-in is made here, so that each names
/// its place and none carries a secret.
#[derive(Clone)]
pub struct Site {
    /// The format's name, and the plug-in's class where it is known: `orders (my_pkg.Orders)`.
    pub(crate) plugin: String,
    pub(crate) secrets: Secrets,
    /// The method that is called.
    pub method: &'static str,
    /// The partition that is read.
    pub partition: Option<usize>,
}

impl Site {
    /// A place in a plug-in that is about to be loaded.
    pub fn load(plugin: String) -> Self {
        Self { plugin, secrets: Secrets::default(), method: "load", partition: None }
    }

    /// The error for an exception.
    pub(crate) fn raised(&self, py: Python<'_>, error: &PyErr) -> BridgeError {
        match python::failure(py, error) {
            Ok(raised) => self.reported(raised),
            Err(_) => self.failed("failed: an exception that cannot be shown"),
        }
    }

    /// The error for an exception of which this is known.
    pub(crate) fn reported(&self, raised: Failure) -> BridgeError {
        let what = if raised.contract { raised.text } else { self.because(&raised.text) };
        let text = if raised.whole { what } else { self.placed(&what) };
        let mut failure = self.failure(&raised.condition, &raised.sql_state, &text);
        failure.traceback = raised.traceback.map(|text| self.secrets.scrub(text));
        failure.transient = raised.transient && self.partition.is_some();
        failure.parameters = raised.parameters.into_iter().map(|(k, v)| (k, self.secrets.scrub(v))).collect();
        BridgeError::Plugin(Box::new(failure))
    }

    /// The error for a result that is not what the contract says; `what` goes on from the name of the method.
    pub(crate) fn broke(&self, what: impl AsRef<str>) -> BridgeError {
        BridgeError::Plugin(Box::new(self.failure(CONTRACT_CONDITION, SQL_STATE, &self.placed(what.as_ref()))))
    }

    /// The error for something that failed outside Python, such as an Arrow stream.
    pub(crate) fn failed(&self, what: impl AsRef<str>) -> BridgeError {
        BridgeError::Plugin(Box::new(self.failure(CONDITION, SQL_STATE, &self.placed(what.as_ref()))))
    }

    /// The error for a worker process that cannot be used.
    pub(crate) fn lost(&self, why: impl AsRef<str>) -> BridgeError {
        self.failed(self.because(why.as_ref()))
    }

    /// The error for a worker process that has ended by itself: another one may do better.
    pub(crate) fn crashed(&self, how: impl AsRef<str>) -> BridgeError {
        let failure = self.failure(CONDITION, SQL_STATE, &self.placed(&self.because(how.as_ref())));
        BridgeError::Plugin(Box::new(PluginFailure { transient: self.partition.is_some(), ..failure }))
    }

    /// The error for an option of the engine.
    pub(crate) fn invalid(&self, error: &InvalidOption) -> BridgeError {
        BridgeError::Plugin(Box::new(self.failure(OPTION_CONDITION, OPTION_SQL_STATE, &error.to_string())))
    }

    /// The error for a Rust panic in native code that the plug-in uses, or in the bridge.
    pub(crate) fn panicked(&self, payload: &(dyn Any + Send)) -> BridgeError {
        self.failed(format!("failed: native code panicked: {}", panic_text(payload)))
    }

    /// The error for a call that came while the interpreter was ending.
    pub(crate) fn ended(&self) -> BridgeError {
        self.failed("failed: the Python interpreter has ended")
    }

    fn because(&self, why: &str) -> String {
        match self.method {
            "load" => format!("it cannot be loaded: {why}"),
            _ => format!("failed: {why}"),
        }
    }

    /// `what`, which goes on from the name of the method, with that name.
    fn placed(&self, what: &str) -> String {
        match (self.method, self.partition) {
            ("load", _) => what.to_owned(),
            (method, None) => format!("{method} {what}"),
            (method, Some(partition)) => format!("{method} of partition {partition} {what}"),
        }
    }

    fn failure(&self, condition: &str, sql_state: &str, text: &str) -> PluginFailure {
        PluginFailure {
            plugin: self.plugin.clone(),
            method: self.method,
            partition: self.partition,
            condition: condition.to_owned(),
            sql_state: sql_state.to_owned(),
            message: self.secrets.scrub(format!("Data source {}: {}", self.plugin, clipped(text))),
            parameters: BTreeMap::new(),
            traceback: None,
            transient: false,
        }
    }
}

/// The beginning and the end of a long text: more is of no use to who reads it, and may not fit into an answer.
fn clipped(text: &str) -> Cow<'_, str> {
    let (head, tail) = (MOST_TEXT / 2, text.len().saturating_sub(MOST_TEXT / 2));
    if tail <= head {
        return text.into();
    }
    let (head, tail) = (text.floor_char_boundary(head), text.ceil_char_boundary(tail));
    let left_out = tail - head;
    format!("{}\n... {left_out} bytes left out ...\n{}", &text[..head], &text[tail..]).into()
}
