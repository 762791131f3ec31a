//! Sessions and their settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sheetbend_connect::{Server, ServerConfig};
use sheetbend_datasource::format::FormatRegistry;
use spark_connect_proto::config_request::operation::OpType;
use spark_connect_proto::config_request::{Get, Operation, Set};
use spark_connect_proto::*;

use crate::support::{Fixture, condition, range};

fn config(session_id: &str, operation: OpType) -> ConfigRequest {
    ConfigRequest {
        session_id: session_id.to_owned(),
        operation: Some(Operation { op_type: Some(operation) }),
        ..ConfigRequest::default()
    }
}

fn get(session_id: &str, key: &str) -> ConfigRequest {
    config(session_id, OpType::Get(Get { keys: vec![key.to_owned()] }))
}

fn set(session_id: &str, key: &str, value: &str) -> ConfigRequest {
    let pairs = vec![KeyValue { key: key.to_owned(), value: Some(value.to_owned()) }];
    config(session_id, OpType::Set(Set { pairs, silent: None }))
}

#[tokio::test]
async fn settings_have_defaults_and_belong_to_a_session() {
    let mut server = Fixture::new().await;
    let (id, other) = (server.session_id.clone(), uuid::Uuid::new_v4().to_string());
    let zone = "spark.sql.session.timeZone";
    server.client.config(set(&id, zone, "Europe/Paris")).await.unwrap();
    let value = async |server: &mut Fixture, id: &str| {
        server.client.config(get(id, zone)).await.unwrap().into_inner().pairs[0].value.clone().unwrap()
    };
    assert_eq!(value(&mut server, &id).await, "Europe/Paris");
    assert_eq!(value(&mut server, &other).await, "UTC");
    for (request, expected) in [
        (get(&id, "no.such.key"), "SQL_CONF_NOT_FOUND"),
        (set(&id, zone, "Mars/Olympus"), "INVALID_CONF_VALUE.TIME_ZONE"),
        (set(&id, "spark.sql.ansi.enabled", "maybe"), "INVALID_CONF_VALUE.TYPE_MISMATCH"),
        (set(&id, "spark.driver.memory", "1g"), "CANNOT_MODIFY_CONFIG"),
    ] {
        assert_eq!(condition(&server.client.config(request).await.unwrap_err()), expected);
    }
}

#[tokio::test]
async fn a_session_that_ended_does_not_come_back() {
    let mut server = Fixture::new().await;
    let id = server.session_id.clone();
    let known = server.execute(range(1)).await.unwrap()[0].server_side_session_id.clone();
    let release = ReleaseSessionRequest { session_id: id.clone(), ..ReleaseSessionRequest::default() };
    assert_eq!(server.client.release_session(release).await.unwrap().into_inner().server_side_session_id, known);
    let refused = server.execute(range(1)).await.unwrap_err();
    assert_eq!(condition(&refused), "INVALID_HANDLE.SESSION_CLOSED");
}

#[tokio::test]
async fn a_client_of_another_server_is_told_so() {
    let mut server = Fixture::new().await;
    let mut request = server.request(range(1));
    request.client_observed_server_side_session_id = Some("another".to_owned());
    let refused = server.client.execute_plan(request).await.unwrap_err();
    assert_eq!(condition(&refused), "INVALID_HANDLE.SESSION_CHANGED");
}

#[tokio::test]
async fn an_idle_session_expires() {
    let mut server = Fixture::with(Duration::from_millis(100), Duration::from_millis(300)).await;
    server.execute(range(1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(900)).await;
    let refused = server.execute(range(1)).await.unwrap_err();
    assert_eq!(condition(&refused), "INVALID_HANDLE.SESSION_CLOSED");
}

#[tokio::test]
async fn a_server_without_a_token_listens_on_loopback_only() {
    let config = ServerConfig::new(Arc::new(FormatRegistry::default()));
    let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let refused = Server::bind(ServerConfig { address, ..config }).await.unwrap_err();
    assert!(refused.to_string().contains("needs a token"), "{refused}");
}
