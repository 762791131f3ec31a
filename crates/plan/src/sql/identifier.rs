//! Names of columns and tables as they are written outside of SQL: `a.b`, ``a.`b c`.d``.

use crate::error::{ErrorClass, Result, SparkError};

/// The parts of a name. Dots part them; backticks keep what is inside together, and a doubled one stands for itself.
/// Anything but a dot and a backtick may stand in a part without backticks, as in `df["my column"]`. No text at all is
/// one empty part: a column may be called so.
///
/// # Errors
/// `INVALID_ATTRIBUTE_NAME_SYNTAX` for an empty part beside others, or a stray backtick.
pub fn parse_identifier(text: &str) -> Result<Vec<String>> {
    if text.is_empty() {
        return Ok(vec![String::new()]);
    }
    let invalid = || {
        SparkError::new(
            ErrorClass::Analysis,
            "INVALID_ATTRIBUTE_NAME_SYNTAX",
            "42601",
            format!(
                "Syntax error in the attribute name: {text}. Check that backticks appear in pairs and dots part names."
            ),
        )
        .with("name", text)
    };
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let part = match rest.strip_prefix('`') {
            Some(quoted) => {
                let (part, after) = quoted_part(quoted).ok_or_else(invalid)?;
                rest = after;
                part
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                let (part, after) = rest.split_at(end);
                rest = after;
                if part.contains('`') || part.is_empty() {
                    return Err(invalid());
                }
                part.to_owned()
            }
        };
        parts.push(part);
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(parts),
            None => return Err(invalid()),
        }
    }
}

/// What stands before the closing backtick, and what behind it.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('`')?;
        part.push_str(before);
        match after.strip_prefix('`') {
            Some(more) => {
                part.push('`');
                rest = more;
            }
            None => return Some((part, after)),
        }
    }
}
