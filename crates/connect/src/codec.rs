//! Reads and writes the messages of a call, and bounds how deep a message may nest before it is decoded.
//!
//! prost's own limit cannot be set: it is 100 levels, and a chained call costs two. Spark's limit is 1024
//! (`spark.connect.grpc.marshallerRecursionLimit`).

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::{Buf, Bytes};
use sheetbend_plan::error::{Result, SparkError};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

use crate::error::{self, invalid_plan};
use crate::stack;

/// The levels of nesting a message may have.
const MAX_DEPTH: usize = 1024;

/// The groups that may be open at once. No message of Spark has any, but text can look as if it began one with every
/// letter. They are skipped by calls that take little stack.
const MAX_GROUPS: usize = 50_000;

/// Up to here decoding fits any thread's stack.
const SHALLOW: usize = 64;

/// The codec of every call of the service.
pub(crate) struct ConnectCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for ConnectCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for ConnectCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(PhantomData)
    }
}

/// Decodes messages that nest no deeper than [`MAX_DEPTH`].
pub(crate) struct BoundedDecoder<U>(PhantomData<U>);

impl<U: Message + Default + Send + 'static> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        decode(buffer.copy_to_bytes(buffer.remaining())).map(Some).map_err(|e| error::status(&e, None))
    }
}

/// Decodes a message that nests no deeper than [`MAX_DEPTH`].
///
/// # Errors
/// Bytes that are no such message.
pub(crate) fn decode<U: Message + Default>(message: Bytes) -> Result<U> {
    let Some(depth) = depth(&message) else {
        return Err(invalid_plan(&format!(
            "The plan nests deeper than {MAX_DEPTH} levels. Split the query with a temporary view, or with one \
             `select` in place of many `withColumn`."
        )));
    };
    let decoded = if depth > SHALLOW {
        stack::grow(|| U::decode(message))
            .map_err(|e| SparkError::internal(format!("No stack for the request: {e}.")))?
    } else {
        U::decode(message)
    };
    decoded.map_err(|e| invalid_plan(&format!("The request cannot be decoded: {e}.")))
}

/// The deepest that a decoder can descend into `message`; none where that is too deep.
///
/// Bytes alone do not tell a nested message from a string, so everything that could be one counts as one until it
/// shows that it is none. Each byte is looked at once.
fn depth(message: &[u8]) -> Option<usize> {
    let mut open = vec![Region { at: 0, end: message.len(), groups: 0 }];
    let mut deepest = 0;
    let mut groups = 0;
    while let Some(region) = open.last_mut() {
        let before = region.groups;
        let inner = region.field(message);
        groups += region.groups;
        groups -= before;
        match inner {
            Field::Nested(inner) => open.push(inner),
            Field::Flat => {}
            Field::End => {
                groups -= region.groups;
                open.pop();
            }
        }
        deepest = deepest.max(open.len() + groups);
        if open.len() > MAX_DEPTH || groups > MAX_GROUPS {
            return None;
        }
    }
    Some(deepest)
}

/// A stretch of bytes that may be a message.
struct Region {
    /// Where the next field begins.
    at: usize,
    end: usize,
    /// The groups that are open in it.
    groups: usize,
}

enum Field {
    /// A field that may be a message.
    Nested(Region),
    Flat,
    /// The region is read, or is no message.
    End,
}

impl Region {
    fn field(&mut self, message: &[u8]) -> Field {
        self.try_field(message).unwrap_or(Field::End)
    }

    fn try_field(&mut self, message: &[u8]) -> Option<Field> {
        let key = self.varint(message)?;
        if key >> 3 == 0 {
            return None;
        }
        match key & 7 {
            0 => drop(self.varint(message)?),
            1 => drop(self.skip(8)?),
            2 => {
                let length = usize::try_from(self.varint(message)?).ok()?;
                let at = self.skip(length)?;
                return Some(Field::Nested(Self { at, end: self.at, groups: 0 }));
            }
            3 => self.groups += 1,
            4 => self.groups = self.groups.checked_sub(1)?,
            5 => drop(self.skip(4)?),
            _ => return None,
        }
        Some(Field::Flat)
    }

    /// Passes over `count` bytes and gives where they begin.
    fn skip(&mut self, count: usize) -> Option<usize> {
        let at = self.at;
        self.at = at.checked_add(count).filter(|next| *next <= self.end)?;
        Some(at)
    }

    fn varint(&mut self, message: &[u8]) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let at = self.skip(1)?;
            let byte = message.get(at)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}
