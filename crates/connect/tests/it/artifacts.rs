//! Uploads.

use sha2::{Digest, Sha256};
use spark_connect_proto::add_artifacts_request::{ArtifactChunk, BeginChunkedArtifact, Payload};
use spark_connect_proto::relation::RelType;
use spark_connect_proto::*;

use crate::support::{Fixture, batches, condition, range, relation, rows};

fn chunk(data: &[u8]) -> ArtifactChunk {
    ArtifactChunk { data: data.to_vec().into(), crc: crc32fast::hash(data).into() }
}

fn upload(server: &Fixture, name: &str, data: &[u8]) -> Vec<AddArtifactsRequest> {
    let pieces: Vec<_> = data.chunks(100).collect();
    let begin = BeginChunkedArtifact {
        name: name.to_owned(),
        total_bytes: data.len() as i64,
        num_chunks: pieces.len() as i64,
        initial_chunk: Some(chunk(pieces[0])),
    };
    let payloads =
        std::iter::once(Payload::BeginChunk(begin)).chain(pieces[1..].iter().map(|piece| Payload::Chunk(chunk(piece))));
    let message = |payload| AddArtifactsRequest {
        session_id: server.session_id.clone(),
        payload: Some(payload),
        ..AddArtifactsRequest::default()
    };
    payloads.map(message).collect()
}

async fn add(server: &mut Fixture, messages: Vec<AddArtifactsRequest>) -> Result<AddArtifactsResponse, tonic::Status> {
    Ok(server.client.add_artifacts(tokio_stream::iter(messages)).await?.into_inner())
}

#[tokio::test]
async fn an_uploaded_relation_is_read() {
    let mut server = Fixture::new().await;
    let data = batches(&server.execute(range(100)).await.unwrap())[0].data.clone();
    let hash: String = Sha256::digest(&data).iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("cache/{hash}");
    let messages = upload(&server, &name, &data);
    let answer = add(&mut server, messages).await.unwrap();
    assert!(answer.artifacts[0].is_crc_successful);
    let request = ArtifactStatusesRequest {
        session_id: server.session_id.clone(),
        names: vec![name.clone(), "cache/none".to_owned()],
        ..ArtifactStatusesRequest::default()
    };
    let statuses = server.client.artifact_status(request).await.unwrap().into_inner().statuses;
    assert!(statuses[&name].exists);
    assert!(!statuses["cache/none"].exists);
    let cached = ChunkedCachedLocalRelation { data_hashes: vec![hash.clone(), hash], schema_hash: None };
    assert_eq!(rows(&server.execute(relation(RelType::ChunkedCachedLocalRelation(cached))).await.unwrap()), 200);
}

#[tokio::test]
async fn uploads_that_are_wrong_are_refused() {
    let mut server = Fixture::new().await;
    let messages = upload(&server, "cache/00", &[7; 250]);
    assert_eq!(condition(&add(&mut server, messages).await.unwrap_err()), "INVALID_ARTIFACT");

    let mut messages = upload(&server, "cache/00", &[7; 250]);
    messages.pop();
    assert_eq!(condition(&add(&mut server, messages).await.unwrap_err()), "INVALID_ARTIFACT");

    let mut messages = upload(&server, "cache/00", &[7; 250]);
    if let Some(Payload::Chunk(chunk)) = &mut messages[1].payload {
        chunk.crc += 1;
    }
    assert!(!add(&mut server, messages).await.unwrap().artifacts[0].is_crc_successful);

    let messages = upload(&server, "files/a.txt", &[7; 250]);
    assert_eq!(condition(&add(&mut server, messages).await.unwrap_err()), "UNSUPPORTED_OPERATION");

    let missing = CachedLocalRelation { hash: "00".to_owned() };
    let refused = server.execute(relation(RelType::CachedLocalRelation(missing))).await.unwrap_err();
    assert_eq!(condition(&refused), "LOCAL_RELATION_NOT_FOUND");
}

#[tokio::test]
async fn python_files_are_taken_by_a_plain_name_and_never_replaced() {
    let mut server = Fixture::new().await;
    for _ in 0..2 {
        let messages = upload(&server, "pyfiles/a.py", b"x = 1");
        assert!(add(&mut server, messages).await.unwrap().artifacts[0].is_crc_successful);
    }
    let messages = upload(&server, "pyfiles/a.py", b"x = 2");
    assert_eq!(condition(&add(&mut server, messages).await.unwrap_err()), "ARTIFACT_ALREADY_EXISTS");
    for (name, refused) in [
        ("pyfiles/../evil.py", "INVALID_ARTIFACT_PATH"),
        ("pyfiles/../../evil.py", "INVALID_ARTIFACT_PATH"),
        ("pyfiles//etc/evil.py", "INVALID_ARTIFACT_PATH"),
        ("pyfiles/sub/evil.py", "INVALID_ARTIFACT_PATH"),
        ("pyfiles/sub\\evil.py", "INVALID_ARTIFACT_PATH"),
        ("pyfiles/.py", "INVALID_ARTIFACT_PATH"),
        ("pyfiles/a\0.py", "INVALID_ARTIFACT_PATH"),
        ("pyfiles/", "INVALID_ARTIFACT"),
        ("pyfiles/a.txt", "INVALID_ARTIFACT"),
        ("/etc/evil.py", "UNSUPPORTED_OPERATION"),
        ("", "UNSUPPORTED_OPERATION"),
    ] {
        let messages = upload(&server, name, b"x = 1");
        assert_eq!(condition(&add(&mut server, messages).await.unwrap_err()), refused, "{name}");
    }
}
