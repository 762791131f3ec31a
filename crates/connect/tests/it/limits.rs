//! Messages that are too deep, or no messages at all.

use spark_connect_proto::relation::RelType;
use spark_connect_proto::*;

use crate::support::{Fixture, batches, condition, range, relation, rest, rows};

fn limits(levels: usize) -> Relation {
    (0..levels)
        .fold(range(9), |input, _| relation(RelType::Limit(Box::new(Limit { input: Some(Box::new(input)), limit: 5 }))))
}

fn on_a_large_stack(test: impl Future<Output = ()> + Send + 'static) {
    // This client encodes and drops the plan recursively, too.
    let body = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    std::thread::Builder::new().stack_size(256 << 20).spawn(body).unwrap().join().unwrap();
}

#[test]
fn a_plan_nests_as_deep_as_in_spark() {
    on_a_large_stack(async {
        let mut server = Fixture::new().await;
        for levels in [1, 60, 500] {
            assert_eq!(rows(&server.execute(limits(levels)).await.unwrap()), 5);
        }
        let refused = server.execute(limits(5_000)).await.unwrap_err();
        assert_eq!(condition(&refused), "CONNECT_INVALID_PLAN.CANNOT_PARSE");
        assert!(refused.message().contains("1024 levels"), "{refused}");
        assert_eq!(rows(&server.execute(range(2)).await.unwrap()), 2);
    });
}

#[tokio::test]
async fn text_does_not_count_as_nesting() {
    let mut server = Fixture::new().await;
    // Each byte could begin another field of a message in a message, or a group.
    for alias in ["\n\u{7f}".repeat(40_000), "#".repeat(40_000), "cks".repeat(10_000)] {
        let plan = relation(RelType::SubqueryAlias(Box::new(SubqueryAlias {
            input: Some(Box::new(range(2))),
            alias,
            ..SubqueryAlias::default()
        })));
        assert_eq!(rows(&server.execute(plan).await.unwrap()), 2);
    }
}

#[tokio::test]
async fn rows_that_are_no_arrow_stream_are_refused() {
    let mut server = Fixture::new().await;
    let whole = {
        let result = server.execute(range(3)).await.unwrap();
        batches(&result)[0].data.clone()
    };
    let local = |data: Vec<u8>| {
        relation(RelType::LocalRelation(LocalRelation { data: Some(data.into()), ..LocalRelation::default() }))
    };
    assert_eq!(rows(&server.execute(local(whole.to_vec())).await.unwrap()), 3);
    // Every byte made wrong in turn: an answer or a clean error, and a server that goes on.
    for at in 0..whole.len() {
        let mut broken = whole.to_vec();
        broken[at] ^= 0xff;
        if let Err(status) = server.execute(local(broken)).await {
            assert!(status.message().starts_with('['), "byte {at}: {status}");
        }
    }
    for length in [0, 1, 7, whole.len() / 2, whole.len() - 9] {
        let refused = server.execute(local(whole[..length].to_vec())).await.unwrap_err();
        assert_eq!(condition(&refused), "CONNECT_INVALID_PLAN.CANNOT_PARSE", "length {length}");
    }
}

#[tokio::test]
async fn a_client_does_not_choose_how_many_queues_there_are() {
    let mut server = Fixture::new().await;
    let many = Repartition { input: Some(Box::new(range(5))), num_partitions: i32::MAX, shuffle: Some(true) };
    assert_eq!(rows(&server.execute(relation(RelType::Repartition(Box::new(many)))).await.unwrap()), 5);
}

#[tokio::test]
async fn literals_that_are_none_are_refused() {
    use spark_connect_proto::expression::literal::{Array, Decimal, LiteralType};
    use spark_connect_proto::expression::{ExprType, Literal};
    let literal = |value| Literal { literal_type: Some(value), ..Literal::default() };
    let mixed = vec![literal(LiteralType::Integer(1)), literal(LiteralType::String("a".to_owned()))];
    let decimal = |value: &str| LiteralType::Decimal(Decimal { value: value.to_owned(), ..Decimal::default() });
    let array = Array { elements: mixed, ..Array::default() };
    let mut server = Fixture::new().await;
    for value in [LiteralType::Array(array), decimal("1e2147483647"), decimal("1e-2147483648"), decimal("one")] {
        let expression = Expression { expr_type: Some(ExprType::Literal(literal(value))), ..Expression::default() };
        let select = Project { input: Some(Box::new(range(1))), expressions: vec![expression] };
        let refused = server.execute(relation(RelType::Project(Box::new(select)))).await.unwrap_err();
        assert_eq!(condition(&refused), "CONNECT_INVALID_PLAN.CANNOT_PARSE", "{refused}");
    }
}

#[tokio::test]
async fn a_pattern_takes_no_longer_than_its_length() {
    use spark_connect_proto::catalog::CatType;
    use spark_connect_proto::command::CommandType;
    let mut server = Fixture::new().await;
    let name = "a".repeat(200);
    let view = CreateDataFrameViewCommand { input: Some(range(1)), name: name.clone(), ..Default::default() };
    let mut request = server.request(range(1));
    let command = Command { command_type: Some(CommandType::CreateDataframeView(view)) };
    request.plan = Some(Plan { op_type: Some(plan::OpType::Command(command)) });
    rest(server.start(request).await).await.unwrap();
    for (pattern, count) in [
        ("*a".repeat(60) + "*b", 0),
        ("*a".repeat(60), 1),
        ("*a".repeat(201), 0),
        (name.clone() + "*", 1),
        (name.clone() + "*a", 0),
        ("x|A*".to_owned(), 1),
    ] {
        let list = ListTables { db_name: None, pattern: Some(pattern.clone()) };
        let listed = relation(RelType::Catalog(Catalog { cat_type: Some(CatType::ListTables(list)) }));
        assert_eq!(rows(&server.execute(listed).await.unwrap()), count, "{pattern}");
    }
}
