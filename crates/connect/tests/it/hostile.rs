//! Input that no client sends: each gets a typed error in good time, and the server goes on.

use std::time::{Duration, Instant};

use prost::Message;
use spark_connect_proto::expression::{ExprType, Literal, UnresolvedAttribute, UnresolvedFunction, literal};
use spark_connect_proto::read::{DataSource, NamedTable, ReadType};
use spark_connect_proto::relation::RelType;
use spark_connect_proto::*;
use tonic::Status;
use tonic_types::StatusExt;

use crate::raw;
use crate::support::{Fixture, condition, range, relation, rows, sql};

/// The longest that a refusal may take, in a build without optimisation on a busy machine.
const GOOD_TIME: Duration = Duration::from_secs(120);

/// Fails unless the error names the exception that PySpark raises; some of Spark's have no condition.
fn assert_typed(refused: &Status, case: &str) {
    let info = refused.get_details_error_info();
    assert!(info.is_some_and(|info| !info.reason.is_empty()), "{case}: {refused}");
    assert!(!refused.message().contains("The server has a fault"), "{case}: {refused}");
}

async fn assert_goes_on(server: &mut Fixture) {
    assert_eq!(rows(&server.execute(range(2)).await.unwrap()), 2);
}

fn plan(root: Relation) -> Vec<u8> {
    Plan { op_type: Some(plan::OpType::Root(root)) }.encode_to_vec()
}

fn expression(expr_type: ExprType) -> Expression {
    Expression { expr_type: Some(expr_type), ..Expression::default() }
}

fn int(value: i32) -> Expression {
    let literal_type = Some(literal::LiteralType::Integer(value));
    expression(ExprType::Literal(Literal { literal_type, ..Literal::default() }))
}

fn column(name: &str, plan_id: Option<i64>) -> Expression {
    let unparsed_identifier = name.to_owned();
    let attribute = UnresolvedAttribute { unparsed_identifier, plan_id, ..UnresolvedAttribute::default() };
    expression(ExprType::UnresolvedAttribute(attribute))
}

fn call(name: &str, arguments: Vec<Expression>) -> Expression {
    let function_name = name.to_owned();
    expression(ExprType::UnresolvedFunction(UnresolvedFunction { function_name, arguments, ..Default::default() }))
}

fn select(expressions: Vec<Expression>) -> Relation {
    relation(RelType::Project(Box::new(Project { input: Some(Box::new(range(3))), expressions })))
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[tokio::test]
async fn plans_that_are_cut_off_or_damaged() {
    let mut server = Fixture::new().await;
    let sum = call("+", vec![column("id", None), int(1)]);
    let filter =
        Filter { input: Some(Box::new(select(vec![sum.clone()]))), condition: Some(call(">", vec![sum, int(0)])) };
    let whole = plan(relation(RelType::Filter(Box::new(filter))));
    for length in 0..whole.len() {
        if let Err(refused) = raw::execute(&mut server, &whole[..length]).await {
            assert_typed(&refused, &format!("{length} bytes"));
        }
    }
    for at in 0..whole.len() {
        for change in [0x01, 0x08, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= change;
            if let Err(refused) = raw::execute(&mut server, &damaged).await {
                assert_typed(&refused, &format!("byte {at} ^ {change}"));
            }
        }
    }
    assert_goes_on(&mut server).await;
}

#[tokio::test]
async fn bytes_without_any_meaning() {
    let mut server = Fixture::new().await;
    let mut numbers = Numbers(88_172_645_463_325_252);
    for case in 0..400 {
        let length = numbers.next() % 300;
        let bytes: Vec<u8> = (0..length).map(|_| numbers.next().to_le_bytes()[0]).collect();
        if let Err(refused) = raw::execute(&mut server, &bytes).await {
            assert_typed(&refused, &format!("case {case}"));
        }
        if let Err(refused) = raw::send(&mut server, bytes).await {
            assert_typed(&refused, &format!("request {case}"));
        }
    }
    assert_goes_on(&mut server).await;
}

#[tokio::test]
async fn messages_10_000_deep() {
    let mut server = Fixture::new().await;
    // Fields of Relation, and within it of Filter, Limit or SetOperation; of Expression, and of a call.
    for path in [[5, 1], [8, 1], [6, 1]] {
        let mut inner = range(1).encode_to_vec();
        for number in path.into_iter().rev().cycle().take(20_000) {
            let mut outer = Vec::with_capacity(inner.len() + 8);
            raw::field(number, &inner, &mut outer);
            inner = outer;
        }
        let mut whole = Vec::new();
        raw::field(1, &inner, &mut whole);
        assert_refused(&mut server, &whole, "relations").await;
    }
    let mut inner = int(1).encode_to_vec();
    for number in [2, 3].into_iter().cycle().take(20_000) {
        let mut outer = Vec::with_capacity(inner.len() + 8);
        raw::field(number, &inner, &mut outer);
        inner = outer;
    }
    let mut project = Vec::new();
    raw::field(3, &inner, &mut project);
    let mut root = Vec::new();
    raw::field(3, &project, &mut root);
    let mut whole = Vec::new();
    raw::field(1, &root, &mut whole);
    assert_refused(&mut server, &whole, "expressions").await;
    assert_goes_on(&mut server).await;
}

#[tokio::test]
async fn groups_within_groups() {
    let mut server = Fixture::new().await;
    // Each byte begins a group of field 12, which nothing has.
    for (count, expected) in [(40_000, "end group tag"), (200_000, "1024 levels")] {
        let refused = raw::execute(&mut server, &vec![12 << 3 | 3; count]).await.unwrap_err();
        assert_typed(&refused, expected);
    }
    assert_goes_on(&mut server).await;
}

async fn assert_refused(server: &mut Fixture, plan: &[u8], case: &str) {
    let start = Instant::now();
    let refused = raw::execute(server, plan).await.unwrap_err();
    assert_eq!(condition(&refused), "CONNECT_INVALID_PLAN.CANNOT_PARSE", "{case}: {refused}");
    assert!(start.elapsed() < GOOD_TIME, "{case} took {:?}", start.elapsed());
}

#[tokio::test]
async fn plans_of_100_000_nodes() {
    let mut server = Fixture::new().await;
    let values = select(vec![call("array", (0..100_000).map(int).collect())]);
    assert_eq!(rows(&server.execute(values).await.unwrap()), 3);
    let among = std::iter::once(column("id", None)).chain((0..100_000).map(int)).collect();
    let filter = Filter { input: Some(Box::new(range(9))), condition: Some(call("in", among)) };
    assert_eq!(rows(&server.execute(relation(RelType::Filter(Box::new(filter)))).await.unwrap()), 9);
    assert_goes_on(&mut server).await;
}

#[tokio::test]
async fn enumerations_without_such_a_value() {
    let mut server = Fixture::new().await;
    let input = || Some(Box::new(range(2)));
    let order = |direction, null_ordering| {
        let child = Some(Box::new(column("id", None)));
        let order = vec![expression::SortOrder { child, direction, null_ordering }];
        relation(RelType::Sort(Box::new(Sort { input: input(), order, is_global: Some(true) })))
    };
    let join = Join { left: input(), right: input(), join_type: 99, ..Join::default() };
    let set = SetOperation { left_input: input(), right_input: input(), set_op_type: 99, ..SetOperation::default() };
    let aggregate = Aggregate { input: input(), group_type: 99, ..Aggregate::default() };
    let write = WriteOperation { input: Some(range(1)), mode: 99, ..WriteOperation::default() };
    let write = Command { command_type: Some(command::CommandType::WriteOperation(write)) };
    for (case, plan) in [
        ("join", plan(relation(RelType::Join(Box::new(join))))),
        ("set operation", plan(relation(RelType::SetOp(Box::new(set))))),
        ("aggregate", plan(relation(RelType::Aggregate(Box::new(aggregate))))),
        ("direction", plan(order(99, 0))),
        ("nulls", plan(order(1, 99))),
        ("write", Plan { op_type: Some(plan::OpType::Command(write)) }.encode_to_vec()),
    ] {
        match raw::execute(&mut server, &plan).await {
            Ok(_) => assert!(matches!(case, "direction" | "nulls"), "{case}: it was executed"),
            Err(refused) => assert_typed(&refused, case),
        }
    }
    assert_goes_on(&mut server).await;
}

#[tokio::test]
async fn sql_of_10_megabytes() {
    let mut server = Fixture::new().await;
    let megabytes = |text: &str| text.repeat((10 << 20) / text.len());
    // What takes longer than its length would not end with this much, either.
    let megabyte = |text: &str| text.repeat((1 << 20) / text.len());
    for (case, text) in [
        ("sum", format!("SELECT 1{}", megabytes(" + 1"))),
        ("parentheses", format!("SELECT {}", megabyte("("))),
        ("words", format!("SELECT {}", megabyte("x "))),
        ("one word", format!("SELECT {}", megabytes("x"))),
        ("unions", format!("SELECT 1{}", megabyte(" UNION ALL SELECT 1"))),
        ("quotes", megabytes("'")),
        ("comments", megabytes("/*")),
        ("stars", format!("SELECT {}", megabyte("*"))),
        ("identifiers", format!("SELECT {}", megabyte("identifier("))),
        ("cases", format!("SELECT {}", megabyte("CASE WHEN "))),
        ("levels", format!("WITH {}", megabyte("a MAX RECURSION LEVEL 1 "))),
    ] {
        let start = Instant::now();
        let refused = server.execute(sql(text)).await.unwrap_err();
        assert_typed(&refused, case);
        assert!(start.elapsed() < GOOD_TIME, "{case} took {:?}", start.elapsed());
    }
    let text = format!("SELECT length('{}') AS n", megabytes("x"));
    assert_eq!(rows(&server.execute(sql(text)).await.unwrap()), 1);
    assert_goes_on(&mut server).await;
}

#[tokio::test]
async fn text_with_nul() {
    let mut server = Fixture::new().await;
    assert_eq!(rows(&server.execute(sql("SELECT 'a\0b'")).await.unwrap()), 1);
    assert_eq!(rows(&server.execute(sql("SELECT 1 AS `a\0b`")).await.unwrap()), 1);
    for text in ["\0", "SELECT \0", "SELECT a\0b", "SELECT 1\0", "SELECT * FROM `t\0`", "SELECT `f\0`(1)"] {
        assert_typed(&server.execute(sql(text)).await.unwrap_err(), &format!("{text:?}"));
    }
    assert_typed(&server.execute(select(vec![column("a\0", None)])).await.unwrap_err(), "column");
    let source = DataSource {
        format: Some("parquet".to_owned()),
        paths: vec!["/nowhere/a\0b".to_owned()],
        ..DataSource::default()
    };
    let read = Read { read_type: Some(ReadType::DataSource(source)), is_streaming: false };
    assert_typed(&server.execute(relation(RelType::Read(read))).await.unwrap_err(), "path");
    assert_goes_on(&mut server).await;
}

#[tokio::test]
async fn names_that_nothing_has() {
    let mut server = Fixture::new().await;
    let table = |name: &str| {
        let named = NamedTable { unparsed_identifier: name.to_owned(), ..NamedTable::default() };
        relation(RelType::Read(Read { read_type: Some(ReadType::NamedTable(named)), is_streaming: false }))
    };
    let cached = CachedLocalRelation { hash: "0".repeat(64) };
    let chunked = ChunkedCachedLocalRelation { data_hashes: vec!["0".repeat(64)], schema_hash: None };
    let checkpoint = CachedRemoteRelation { relation_id: "nope".to_owned() };
    let function = UnresolvedTableValuedFunction { function_name: "nope".to_owned(), arguments: vec![] };
    let using = Join {
        left: Some(Box::new(range(1))),
        right: Some(Box::new(range(1))),
        join_type: join::JoinType::Inner.into(),
        using_columns: vec!["nope".to_owned()],
        ..Join::default()
    };
    for (case, plan, expected) in [
        ("column", select(vec![column("nope", None)]), "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("qualified column", select(vec![column("t.id", None)]), "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("column of no plan", select(vec![column("id", Some(77))]), "CANNOT_RESOLVE_DATAFRAME_COLUMN"),
        ("function", select(vec![call("nope", vec![])]), "UNRESOLVED_ROUTINE"),
        ("table", table("nope"), "TABLE_OR_VIEW_NOT_FOUND"),
        ("table of a database", table("nope.nope"), "TABLE_OR_VIEW_NOT_FOUND"),
        ("table of a catalogue", table("a.b.c.d"), "REQUIRES_SINGLE_PART_NAMESPACE"),
        ("cached rows", relation(RelType::CachedLocalRelation(cached)), ""),
        ("cached chunks", relation(RelType::ChunkedCachedLocalRelation(chunked)), ""),
        ("checkpoint", relation(RelType::CachedRemoteRelation(checkpoint)), ""),
        ("table function", relation(RelType::UnresolvedTableValuedFunction(function)), ""),
        ("column of a join", relation(RelType::Join(Box::new(using))), "UNRESOLVED_USING_COLUMN_FOR_JOIN"),
        ("field", sql("SELECT named_struct('a', 1).b"), "FIELD_NOT_FOUND"),
        ("window", sql("SELECT sum(1) OVER w"), "MISSING_WINDOW_SPECIFICATION"),
        ("parameter", sql("SELECT :nope"), "UNBOUND_SQL_PARAMETER"),
        ("type", sql("SELECT CAST(1 AS nope)"), "UNSUPPORTED_DATATYPE"),
        ("database", sql("SELECT * FROM nope.nope.nope"), ""),
    ] {
        let refused = server.execute(plan).await.unwrap_err();
        assert_typed(&refused, case);
        assert!(expected.is_empty() || condition(&refused) == expected, "{case}: {refused}");
    }
    assert_goes_on(&mut server).await;
}
