//! Errors of files.

use std::io;
use std::path::Path;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use sheetbend_plan::error::{ErrorClass, SparkError};

use crate::FileFormat;

/// A path at which nothing is.
pub(crate) fn path_not_found(path: &str) -> SparkError {
    let path = uri(path);
    SparkError::new(ErrorClass::Analysis, "PATH_NOT_FOUND", "42K03", format!("Path does not exist: {path}."))
        .with("path", path)
}

/// No file that could tell the columns.
pub(crate) fn no_schema(format: FileFormat) -> SparkError {
    let format = format.title();
    let message = format!("Unable to infer schema for {format}. It must be specified manually.");
    SparkError::new(ErrorClass::Analysis, "UNABLE_TO_INFER_SCHEMA", "42KD9", message).with("format", format)
}

/// Two columns whose names are the same.
pub(crate) fn column_twice(name: &str) -> SparkError {
    let name = format!("`{}`", name.to_lowercase());
    let message = format!("The column {name} already exists. Choose another name or rename the existing column.");
    SparkError::new(ErrorClass::Analysis, "COLUMN_ALREADY_EXISTS", "42711", message).with("columnName", name)
}

/// A column of a type that a format has no place for.
pub(crate) fn unsupported_type(format: FileFormat, column: &str, data_type: &str) -> SparkError {
    let (format, column, data_type) = (format.title(), format!("`{column}`"), format!("\"{data_type}\""));
    let message = format!("The {format} datasource doesn't support the column {column} of the type {data_type}.");
    SparkError::new(ErrorClass::Analysis, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", message)
        .with("format", format)
        .with("columnName", column)
        .with("columnType", data_type)
}

/// A file that is not what it should be: `condition` is below `FAILED_READ_FILE`.
pub(crate) fn unreadable(condition: &str, path: &Path, what: impl std::fmt::Display) -> SparkError {
    let path = uri(&path.to_string_lossy());
    let message = format!("Encountered error while reading file {path}. {what}");
    SparkError::new(ErrorClass::Internal, &format!("FAILED_READ_FILE.{condition}"), "KD001", message).with("path", path)
}

/// The folder of a write, that this machine does not have.
pub(crate) fn gone(folder: &Path) -> SparkError {
    let path = uri(&folder.to_string_lossy());
    let message = format!(
        "The write cannot find its folder {path}, which the server has made. Executors write files only where they share a \
         file system with the server, under the same path: else have the server write, by spark.sheetbend.runner=local. If \
         they do share it, the folder was removed while the write was under way."
    );
    SparkError::new(ErrorClass::Runtime, "WRITE_FOLDER_NOT_FOUND", "58030", message).with("path", path)
}

/// A file that the system does not give.
pub(crate) fn io(path: &Path, error: &io::Error) -> SparkError {
    match error.kind() {
        io::ErrorKind::NotFound => unreadable(
            "FILE_NOT_EXIST",
            path,
            "File does not exist. It is possible the underlying files have been updated.",
        ),
        _ => unreadable("NO_HINT", path, error),
    }
}

/// What the engine says of a file that it cannot read; none for any other failure.
pub fn failure(error: &DataFusionError) -> Option<SparkError> {
    use datafusion::object_store::Error;
    match error {
        DataFusionError::ParquetError(error) => Some(unreadable("NO_HINT", Path::new(""), error)),
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::ParquetError(what) => Some(unreadable("NO_HINT", Path::new(""), what)),
            _ => None,
        },
        DataFusionError::ObjectStore(error) => Some(match error.as_ref() {
            Error::NotFound { path, source } => {
                let path = Path::new("/").join(path);
                let missing = source.downcast_ref::<io::Error>();
                missing.map_or_else(|| io_missing(&path), |error| io(&path, error))
            }
            Error::Generic { source, .. } if is_missing(source.as_ref()) => io_missing(Path::new("")),
            other => unreadable("NO_HINT", Path::new(""), other),
        }),
        _ => None,
    }
}

fn is_missing(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn io_missing(path: &Path) -> SparkError {
    io(path, &io::Error::from(io::ErrorKind::NotFound))
}

/// A record that does not fit, where the mode is `FAILFAST`; `record` is what is known of it.
pub(crate) fn malformed(record: &str) -> SparkError {
    let message = format!(
        "Malformed records are detected in record parsing: {record}. Parse Mode: FAILFAST. To process malformed records \
         as null result, try setting the option 'mode' as 'PERMISSIVE'."
    );
    SparkError::new(ErrorClass::Internal, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", message)
        .with("badRecord", record)
        .with("failFastMode", "FAILFAST")
}

/// A value that an option does not take.
pub(crate) fn bad_option(name: &str, expected: &str, value: &str) -> SparkError {
    let message = format!("The option '{name}' takes {expected}, not '{value}'.");
    SparkError::new(ErrorClass::IllegalArgument, "INVALID_OPTION_VALUE", "22023", message)
        .with("option", name)
        .with("value", value)
}

/// As Hadoop writes a path of this machine.
pub(crate) fn uri(path: &str) -> String {
    format!("file:{path}")
}
