//! Rows that go into a table.

use super::Relation;

/// `INSERT`.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The parts of the table's name.
    pub table: Vec<String>,
    /// `OVERWRITE`: the rows take the place of those that are there.
    pub overwrite: bool,
    /// Which column of the table gets which column of the query.
    pub columns: InsertColumns,
    /// The rows.
    pub query: Relation,
}

/// Which column of a table gets which column of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsertColumns {
    /// The first gets the first, and so on.
    Position,
    /// The table's columns of these names, in the order of the query's. The others get NULL.
    List(Vec<String>),
    /// Each the one of its own name, or NULL.
    Name,
}
