//! Writing: from the rows of a query to a plug-in's commit.
//!
//! A write has two phases. The [`execute`]d [`PythonWriteExec`] has one task a partition, each of which gives a commit
//! message; when all have come, the plug-in commits them, and it aborts them when one fails. Tasks may run on other
//! machines than the one that coordinates them.

mod coordinator;
mod exec;
mod job;
mod metrics;
mod rows;
mod tasks;
mod writer;

use arrow::datatypes::SchemaRef;

pub use coordinator::{Run, execute, here};
pub(crate) use exec::Begun;
pub use exec::PythonWriteExec;
pub use job::WriteJob;
pub(crate) use rows::{Rows, ended};
pub use tasks::{Task, Tasks};

/// What becomes of rows that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveMode {
    /// They stay.
    Append,
    /// The new ones take their place.
    Overwrite,
    /// Nothing is to be there: the write fails otherwise.
    Error,
    /// The write is left out where anything is there.
    Ignore,
}

impl SaveMode {
    /// The mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Append, Self::Overwrite, Self::Error, Self::Ignore].into_iter().find(|mode| mode.name() == name)
    }

    /// As plug-ins call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Overwrite => "overwrite",
            Self::Error => "error",
            Self::Ignore => "ignore",
        }
    }
}

/// What is to be written.
#[derive(Debug, Clone)]
pub struct Write {
    /// What becomes of rows that are there already.
    pub mode: SaveMode,
    /// Names and types of the columns, as the plug-in gets them.
    pub schema: SchemaRef,
    /// The name of the table; none where a source is written to without one.
    pub table: Option<String>,
}
