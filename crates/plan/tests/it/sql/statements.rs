//! Statements that are no queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use sheetbend_plan::error::SparkError;
use sheetbend_plan::ir::{Relation, RelationKind, Source};
use sheetbend_plan::sql::{
    CreateView, Describe, ExplainMode, Parameters, Show, Statement, TableListing, ViewScope, parse_statement,
};

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

fn create_view(name: &str, scope: ViewScope, replace: bool, query: Relation) -> CreateView {
    let name = name.split('.').map(str::to_owned).collect();
    CreateView {
        name,
        scope,
        replace,
        if_not_exists: false,
        columns: vec![],
        comment: None,
        properties: BTreeMap::new(),
        query,
        text: String::new(),
    }
}

#[test]
fn views_of_queries() {
    let one = || RelationKind::Project { input: None, list: vec![int(1)] }.into();
    let named = vec![("a".to_owned(), Some("x".to_owned())), ("b".to_owned(), None)];
    let cases = [
        ("CREATE TEMPORARY VIEW v AS SELECT * FROM t", create_view("v", ViewScope::Temporary, false, select())),
        ("create or replace temp view `v` as select * from t;", create_view("v", ViewScope::Temporary, true, select())),
        (
            "CREATE TEMP VIEW v (a COMMENT 'x', b) AS SELECT * FROM t",
            CreateView { columns: named, ..create_view("v", ViewScope::Temporary, false, select()) },
        ),
        (
            "CREATE TEMP VIEW v COMMENT 'one' AS SELECT 1",
            CreateView { comment: Some("one".to_owned()), ..create_view("v", ViewScope::Temporary, false, one()) },
        ),
        ("CREATE GLOBAL TEMP VIEW v AS SELECT 1", create_view("v", ViewScope::Global, false, one())),
        ("CREATE OR REPLACE VIEW d.v AS SELECT 1", create_view("d.v", ViewScope::Stored, true, one())),
        (
            "CREATE VIEW IF NOT EXISTS v AS SELECT 1",
            CreateView { if_not_exists: true, ..create_view("v", ViewScope::Stored, false, one()) },
        ),
    ];
    for (text, expected) in cases {
        let query = text[text.to_uppercase().find("SELECT").unwrap()..].trim_end_matches(';').to_owned();
        let expected = CreateView { text: query, ..expected };
        assert_eq!(statement(text), Ok(Statement::CreateView(expected)), "{text}");
    }
}

#[test]
fn views_of_sources() {
    let view = |format: &str, options: &[(&str, &str)], schema| {
        let options: BTreeMap<_, _> = options.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let source = Source { format: format.to_owned(), options, schema, ..Source::default() };
        Ok(Statement::CreateSourceView { name: names(&["t"]), replace: false, scope: ViewScope::Temporary, source })
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
    let show = |kind, namespace: Option<&[&str]>, pattern: Option<&str>| {
        Statement::Show(Show::Tables { kind, namespace: namespace.map(names), pattern: pattern.map(str::to_owned) })
    };
    let drop = |view, name: &[&str], if_exists| Statement::Drop { view, name: names(name), if_exists };
    let cases = [
        ("DROP VIEW a.v", drop(true, &["a", "v"], false)),
        ("DROP VIEW IF EXISTS v", drop(true, &["v"], true)),
        ("DROP TABLE v PURGE", drop(false, &["v"], false)),
        ("SHOW TABLES", show(TableListing::Tables, None, None)),
        ("SHOW VIEWS IN a.b LIKE 'x*'", show(TableListing::Views, Some(&["a", "b"]), Some("x*"))),
        ("show tables 'x|y'", show(TableListing::Tables, None, Some("x|y"))),
        ("SHOW COLUMNS IN t FROM d", Statement::Show(Show::Columns(names(&["d", "t"])))),
        ("SHOW SCHEMAS LIKE 'x'", Statement::Show(Show::Databases(Some("x".to_owned())))),
    ];
    for (text, expected) in cases {
        assert_eq!(statement(text), Ok(expected), "{text}");
    }
    assert_eq!(statement("DROP VIEW v x").unwrap_err().condition, "PARSE_SYNTAX_ERROR");
}

#[test]
fn describe_use_and_cache() {
    let cache = |query, lazy, level: Option<&str>| Statement::Cache {
        name: names(&["t"]),
        query,
        lazy,
        level: level.map(str::to_owned),
    };
    let cases = [
        ("DESCRIBE t", Statement::Describe(Describe::Table { name: names(&["t"]), extended: false })),
        ("desc table formatted a.t", Statement::Describe(Describe::Table { name: names(&["a", "t"]), extended: true })),
        ("DESC t c", Statement::Describe(Describe::Column { name: names(&["t"]), column: names(&["c"]) })),
        ("DESCRIBE QUERY SELECT * FROM t", Statement::Describe(Describe::Query(select()))),
        ("DESCRIBE SELECT * FROM t", Statement::Describe(Describe::Query(select()))),
        ("USE DATABASE d", Statement::Use(names(&["d"]))),
        ("USE database", Statement::Use(names(&["database"]))),
        ("CACHE TABLE t", cache(None, false, None)),
        ("CACHE LAZY TABLE t OPTIONS ('storageLevel' 'DISK_ONLY')", cache(None, true, Some("DISK_ONLY"))),
        ("CACHE TABLE t AS SELECT * FROM t", cache(Some(select()), false, None)),
        ("REFRESH TABLE t", Statement::Refresh(names(&["t"]))),
        ("REFRESH table", Statement::Refresh(names(&["table"]))),
        ("RESET", Statement::Reset(None)),
        ("RESET a.b;", Statement::Reset(Some("a.b".to_owned()))),
    ];
    for (text, expected) in cases {
        assert_eq!(statement(text), Ok(expected), "{text}");
    }
    for text in ["DESCRIBE", "USE", "CACHE TABLE", "CACHE TABLE t AS", "DESCRIBE t c d", "UNCACHE t"] {
        assert!(statement(text).is_err(), "{text}");
    }
}

#[test]
fn identifier_clauses() {
    let drop = |name: &[&str]| Ok(Statement::Drop { view: true, name: names(name), if_exists: false });
    let params = Parameters { named: BTreeMap::from([("n".to_owned(), super::text("a.v"))]), ..Parameters::default() };
    assert_eq!(parse_statement("DROP VIEW IDENTIFIER(:n)", &params), drop(&["a", "v"]));
    assert_eq!(statement("DROP VIEW identifier('v' || 'w')"), drop(&["vw"]));
    assert_eq!(statement("SELECT * FROM identifier('t')"), Ok(Statement::Query(select())));
    assert_eq!(statement("DROP VIEW identifier(1)").unwrap_err().condition, "NOT_A_CONSTANT_STRING.WRONG_TYPE");
    assert_eq!(statement("DROP VIEW identifier('a b')").unwrap_err().condition, "PARSE_SYNTAX_ERROR");
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
        ("SET TIME ZONE INTERVAL '-05:30' HOUR TO MINUTE", Some("spark.sql.session.timeZone"), Some("-05:30")),
        ("SET TIME ZONE 'Europe/Vienna'", Some("spark.sql.session.timeZone"), Some("Europe/Vienna")),
    ];
    for (text, key, value) in cases {
        let expected = Statement::Set { key: key.map(str::to_owned), value: value.map(str::to_owned) };
        assert_eq!(statement(text), Ok(expected), "{text}");
    }
    assert_eq!(statement("SET a b").unwrap_err().condition, "INVALID_SET_SYNTAX");
    assert_eq!(statement("SETTINGS").unwrap_err().condition, "PARSE_SYNTAX_ERROR");
}
