//! `to_json`: values as text.

use std::fmt::Write;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, TimestampMicrosecondType};
use chrono::{DateTime, SecondsFormat, TimeZone};
use datafusion::error::Result as EngineResult;

use super::value::quoted;
use crate::error::SparkError;
use crate::format::{Text, text_of};
use crate::functions::java_pattern::Pattern;
use crate::functions::native::Args;
use crate::functions::time::zone;

pub(super) fn to_json(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let array = &args.columns[0];
    let pattern = args.text(1, 0).map(Pattern::parse).transpose()?;
    let sorts = args.boolean(2, 0) == Some(true);
    let writer = Writer { zone: zone(args.zone)?, text: text_of(args.zone)?, pattern, sorts };
    args.texts(|row| {
        if array.is_null(row) {
            return Ok(None);
        }
        let mut out = String::new();
        writer.value(&mut out, array, row)?;
        Ok(Some(out))
    })
}

struct Writer {
    zone: Tz,
    text: Text,
    /// How timestamps are written, if it is said.
    pattern: Option<Pattern>,
    /// Whether keys are in order.
    sorts: bool,
}

impl Writer {
    fn value(&self, out: &mut String, array: &ArrayRef, row: usize) -> EngineResult<()> {
        if array.is_null(row) || *array.data_type() == DataType::Null {
            out.push_str("null");
            return Ok(());
        }
        match array.data_type() {
            DataType::Struct(fields) => {
                // Fields without a value do not show.
                let columns = fields.iter().zip(array.as_struct().columns());
                let columns =
                    columns.filter(|(_, column)| column.is_valid(row) && *column.data_type() != DataType::Null);
                self.object(out, columns.map(|(field, column)| (field.name().clone(), column, row)))
            }
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                let (keys, values) = (entries.column(0), entries.column(1));
                let keys = (0..entries.len()).map(|at| self.key(keys, at).map(|key| (key, values, at)));
                self.object(out, keys.collect::<EngineResult<Vec<_>>>()?.into_iter())
            }
            DataType::List(_) => {
                let items = array.as_list::<i32>().value(row);
                out.push('[');
                for position in 0..items.len() {
                    out.push_str(if position > 0 { "," } else { "" });
                    self.value(out, &items, position)?;
                }
                out.push(']');
                Ok(())
            }
            DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Decimal128(..) => {
                out.push_str(&self.plain(array, row)?);
                Ok(())
            }
            DataType::Float32 if array.as_primitive::<Float32Type>().value(row).is_finite() => {
                out.push_str(&self.plain(array, row)?);
                Ok(())
            }
            DataType::Float64 if array.as_primitive::<Float64Type>().value(row).is_finite() => {
                out.push_str(&self.plain(array, row)?);
                Ok(())
            }
            DataType::Timestamp(_, with_zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                let zone = with_zone.as_ref().map(|_| self.zone);
                match &self.pattern {
                    Some(pattern) => self.quoted(out, &pattern.format(micros, self.zone).unwrap_or_default()),
                    None => self.quoted(out, &iso_instant(micros, zone)),
                }
            }
            DataType::Binary => self.quoted(out, &base64(array.as_binary::<i32>().value(row))),
            _ => self.quoted(out, &self.plain(array, row)?),
        }
    }

    fn object<'a>(
        &self,
        out: &mut String,
        fields: impl Iterator<Item = (String, &'a ArrayRef, usize)>,
    ) -> EngineResult<()> {
        out.push('{');
        let mut fields: Vec<_> = fields.collect();
        if self.sorts {
            fields.sort_by(|left, right| left.0.cmp(&right.0));
        }
        for (position, (key, values, row)) in fields.into_iter().enumerate() {
            out.push_str(if position > 0 { "," } else { "" });
            self.quoted(out, &key)?;
            out.push(':');
            self.value(out, values, row)?;
        }
        out.push('}');
        Ok(())
    }

    /// The key of a map; of a struct its values, as Spark shows a row.
    fn key(&self, array: &ArrayRef, row: usize) -> EngineResult<String> {
        let DataType::Struct(_) = array.data_type() else { return self.plain(array, row) };
        let values = array.as_struct().columns().iter().map(|column| self.key(column, row));
        Ok(format!("[{}]", values.collect::<EngineResult<Vec<_>>>()?.join(",")))
    }

    fn plain(&self, array: &ArrayRef, row: usize) -> EngineResult<String> {
        Ok(self.text.of(array, row)?)
    }

    fn quoted(&self, out: &mut String, text: &str) -> EngineResult<()> {
        Ok(quoted(out, text).map_err(SparkError::internal)?)
    }
}

/// A time as ISO 8601 writes it, with the offset of a zone if there is one.
pub(in crate::functions) fn iso_instant(micros: i64, zone: Option<Tz>) -> String {
    let Some(utc) = DateTime::from_timestamp_micros(micros) else { return micros.to_string() };
    let precision = if micros % 1000 == 0 { SecondsFormat::Millis } else { SecondsFormat::Micros };
    match zone {
        Some(zone) => zone.from_utc_datetime(&utc.naive_utc()).to_rfc3339_opts(precision, true),
        None => utc.to_rfc3339_opts(precision, true).trim_end_matches('Z').to_owned(),
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let _ = match digit <= chunk.len() {
                true => write!(out, "{}", char::from(DIGITS[(word >> (18 - 6 * digit) & 63) as usize])),
                false => write!(out, "="),
            };
        }
    }
    out
}
