//! What a server and its executors say to each other beside tasks: JSON in an action of Arrow Flight, which an executor
//! calls once and whose results it reads for as long as it lives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The action by which an executor joins.
pub(crate) const ATTACH: &str = "sheetbend.attach";

/// The action that lists the jobs that run, a result each.
pub(crate) const JOBS: &str = "sheetbend.jobs";

/// The action that lists the executors, a result each.
pub(crate) const EXECUTORS: &str = "sheetbend.executors";

/// What is installed where a process runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Installation {
    /// The version of this package.
    pub sheetbend: String,
    /// The version of Python, `3.12`.
    pub python: String,
    /// The versions of the packages that bring sources, by name.
    pub plugins: BTreeMap<String, String>,
}

impl Installation {
    /// How `other` differs, as the end of a sentence; none where it does not.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let version = |what: &str, here: &str, there: &str| {
            (here != there).then(|| format!("{what} {there}, and the server has {here}"))
        };
        let absent = "(not installed)".to_owned();
        let names = self.plugins.keys().chain(other.plugins.keys());
        let mut plugins = names.filter_map(|name| {
            let of = |installation: &Self| installation.plugins.get(name).unwrap_or(&absent).clone();
            version(name, &of(self), &of(other))
        });
        version("sheetbend", &self.sheetbend, &other.sheetbend)
            .or_else(|| version("Python", &self.python, &other.python))
            .or_else(|| plugins.next())
    }
}

/// An executor that joins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attach {
    pub(crate) id: String,
    /// Where other processes fetch its data.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) vcores: usize,
    pub(crate) installation: Installation,
}

/// What the server tells an executor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    /// It has joined.
    Attached,
    /// There may be tasks.
    Wake,
    /// The tasks of a job are to end.
    Cancel { job: String },
}

#[cfg(test)]
mod tests {
    use super::Installation;

    fn installation(sheetbend: &str, python: &str, plugins: &[(&str, &str)]) -> Installation {
        let plugins = plugins.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect();
        Installation { sheetbend: sheetbend.to_owned(), python: python.to_owned(), plugins }
    }

    #[test]
    fn a_difference_names_what_differs() {
        let server = installation("0.1.0", "3.12", &[("orders", "1.0")]);
        assert_eq!(server.difference(&server), None);
        let others = [
            (installation("0.2.0", "3.12", &[("orders", "1.0")]), "sheetbend 0.2.0, and the server has 0.1.0"),
            (installation("0.1.0", "3.11", &[("orders", "1.0")]), "Python 3.11, and the server has 3.12"),
            (installation("0.1.0", "3.12", &[]), "orders (not installed), and the server has 1.0"),
            (
                installation("0.1.0", "3.12", &[("orders", "1.0"), ("extra", "2.0")]),
                "extra 2.0, and the server has (not installed)",
            ),
        ];
        for (other, expected) in others {
            assert_eq!(server.difference(&other).as_deref(), Some(expected));
        }
    }
}
