//! Statements that write: `INSERT`, `CREATE TABLE`, `DROP TABLE`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use sheetbend_plan::error::SparkError;
use sheetbend_plan::ir::{Insert, InsertColumns, RelationKind, Source};
use sheetbend_plan::sql::{CreateTable, ExplainMode, Parameters, Statement, parse_statement};

use super::{int, project, star, table, text};

fn statement(text: &str) -> Result<Statement, SparkError> {
    parse_statement(text, &Parameters::default())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn insert(overwrite: bool, columns: InsertColumns, query: RelationKind) -> Insert {
    Insert { table: names(&["t"]), overwrite, columns, query: query.into() }
}

#[test]
fn inserts() {
    let values = || RelationKind::Values(vec![vec![int(1), text("a")]]);
    let rows = || project(table("u"), [star()]).kind;
    let list = |columns: &[&str]| InsertColumns::List(names(columns));
    let cases = [
        ("INSERT INTO t VALUES (1, 'a')", insert(false, InsertColumns::Position, values())),
        ("insert into table `t` values (1, 'a');", insert(false, InsertColumns::Position, values())),
        ("INSERT OVERWRITE t VALUES (1, 'a')", insert(true, InsertColumns::Position, values())),
        ("INSERT OVERWRITE TABLE t SELECT * FROM u", insert(true, InsertColumns::Position, rows())),
        ("INSERT INTO t (SELECT * FROM u)", insert(false, InsertColumns::Position, rows())),
        ("INSERT INTO t FROM u SELECT *", insert(false, InsertColumns::Position, rows())),
        ("INSERT INTO t (a) SELECT * FROM u", insert(false, list(&["a"]), rows())),
        ("INSERT INTO t (b, `A c`, select) VALUES (1, 'a')", insert(false, list(&["b", "A c", "select"]), values())),
        ("INSERT INTO t (values) VALUES (1, 'a')", insert(false, list(&["values"]), values())),
        ("INSERT INTO t BY NAME SELECT * FROM u", insert(false, InsertColumns::Name, rows())),
        ("INSERT OVERWRITE t BY NAME SELECT * FROM u", insert(true, InsertColumns::Name, rows())),
    ];
    for (text, expected) in cases {
        assert_eq!(statement(text), Ok(Statement::Insert(expected)), "{text}");
    }
    let explained = Statement::ExplainInsert {
        mode: ExplainMode::Formatted,
        insert: insert(false, InsertColumns::Position, values()),
    };
    assert_eq!(statement("EXPLAIN FORMATTED INSERT INTO t VALUES (1, 'a')"), Ok(explained));
}

#[test]
fn a_name_of_several_parts_may_be_written_to() {
    for text in ["INSERT INTO a.b.t TABLE u", "INSERT INTO a.`b`.t SELECT * FROM u"] {
        let Ok(Statement::Insert(insert)) = statement(text) else { panic!("{text}") };
        assert_eq!(insert.table, names(&["a", "b", "t"]), "{text}");
    }
}

#[test]
fn tables() {
    let create = |format: &str, options: &[(&str, &str)], paths: &[&str], schema, query| {
        let options: BTreeMap<_, _> = options.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect();
        let source = Source { format: format.to_owned(), options, paths: names(paths), schema, ..Source::default() };
        CreateTable {
            name: names(&["t"]),
            if_not_exists: false,
            source,
            partition_by: vec![],
            comment: None,
            properties: BTreeMap::new(),
            query,
        }
    };
    let columns = Some(Arc::new(Schema::new(vec![
        Field::new("a", DataType::Int32, false),
        Field::new("b", DataType::Decimal128(4, 2), true),
    ])));
    let query = Some(project(table("u"), [star()]));
    let cases = [
        ("CREATE TABLE t USING x", create("x", &[], &[], None, None)),
        ("create table t using a.b options (k 'v', n 1);", create("a.b", &[("k", "v"), ("n", "1")], &[], None, None)),
        ("CREATE TABLE t (a INT NOT NULL, b DECIMAL(4, 2)) USING x", create("x", &[], &[], columns, None)),
        ("CREATE TABLE t USING x LOCATION '/p'", create("x", &[], &["/p"], None, None)),
        ("CREATE TABLE t SELECT * FROM u", create("", &[], &[], None, query.clone())),
        ("CREATE TABLE t USING x OPTIONS (k 'v') AS SELECT * FROM u", create("x", &[("k", "v")], &[], None, query)),
    ];
    for (text, expected) in cases {
        assert_eq!(statement(text), Ok(Statement::CreateTable(expected)), "{text}");
    }
    let Ok(Statement::CreateTable(CreateTable { name, if_not_exists: true, .. })) =
        statement("CREATE TABLE IF NOT EXISTS a.t USING x")
    else {
        panic!("IF NOT EXISTS")
    };
    assert_eq!(name, names(&["a", "t"]));
    for (text, name, if_exists) in
        [("DROP TABLE a.t", names(&["a", "t"]), false), ("drop table if exists t purge;", names(&["t"]), true)]
    {
        assert_eq!(statement(text), Ok(Statement::Drop { view: false, name, if_exists }), "{text}");
    }
}

#[test]
fn what_is_no_statement_or_not_supported() {
    for (text, condition) in [
        ("INSERT t VALUES (1)", "PARSE_SYNTAX_ERROR"),
        ("INSERT INTO t", "PARSE_SYNTAX_ERROR"),
        ("INSERT INTO t (a)", "PARSE_SYNTAX_ERROR"),
        ("INSERT INTO t (a, VALUES (1)", "PARSE_SYNTAX_ERROR"),
        ("INSERT INTO t () VALUES (1)", "PARSE_SYNTAX_ERROR"),
        ("INSERT OVERWRITE INTO t SELECT 1", "PARSE_SYNTAX_ERROR"),
        ("INSERT INTO t BY NAME (a) SELECT 1", "PARSE_SYNTAX_ERROR"),
        ("INSERT INTO t PARTITION (a = 1) SELECT 1", "UNSUPPORTED_OPERATION"),
        ("INSERT INTO t REPLACE WHERE a = 1 SELECT 1", "UNSUPPORTED_OPERATION"),
        ("INSERT OVERWRITE LOCAL DIRECTORY '/x' SELECT 1", "UNSUPPORTED_OPERATION"),
        ("CREATE TABLE t CLUSTERED BY (a) INTO 2 BUCKETS", "UNSUPPORTED_OPERATION"),
        ("CREATE TABLE t USING x AS", "PARSE_SYNTAX_ERROR"),
        ("CREATE TABLE t USING x y", "PARSE_SYNTAX_ERROR"),
        ("CREATE TABLE t (a foo) USING x", "UNSUPPORTED_DATATYPE"),
        ("CREATE TABLE t (a INT) USING x AS SELECT 1", "INVALID_SQL_SYNTAX.CREATE_TABLE_AS_COLUMNS"),
        ("DROP TABLE t u", "PARSE_SYNTAX_ERROR"),
        ("DROP TABLE", "PARSE_SYNTAX_ERROR"),
    ] {
        assert_eq!(statement(text).unwrap_err().condition, condition, "{text}");
    }
}
