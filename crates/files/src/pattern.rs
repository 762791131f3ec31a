//! Patterns of names, as Hadoop reads them: `*`, `?`, `[a-z]`, `[^a]`, `{a,b}`.

use regex::Regex;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

/// Whether a part of a path is a pattern.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{', '\\'])
}

/// What matches a name as a whole.
///
/// # Errors
/// Brackets that do not close.
pub(crate) fn compile(pattern: &str) -> Result<Regex> {
    let mut regex = "(?s)^".to_owned();
    let mut chars = pattern.chars();
    let mut depth = 0;
    while let Some(c) = chars.next() {
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '\\' => regex.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            '{' => {
                depth += 1;
                regex.push_str("(?:");
            }
            ',' if depth > 0 => regex.push('|'),
            '}' if depth > 0 => {
                depth -= 1;
                regex.push(')');
            }
            '[' => {
                regex.push('[');
                regex.push_str(&class(&mut chars).ok_or_else(|| invalid(pattern))?);
            }
            other => regex.push_str(&regex::escape(&other.to_string())),
        }
    }
    if depth > 0 {
        return Err(invalid(pattern));
    }
    regex.push('$');
    Regex::new(&regex).map_err(|_| invalid(pattern))
}

/// The inside of a class of characters up to its end.
fn class(chars: &mut std::str::Chars<'_>) -> Option<String> {
    let mut class = String::new();
    let mut first = true;
    loop {
        match chars.next()? {
            ']' => {
                class.push(']');
                return Some(class);
            }
            '^' | '!' if first => class.push('^'),
            '-' => class.push('-'),
            '\\' => class.push_str(&regex::escape(&chars.next()?.to_string())),
            '[' => class.push_str("\\["),
            other => class.push_str(&regex::escape(&other.to_string())),
        }
        first = false;
    }
}

fn invalid(pattern: &str) -> SparkError {
    let message = format!("'{pattern}' is no pattern of names: a bracket of it does not close.");
    SparkError::new(ErrorClass::IllegalArgument, "INVALID_PATH_PATTERN", "22023", message).with("pattern", pattern)
}

/// The alternatives of braces that hold a `/`, each a path of its own: `{a/b,c}`.
pub(crate) fn expand(path: &str) -> Vec<String> {
    let Some((start, end)) = braces(path) else { return vec![path.to_owned()] };
    let (before, inside, after) = (&path[..start], &path[start + 1..end], &path[end + 1..]);
    let expanded = split(inside).into_iter().flat_map(|part| expand(&format!("{before}{part}{after}")));
    expanded.collect()
}

/// The first braces with a `/` inside.
fn braces(path: &str) -> Option<(usize, usize)> {
    let mut open = vec![];
    for (at, c) in path.char_indices() {
        match c {
            '{' => open.push(at),
            '}' => {
                let start = open.pop()?;
                if open.is_empty() && path[start..at].contains('/') {
                    return Some((start, at));
                }
            }
            _ => {}
        }
    }
    None
}

/// Parts at the commas outside of inner braces.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, vec![]);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
