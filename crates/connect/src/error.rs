//! Errors on the wire: a gRPC status with `google.rpc.ErrorInfo` from which the client builds its exception.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use serde_json::json;
use sheetbend_plan::error::{ErrorClass, SparkError};
use spark_connect_proto::fetch_error_details_response::{Error as ErrorDetails, SparkThrowable};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails as StatusDetails, StatusExt};
use uuid::Uuid;

/// Bytes of a message in a status. It is sent twice, percent-encoded and in base64, and clients refuse more than 8 KiB
/// of trailers.
const MESSAGE_BYTES: usize = 1500;

/// Bytes of the message parameters in a status.
const PARAMETER_BYTES: usize = 1000;

/// How many errors a session keeps in full.
const KEPT_ERRORS: usize = 32;

/// Bytes of an error's text that are kept in full.
const KEPT_BYTES: usize = 1 << 20;

/// A status for `error`; `error_id` is where the client finds more than the status holds.
pub(crate) fn status(error: &SparkError, error_id: Option<&str>) -> Status {
    let classes = classes(error);
    let mut metadata = HashMap::from([("classes".to_owned(), json!(classes).to_string())]);
    // Some of Spark's errors have none.
    if !error.condition.is_empty() {
        metadata.insert("errorClass".to_owned(), error.condition.clone());
    }
    // Some of Spark's older conditions have none.
    if !error.sql_state.is_empty() {
        metadata.insert("sqlState".to_owned(), error.sql_state.clone());
    }
    // Always there: without parameters the client forgets the condition.
    metadata.insert("messageParameters".to_owned(), parameters(error).unwrap_or_else(|| "{}".to_owned()));
    if let Some(id) = error_id {
        metadata.insert("errorId".to_owned(), id.to_owned());
    }
    let reason = classes.first().copied().unwrap_or_default();
    let details = StatusDetails::with_error_info(reason, "org.apache.spark", metadata);
    Status::with_error_details(Code::Internal, shortened(&error.to_string(), MESSAGE_BYTES), details)
}

/// A request that breaks the protocol.
pub(crate) fn invalid_plan(message: &str) -> SparkError {
    SparkError::new(ErrorClass::Internal, "CONNECT_INVALID_PLAN.CANNOT_PARSE", "56K00", message)
}

/// A request whose field `name` is not set.
pub(crate) fn missing(name: &str) -> SparkError {
    invalid_plan(&format!("The request has no `{name}`."))
}

/// The errors of a session that did not fit into their status, for `FetchErrorDetails`.
#[derive(Debug, Default)]
pub(crate) struct ErrorLog(Mutex<VecDeque<(String, SparkError)>>);

impl ErrorLog {
    /// The status of `error`, which is kept if the status does not hold all of it.
    pub(crate) fn status(&self, mut error: SparkError) -> Status {
        if error.to_string().len() <= MESSAGE_BYTES && parameters(&error).is_some() {
            return status(&error, None);
        }
        let id = Uuid::new_v4().to_string();
        let status = status(&error, Some(&id));
        error.message = shortened(&error.message, KEPT_BYTES);
        for value in error.parameters.values_mut() {
            *value = shortened(value, KEPT_BYTES);
        }
        let mut errors = self.0.lock();
        if errors.len() == KEPT_ERRORS {
            errors.pop_front();
        }
        errors.push_back((id, error));
        status
    }

    /// The error of this id in full. It is forgotten then, for a client asks once.
    pub(crate) fn take(&self, id: &str) -> Option<ErrorDetails> {
        let mut errors = self.0.lock();
        let at = errors.iter().position(|(known, _)| known == id)?;
        errors.remove(at).map(|(_, error)| details(&error))
    }
}

fn details(error: &SparkError) -> ErrorDetails {
    ErrorDetails {
        error_type_hierarchy: classes(error).into_iter().map(str::to_owned).collect(),
        message: error.to_string(),
        spark_throwable: Some(SparkThrowable {
            error_class: Some(error.condition.clone()),
            sql_state: Some(error.sql_state.clone()),
            message_parameters: error.parameters.clone().into_iter().collect(),
            ..SparkThrowable::default()
        }),
        ..ErrorDetails::default()
    }
}

/// The Java class of an error and its parents, nearest first. The client takes the first that it knows.
fn classes(error: &SparkError) -> Vec<&'static str> {
    let own: &[&str] = match error.class {
        ErrorClass::Analysis => &["org.apache.spark.sql.AnalysisException", "java.lang.Exception"],
        ErrorClass::Parse => &[
            "org.apache.spark.sql.catalyst.parser.ParseException",
            "org.apache.spark.sql.AnalysisException",
            "java.lang.Exception",
        ],
        ErrorClass::Arithmetic => &[
            "org.apache.spark.SparkArithmeticException",
            "java.lang.ArithmeticException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        ErrorClass::NumberFormat => &[
            "org.apache.spark.SparkNumberFormatException",
            "java.lang.NumberFormatException",
            "java.lang.IllegalArgumentException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        ErrorClass::DateTime => &[
            "org.apache.spark.SparkDateTimeException",
            "java.time.DateTimeException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        ErrorClass::ClassNotFound => &[
            "org.apache.spark.SparkClassNotFoundException",
            "java.lang.ClassNotFoundException",
            "java.lang.ReflectiveOperationException",
            "java.lang.Exception",
        ],
        ErrorClass::ArrayIndex => &[
            "org.apache.spark.SparkArrayIndexOutOfBoundsException",
            "java.lang.ArrayIndexOutOfBoundsException",
            "java.lang.IndexOutOfBoundsException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        ErrorClass::IllegalArgument => &[
            "org.apache.spark.SparkIllegalArgumentException",
            "java.lang.IllegalArgumentException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        ErrorClass::NoSuchElement => &[
            "org.apache.spark.SparkNoSuchElementException",
            "java.util.NoSuchElementException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        ErrorClass::Unsupported => &[
            "org.apache.spark.SparkUnsupportedOperationException",
            "java.lang.UnsupportedOperationException",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        ErrorClass::InvalidPlan => &[
            "org.apache.spark.sql.connect.common.InvalidPlanInput",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        ErrorClass::Upgrade => {
            &["org.apache.spark.SparkUpgradeException", "java.lang.RuntimeException", "java.lang.Exception"]
        }
        ErrorClass::Python => {
            &["org.apache.spark.api.python.PythonException", "java.lang.RuntimeException", "java.lang.Exception"]
        }
        ErrorClass::Runtime => {
            &["org.apache.spark.SparkRuntimeException", "java.lang.RuntimeException", "java.lang.Exception"]
        }
        ErrorClass::Internal => internal_classes(&error.condition),
    };
    own.iter().copied().chain(["java.lang.Throwable", "java.lang.Object"]).collect()
}

/// The protocol's own errors have classes of their own, and clients look for their conditions.
fn internal_classes(condition: &str) -> &'static [&'static str] {
    match condition.split('.').next() {
        Some("INVALID_HANDLE" | "INVALID_CURSOR" | "OPERATION_CANCELED") => {
            &["org.apache.spark.SparkSQLException", "java.sql.SQLException", "java.lang.Exception"]
        }
        Some("CONNECT_INVALID_PLAN") => &[
            "org.apache.spark.sql.connect.common.InvalidPlanInput",
            "java.lang.RuntimeException",
            "java.lang.Exception",
        ],
        _ => &["org.apache.spark.SparkException", "java.lang.Exception"],
    }
}

/// The message parameters as JSON; none if they are too long for a status.
fn parameters(error: &SparkError) -> Option<String> {
    Some(json!(error.parameters).to_string()).filter(|text| text.len() <= PARAMETER_BYTES)
}

/// `text`, or as much of its beginning as fits into `limit` bytes.
fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit - 3).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}...", &text[..end])
}
