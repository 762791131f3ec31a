//! Messages that are too deep, or no messages at all.

use spark_connect_proto::relation::RelType;
use spark_connect_proto::*;

use crate::support::{Fixture, batches, condition, range, relation, rows};

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
    // Each byte could begin another field of a message in a message.
    let alias = "\n\u{7f}".repeat(40_000);
    let plan = relation(RelType::SubqueryAlias(Box::new(SubqueryAlias {
        input: Some(Box::new(range(2))),
        alias,
        ..SubqueryAlias::default()
    })));
    assert_eq!(rows(&server.execute(plan).await.unwrap()), 2);
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
