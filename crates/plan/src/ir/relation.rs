//! Unresolved relations.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ScalarUDF;

use super::{Aggregate, Expr, Generate, Pivot, Recursive, Sample, SampleBy, SortOrder, Statistic, Transpose, Unpivot};

/// A relation, and the id that the client gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// What the relation is.
    pub kind: RelationKind,
    /// The client's id of this node; attributes refer to it.
    pub plan_id: Option<i64>,
}

/// The forms of an unresolved relation.
#[derive(Debug, Clone, PartialEq)]
pub enum RelationKind {
    /// A table or view by name, or a source by format.
    Read(Read),
    /// Rows that came with the plan. Columns keep the names of the schema.
    Local {
        /// Names and types; those of the batches.
        schema: SchemaRef,
        /// The rows.
        batches: Vec<RecordBatch>,
    },
    /// `range(start, end, step)`: one column `id` of 64-bit integers, `end` excluded.
    Range {
        /// First value.
        start: i64,
        /// End, excluded.
        end: i64,
        /// Distance of two values; not zero.
        step: i64,
    },
    /// `SELECT list FROM input`; no input is one row without columns.
    Project {
        /// The rows; none for `SELECT 1`.
        input: Option<Box<Relation>>,
        /// What is computed.
        list: Vec<Expr>,
    },
    /// `WHERE`.
    Filter {
        /// The rows.
        input: Box<Relation>,
        /// Rows for which it is true stay.
        condition: Expr,
    },
    /// `GROUP BY` and `HAVING`.
    Aggregate(Aggregate),
    /// A join of two relations.
    Join(Join),
    /// `UNION`, `INTERSECT`, `EXCEPT`.
    SetOp(SetOp),
    /// `ORDER BY`. A key may also name a column of the projection's input, or an aggregate.
    Sort {
        /// The rows.
        input: Box<Relation>,
        /// The keys, most significant first.
        order: Vec<SortOrder>,
    },
    /// `LIMIT`, `OFFSET`.
    Limit {
        /// The rows.
        input: Box<Relation>,
        /// How many rows are skipped: a constant.
        skip: Option<Expr>,
        /// How many rows come at the most: a constant.
        fetch: Option<Expr>,
    },
    /// The last `limit` rows.
    Tail {
        /// The rows.
        input: Box<Relation>,
        /// How many.
        limit: usize,
    },
    /// `DISTINCT`, `dropDuplicates`.
    Deduplicate(Deduplicate),
    /// `input AS alias`: the only qualifier that its columns have from here on.
    SubqueryAlias {
        /// The rows.
        input: Box<Relation>,
        /// The name.
        alias: String,
        /// New names for all columns: `t(a, b)`; empty to keep them.
        columns: Vec<String>,
    },
    /// New or replaced columns; the others stay as they are.
    WithColumns {
        /// The rows.
        input: Box<Relation>,
        /// Name and value of each.
        columns: Vec<(String, Expr)>,
    },
    /// Columns under other names; a name that is not there is passed over.
    WithColumnsRenamed {
        /// The rows.
        input: Box<Relation>,
        /// Old name and new.
        renames: Vec<(String, String)>,
    },
    /// All columns but these; a name that is not there is passed over.
    Drop {
        /// The rows.
        input: Box<Relation>,
        /// Columns as attributes.
        columns: Vec<Expr>,
        /// Columns by plain name.
        names: Vec<String>,
    },
    /// All columns under new names, by position.
    ToDf {
        /// The rows.
        input: Box<Relation>,
        /// As many names as there are columns.
        names: Vec<String>,
    },
    /// All columns under the names and types of a schema, which are looked up by name: `df.to(schema)`.
    ToSchema {
        /// The rows.
        input: Box<Relation>,
        /// What comes out.
        schema: SchemaRef,
    },
    /// Rows by chance.
    Sample(Sample),
    /// Rows by a chance that depends on a value.
    SampleBy(SampleBy),
    /// One row that says something of all rows.
    Statistic(Statistic),
    /// Rows as columns.
    Transpose(Transpose),
    /// `na.fill`: values in place of NULL and NaN.
    FillNa {
        /// The rows.
        input: Box<Relation>,
        /// The columns; empty for all that a value fits.
        columns: Vec<String>,
        /// One value for all of them, or one for each.
        values: Vec<ScalarValue>,
    },
    /// `na.drop`: rows without enough values.
    DropNa {
        /// The rows.
        input: Box<Relation>,
        /// The columns that are looked at; empty for all.
        columns: Vec<String>,
        /// How many of them must be neither NULL nor NaN; all where it is not said.
        least: Option<usize>,
    },
    /// `na.replace`: values in place of others.
    Replace {
        /// The rows.
        input: Box<Relation>,
        /// The columns; empty for all that a value fits.
        columns: Vec<String>,
        /// What is looked for, and what stands there instead.
        pairs: Vec<(ScalarValue, ScalarValue)>,
    },
    /// `describe` and `summary`: a row for each statistic, all as text.
    Summary {
        /// The rows.
        input: Box<Relation>,
        /// The columns; empty for all that are numbers or text.
        columns: Vec<String>,
        /// The statistics: `count`, `mean`, `stddev`, `min`, `max`, or percentiles such as `25%`.
        statistics: Vec<String>,
    },
    /// `LATERAL VIEW`, and functions that make rows in `FROM`.
    Generate(Generate),
    /// Groups as rows, and values of a column as columns.
    Pivot(Pivot),
    /// Columns as rows.
    Unpivot(Unpivot),
    /// A named query that refers to itself, `WITH RECURSIVE name`.
    Recursive(Recursive),
    /// The rows spread over another number of partitions. Changes no row.
    Repartition {
        /// The rows.
        input: Box<Relation>,
        /// How many partitions; none to leave them as they are, as a hint does.
        partitions: Option<usize>,
        /// What rows go by, which must be there. Where they go is the engine's affair.
        by: Vec<Expr>,
    },
    /// A relation whose tree refers to others by name: SQL text with `WITH`, or `spark.sql("{df}", df=...)`.
    With {
        /// The query.
        input: Box<Relation>,
        /// Name and relation, in order; a later one may refer to an earlier one.
        relations: Vec<(String, Relation)>,
    },
    /// SQL text that stands for a query.
    Sql {
        /// The text.
        query: String,
        /// Values of `:name` markers.
        named_args: BTreeMap<String, Expr>,
        /// Values of `?` markers, in order.
        positional_args: Vec<Expr>,
    },
    /// One row of one string column `show_string`: the table as `show()` prints it.
    ShowString {
        /// The rows.
        input: Box<Relation>,
        /// How many rows are shown.
        rows: usize,
        /// Cells are cut to so many characters; 0 for not at all.
        truncate: usize,
        /// How they are written.
        form: ShowForm,
    },
    /// `VALUES (...), (...)`: columns `col1`, `col2`, ...
    Values(Vec<Vec<Expr>>),
    /// `df.observe`: the rows as they are, and aggregates over all that pass. Where it is not run, just the rows.
    Observe {
        /// The rows.
        input: Box<Relation>,
        /// The name that the aggregates are known by.
        name: String,
        /// The aggregates.
        metrics: Vec<Expr>,
    },
    /// Texts of a column, read as rows of a format.
    Parse(Parse),
    /// Rows that the session keeps.
    Kept {
        /// The rows.
        rows: Kept,
        /// The relation whose rows they are, and whose names they go by; none where they stand for themselves.
        of: Option<Box<Relation>>,
    },
}

/// Texts that are read as rows: `spark.read.json(df)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parse {
    /// One column of texts.
    pub input: Box<Relation>,
    /// The format, its options and the schema that the user gave.
    pub source: Source,
    /// How many texts tell how the others are read; none for all of them.
    pub told_by: Option<usize>,
    /// What makes an array of rows of a text; none as long as the texts that tell it are not known.
    pub parser: Option<Arc<ScalarUDF>>,
}

/// Rows that a session keeps: a table with the columns of `schema`, in their order, under other names.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What gives the rows.
    pub table: Arc<dyn TableProvider>,
    /// The columns as the user sees them.
    pub schema: SchemaRef,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.table, &other.table)
    }
}

/// Where rows are read.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// A table or view, by the parts of its name.
    Table(Vec<String>),
    /// A source by its format.
    Source(Source),
}

/// A source as the reader describes it: `spark.read.format(..).option(..).schema(..).load(..)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Source {
    /// The format's name as written; looked up without regard to case.
    pub format: String,
    /// Options with their keys as written; looked up without regard to case.
    pub options: BTreeMap<String, String>,
    /// The arguments of `load`.
    pub paths: Vec<String>,
    /// One WHERE clause a partition, where the reader was given such.
    pub predicates: Vec<String>,
    /// The schema that the user gave; none to ask the source.
    pub schema: Option<SchemaRef>,
}

/// How `show()` writes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowForm {
    /// A table of text.
    Table,
    /// One line a cell.
    Vertical,
    /// A table of HTML, in a column `html_string`.
    Html,
}

/// A join.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// Left rows.
    pub left: Box<Relation>,
    /// Right rows.
    pub right: Box<Relation>,
    /// Which rows come out.
    pub kind: JoinKind,
    /// Which rows match.
    pub on: JoinOn,
    /// `LATERAL`: the right side may name columns of the left.
    pub lateral: bool,
}

/// Which rows come out of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// Matches only.
    Inner,
    /// Matches, and left rows without one.
    LeftOuter,
    /// Matches, and right rows without one.
    RightOuter,
    /// Matches, and rows of either side without one.
    FullOuter,
    /// Left rows with a match, once.
    LeftSemi,
    /// Left rows without a match.
    LeftAnti,
    /// Every pair.
    Cross,
}

/// Which rows of a join match.
#[derive(Debug, Clone, PartialEq)]
pub enum JoinOn {
    /// All of them.
    Nothing,
    /// Those for which a condition is true.
    Condition(Expr),
    /// Those with equal columns of these names; each comes out once.
    Using(Vec<String>),
    /// `NATURAL`: using all names that both sides have.
    Natural,
}

/// A set operation.
#[derive(Debug, Clone, PartialEq)]
pub struct SetOp {
    /// Left rows; they name the columns.
    pub left: Box<Relation>,
    /// Right rows.
    pub right: Box<Relation>,
    /// Which operation.
    pub kind: SetOpKind,
    /// Duplicates stay.
    pub all: bool,
    /// Columns are matched by name, not by position.
    pub by_name: bool,
    /// By name: a column that one side lacks is NULL there.
    pub allow_missing: bool,
}

/// Which set operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOpKind {
    /// Rows of either.
    Union,
    /// Rows of both.
    Intersect,
    /// Rows of the left that the right has not.
    Except,
}

/// `DISTINCT`, `dropDuplicates`.
#[derive(Debug, Clone, PartialEq)]
pub struct Deduplicate {
    /// The rows.
    pub input: Box<Relation>,
    /// The columns that make two rows the same; empty for all.
    pub columns: Vec<String>,
}

impl From<RelationKind> for Relation {
    fn from(kind: RelationKind) -> Self {
        Self { kind, plan_id: None }
    }
}

impl Relation {
    /// A table or view by the parts of its name.
    pub fn table<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        RelationKind::Read(Read::Table(parts.into_iter().map(Into::into).collect())).into()
    }
}
