//! Functions that users make of SQL.

use arrow::datatypes::{DataType, SchemaRef};

use super::{Expr, Relation};

/// A function of SQL text.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlFunction {
    /// The name that columns are called by: `f`, or `spark_catalog.default.f` where it stands in a database.
    pub name: String,
    /// What it is given.
    pub parameters: Vec<Parameter>,
    /// What it makes of that.
    pub body: FunctionBody,
    /// `NOT DETERMINISTIC` is not said of it.
    pub deterministic: bool,
    /// What it is for.
    pub comment: Option<String>,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What an argument is cast to.
    pub data_type: DataType,
    /// The argument where none is given.
    pub default: Option<Expr>,
}

/// What a function makes of its parameters, which are attributes there.
#[derive(Debug, Clone, PartialEq)]
pub enum FunctionBody {
    /// A value.
    Scalar {
        /// Its type; none for that of the expression.
        returns: Option<DataType>,
        /// What makes it.
        expr: Box<Expr>,
    },
    /// Rows.
    Table {
        /// Their columns; none for those of the query.
        returns: Option<SchemaRef>,
        /// What makes them.
        query: Box<Relation>,
    },
}

impl FunctionBody {
    /// The expression or the query, as one that holds the other.
    pub fn relation(&self) -> Relation {
        match self {
            Self::Scalar { expr, .. } => {
                super::RelationKind::Project { input: None, list: vec![Expr::clone(expr)] }.into()
            }
            Self::Table { query, .. } => Relation::clone(query),
        }
    }
}
