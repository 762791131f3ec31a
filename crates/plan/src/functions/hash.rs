//! `hash`: Murmur3 in 32 bits with Spark's seed, which also tells where a row of a partitioned table lies.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use datafusion::error::Result as EngineResult;

use super::native::Table;
use crate::error::SparkError;

const SEED: u32 = 42;

pub(super) const TABLE: Table = &[("hash", "x*", 'i', |a| {
    a.numbers::<Int32Type>(|row| {
        let hash = a.columns.iter().try_fold(SEED, |seed, column| value(column, row, seed));
        hash.map(|hash| Some(hash.cast_signed()))
    })
})];

/// The hash of one value on top of `seed`; NULL leaves it as it is.
fn value(array: &ArrayRef, row: usize, seed: u32) -> EngineResult<u32> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Ok(seed);
    }
    Ok(match array.data_type() {
        DataType::Boolean => int(i32::from(array.as_boolean().value(row)), seed),
        DataType::Int8 => int(i32::from(array.as_primitive::<Int8Type>().value(row)), seed),
        DataType::Int16 => int(i32::from(array.as_primitive::<Int16Type>().value(row)), seed),
        DataType::Int32 => int(array.as_primitive::<Int32Type>().value(row), seed),
        DataType::Date32 => int(array.as_primitive::<Date32Type>().value(row), seed),
        DataType::Int64 => long(array.as_primitive::<Int64Type>().value(row), seed),
        DataType::Timestamp(..) => long(array.as_primitive::<TimestampMicrosecondType>().value(row), seed),
        DataType::Float32 => int((array.as_primitive::<Float32Type>().value(row) + 0.0).to_bits().cast_signed(), seed),
        DataType::Float64 => long((array.as_primitive::<Float64Type>().value(row) + 0.0).to_bits().cast_signed(), seed),
        DataType::Decimal128(precision, _) => {
            let unscaled = array.as_primitive::<Decimal128Type>().value(row);
            match i64::try_from(unscaled) {
                Ok(unscaled) if *precision <= 18 => long(unscaled, seed),
                _ => bytes(shortest(&unscaled.to_be_bytes()), seed),
            }
        }
        DataType::Utf8 => bytes(array.as_string::<i32>().value(row).as_bytes(), seed),
        DataType::Binary => bytes(array.as_binary::<i32>().value(row), seed),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).try_fold(seed, |seed, at| value(&items, at, seed))?
        }
        DataType::Struct(_) => {
            array.as_struct().columns().iter().try_fold(seed, |seed, field| value(field, row, seed))?
        }
        other => return Err(SparkError::unsupported(format_args!("the hash of a value of the type {other}")).into()),
    })
}

/// A two's complement number without the bytes that its sign repeats.
fn shortest(bytes: &[u8]) -> &[u8] {
    let spare =
        bytes.windows(2).take_while(|pair| (pair[0] == 0 && pair[1] < 0x80) || (pair[0] == 0xff && pair[1] >= 0x80));
    &bytes[spare.count()..]
}

fn int(value: i32, seed: u32) -> u32 {
    finished(mixed(seed, value.cast_unsigned()), 4)
}

fn long(value: i64, seed: u32) -> u32 {
    let value = value.cast_unsigned();
    finished(mixed(mixed(seed, value as u32), (value >> 32) as u32), 8)
}

/// Whole words, then each byte that is left as a word of its own.
fn bytes(bytes: &[u8], seed: u32) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let hash = words.iter().fold(seed, |hash, word| mixed(hash, u32::from_le_bytes(*word)));
    let hash = rest.iter().fold(hash, |hash, byte| mixed(hash, i32::from(byte.cast_signed()).cast_unsigned()));
    finished(hash, bytes.len() as u32)
}

fn mixed(hash: u32, word: u32) -> u32 {
    let word = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    (hash ^ word).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finished(hash: u32, length: u32) -> u32 {
    let hash = hash ^ length;
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}
