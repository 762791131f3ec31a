//! Relations that group rows, or make rows of columns and columns of rows.

use super::{Expr, Function, Relation};

/// `GROUP BY`.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The rows.
    pub input: Box<Relation>,
    /// How the keys group.
    pub kind: GroupKind,
    /// The keys. A literal integer in SQL text is a position of the list; the front end has replaced it.
    pub keys: Vec<Expr>,
    /// What comes out. From the DataFrame API the keys come first without being named here.
    pub list: Vec<Expr>,
    /// Whether the keys are put in front of `list` (DataFrame API) or stand in it where wanted (SQL).
    pub keys_in_front: bool,
    /// `HAVING`.
    pub having: Option<Expr>,
}

/// How the keys of an aggregate group.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupKind {
    /// One grouping by all keys.
    GroupBy,
    /// Prefixes of the keys.
    Rollup,
    /// Subsets of the keys.
    Cube,
    /// The given sets.
    GroupingSets(Vec<Vec<Expr>>),
}

/// Rows that a function makes of each row, beside the row.
#[derive(Debug, Clone, PartialEq)]
pub struct Generate {
    /// The rows; none for the function alone, which is then called once.
    pub input: Option<Box<Relation>>,
    /// The function: `explode`, `inline`, `stack`, ...
    pub call: Function,
    /// A row for which the function makes none comes out once, with NULLs.
    pub outer: bool,
    /// The qualifier of the new columns.
    pub alias: Option<String>,
    /// Their names; empty for those that the function gives.
    pub columns: Vec<String>,
}

/// `GROUP BY` and a column for each value of another one.
#[derive(Debug, Clone, PartialEq)]
pub struct Pivot {
    /// The rows.
    pub input: Box<Relation>,
    /// What groups; where it is not said, every column that is not named elsewhere.
    pub keys: Option<Vec<Expr>>,
    /// Whose values become columns.
    pub column: Expr,
    /// The values, which are constants, and their names where they are given; none for all that there are.
    pub values: Option<Vec<(Expr, Option<String>)>>,
    /// The aggregates of each value.
    pub list: Vec<Expr>,
}

/// A row for each of several columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpivot {
    /// The rows.
    pub input: Box<Relation>,
    /// The columns that stay; where it is not said, all that do not become rows.
    pub ids: Option<Vec<Expr>>,
    /// The columns that become rows, one or several at a time, and the name of each; none for all but `ids`.
    pub values: Option<Vec<(Vec<Expr>, Option<String>)>>,
    /// The name of the column of names.
    pub variable: String,
    /// The names of the columns of values.
    pub value_names: Vec<String>,
    /// Whether rows come out that have NULL in all columns of values.
    pub include_nulls: bool,
}

/// The rows of `anchor`, those that `step` makes of them, those that it makes of these, and so on.
#[derive(Debug, Clone, PartialEq)]
pub struct Recursive {
    /// The name by which `step` refers to the rows of the step before.
    pub name: String,
    /// New names for all columns; empty to keep those of `anchor`.
    pub columns: Vec<String>,
    /// How many steps there may be; none for the session's limit.
    pub most_steps: Option<usize>,
    /// The first rows.
    pub anchor: Box<Relation>,
    /// What makes rows of rows.
    pub step: Box<Relation>,
}
