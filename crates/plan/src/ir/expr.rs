//! Unresolved expressions.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use serde::{Deserialize, Serialize};

use super::Relation;
use crate::interval::IntervalFields;

/// An unresolved expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A typed value. Timestamps with a zone carry `"UTC"`; their value is microseconds since the epoch.
    Literal(ScalarValue),
    /// A column, by the parts of its name: `a`, `t.a`, `a.field`. `plan_id` ties it to the relation that the
    /// client took it from (`df["a"]`), and is checked before the name is.
    Attribute {
        /// The parts of the name, unquoted, as written.
        parts: Vec<String>,
        /// The [`Relation::plan_id`] whose output the column belongs to.
        plan_id: Option<i64>,
    },
    /// `*` or `t.*`.
    Star {
        /// The parts before the star; empty for a bare `*`.
        qualifier: Vec<String>,
        /// The [`Relation::plan_id`] whose columns are meant.
        plan_id: Option<i64>,
        /// `* EXCEPT (a, b)`: the columns that are left out, by the parts of their names.
        except: Vec<Vec<String>>,
    },
    /// A call of a named function or operator. Operators go by Spark's names: `+`, `==`, `and`, `not`, `isnull`,
    /// `in`, `like`, `between`, `when` (arguments: condition, value, ..., otherwise).
    Function(Function),
    /// An expression with a name of its own; several names for a generator.
    Alias {
        /// What is named.
        expr: Box<Expr>,
        /// Its name, or names.
        names: Vec<String>,
    },
    /// An expression whose column has metadata, as JSON.
    Annotated {
        /// The value.
        expr: Box<Expr>,
        /// What the client says of it.
        metadata: String,
    },
    /// `Column.withField` and `Column.dropFields`: a struct with another field.
    UpdateField {
        /// The struct.
        expr: Box<Expr>,
        /// The field, within structs inside the struct or alone.
        path: Vec<String>,
        /// Its new value; none to leave the field out.
        value: Option<Box<Expr>>,
    },
    /// `CAST(expr AS type)` and `TRY_CAST`.
    Cast {
        /// What is cast.
        expr: Box<Expr>,
        /// The type wanted.
        to: DataType,
        /// What happens to a value that does not fit.
        mode: CastMode,
    },
    /// An element of a struct, map or array: `expr.field`, `expr[key]`.
    Extract {
        /// The container.
        expr: Box<Expr>,
        /// The field's name, the map's key or the array's index.
        key: Box<Expr>,
    },
    /// A sort order, where Spark allows one inside an expression list.
    SortOrder(Box<SortOrder>),
    /// A window function.
    Window {
        /// The function call.
        function: Box<Expr>,
        /// `PARTITION BY`.
        partition_by: Vec<Expr>,
        /// `ORDER BY`.
        order_by: Vec<SortOrder>,
        /// The frame, if one is given.
        frame: Option<WindowFrame>,
    },
    /// `TIMESTAMP '...'`: which instant it is depends on the session's time zone.
    Timestamp {
        /// The text between the quotes.
        text: String,
        /// `TIMESTAMP_NTZ '...'`: a wall clock without a zone.
        without_zone: bool,
    },
    /// `INTERVAL '1 02' DAY TO HOUR`: a value of microseconds or months.
    Interval {
        /// The value.
        value: ScalarValue,
        /// The fields that it is written with.
        fields: IntervalFields,
    },
    /// The column at a position of the output, from one: `ORDER BY 1`.
    Ordinal(usize),
    /// SQL text that stands for an expression: `expr("a + 1")`, `selectExpr`, `filter("a > 1")`.
    Text(String),
    /// `(x, y) -> x + y`, as an argument of a function. In its body a parameter is an attribute of one part.
    Lambda {
        /// The names of the parameters.
        params: Vec<String>,
        /// What is computed of them.
        body: Box<Expr>,
    },
    /// The columns whose whole name fits a pattern: `df.colRegex("`a.*`")`.
    Regex {
        /// The pattern, without backticks.
        pattern: String,
        /// The [`Relation::plan_id`] whose columns are meant.
        plan_id: Option<i64>,
    },
    /// A column by its internal name. The resolver puts it in place of what it has computed already; no front end
    /// makes it.
    Internal(String),
    /// `(SELECT ...)` as one value.
    ScalarSubquery(Box<Relation>),
    /// `[NOT] EXISTS (SELECT ...)`.
    Exists {
        /// The query.
        subquery: Box<Relation>,
        /// `NOT EXISTS`.
        negated: bool,
    },
    /// `expr [NOT] IN (SELECT ...)`, `(a, b) [NOT] IN (SELECT ...)`.
    InSubquery {
        /// The value that is looked for, or several.
        values: Vec<Expr>,
        /// The query, of as many columns.
        subquery: Box<Relation>,
        /// `NOT IN`.
        negated: bool,
    },
}

/// A call of a function by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The name as written; looked up without regard to case.
    pub name: String,
    /// The arguments in order.
    pub args: Vec<Expr>,
    /// `count(DISTINCT a)`.
    pub distinct: bool,
    /// `FILTER (WHERE ...)` of an aggregate.
    pub filter: Option<Box<Expr>>,
    /// `WITHIN GROUP (ORDER BY ...)` of an aggregate.
    pub order_by: Vec<SortOrder>,
}

/// What a cast does with a value that does not fit the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CastMode {
    /// Spark's ANSI cast: an error.
    Ansi,
    /// `TRY_CAST`: NULL.
    Try,
    /// `CAST` without ANSI mode: NULL for text that says no value, and the bits that fit of a number.
    Legacy,
}

impl CastMode {
    /// What `CAST` is under `spark.sql.ansi.enabled`.
    pub fn plain(ansi: bool) -> Self {
        if ansi { Self::Ansi } else { Self::Legacy }
    }
}

/// One key of a sort.
#[derive(Debug, Clone, PartialEq)]
pub struct SortOrder {
    /// The key.
    pub expr: Expr,
    /// Which way.
    pub direction: SortDirection,
    /// Where NULLs go. Spark's default is first when ascending and last when descending.
    pub nulls: NullOrdering,
}

/// Which way a sort goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortDirection {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// Where NULLs stand in a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullOrdering {
    /// Before every value.
    First,
    /// After every value.
    Last,
}

/// The frame of a window function. A bound is an offset from the current row, `None` for unbounded.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowFrame {
    /// `ROWS` if true, else `RANGE`.
    pub rows: bool,
    /// The first row: negative is preceding, zero the current row.
    pub lower: Option<i64>,
    /// The last row.
    pub upper: Option<i64>,
}

impl Expr {
    /// A literal.
    pub fn literal(value: ScalarValue) -> Self {
        Self::Literal(value)
    }

    /// A column by the parts of its name, tied to no plan.
    pub fn column<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self::Attribute { parts: parts.into_iter().map(Into::into).collect(), plan_id: None }
    }

    /// All columns.
    pub fn star() -> Self {
        Self::Star { qualifier: Vec::new(), plan_id: None, except: Vec::new() }
    }

    /// A call of `name` with plain arguments.
    pub fn call(name: impl Into<String>, args: Vec<Self>) -> Self {
        Self::Function(Function { name: name.into(), args, distinct: false, filter: None, order_by: Vec::new() })
    }

    /// The same expression under another name.
    pub fn alias(self, name: impl Into<String>) -> Self {
        Self::Alias { expr: Box::new(self), names: vec![name.into()] }
    }
}

impl SortOrder {
    /// A sort key; `nulls` falls back to Spark's default for the direction.
    pub fn new(expr: Expr, direction: SortDirection, nulls: Option<NullOrdering>) -> Self {
        let nulls = nulls.unwrap_or(match direction {
            SortDirection::Ascending => NullOrdering::First,
            SortDirection::Descending => NullOrdering::Last,
        });
        Self { expr, direction, nulls }
    }
}
