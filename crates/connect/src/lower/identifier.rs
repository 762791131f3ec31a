//! Names with several parts, as a user writes them: `a`, `t.a`, `` `a.b`.c ``.

use sheetbend_plan::error::{ErrorClass, Result, SparkError};

/// The parts of `name`, unquoted. A backtick inside backticks is written twice.
///
/// # Errors
/// Quotes that do not pair, or an empty part.
pub(crate) fn parse(name: &str) -> Result<Vec<String>> {
    split(name).ok_or_else(|| {
        SparkError::new(
            ErrorClass::Analysis,
            "INVALID_ATTRIBUTE_NAME_SYNTAX",
            "42601",
            format!(
                "Syntax error in the attribute name: {name}. Check that backticks appear in pairs, a quoted string is a \
                 complete name part and use a backtick only inside quoted name parts."
            ),
        )
        .with("name", name)
    })
}

fn split(name: &str) -> Option<Vec<String>> {
    if name.is_empty() {
        return Some(vec![String::new()]);
    }
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let (part, after) = match rest.strip_prefix('`') {
            Some(quoted) => quoted_part(quoted)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest.get(..end)?.to_owned(), rest.get(end..)?)
            }
        };
        if part.is_empty() || (part.contains('`') && !rest.starts_with('`')) {
            return None;
        }
        parts.push(part);
        if after.is_empty() {
            return Some(parts);
        }
        rest = after.strip_prefix('.')?;
    }
}

/// The part that begins after an opening backtick, and what follows the closing one.
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
