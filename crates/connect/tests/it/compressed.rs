//! Plans that come compressed.

use prost::Message;
use spark_connect_proto::plan::CompressedOperation;
use spark_connect_proto::plan::compressed_operation::OpType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::*;
use tonic::Status;

use crate::support::{Fixture, condition, range, relation, rest, rows};

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn packed(data: Vec<u8>, op_type: OpType) -> CompressedOperation {
    CompressedOperation { data: data.into(), op_type: op_type.into(), compression_codec: CompressionCodec::Zstd.into() }
}

async fn execute(server: &mut Fixture, packed: CompressedOperation) -> Result<Vec<ExecutePlanResponse>, Status> {
    let plan = Plan { op_type: Some(plan::OpType::CompressedOperation(packed)) };
    let request = ExecutePlanRequest { plan: Some(plan), ..server.request(range(1)) };
    rest(server.client.execute_plan(request).await?.into_inner()).await
}

#[tokio::test]
async fn a_compressed_plan_is_as_good_as_another() {
    let mut server = Fixture::new().await;
    let relation = packed(zstd(&range(7).encode_to_vec()), OpType::Relation);
    assert_eq!(rows(&execute(&mut server, relation.clone()).await.unwrap()), 7);

    let view = CreateDataFrameViewCommand { input: Some(range(3)), name: "v".to_owned(), ..Default::default() };
    let command = Command { command_type: Some(command::CommandType::CreateDataframeView(view)) };
    execute(&mut server, packed(zstd(&command.encode_to_vec()), OpType::Command)).await.unwrap();

    let plan = Plan { op_type: Some(plan::OpType::CompressedOperation(relation)) };
    let schema = analyze_plan_request::Analyze::Schema(analyze_plan_request::Schema { plan: Some(plan) });
    let request = AnalyzePlanRequest {
        session_id: server.session_id.clone(),
        analyze: Some(schema),
        ..AnalyzePlanRequest::default()
    };
    assert!(server.client.analyze_plan(request).await.unwrap().into_inner().result.is_some());
}

#[tokio::test]
async fn what_cannot_be_unpacked_is_refused() {
    let mut server = Fixture::new().await;
    let whole = zstd(&range(7).encode_to_vec());
    let invalid = "CONNECT_INVALID_PLAN.CANNOT_PARSE";
    let deep = (0..5_000).fold(range(1), |input, _| {
        relation(RelType::Offset(Box::new(Offset { input: Some(Box::new(input)), offset: 0 })))
    });
    let deep = std::thread::Builder::new().stack_size(256 << 20).spawn(move || {
        let bytes = deep.encode_to_vec();
        drop(deep);
        bytes
    });
    let deep = deep.unwrap().join().unwrap();
    for (case, expected) in [
        (packed(b"no zstd".to_vec(), OpType::Relation), invalid),
        (packed(Vec::new(), OpType::Relation), invalid),
        (packed(whole[..whole.len() - 3].to_vec(), OpType::Relation), invalid),
        (packed(zstd(b"\xff\xff\xff"), OpType::Relation), invalid),
        (packed(zstd(&deep), OpType::Relation), invalid),
        (packed(whole.clone(), OpType::Unspecified), invalid),
        (CompressedOperation { op_type: 99, ..packed(whole.clone(), OpType::Relation) }, invalid),
        (CompressedOperation { compression_codec: 0, ..packed(whole.clone(), OpType::Relation) }, invalid),
        (CompressedOperation { compression_codec: 99, ..packed(whole, OpType::Relation) }, invalid),
        // Four gigabytes of zeros.
        (packed(bomb(), OpType::Relation), "CONNECT_INVALID_PLAN.PLAN_SIZE_LARGER_THAN_MAX"),
    ] {
        assert_eq!(condition(&execute(&mut server, case).await.unwrap_err()), expected);
    }
    assert_eq!(rows(&server.execute(range(2)).await.unwrap()), 2);
}

/// A frame that holds 32,768 blocks of 128 KiB, each of which is one byte, repeated.
fn bomb() -> Vec<u8> {
    // A frame with a window of 128 KiB and neither length nor checksum.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3];
    for last in (0..32_768).rev().map(|left| left == 0) {
        let header: u32 = (128 << 10) << 3 | 1 << 1 | u32::from(last);
        frame.extend(&header.to_le_bytes()[..3]);
        frame.push(0);
    }
    frame
}
