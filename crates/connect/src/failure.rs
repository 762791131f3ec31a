//! What fails in the engine or in a plug-in, as a Spark error.

use std::error::Error;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use sheetbend_datasource::error::{BridgeError, PluginFailure};
use sheetbend_plan::error::{ErrorClass, SparkError};

/// The Spark error of a failure of the engine: the innermost error that says what happened.
pub fn from_engine(error: &DataFusionError) -> SparkError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => from_engine(inner),
        DataFusionError::Shared(inner) => from_engine(inner),
        DataFusionError::Collection(errors) => match errors.first() {
            Some(first) => from_engine(first),
            None => SparkError::internal(error),
        },
        DataFusionError::External(inner) => from_any(inner.as_ref()),
        DataFusionError::ArrowError(inner, _) => sheetbend_files::failure(error).unwrap_or_else(|| from_arrow(inner)),
        DataFusionError::IoError(error) => from_io(error),
        // The engine prints whole plans here; the beginning says what is meant.
        DataFusionError::NotImplemented(what) => {
            SparkError::unsupported(format_args!("this in a query: {}", what.chars().take(200).collect::<String>()))
        }
        DataFusionError::ResourcesExhausted(what) => {
            SparkError::new(ErrorClass::Runtime, "UNABLE_TO_ACQUIRE_MEMORY", "53200", what.as_str())
        }
        DataFusionError::Execution(what) if what.starts_with("Scalar subquery returned more than one row") => {
            let message = "More than one row returned by a subquery used as an expression.";
            SparkError::new(ErrorClass::Internal, "SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", message)
        }
        other => sheetbend_files::failure(other).unwrap_or_else(|| SparkError::internal(other.strip_backtrace())),
    }
}

/// The Spark error of a failure of a source.
pub(crate) fn from_bridge(error: &BridgeError) -> SparkError {
    match error {
        BridgeError::UnknownFormat { name, .. } => {
            SparkError::new(ErrorClass::ClassNotFound, "DATA_SOURCE_NOT_FOUND", "42K02", error.to_string())
                .with("provider", name)
        }
        BridgeError::Plugin(failure) => from_plugin(failure),
        BridgeError::Engine(inner) => from_engine(inner),
        other => SparkError::internal(other),
    }
}

fn from_plugin(failure: &PluginFailure) -> SparkError {
    let class = match (failure.condition.as_str(), failure.method) {
        ("INVALID_DATA_SOURCE_OPTION", _) => ErrorClass::IllegalArgument,
        // The client keeps no condition of a `PythonException`: one that the plug-in chose goes another way.
        ("PYTHON_DATA_SOURCE_ERROR", "read_partition" | "write_partition") => ErrorClass::Python,
        (_, "read_partition" | "write_partition") => ErrorClass::Runtime,
        (condition, _) if condition.starts_with("PARSE_") => ErrorClass::Parse,
        _ => ErrorClass::Analysis,
    };
    let message = match &failure.traceback {
        Some(traceback) => format!("{}\n\n{}", failure.message, traceback.trim_end()),
        None => failure.message.clone(),
    };
    let error = SparkError::new(class, &failure.condition, &failure.sql_state, message)
        .with("plugin", &failure.plugin)
        .with("method", failure.method);
    failure.parameters.iter().fold(error, |error, (name, value)| error.with(name, value))
}

fn from_arrow(error: &ArrowError) -> SparkError {
    match error {
        ArrowError::ExternalError(inner) => from_any(inner.as_ref()),
        ArrowError::IoError(_, error) => from_io(error),
        ArrowError::DivideByZero => SparkError::new(
            ErrorClass::Arithmetic,
            "DIVIDE_BY_ZERO",
            "22012",
            "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.",
        ),
        ArrowError::ArithmeticOverflow(what) => {
            SparkError::new(ErrorClass::Arithmetic, "ARITHMETIC_OVERFLOW", "22003", what.as_str())
        }
        ArrowError::CastError(what) | ArrowError::ParseError(what) => {
            SparkError::new(ErrorClass::NumberFormat, "CAST_INVALID_INPUT", "22018", what.as_str())
        }
        other => SparkError::internal(other),
    }
}

/// A failure that another attempt may mend travels as an I/O error around it.
fn from_io(error: &std::io::Error) -> SparkError {
    match error.get_ref() {
        Some(inner) => from_any(inner),
        None => SparkError::internal(error),
    }
}

fn from_any(error: &(dyn Error + 'static)) -> SparkError {
    if let Some(error) = error.downcast_ref::<SparkError>() {
        return error.clone();
    }
    if let Some(error) = error.downcast_ref::<BridgeError>() {
        return from_bridge(error);
    }
    if let Some(error) = error.downcast_ref::<DataFusionError>() {
        return from_engine(error);
    }
    if let Some(error) = error.downcast_ref::<ArrowError>() {
        return from_arrow(error);
    }
    match error.source() {
        Some(source) => from_any(source),
        None => SparkError::internal(error),
    }
}
