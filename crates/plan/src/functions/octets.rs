//! Functions of text that take bytes too.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray};
use arrow::datatypes::DataType;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, lit};

use super::call::{Call, Outcome};
use super::native::{Args, Table, native};
use super::text::length;
use crate::error::Result;

pub(super) const TABLE: Table = &[
    (REVERSE, "", ' ', |a| made(a, |bytes, _| Some(bytes.iter().rev().copied().collect()))),
    (SUBSTRING, "", ' ', |a| made(a, |bytes, row| Some(part(bytes, a.int(1, row)?, a.int(2, row)?)))),
    (RIGHT, "", ' ', |a| {
        made(a, |bytes, row| {
            let count = length(a.int(1, row)?).min(bytes.len());
            Some(bytes[bytes.len() - count..].to_vec())
        })
    }),
    (LPAD, "", ' ', |a| made(a, |bytes, row| padded(a, bytes, row).map(|(own, more)| [more, own].concat()))),
    (RPAD, "", ' ', |a| made(a, |bytes, row| padded(a, bytes, row).map(|(own, more)| [own, more].concat()))),
    (OVERLAY, "", ' ', |a| {
        made(a, |bytes, row| {
            let (by, position, taken) = (a.bytes(1, row)?, a.int(2, row)?, a.int(3, row)?);
            let before = length(position.saturating_sub(1)).min(bytes.len());
            let taken = if taken < 0 { by.len() } else { length(taken) };
            let after = before.saturating_add(taken).min(bytes.len());
            Some([&bytes[..before], by, &bytes[after..]].concat())
        })
    }),
];

const REVERSE: &str = "spark.reverse_bytes";
const SUBSTRING: &str = "spark.substring_bytes";
const RIGHT: &str = "spark.right_bytes";
const LPAD: &str = "spark.lpad_bytes";
const RPAD: &str = "spark.rpad_bytes";
const OVERLAY: &str = "spark.overlay_bytes";

/// A function of this name, if the first argument is bytes.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    if call.args.first().is_none_or(|arg| arg.data_type != DataType::Binary) {
        return Ok(Err(call));
    }
    let int = DataType::Int32;
    let bytes = DataType::Binary;
    let (function, types, defaults): (_, &[DataType], Vec<Expr>) = match call.name.as_str() {
        "reverse" => (REVERSE, &[bytes], vec![]),
        "left" => {
            call.args.insert(1, super::call::Typed { expr: lit(1_i32), data_type: int.clone() });
            (SUBSTRING, &[bytes, int.clone(), int], vec![])
        }
        "right" => (RIGHT, &[bytes, int], vec![]),
        "substring" | "substr" => (SUBSTRING, &[bytes, int.clone(), int], vec![lit(i32::MAX)]),
        // A text as filler makes it text.
        "lpad" | "rpad" if call.args.get(2).is_none_or(|filler| filler.data_type == DataType::Binary) => {
            let function = if call.name == "lpad" { LPAD } else { RPAD };
            (function, &[bytes.clone(), int, bytes], vec![lit([0_u8].as_slice())])
        }
        "overlay" => (OVERLAY, &[bytes.clone(), bytes, int.clone(), int], vec![lit(-1_i32)]),
        _ => return Ok(Err(call)),
    };
    let args = std::mem::take(&mut call.args);
    let least = types.len() - defaults.len();
    if !(least..=types.len()).contains(&args.len()) {
        return Err(call.wrong_count(&format!("[{least}, {}]", types.len()), args.len()));
    }
    let given = args.len();
    let args = args.into_iter().zip(types).map(|(arg, to)| call.cast(arg, to)).collect::<Result<Vec<_>>>()?;
    let args = args.into_iter().chain(defaults.into_iter().skip(given - least)).collect();
    Ok(Ok(native(function, DataType::Binary, "", args)))
}

fn made(args: &Args<'_>, compute: impl Fn(&[u8], usize) -> Option<Vec<u8>>) -> EngineResult<ArrayRef> {
    let rows = (0..args.rows).map(|row| args.bytes(0, row).and_then(|bytes| compute(bytes, row)));
    Ok(Arc::new(rows.collect::<BinaryArray>()))
}

/// Bytes from a position on, counted from one, or from the end.
fn part(bytes: &[u8], position: i32, count: i32) -> Vec<u8> {
    let size = bytes.len() as i64;
    let start = match i64::from(position) {
        position if position > 0 => position - 1,
        position if position < 0 => size + position,
        _ => 0,
    };
    let end = start.saturating_add(i64::from(count)).clamp(0, size);
    let start = start.clamp(0, size);
    if start < end { bytes[start as usize..end as usize].to_vec() } else { vec![] }
}

/// The bytes cut to the length that is wanted, and what they lack.
fn padded(args: &Args<'_>, bytes: &[u8], row: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let (wanted, filler) = (length(args.int(1, row)?), args.bytes(2, row)?);
    let missing = wanted.saturating_sub(bytes.len());
    let own = bytes.iter().take(wanted).copied().collect();
    Some((own, filler.iter().cycle().take(missing).copied().collect()))
}
