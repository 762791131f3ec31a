//! What can go wrong between a plug-in and the engine.

use std::any::Any;
use std::collections::BTreeMap;
use std::error::Error;

use datafusion::error::DataFusionError;

/// A result whose error is the bridge's.
pub type Result<T, E = BridgeError> = std::result::Result<T, E>;

/// An error of the bridge. Inside a running query it travels as [`DataFusionError::External`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// No format has this name.
    #[error("Unknown data source format '{name}'.{}", nearest(name, known))]
    UnknownFormat {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Python code of a plug-in raised.
    #[error("{}", .0.message)]
    Plugin(Box<PluginFailure>),
    /// DataFusion refused something.
    #[error(transparent)]
    Engine(#[from] DataFusionError),
}

/// An exception that a plug-in raised, or the contract it broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFailure {
    /// The plug-in: the format's name, and its class.
    pub plugin: String,
    /// The method that failed: `infer_schema`, `plan_scan`, `read_partition`, `commit_write` and the like, or `load` for
    /// the class itself.
    pub method: &'static str,
    /// The partition that was read or written, by its position.
    pub partition: Option<usize>,
    /// The error condition that the exception names, as in `sheetbend.errors`.
    pub condition: String,
    /// The SQLSTATE that the exception names.
    pub sql_state: String,
    /// What went wrong, as a sentence.
    pub message: String,
    /// Parameters of the condition's message, by name.
    pub parameters: BTreeMap<String, String>,
    /// The Python traceback; none where the plug-in broke the contract without raising.
    pub traceback: Option<String>,
    /// Whether another attempt may succeed: the exception was of Python's `OSError` family (a lost connection, a
    /// timeout), and not one of a missing file or right.
    pub transient: bool,
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

impl PluginFailure {
    /// The failure of a plug-in that `error` carries, however DataFusion has wrapped it.
    pub fn of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            match error.downcast_ref() {
                Some(BridgeError::Plugin(failure)) => return Some(failure),
                _ => next = error.source(),
            }
        }
        None
    }
}

impl From<BridgeError> for DataFusionError {
    fn from(error: BridgeError) -> Self {
        match error {
            BridgeError::Engine(error) => error,
            other => Self::External(Box::new(other)),
        }
    }
}

pub(crate) fn nearest(name: &str, known: &[String]) -> String {
    let mut near: Vec<_> = known.iter().map(|k| (strsim::damerau_levenshtein(&name.to_lowercase(), k), k)).collect();
    near.retain(|(distance, k)| *distance <= 2.max(k.len() / 3));
    near.sort();
    match near.as_slice() {
        [] => format!(" There are: {}.", known.join(", ")),
        near => {
            let names: Vec<_> = near.iter().take(3).map(|(_, k)| format!("'{k}'")).collect();
            format!(" Did you mean {}? There are: {}.", names.join(" or "), known.join(", "))
        }
    }
}
