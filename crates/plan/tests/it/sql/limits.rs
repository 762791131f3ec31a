//! Hostile text fails in good time and without overflowing the stack, which is 2 MiB in a test.

use std::time::{Duration, Instant};

use sheetbend_plan::ir::Expr;
use sheetbend_plan::sql::parse_expression;

use super::query;

fn depth(expr: &Expr) -> usize {
    1 + expr.children().into_iter().map(depth).max().unwrap_or(0)
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("SELECT {}{inner}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn too_deep_or_too_long() {
    let cases = [
        nested("(", "1", ")", 10_000),
        nested("(", "", "", 10_000),
        nested("f(", "1", ")", 10_000),
        nested("CAST(", "1 x", "", 10_000),
        nested("CASE WHEN ", "1", " THEN 1 END", 10_000),
        nested("NOT ", "a", "", 10_000),
        nested("- ", "a", "", 10_000),
        nested("(SELECT ", "1", ")", 10_000),
        nested("a[", "1", "]", 10_000),
        nested("", "a", " IS NULL", 10_000),
        nested("", "a", "::int", 10_000),
        nested("", "1", " + 1", 1_000_000),
        nested("", "1", " DIV 1", 10_000),
        nested("", "a", " BETWEEN 1 AND 2", 5_000),
        nested("", "1", " UNION ALL SELECT 1", 10_000),
        nested("1 + (", "1", ")", 5_000),
        nested("(", "a", " BETWEEN 1 AND 2)", 100),
        format!("SELECT * FROM {}t{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("SELECT CAST(a AS {}int{})", "array<".repeat(10_000), ">".repeat(10_000)),
        format!("SELECT {}", "struct<a int options (k = 1 > 1 >> 1), b ".repeat(10_000)),
    ];
    for text in cases {
        let start = Instant::now();
        let error = query(&text).unwrap_err();
        // Where a word may also be a name, sqlparser takes it for one when it may not go deeper.
        let shown = (error.condition.as_str(), error.sql_state.as_str());
        let expected = [("FAILED_TO_PARSE_TOO_COMPLEX", "54001"), ("PARSE_SYNTAX_ERROR", "42601")];
        assert!(expected.contains(&shown), "{text:.40}: {error}");
        assert!(shown == expected[0] || text.contains("NOT ") || text.contains("CASE "), "{text:.40}: {error}");
        assert!(start.elapsed() < Duration::from_secs(120), "{text:.40} took {:?}", start.elapsed());
    }
}

#[test]
fn a_long_chain_is_dropped_where_there_is_stack_for_it() {
    for (link, times) in [(" + 1", 24_000), (" AND a", 24_000), (" IS NULL", 24_000), (" UNION SELECT 1", 16_000)] {
        let text = nested("", "a", link, times) + " )";
        assert_eq!(query(&text).unwrap_err().condition, "PARSE_SYNTAX_ERROR", "{link}");
    }
}

#[test]
fn brackets_that_nothing_opens() {
    for text in ["VALUES 1]", "VALUES 1], 2", "SELECT 1)", "SELECT a]", "SELECT identifier('a'))"] {
        assert_eq!(query(text).unwrap_err().condition, "PARSE_SYNTAX_ERROR", "{text}");
    }
}

#[test]
fn going_back_is_bounded() {
    for (open, times) in [("CAST(", 200), ("interval(", 200), ("CASE ", 200), ("struct(", 200), ("array(", 200)] {
        for inner in ["1 1", "", "("] {
            let start = Instant::now();
            query(&nested(open, inner, "", times)).unwrap_err();
            assert!(start.elapsed() < Duration::from_secs(20), "{open}{inner} took {:?}", start.elapsed());
        }
    }
}

#[test]
fn long_chains_of_and_are_balanced() {
    let text = vec!["x = 1"; 5_000].join(" AND ");
    let expr = parse_expression(&text).unwrap();
    assert!(depth(&expr) < 20);
    let text = vec!["x = 1 AND y"; 2_500].join(" OR ");
    assert!(depth(&parse_expression(&text).unwrap()) < 20);
}

#[test]
fn what_people_write_is_not_too_much() {
    parse_expression(&nested("(", "1", ")", 200)["SELECT ".len()..]).unwrap();
    parse_expression(&vec!["a"; 500].join(" + ")).unwrap();
    query(&format!("SELECT a FROM t WHERE a IN ({})", vec!["1"; 50_000].join(", "))).unwrap();
    query(&format!("VALUES {}", vec!["(1, -2, 'x')"; 20_000].join(", "))).unwrap();
    parse_expression(&format!("CAST(a AS {}int{})", "array<".repeat(30), ">".repeat(30))).unwrap();
    query(&vec!["SELECT 1"; 200].join(" UNION ALL ")).unwrap();
    let cases: String = (0..1_000).map(|n| format!(" WHEN a = {n} THEN 'x'")).collect();
    query(&format!("SELECT CASE{cases} END")).unwrap();
}
