//! SQL text to the unresolved plan.

mod errors;
mod expressions;
mod identifiers;
mod limits;
mod parameters;
mod queries;
mod statements;
mod variables;
mod writes;

use datafusion::common::ScalarValue;
use sheetbend_plan::error::SparkError;
use sheetbend_plan::ir::{Expr, Join, JoinKind, JoinOn, Relation, RelationKind, SortDirection, SortOrder};
use sheetbend_plan::sql::{Parameters, parse_expression, parse_query};

fn query(text: &str) -> Result<Relation, SparkError> {
    parse_query(text, &Parameters::default())
}

/// Text and what it comes to; the first that differs fails the test.
fn assert_expressions<const N: usize>(cases: [(&str, Expr); N]) {
    for (text, expected) in cases {
        assert_eq!(parse_expression(text), Ok(expected), "{text}");
    }
}

/// As [`assert_expressions`], for queries.
fn assert_queries<const N: usize>(cases: [(&str, Relation); N]) {
    for (text, expected) in cases {
        assert_eq!(query(text), Ok(expected), "{text}");
    }
}

fn int(n: i32) -> Expr {
    Expr::Literal(ScalarValue::Int32(Some(n)))
}

fn text(s: &str) -> Expr {
    Expr::Literal(ScalarValue::Utf8(Some(s.to_owned())))
}

/// A column by a dotted name.
fn col(name: &str) -> Expr {
    Expr::column(name.split('.'))
}

fn call<const N: usize>(name: &str, args: [Expr; N]) -> Expr {
    Expr::call(name, args.into())
}

fn not(expr: Expr) -> Expr {
    call("not", [expr])
}

fn star() -> Expr {
    Expr::star()
}

fn ascending(expr: Expr) -> SortOrder {
    SortOrder::new(expr, SortDirection::Ascending, None)
}

fn table(name: &str) -> Relation {
    Relation::table([name])
}

fn project<const N: usize>(input: Relation, list: [Expr; N]) -> Relation {
    RelationKind::Project { input: Some(Box::new(input)), list: list.into() }.into()
}

fn filter(input: Relation, condition: Expr) -> Relation {
    RelationKind::Filter { input: Box::new(input), condition }.into()
}

fn sort<const N: usize>(input: Relation, order: [SortOrder; N]) -> Relation {
    RelationKind::Sort { input: Box::new(input), order: order.into() }.into()
}

fn alias(input: Relation, alias: &str, columns: &[&str]) -> Relation {
    let columns = columns.iter().map(|&name| name.to_owned()).collect();
    RelationKind::SubqueryAlias { input: Box::new(input), alias: alias.to_owned(), columns }.into()
}

fn join(left: Relation, right: Relation, kind: JoinKind, on: JoinOn) -> Relation {
    RelationKind::Join(Join { left: Box::new(left), right: Box::new(right), kind, on, lateral: false }).into()
}
