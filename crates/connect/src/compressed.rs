//! Plans that come compressed: clients do so with those above `spark.connect.session.planCompression.threshold`.

use std::io::Read;

use prost::bytes::Bytes;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use spark_connect_proto::plan::compressed_operation::OpType as Kind;
use spark_connect_proto::plan::{CompressedOperation, OpType};
use spark_connect_proto::{Command, CompressionCodec, Plan, Relation};

use crate::codec;
use crate::error::{invalid_plan, missing};
use crate::server::MESSAGE_BYTES;

/// What a plan asks for.
pub(crate) enum Asked {
    /// Rows.
    Rows(Box<Relation>),
    /// Something to be done.
    Command(Box<Command>),
}

/// What a plan asks for, unpacked where it was packed.
///
/// # Errors
/// Bytes that are no plan, or one that is larger or nests deeper than a message may.
pub(crate) fn unpacked(plan: Option<Plan>) -> Result<Asked> {
    match plan.and_then(|plan| plan.op_type).ok_or_else(|| missing("plan"))? {
        OpType::CompressedOperation(packed) => unpack(&packed),
        OpType::Root(relation) => Ok(Asked::Rows(Box::new(relation))),
        OpType::Command(command) => Ok(Asked::Command(Box::new(command))),
    }
}

fn unpack(packed: &CompressedOperation) -> Result<Asked> {
    if CompressionCodec::try_from(packed.compression_codec) != Ok(CompressionCodec::Zstd) {
        return Err(missing("plan.compressed_operation.compression_codec"));
    }
    match Kind::try_from(packed.op_type) {
        Ok(Kind::Relation) => codec::decode(unzip(&packed.data)?).map(|relation| Asked::Rows(Box::new(relation))),
        Ok(Kind::Command) => codec::decode(unzip(&packed.data)?).map(|command| Asked::Command(Box::new(command))),
        Ok(Kind::Unspecified) | Err(_) => Err(missing("plan.compressed_operation.op_type")),
    }
}

/// A few bytes can be packed gigabytes, so no more is unpacked than a plan may have.
fn unzip(packed: &[u8]) -> Result<Bytes> {
    let damaged = |e| invalid_plan(&format!("The compressed plan cannot be unpacked: {e}."));
    let most = u64::try_from(MESSAGE_BYTES).map_err(SparkError::internal)?;
    let mut bytes = Vec::new();
    let mut rest = zstd::Decoder::with_buffer(packed).map_err(damaged)?.take(most + 1);
    rest.read_to_end(&mut bytes).map_err(damaged)?;
    if bytes.len() > MESSAGE_BYTES { Err(too_large()) } else { Ok(bytes.into()) }
}

fn too_large() -> SparkError {
    let message = format!(
        "The plan is larger than {MESSAGE_BYTES} bytes when it is unpacked. Split the query with a temporary view, or \
         send large tables with `spark.createDataFrame`."
    );
    SparkError::new(ErrorClass::Internal, "CONNECT_INVALID_PLAN.PLAN_SIZE_LARGER_THAN_MAX", "56K00", message)
        .with("maxPlanSize", MESSAGE_BYTES.to_string())
}
