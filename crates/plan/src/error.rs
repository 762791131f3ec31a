//! Errors as a Spark user knows them: a class to catch, a condition, a SQLSTATE and the parameters of the message.

use std::collections::BTreeMap;
use std::fmt;

use datafusion::error::DataFusionError;
use serde::{Deserialize, Serialize};

/// The Java exception that a Spark server would have raised; the client picks its Python exception by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorClass {
    /// `AnalysisException`: the query cannot mean anything.
    Analysis,
    /// `ParseException`: SQL text that is no SQL.
    Parse,
    /// `ArithmeticException`: overflow, division by zero.
    Arithmetic,
    /// `NumberFormatException`: text that is no number.
    NumberFormat,
    /// `DateTimeException`: text that is no date or time.
    DateTime,
    /// `ArrayIndexOutOfBoundsException`.
    ArrayIndex,
    /// `IllegalArgumentException`: a value that an option or setting does not take.
    IllegalArgument,
    /// `SparkNoSuchElementException`: a setting that is not there.
    NoSuchElement,
    /// `UnsupportedOperationException`: Spark has it, this server does not.
    Unsupported,
    /// `SparkUpgradeException`: something that Spark 2 had and later ones have not.
    Upgrade,
    /// `SparkClassNotFoundException`: a format that nobody knows.
    ClassNotFound,
    /// `PythonException`: code of a plug-in failed while the query ran.
    Python,
    /// `InvalidPlanInput`: a plan that no client should make.
    InvalidPlan,
    /// `SparkRuntimeException`: anything else that fails while the query runs.
    Runtime,
    /// `SparkException`: a fault of this server.
    Internal,
}

/// An error with everything that Spark sends of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SparkError {
    /// What the client raises.
    pub class: ErrorClass,
    /// The error condition, such as `UNRESOLVED_COLUMN.WITH_SUGGESTION`.
    pub condition: String,
    /// The SQLSTATE, five characters.
    pub sql_state: String,
    /// The parameters of the condition's message.
    pub parameters: BTreeMap<String, String>,
    /// The message without condition and SQLSTATE.
    pub message: String,
}

/// A result whose error is Spark's.
pub type Result<T, E = SparkError> = std::result::Result<T, E>;

impl SparkError {
    /// An error of a class with its condition, SQLSTATE and message.
    pub fn new(class: ErrorClass, condition: &str, sql_state: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            condition: condition.to_owned(),
            sql_state: sql_state.to_owned(),
            parameters: BTreeMap::new(),
            message: message.into(),
        }
    }

    /// The same error with one more message parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// Something that Spark has and this server does not: `what` is a noun, as in "the function `foo`".
    pub fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(
            ErrorClass::Unsupported,
            "UNSUPPORTED_OPERATION",
            "0A000",
            format!("Sheetbend does not support {what} yet."),
        )
    }

    /// SQL text that does not parse; `near` is what stood where something else was expected.
    pub fn parse(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Parse, "PARSE_SYNTAX_ERROR", "42601", message)
    }

    /// A fault of this server: a state that no input should lead to.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(ErrorClass::Internal, "INTERNAL_ERROR", "XX000", message.to_string())
    }
}

impl fmt::Display for SparkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Some of Spark's errors have no condition, and some of its older conditions no SQLSTATE.
        match (self.condition.as_str(), self.sql_state.as_str()) {
            ("", _) => f.write_str(&self.message),
            (condition, "") => write!(f, "[{condition}] {}", self.message),
            (condition, sql_state) => write!(f, "[{condition}] {} SQLSTATE: {sql_state}", self.message),
        }
    }
}

impl std::error::Error for SparkError {}

impl From<DataFusionError> for SparkError {
    /// What DataFusion says while a plan is built: the error of ours that travels inside, or a fault of the query.
    fn from(error: DataFusionError) -> Self {
        if let Some(own) = find(&error) {
            return own.clone();
        }
        Self::new(ErrorClass::Analysis, "DATATYPE_MISMATCH", "42K09", error.strip_backtrace())
    }
}

impl From<SparkError> for DataFusionError {
    fn from(error: SparkError) -> Self {
        Self::External(Box::new(error))
    }
}

/// The [`SparkError`] inside an engine's error, however deep it is wrapped.
fn find(error: &DataFusionError) -> Option<&SparkError> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<SparkError>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
