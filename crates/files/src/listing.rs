//! Which files a reader's paths find.
//!
//! As in Spark, names that begin with `.` or `_` are hidden, but for folders of partitions (`_x=1`).

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sheetbend_plan::error::Result;

use crate::error::{io, path_not_found, unreadable};
use crate::{path, pattern};

/// A file with rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
}

/// What the paths of a reader find.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Every file below the paths, in order of path.
    pub(crate) files: Vec<File>,
    /// The folders that the paths name, and those in which the files lie that they name.
    pub(crate) roots: BTreeSet<PathBuf>,
    /// The files that the paths name, and those right in the folders that they name.
    pub(crate) direct: BTreeSet<PathBuf>,
}

/// The files of all `paths`. To be called where a thread may wait.
///
/// # Errors
/// `PATH_NOT_FOUND`, a scheme that is not supported, a folder that may not be read.
pub(crate) fn list(paths: &[&str]) -> Result<Listing> {
    let mut listing = Listing::default();
    for text in paths {
        let path = path::local(text)?;
        for root in matches(&path)? {
            let metadata = fs::metadata(&root).map_err(|e| io(&root, &e))?;
            if metadata.is_dir() {
                walk(&root, &mut vec![], &mut listing)?;
                listing.roots.insert(root);
            } else if !metadata.is_file() {
                return Err(unreadable("NO_HINT", &root, "It is neither a file nor a folder."));
            } else {
                listing.roots.extend(root.parent().map(Path::to_owned));
                listing.add(root, &metadata, true);
            }
        }
    }
    listing.files.sort_by(|left, right| left.path.cmp(&right.path));
    listing.files.dedup_by(|left, right| left.path == right.path);
    Ok(listing)
}

impl Listing {
    fn add(&mut self, path: PathBuf, metadata: &Metadata, direct: bool) {
        if is_hidden(&name(&path)) {
            return;
        }
        if direct {
            self.direct.insert(path.clone());
        }
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        self.files.push(File { path, size: metadata.len(), modified });
    }
}

/// Adds the files below a folder. `above` are the folders on the way to it, as they are without links: one that a link leads
/// back to is not entered again.
fn walk(folder: &Path, above: &mut Vec<PathBuf>, listing: &mut Listing) -> Result<()> {
    let plain = fs::canonicalize(folder).map_err(|e| io(folder, &e))?;
    if above.contains(&plain) {
        return Ok(());
    }
    above.push(plain);
    for entry in fs::read_dir(folder).map_err(|e| io(folder, &e))? {
        let path = entry.map_err(|e| io(folder, &e))?.path();
        if is_hidden(&name(&path)) {
            continue;
        }
        // A file may be gone by now, as those of a write that ends are.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() {
            walk(&path, above, listing)?;
        } else if metadata.is_file() {
            listing.add(path, &metadata, above.len() == 1);
        }
    }
    above.pop();
    Ok(())
}

/// Whether a reader passes a name over.
fn is_hidden(name: &str) -> bool {
    (name.starts_with('_') && !name.contains('=')) || name.starts_with('.') || name.ends_with("._COPYING_")
}

/// The last part of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What is there of a path whose parts may be patterns.
fn matches(path: &Path) -> Result<Vec<PathBuf>> {
    let text = path.to_string_lossy();
    // A name may look like a pattern and be none.
    if path.exists() {
        return Ok(vec![path.to_owned()]);
    }
    if !pattern::is_pattern(&text) {
        return Err(path_not_found(&text));
    }
    let mut found = BTreeSet::new();
    for alternative in pattern::expand(&text) {
        found.extend(expand(&alternative)?);
    }
    if found.is_empty() {
        return Err(path_not_found(&text));
    }
    Ok(found.into_iter().collect())
}

fn expand(path: &str) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::from("/")];
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let mut next = vec![];
        for folder in found {
            if !pattern::is_pattern(part) {
                next.push(folder.join(part));
                continue;
            }
            let names = pattern::compile(part)?;
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            let paths = entries.flatten().map(|entry| entry.path());
            next.extend(paths.filter(|path| names.is_match(&name(path)) && !is_hidden(&name(path))));
        }
        found = next;
        found.retain(|path| path.exists());
    }
    Ok(found)
}
