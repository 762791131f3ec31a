//! Errors on their way from an executor to the client.
//!
//! Ballista carries the error of a task as a text, and wraps it in others. So the text holds the whole error between two
//! marks, in an alphabet that no wrapping changes.

use ballista_core::error::BallistaError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use sheetbend_plan::error::SparkError;

const BEGIN: &str = "<sheetbend:";
const END: char = '>';

/// The error of the engine that is inside of those that Ballista puts around it.
pub(crate) fn cause(error: &DataFusionError) -> &DataFusionError {
    let inside = match error {
        DataFusionError::External(inner) => inner.as_ref(),
        DataFusionError::ArrowError(inner, _) => match inner.as_ref() {
            ArrowError::ExternalError(inner) => inner.as_ref(),
            _ => return error,
        },
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => return cause(inner),
        DataFusionError::Shared(inner) => return cause(inner),
        _ => return error,
    };
    match (inside.downcast_ref::<DataFusionError>(), inside.downcast_ref::<BallistaError>()) {
        (Some(inner), _) => cause(inner),
        (_, Some(BallistaError::DataFusionError(inner))) => cause(inner),
        _ => error,
    }
}

/// The text of an error.
pub(crate) fn encode(error: &SparkError) -> String {
    // A struct of texts is always JSON.
    let json = serde_json::to_vec(error).unwrap_or_default();
    format!("{BEGIN}{}{END}", STANDARD_NO_PAD.encode(json))
}

/// The error of a job that failed with this text.
pub(crate) fn decode(text: &str) -> DataFusionError {
    match find(text) {
        Some(error) => error.into(),
        None => DataFusionError::Execution(format!("the cluster failed: {text}")),
    }
}

fn find(text: &str) -> Option<SparkError> {
    let (_, rest) = text.split_once(BEGIN)?;
    let (json, _) = rest.split_once(END)?;
    serde_json::from_slice(&STANDARD_NO_PAD.decode(json).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, find};
    use sheetbend_plan::error::{ErrorClass, SparkError};

    #[test]
    fn an_error_survives_what_it_is_wrapped_in() {
        let error = SparkError::new(ErrorClass::Arithmetic, "DIVIDE_BY_ZERO", "22012", "Division \"by\"\n> zero <")
            .with("config", "\"spark.sql.ansi.enabled\"");
        let wrapped = format!("{:?}", format!("Job x failed: {:?}", encode(&error)));
        assert_eq!(find(&wrapped), Some(error));
    }

    #[test]
    fn any_other_text_is_told_as_it_is() {
        for text in ["", "lost", "<sheetbend:", "<sheetbend:%%%>", "<sheetbend:e30>"] {
            assert!(decode(text).to_string().contains(&format!("the cluster failed: {text}")), "{text}");
        }
    }
}
