//! Executions: what is answered, and what becomes of those that nobody reads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use spark_connect_proto::interrupt_request::{Interrupt, InterruptType};
use spark_connect_proto::relation::RelType;
use spark_connect_proto::release_execute_request::{Release, ReleaseAll, ReleaseUntil};
use spark_connect_proto::*;

use crate::support::{ENDLESS, Fixture, batches, condition, is_complete, range, relation, rest, rows};

#[tokio::test]
async fn a_result_is_a_schema_batches_and_an_end() {
    let mut server = Fixture::new().await;
    let responses = server.execute(range(3_000_000)).await.unwrap();
    assert!(responses[0].schema.is_some());
    assert!(is_complete(&responses));
    assert_eq!(rows(&responses), 3_000_000);
    let mut offset = 0;
    for batch in batches(&responses) {
        assert_eq!(batch.start_offset, Some(offset));
        assert!(batch.data.len() < 4 << 20, "{}", batch.data.len());
        let read: Vec<_> = StreamReader::try_new(batch.data.as_ref(), None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].num_rows() as i64, batch.row_count);
        offset += batch.row_count;
    }
    let mut ids: Vec<_> = responses.iter().map(|response| &response.response_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), responses.len());
}

#[tokio::test]
async fn an_empty_result_has_one_empty_batch() {
    let mut server = Fixture::new().await;
    let responses = server.execute(range(0)).await.unwrap();
    assert_eq!(batches(&responses).len(), 1);
    assert_eq!(rows(&responses), 0);
    assert!(is_complete(&responses));
}

#[tokio::test]
async fn a_client_goes_on_where_its_connection_broke() {
    let mut server = Fixture::with(Duration::from_secs(60), Duration::from_secs(600)).await;
    let request = server.request(range(4_000_000));
    let id = request.operation_id.clone().unwrap();
    let mut stream = server.start(request).await;
    let mut read = vec![stream.message().await.unwrap().unwrap(), stream.message().await.unwrap().unwrap()];
    drop(stream);
    let last = read.last().unwrap().response_id.clone();
    read.extend(rest(server.reattach(&id, Some(&last)).await.unwrap()).await.unwrap());
    assert_eq!(rows(&read), 4_000_000);
    assert!(is_complete(&read));
}

#[tokio::test]
async fn released_and_unknown_positions_are_refused() {
    let mut server = Fixture::with(Duration::from_secs(60), Duration::from_secs(600)).await;
    // Less than what is kept of sent responses.
    let request = server.request(range(1_000_000));
    let id = request.operation_id.clone().unwrap();
    let read = rest(server.start(request).await).await.unwrap();
    let release = |release| ReleaseExecuteRequest {
        session_id: read[0].session_id.clone(),
        operation_id: id.clone(),
        release: Some(release),
        ..ReleaseExecuteRequest::default()
    };
    let until = Release::ReleaseUntil(ReleaseUntil { response_id: read[2].response_id.clone() });
    server.client.release_execute(release(until)).await.unwrap();

    let after_third = rest(server.reattach(&id, Some(&read[2].response_id)).await.unwrap()).await.unwrap();
    assert_eq!(after_third.len(), read.len() - 3);
    let refused = server.reattach(&id, Some(&read[0].response_id)).await.unwrap_err();
    assert_eq!(condition(&refused), "INVALID_CURSOR.POSITION_NOT_AVAILABLE");
    let refused = server.reattach(&id, Some("no-such-response")).await.unwrap_err();
    assert_eq!(condition(&refused), "INVALID_CURSOR.POSITION_NOT_FOUND");

    server.client.release_execute(release(Release::ReleaseAll(ReleaseAll {}))).await.unwrap();
    let gone = server.reattach(&id, None).await.unwrap_err();
    assert_eq!(condition(&gone), "INVALID_HANDLE.OPERATION_NOT_FOUND");
    let again = server.client.release_execute(release(Release::ReleaseAll(ReleaseAll {}))).await.unwrap();
    assert_eq!(again.into_inner().operation_id, None);
}

#[tokio::test]
async fn a_second_reader_takes_the_place_of_the_first() {
    let mut server = Fixture::new().await;
    let request = server.request(range(ENDLESS));
    let id = request.operation_id.clone().unwrap();
    let mut first = server.start(request).await;
    first.message().await.unwrap();
    let mut second = server.reattach(&id, None).await.unwrap();
    assert!(second.message().await.unwrap().unwrap().schema.is_some());
    let lost = rest(first).await.unwrap_err();
    assert_eq!(condition(&lost), "INVALID_CURSOR.DISCONNECTED");
}

#[tokio::test]
async fn an_operation_without_a_reader_is_cancelled() {
    let mut server = Fixture::new().await;
    let request = server.request(range(ENDLESS));
    let mut stream = server.start(request).await;
    stream.message().await.unwrap();
    drop(stream);
    assert_eq!(server.operations().await, 1);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(server.operations().await, 0);
}

#[tokio::test]
async fn an_interrupt_ends_the_live_stream() {
    for by_tag in [true, false] {
        let mut server = Fixture::new().await;
        let mut request = server.request(range(ENDLESS));
        request.tags = vec!["nightly".to_owned()];
        let id = request.operation_id.clone().unwrap();
        let mut stream = server.start(request).await;
        stream.message().await.unwrap();
        let (kind, interrupt) = if by_tag {
            (InterruptType::Tag, Interrupt::OperationTag("nightly".to_owned()))
        } else {
            (InterruptType::OperationId, Interrupt::OperationId(id.clone()))
        };
        let request = InterruptRequest {
            session_id: server.session_id.clone(),
            interrupt_type: kind.into(),
            interrupt: Some(interrupt),
            ..InterruptRequest::default()
        };
        let started = Instant::now();
        let interrupted = server.client.interrupt(request).await.unwrap().into_inner().interrupted_ids;
        assert_eq!(interrupted, [id]);
        assert_eq!(condition(&rest(stream).await.unwrap_err()), "OPERATION_CANCELED");
        assert!(started.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test]
async fn the_server_ends_with_a_query_under_way() {
    let mut server = Fixture::new().await;
    let request = server.request(range(ENDLESS));
    let mut stream = server.start(request).await;
    stream.message().await.unwrap();
    let started = Instant::now();
    server.stop.send(()).unwrap();
    server.served.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(rest(stream).await.is_err());
}

#[tokio::test]
async fn a_response_larger_than_what_is_kept_is_sent_again() {
    let mut server = Fixture::with(Duration::from_secs(60), Duration::from_secs(600)).await;
    server.client = server.client.clone().max_decoding_message_size(64 << 20);
    let column: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(20 << 20)]));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let data = Some(writer.into_inner().unwrap().into());
    let request = server.request(relation(RelType::LocalRelation(LocalRelation { data, schema: None })));
    let id = request.operation_id.clone().unwrap();
    let mut stream = server.start(request).await;
    let schema = stream.message().await.unwrap().unwrap();
    let batch = stream.message().await.unwrap().unwrap();
    // The connection broke somewhere within the large response, and the rest was on its way too.
    drop(stream);
    let again = rest(server.reattach(&id, Some(&schema.response_id)).await.unwrap()).await.unwrap();
    assert_eq!(again[0].response_id, batch.response_id);
    assert!(is_complete(&again));
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let mut server = Fixture::new().await;
    let request = server.request(range(ENDLESS));
    let mut stream = server.start(request).await;
    stream.message().await.unwrap();
    let release = ReleaseSessionRequest { session_id: server.session_id.clone(), ..ReleaseSessionRequest::default() };
    server.client.release_session(release).await.unwrap();
    assert_eq!(condition(&rest(stream).await.unwrap_err()), "OPERATION_CANCELED");
}
