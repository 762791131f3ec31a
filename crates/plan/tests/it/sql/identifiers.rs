//! Names as they are written outside of SQL.

use sheetbend_plan::sql::parse_identifier;

#[test]
fn parts() {
    let cases: [(&str, &[&str]); 7] = [
        ("", &[""]),
        ("a", &["a"]),
        ("a.b.c", &["a", "b", "c"]),
        ("a.`b c`.d", &["a", "b c", "d"]),
        ("`a.b`", &["a.b"]),
        ("`a``b`.c", &["a`b", "c"]),
        ("my column-1", &["my column-1"]),
    ];
    for (text, parts) in cases {
        assert_eq!(parse_identifier(text), Ok(parts.iter().map(|&p| p.to_owned()).collect()), "{text}");
    }
}

#[test]
fn broken() {
    for text in ["a.", ".a", "a..b", "`a", "a`b`", "`a`b"] {
        let error = parse_identifier(text).unwrap_err();
        assert_eq!(error.condition, "INVALID_ATTRIBUTE_NAME_SYNTAX", "{text}");
        assert_eq!(error.sql_state, "42601");
    }
}
