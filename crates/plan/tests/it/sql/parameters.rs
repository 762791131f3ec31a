//! `:name` and `?`.

use std::collections::BTreeMap;

use sheetbend_plan::error::ErrorClass;
use sheetbend_plan::ir::RelationKind;
use sheetbend_plan::sql::{Parameters, parse_query};

use super::{call, col, filter, int, project, table, text};

#[test]
fn named() {
    let named = BTreeMap::from([("x".to_owned(), int(1)), ("n".to_owned(), int(7))]);
    let params = Parameters { named, positional: vec![] };
    let expected = project(filter(table("t"), call(">", [col("a"), int(1)])), [int(1)]);
    let expected = RelationKind::Limit { input: Box::new(expected), skip: None, fetch: Some(int(7)) }.into();
    assert_eq!(parse_query("SELECT :x FROM t WHERE a >:x LIMIT :n", &params), Ok(expected));
}

#[test]
fn positional_in_the_order_of_the_text() {
    let params = Parameters { named: BTreeMap::new(), positional: vec![int(1), text("b"), int(3)] };
    let condition = call("in", [col("a"), text("b"), int(3)]);
    let expected = project(filter(table("t"), condition), [int(1)]);
    assert_eq!(parse_query("SELECT ? FROM t WHERE a IN (?, ?)", &params), Ok(expected));
}

#[test]
fn a_marker_without_a_value() {
    for (query, name) in [("SELECT :x", "x"), ("SELECT ?", "_7"), ("SELECT 1,\n ?", "_11")] {
        let error = parse_query(query, &Parameters::default()).unwrap_err();
        assert_eq!(error.class, ErrorClass::Analysis);
        assert_eq!((error.condition.as_str(), error.sql_state.as_str()), ("UNBOUND_SQL_PARAMETER", "42P02"));
        assert_eq!(error.parameters.get("name").map(String::as_str), Some(name));
    }
}

#[test]
fn a_marker_in_a_string_is_text() {
    let expected = RelationKind::Project { input: None, list: vec![text("? :x")] }.into();
    assert_eq!(parse_query("SELECT '? :x'", &Parameters::default()), Ok(expected));
}
