//! The one unresolved plan that both front ends lower into: Spark Connect relations, and SQL text.
//!
//! Nothing here is checked against a schema. Names are as the user wrote them, functions are names, types are
//! already Arrow's. [`crate::resolver`] gives it meaning.

mod expr;
mod function;
mod insert;
mod relation;
mod reshape;
mod statistic;
mod visit;

pub use expr::{CastMode, Expr, Function, NullOrdering, SortDirection, SortOrder, WindowFrame};
pub use function::{FunctionBody, Parameter, SqlFunction};
pub use insert::{Insert, InsertColumns};
pub use relation::{
    Deduplicate, Join, JoinKind, JoinOn, Kept, Parse, Read, Relation, RelationKind, SetOp, SetOpKind, ShowForm, Source,
};
pub use reshape::{Aggregate, Generate, GroupKind, Pivot, Recursive, Unpivot};
pub use statistic::{Sample, SampleBy, Statistic, StatisticKind, Transpose};
