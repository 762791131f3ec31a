//! Text that fails, and how.

use sheetbend_plan::error::ErrorClass;
use sheetbend_plan::sql::{Parameters, parse_expression, parse_statement};

use super::query;

#[test]
fn syntax_errors_name_text_and_place() {
    let cases = [
        ("SELECT", "Syntax error at or near end of input."),
        ("SELECT a b c FROM t", "Syntax error at or near 'c'. (line 1, pos 11)"),
        ("SELECT a\nFROM t\nWHERE a = ,", "Syntax error at or near ','. (line 3, pos 10)"),
        ("SELECT (1 + 2", "Syntax error at or near end of input."),
        ("SELECT 1 +", "Syntax error at or near end of input."),
        ("SELECT * FROM t\nORDER BY ,", "Syntax error at or near ','. (line 2, pos 9)"),
        ("SELECT 1; SELECT 2", "Syntax error at or near ';'. (line 1, pos 8)"),
        ("SELECT 1 AS 'a'", "Syntax error at or near ''a''."),
        ("SELECT a AT TIME ZONE 'UTC'", "Syntax error at or near 'TIME'. (line 1, pos 12)"),
        ("FOO BAR", "Syntax error at or near 'FOO'. (line 1, pos 0)"),
        ("SELECT 'abc", "Syntax error at or near ''abc'. (line 1, pos 7)"),
        ("SELECT 1 # 2", "Syntax error at or near '#'. (line 1, pos 9)"),
    ];
    for (text, message) in cases {
        let error = parse_statement(text, &Parameters::default()).unwrap_err();
        assert_eq!(error.message, message, "{text}");
        let shown = (error.class, error.condition.as_str(), error.sql_state.as_str());
        assert_eq!(shown, (ErrorClass::Parse, "PARSE_SYNTAX_ERROR", "42601"), "{text}");
    }
    let error = query("SELECT a b c").unwrap_err();
    assert_eq!(error.parameters.get("error").map(String::as_str), Some("'c'"));
}

#[test]
fn no_text() {
    for text in ["", "  ", ";;", "-- nothing\n", "/* nothing */"] {
        for error in [
            query(text).unwrap_err(),
            parse_expression(text).unwrap_err(),
            parse_statement(text, &Parameters::default()).unwrap_err(),
        ] {
            assert_eq!((error.condition.as_str(), error.sql_state.as_str()), ("PARSE_EMPTY_STATEMENT", "42617"));
        }
    }
}

#[test]
fn conditions() {
    let cases = [
        ("SELECT a FROM t GROUP BY 2", ErrorClass::Analysis, "GROUP_BY_POS_OUT_OF_RANGE", "42805"),
        ("SELECT count(*) FROM t GROUP BY 1", ErrorClass::Analysis, "GROUP_BY_POS_AGGREGATE", "42903"),
        ("SELECT a FROM t ORDER BY 0", ErrorClass::Analysis, "ORDER_BY_POS_OUT_OF_RANGE", "42805"),
        ("SELECT a FROM t ORDER BY -1", ErrorClass::Analysis, "ORDER_BY_POS_OUT_OF_RANGE", "42805"),
        ("SELECT rank() OVER w FROM t", ErrorClass::Analysis, "MISSING_WINDOW_SPECIFICATION", "42P20"),
        ("SELECT rank() OVER w FROM t WINDOW w AS (w)", ErrorClass::Analysis, "MISSING_WINDOW_SPECIFICATION", "42P20"),
        ("SELECT 1000Y", ErrorClass::Parse, "INVALID_NUMERIC_LITERAL_RANGE", "22003"),
        ("SELECT 1e999", ErrorClass::Parse, "INVALID_NUMERIC_LITERAL_RANGE", "22003"),
        ("SELECT DATE '2024-13-01'", ErrorClass::Parse, "INVALID_TYPED_LITERAL", "42604"),
        ("SELECT DATE '2023-02-29'", ErrorClass::Parse, "INVALID_TYPED_LITERAL", "42604"),
        ("SELECT TIMESTAMP 'nope'", ErrorClass::Parse, "INVALID_TYPED_LITERAL", "42604"),
        ("SELECT 1.5Y", ErrorClass::Parse, "PARSE_SYNTAX_ERROR", "42601"),
        ("SELECT max(a) FROM t GROUP BY ()", ErrorClass::Parse, "PARSE_SYNTAX_ERROR", "42601"),
        ("WITH a AS (SELECT 1), A AS (SELECT 2) SELECT 3", ErrorClass::Parse, "DUPLICATED_CTE_NAMES", "42602"),
        ("SELECT X'zz'", ErrorClass::Parse, "INVALID_TYPED_LITERAL", "42604"),
        ("SELECT INTERVAL '1 fortnight'", ErrorClass::Parse, "INVALID_INTERVAL_FORMAT", "22006"),
        ("SELECT INTERVAL '1-13' YEAR TO MONTH", ErrorClass::Parse, "INVALID_INTERVAL_FORMAT", "22006"),
        (
            "SELECT INTERVAL '1-x' YEAR TO MONTH",
            ErrorClass::Parse,
            "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING",
            "22006",
        ),
        ("SELECT INTERVAL 'x' DAY", ErrorClass::Parse, "_LEGACY_ERROR_TEMP_0026", ""),
        ("SELECT 1 UNION BY NAME SELECT 2", ErrorClass::Parse, "PARSE_SYNTAX_ERROR", "42601"),
        ("SELECT a FROM t QUALIFY a > 1", ErrorClass::Analysis, "QUALIFY_REQUIRES_WINDOW_FUNCTION", "42903"),
        ("SELECT CAST(a AS foo)", ErrorClass::Parse, "UNSUPPORTED_DATATYPE", "0A000"),
    ];
    for (text, class, condition, sql_state) in cases {
        let error = query(text).unwrap_err();
        let shown = (error.class, error.condition.as_str(), error.sql_state.as_str());
        assert_eq!(shown, (class, condition, sql_state), "{text}");
    }
}

#[test]
fn what_is_not_supported_is_named() {
    let cases = [
        ("SELECT * FROM t PIVOT (sum(a) FOR b IN (SELECT 1))", "PIVOT without a list of values"),
        ("SELECT * FROM t TABLESAMPLE (BUCKET 1 OUT OF 2 ON a)", "TABLESAMPLE by buckets of a column"),
        ("SELECT * FROM TABLE(f(a))", "TABLE(...)"),
        ("CREATE FUNCTION f AS 'x'", "CREATE FUNCTION of a class of Java"),
        ("MERGE INTO t USING s ON a = b", "the statement MERGE INTO"),
    ];
    for (text, what) in cases {
        let error = parse_statement(text, &Parameters::default()).unwrap_err();
        assert_eq!(error.message, format!("Sheetbend does not support {what} yet."), "{text}");
        assert_eq!(error.class, ErrorClass::Unsupported);
    }
}
