//! Where files lie until all are written.
//!
//! They are written to `_temporary/<id>` in the folder, which readers pass over, each attempt of a task to a folder of its
//! own. Those of the attempts that counted are moved to their places at the end. Files that they replace are kept until then,
//! and come back where a move fails.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use sheetbend_plan::error::Result;
use uuid::Uuid;

use crate::error::io as io_error;
use crate::listing::name;

/// The folder in which writes that are under way lie.
const TEMPORARY: &str = "_temporary";

/// How often a folder is made.
const ATTEMPTS: usize = 10;

/// What tells that a write has ended.
const SUCCESS: &str = "_SUCCESS";

/// A write that is under way. What it has written goes when it is dropped without a commit.
#[derive(Debug)]
pub(super) struct Staging {
    folder: PathBuf,
    id: Uuid,
    /// The folder was not there before.
    created: bool,
    committed: AtomicBool,
}

impl Staging {
    /// A write into a folder, that has not begun.
    pub(super) fn new(folder: PathBuf) -> Self {
        let created = !folder.exists();
        Self { folder, id: Uuid::new_v4(), created, committed: AtomicBool::new(false) }
    }

    /// Makes the folder to write to.
    ///
    /// # Errors
    /// A folder that cannot be made.
    pub(super) fn create(&self) -> Result<()> {
        let mut made = fs::create_dir_all(self.new_files());
        for _ in 1..ATTEMPTS {
            // Another write that has ended may have taken the folder away that both lie in.
            if !made.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                break;
            }
            made = fs::create_dir_all(self.new_files());
        }
        made.map_err(|e| io_error(&self.folder, &e))
    }

    fn own(&self) -> PathBuf {
        self.folder.join(TEMPORARY).join(self.id.to_string())
    }

    /// The folder to write to.
    pub(super) fn new_files(&self) -> PathBuf {
        self.own().join("new")
    }

    /// Moves `files` to their places; in place of those that are there, where `overwrite` is true: of all of them, or with
    /// `dynamic` of those in the folders of the new ones. The first folder in the path of a file is that of its attempt.
    ///
    /// # Errors
    /// A file that cannot be moved: all is as it was before.
    pub(super) fn commit(&self, files: &[PathBuf], overwrite: bool, dynamic: bool) -> Result<()> {
        let mut moved = vec![];
        let done = self.replace(files, overwrite, dynamic, &mut moved);
        if let Err(error) = done {
            for (from, to) in moved.iter().rev() {
                // What cannot be moved back stays where it is; the first error says why.
                let _ = fs::rename(to, from);
            }
            return Err(io_error(&self.folder, &error));
        }
        self.committed.store(true, Ordering::Release);
        fs::write(self.folder.join(SUCCESS), b"").map_err(|e| io_error(&self.folder, &e))
    }

    fn replace(
        &self,
        files: &[PathBuf],
        overwrite: bool,
        dynamic: bool,
        moved: &mut Vec<(PathBuf, PathBuf)>,
    ) -> io::Result<()> {
        let (new, old) = (self.new_files(), self.own().join("old"));
        let places = files.iter().map(|file| file.iter().skip(1).collect::<PathBuf>());
        let places: Vec<_> = places.collect();
        if overwrite && !dynamic {
            for entry in fs::read_dir(&self.folder)? {
                let path = entry?.path();
                if name(&path) != TEMPORARY {
                    relocate(&path, &old.join(name(&path)), moved)?;
                }
            }
        }
        if overwrite && dynamic {
            let folders: BTreeSet<_> = places.iter().filter_map(|place| place.parent()).collect();
            for inside in folders {
                if self.folder.join(inside).is_dir() {
                    relocate_files(&self.folder.join(inside), &old.join(inside), moved)?;
                }
            }
        }
        for (file, place) in files.iter().zip(&places) {
            relocate(&new.join(file), &self.folder.join(place), moved)?;
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nobody is there to be told of what stays behind. Under another name an attempt that goes on cannot find it.
        let ended = self.own().with_extension("ended");
        let _ = fs::rename(self.own(), &ended);
        let _ = fs::remove_dir_all(ended);
        let _ = fs::remove_dir(self.folder.join(TEMPORARY));
        if self.created && !self.committed.load(Ordering::Acquire) {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

fn relocate(from: &Path, to: &Path, moved: &mut Vec<(PathBuf, PathBuf)>) -> io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::rename(from, to)?;
    moved.push((from.to_owned(), to.to_owned()));
    Ok(())
}

fn relocate_files(from: &Path, to: &Path, moved: &mut Vec<(PathBuf, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if path.is_file() {
            relocate(&path, &to.join(name(&path)), moved)?;
        }
    }
    Ok(())
}
