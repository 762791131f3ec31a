//! Classes that clients send, and the files that those need.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;

use parking_lot::RwLock;

use crate::format::TableFormat;

/// Makes formats of classes that clients send.
pub trait ClassFormats: Send + Sync + Debug {
    /// The format of `class`, which may import what is in `files`, also in those that come later.
    fn format(&self, class: ClientClass, files: Arc<PythonFiles>) -> Arc<dyn TableFormat>;
}

/// Python files that a client has sent, modules and archives of them, by name.
#[derive(Debug, Default)]
pub struct PythonFiles(RwLock<BTreeMap<String, Arc<[u8]>>>);

impl PythonFiles {
    /// Adds a file; false if there is another one of its name, which stays.
    pub fn add(&self, name: &str, data: &[u8]) -> bool {
        let mut files = self.0.write();
        match files.get(name) {
            Some(known) => known.as_ref() == data,
            None => {
                files.insert(name.to_owned(), data.into());
                true
            }
        }
    }

    /// What the files take.
    pub fn bytes(&self) -> usize {
        self.0.read().values().map(|data| data.len()).sum()
    }

    /// The same files, to which others are added then.
    pub fn fork(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }

    pub(crate) fn all(&self) -> BTreeMap<String, Arc<[u8]>> {
        self.0.read().clone()
    }
}

/// A class that a client has sent. It is code: only clients that may run code on the server are to get here.
#[derive(Clone)]
pub struct ClientClass {
    /// What the client calls it.
    pub name: String,
    /// The class as a pickle, which is read when it is first used.
    pub pickled: Vec<u8>,
    /// The version of the client's Python, such as `3.11`.
    pub python_version: String,
}

impl Debug for ClientClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientClass").field(&self.name).finish()
    }
}
