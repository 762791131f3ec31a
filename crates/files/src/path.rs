//! Paths as Spark writes them.

use std::path::{Path, PathBuf};

use sheetbend_plan::error::{Result, SparkError};

/// The path on this machine that a text names: `/data/x`, `data/x` from where the server runs, `file:/data/x`, `file:///data/x`.
///
/// # Errors
/// A scheme other than `file`, or an empty path.
pub(crate) fn local(text: &str) -> Result<PathBuf> {
    let path = match scheme(text) {
        None => text,
        Some("file") => {
            let rest = &text["file:".len()..];
            rest.strip_prefix("//").map_or(rest, |rest| rest.strip_prefix("localhost").unwrap_or(rest))
        }
        Some(scheme) => {
            return Err(SparkError::unsupported(format_args!(
                "paths of the scheme `{scheme}` here. Files are read from the server's own file system; to read others, \
                 name a source for them as the format. The path is `{text}`, so this"
            )));
        }
    };
    if path.is_empty() || path.contains('\0') {
        return Err(crate::error::bad_option("path", "the path of a file or folder", text));
    }
    Ok(plain(&std::path::absolute(path).map_err(|e| crate::error::io(Path::new(path), &e))?))
}

fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then_some(scheme)
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
