//! Statements that are no queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use sheetbend_plan::error::SparkError;
use sheetbend_plan::ir::{Relation, RelationKind, Source};
use sheetbend_plan::sql::{ExplainMode, Parameters, Statement, parse_statement};

use super::{int, project, star, table};

fn statement(text: &str) -> Result<Statement, SparkError> {
    parse_statement(text, &Parameters::default())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn select() -> Relation {
    project(table("t"), [star()])
}

#[test]
fn queries_and_explain() {
    for text in ["SELECT * FROM t", " (SELECT * FROM t);", "from t select *"] {
        assert_eq!(statement(text), Ok(Statement::Query(select())), "{text}");
    }
    for (text, mode) in [
        ("EXPLAIN SELECT * FROM t", ExplainMode::Simple),
        ("explain extended SELECT * FROM t", ExplainMode::Extended),
        ("EXPLAIN FORMATTED SELECT * FROM t;", ExplainMode::Formatted),
        ("EXPLAIN COST SELECT * FROM t", ExplainMode::Cost),
    ] {
        assert_eq!(statement(text), Ok(Statement::Explain { mode, query: select() }), "{text}");
    }
    assert_eq!(statement("explain ANALYZE SELECT * FROM t;"), Ok(Statement::ExplainAnalyze(select())));
    assert!(statement("EXPLAIN ANALYZE EXTENDED SELECT * FROM t").is_err());
}

#[test]
fn views_of_queries() {
    let view = |replace, query| Ok(Statement::CreateView { name: names(&["v"]), replace, query });
    assert_eq!(statement("CREATE TEMPORARY VIEW v AS SELECT * FROM t"), view(false, select()));
    assert_eq!(statement("create or replace temp view `v` as select * from t;"), view(true, select()));
    let named = RelationKind::ToDf { input: Box::new(select()), names: names(&["a", "b"]) }.into();
    assert_eq!(statement("CREATE TEMP VIEW v (a COMMENT 'x', b) AS SELECT * FROM t"), view(false, named));
    let one = RelationKind::Project { input: None, list: vec![int(1)] }.into();
    assert_eq!(statement("CREATE TEMP VIEW v COMMENT 'one' AS SELECT 1"), view(false, one));
}

#[test]
fn views_of_sources() {
    let view = |format: &str, options: &[(&str, &str)], schema| {
        let options: BTreeMap<_, _> = options.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let source = Source { format: format.to_owned(), options, schema, ..Source::default() };
        Ok(Statement::CreateSourceView { name: names(&["t"]), replace: false, source })
    };
    let cases = [
        ("CREATE TEMPORARY VIEW t USING files", view("files", &[], None)),
        ("CREATE TEMPORARY VIEW t USING my.source", view("my.source", &[], None)),
        (
            "CREATE TEMPORARY VIEW t USING files OPTIONS (url 'files:x', k 'v', \"k 2\" 'v2', a.b 'v', e = 'f', n 10, \
             m -1.5, b TRUE, select 'x', userName \"it''s\")",
            view(
                "files",
                &[
                    ("url", "files:x"),
                    ("k", "v"),
                    ("k 2", "v2"),
                    ("a.b", "v"),
                    ("e", "f"),
                    ("n", "10"),
                    ("m", "-1.5"),
                    ("b", "true"),
                    ("select", "x"),
                    ("userName", "it''s"),
                ],
                None,
            ),
        ),
        (
            "CREATE TEMP VIEW t (a INT, b ARRAY<ARRAY<INT>>) USING x OPTIONS (k 'v')",
            view(
                "x",
                &[("k", "v")],
                Some(Arc::new(Schema::new(vec![
                    Field::new("a", DataType::Int32, true),
                    Field::new(
                        "b",
                        DataType::List(
                            Field::new_list_field(
                                DataType::List(Field::new_list_field(DataType::Int32, true).into()),
                                true,
                            )
                            .into(),
                        ),
                        true,
                    ),
                ]))),
            ),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(statement(text), expected, "{text}");
    }
    for (text, condition) in [
        ("CREATE TEMP VIEW t USING x OPTIONS (a 'b', a 'c')", "DUPLICATE_KEY"),
        ("CREATE TEMP VIEW t USING x OPTIONS (a)", "PARSE_SYNTAX_ERROR"),
        ("CREATE TEMP VIEW t USING x OPTIONS (a 'b'", "PARSE_SYNTAX_ERROR"),
        ("CREATE TEMP VIEW t USING x y", "PARSE_SYNTAX_ERROR"),
        ("CREATE TEMP VIEW t", "PARSE_SYNTAX_ERROR"),
        ("CREATE TEMP VIEW t (a) USING x", "PARSE_SYNTAX_ERROR"),
        ("CREATE TEMP VIEW t (a foo) USING x", "UNSUPPORTED_DATATYPE"),
    ] {
        assert_eq!(statement(text).unwrap_err().condition, condition, "{text}");
    }
}

#[test]
fn drop_and_show() {
    let show = |views, namespace: Option<&[&str]>, pattern: Option<&str>| Statement::Show {
        views,
        namespace: namespace.map(names),
        pattern: pattern.map(str::to_owned),
    };
    let cases = [
        ("DROP VIEW a.v", Statement::DropView { name: names(&["a", "v"]), if_exists: false }),
        ("DROP VIEW IF EXISTS v", Statement::DropView { name: names(&["v"]), if_exists: true }),
        ("SHOW TABLES", show(false, None, None)),
        ("SHOW VIEWS IN a.b LIKE 'x*'", show(true, Some(&["a", "b"]), Some("x*"))),
        ("show tables 'x|y'", show(false, None, Some("x|y"))),
    ];
    for (text, expected) in cases {
        assert_eq!(statement(text), Ok(expected), "{text}");
    }
    assert_eq!(statement("DROP VIEW v x").unwrap_err().condition, "PARSE_SYNTAX_ERROR");
}

#[test]
fn set() {
    let cases = [
        ("SET", None, None),
        ("SET -v", None, None),
        ("set spark.sql.ansi.enabled", Some("spark.sql.ansi.enabled"), None),
        ("SET a.b=c d 'e;f';", Some("a.b"), Some("c d 'e;f'")),
        ("SET a = x=y", Some("a"), Some("x=y")),
        ("SET `a b` = 1", Some("a b"), Some("1")),
        ("SET a=", Some("a"), Some("")),
        ("SET TIME ZONE 'Europe/Vienna'", Some("spark.sql.session.timeZone"), Some("Europe/Vienna")),
    ];
    for (text, key, value) in cases {
        let expected = Statement::Set { key: key.map(str::to_owned), value: value.map(str::to_owned) };
        assert_eq!(statement(text), Ok(expected), "{text}");
    }
    assert_eq!(statement("SET a b").unwrap_err().condition, "INVALID_SET_SYNTAX");
    assert_eq!(statement("SET VARIABLE x = 1").unwrap_err().condition, "UNSUPPORTED_OPERATION");
    assert_eq!(statement("SETTINGS").unwrap_err().condition, "PARSE_SYNTAX_ERROR");
}
