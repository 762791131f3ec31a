//! A client that sends bytes, whatever they are.

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::{Buf, BufMut, Bytes};
use spark_connect_proto::ExecutePlanResponse;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

use crate::support::{Fixture, rest};

/// Executes the bytes of a plan to their end.
pub(crate) async fn execute(server: &mut Fixture, plan: &[u8]) -> Result<Vec<ExecutePlanResponse>, Status> {
    let mut request = Vec::new();
    field(1, server.session_id.as_bytes(), &mut request);
    field(3, plan, &mut request);
    send(server, request).await
}

/// Sends the bytes of an `ExecutePlanRequest`.
pub(crate) async fn send(server: &mut Fixture, request: Vec<u8>) -> Result<Vec<ExecutePlanResponse>, Status> {
    let mut client = tonic::client::Grpc::new(server.channel.clone());
    client.ready().await.unwrap();
    let path = "/spark.connect.SparkConnectService/ExecutePlan".parse().unwrap();
    let codec = RawCodec::<ExecutePlanResponse>(PhantomData);
    rest(client.server_streaming(Request::new(request.into()), path, codec).await?.into_inner()).await
}

/// Writes a field of a message that is delimited by its length.
pub(crate) fn field(number: u32, value: &[u8], message: &mut Vec<u8>) {
    prost::encoding::encode_key(number, prost::encoding::WireType::LengthDelimited, message);
    prost::encoding::encode_varint(value.len() as u64, message);
    message.extend(value);
}

struct RawCodec<T>(PhantomData<T>);

impl<T: Message + Default + Send + 'static> Codec for RawCodec<T> {
    type Encode = Bytes;
    type Decode = T;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(PhantomData)
    }

    fn decoder(&mut self) -> Self {
        Self(PhantomData)
    }
}

impl<T> Encoder for RawCodec<T> {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl<T: Message + Default> Decoder for RawCodec<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        let message = buffer.copy_to_bytes(buffer.remaining());
        T::decode(message).map(Some).map_err(|e| Status::internal(e.to_string()))
    }
}
