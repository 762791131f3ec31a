//! The errors of text that does not parse.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use crate::error::{ErrorClass, SparkError};

/// The syntax error at a token; the end of the text is a token too.
pub(crate) fn near(token: &TokenWithSpan) -> SparkError {
    match &token.token {
        Token::EOF => at_end(),
        other => near_text(&other.to_string(), token.span.start),
    }
}

/// The syntax error at a place where the text stops too early.
pub(crate) fn at_end() -> SparkError {
    SparkError::parse("Syntax error at or near end of input.").with("error", "end of input").with("hint", "")
}

/// The syntax error at some text. Spark counts lines from one and columns from zero.
pub(crate) fn near_text(text: &str, at: Location) -> SparkError {
    let place = match at.line {
        0 => String::new(),
        line => format!(" (line {line}, pos {})", at.column.saturating_sub(1)),
    };
    SparkError::parse(format!("Syntax error at or near '{text}'.{place}"))
        .with("error", format!("'{text}'"))
        .with("hint", "")
}

/// Text without any statement in it.
pub(crate) fn empty_statement() -> SparkError {
    SparkError::new(ErrorClass::Parse, "PARSE_EMPTY_STATEMENT", "42617", "Syntax error: the text holds no statement.")
}

/// A comment that the text ends in.
pub(crate) fn unclosed_comment() -> SparkError {
    let message = "Found an unclosed bracketed comment. Please, append */ at the end of the comment.";
    SparkError::new(ErrorClass::Parse, "UNCLOSED_BRACKETED_COMMENT", "42601", message)
}

/// Text that is nested deeper, or is longer, than this server takes.
pub(crate) fn too_complex() -> SparkError {
    SparkError::new(
        ErrorClass::Parse,
        "FAILED_TO_PARSE_TOO_COMPLEX",
        "54001",
        "The statement is nested too deeply, or an expression in it is too long. Split it into smaller parts.",
    )
}
