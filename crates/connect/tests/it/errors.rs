//! Errors as a client sees them.

use spark_connect_proto::expression::{ExprType, UnresolvedAttribute};
use spark_connect_proto::read::{DataSource, ReadType};
use spark_connect_proto::relation::RelType;
use spark_connect_proto::*;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{Fixture, condition, range, relation, rows};

fn select(column: &str) -> Relation {
    let attribute = UnresolvedAttribute { unparsed_identifier: column.to_owned(), ..UnresolvedAttribute::default() };
    let expression = Expression { expr_type: Some(ExprType::UnresolvedAttribute(attribute)), ..Expression::default() };
    relation(RelType::Project(Box::new(Project { input: Some(Box::new(range(3))), expressions: vec![expression] })))
}

#[tokio::test]
async fn an_error_has_class_condition_and_state() {
    let mut server = Fixture::new().await;
    let status = server.execute(select("nope")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "org.apache.spark.sql.AnalysisException");
    assert_eq!(info.domain, "org.apache.spark");
    assert_eq!(info.metadata["errorClass"], "UNRESOLVED_COLUMN.WITH_SUGGESTION");
    assert_eq!(info.metadata["sqlState"], "42703");
    let classes: Vec<String> = serde_json::from_str(&info.metadata["classes"]).unwrap();
    assert!(classes.contains(&"java.lang.Exception".to_owned()));
    let parameters: serde_json::Value = serde_json::from_str(&info.metadata["messageParameters"]).unwrap();
    assert!(parameters.is_object());
    // The status says it all, so there is nothing to fetch.
    assert!(!info.metadata.contains_key("errorId"));
}

#[tokio::test]
async fn a_long_error_is_fetched() {
    let mut server = Fixture::new().await;
    let name = "é".repeat(20_000);
    let status = server.execute(select(&name)).await.unwrap_err();
    // What gRPC clients take in trailers: the message goes percent-encoded, and the details in base64.
    assert!(status.message().len() * 3 + status.details().len() * 4 / 3 < 8_000);
    let error_id = status.get_details_error_info().unwrap().metadata["errorId"].clone();
    let request = FetchErrorDetailsRequest {
        session_id: server.session_id.clone(),
        error_id,
        ..FetchErrorDetailsRequest::default()
    };
    let details = server.client.fetch_error_details(request).await.unwrap().into_inner();
    let root = &details.errors[details.root_error_idx.unwrap() as usize];
    assert!(root.message.contains(&name));
    assert_eq!(root.error_type_hierarchy[0], "org.apache.spark.sql.AnalysisException");
}

#[tokio::test]
async fn names_are_parsed_as_spark_does() {
    let mut server = Fixture::new().await;
    assert_eq!(rows(&server.execute(select("`id`")).await.unwrap()), 3);
    for name in ["`id", "id.", ".id", "i`d"] {
        let refused = server.execute(select(name)).await.unwrap_err();
        assert_eq!(condition(&refused), "INVALID_ATTRIBUTE_NAME_SYNTAX", "{name}");
    }
}

#[tokio::test]
async fn what_is_not_supported_is_named() {
    let mut server = Fixture::new().await;
    let input = Some(Box::new(range(3)));
    let watermark = WithWatermark { input, ..WithWatermark::default() };
    let refused = server.execute(relation(RelType::WithWatermark(Box::new(watermark)))).await.unwrap_err();
    assert_eq!(condition(&refused), "UNSUPPORTED_OPERATION");
    assert!(refused.message().contains("df.withWatermark"), "{refused}");
    let source = DataSource { format: Some("parqet".to_owned()), ..DataSource::default() };
    let read = Read { read_type: Some(ReadType::DataSource(source)), is_streaming: false };
    let refused = server.execute(relation(RelType::Read(read))).await.unwrap_err();
    assert_eq!(condition(&refused), "DATA_SOURCE_NOT_FOUND");
}

#[tokio::test]
async fn requests_without_their_fields_are_refused() {
    let mut server = Fixture::new().await;
    for broken in
        [Relation::default(), relation(RelType::Filter(Box::default())), relation(RelType::Join(Box::default()))]
    {
        let refused = server.execute(broken).await.unwrap_err();
        assert!(refused.message().starts_with('['), "{refused}");
    }
    let mut request = server.request(range(1));
    request.session_id = "not-a-uuid".to_owned();
    assert_eq!(condition(&server.client.execute_plan(request).await.unwrap_err()), "INVALID_HANDLE.FORMAT");
}
