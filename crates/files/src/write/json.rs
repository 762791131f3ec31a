//! JSON files, and how dates and times are written in text.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Float32Type, Float64Type, TimestampMicrosecondType};
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::format::{Text, text_of};
use sheetbend_plan::text::{DatePattern, Reader, base64, json_quoted};

use super::encode::{Encoder, Output};
use crate::options::Options;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// How dates and times are written.
#[derive(Debug, Clone)]
pub(super) struct TimeStyle {
    zone: Reader,
    utc: Reader,
    date: DatePattern,
    timestamp: DatePattern,
    timestamp_ntz: DatePattern,
}

impl TimeStyle {
    /// As the options `dateFormat`, `timestampFormat` and `timestampNTZFormat` say.
    ///
    /// # Errors
    /// A pattern that is none.
    pub(super) fn of(options: &Options, time_zone: &str) -> Result<Self> {
        let pattern = |name, default| DatePattern::parse(options.get(name).unwrap_or(default));
        Ok(Self {
            zone: Reader::new(options.get("timeZone").unwrap_or(time_zone))?,
            utc: Reader::new("UTC")?,
            date: pattern("dateFormat", "yyyy-MM-dd")?,
            timestamp: pattern("timestampFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]")?,
            timestamp_ntz: pattern("timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS]")?,
        })
    }

    /// A date or timestamp as text.
    ///
    /// # Errors
    /// One that no pattern can show.
    pub(super) fn text(&self, array: &ArrayRef, row: usize) -> Result<String> {
        let text = match array.data_type() {
            DataType::Date32 => {
                let days = i64::from(array.as_primitive::<Date32Type>().value(row));
                self.utc.format(&self.date, days * MICROS_PER_DAY)
            }
            DataType::Timestamp(_, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                match zone {
                    Some(_) => self.zone.format(&self.timestamp, micros),
                    None => self.utc.format(&self.timestamp_ntz, micros),
                }
            }
            other => return Err(SparkError::internal(format_args!("{other} is no time"))),
        };
        text.ok_or_else(|| SparkError::internal("a date lies outside of the calendar"))
    }
}

/// How values are written.
#[derive(Debug, Clone)]
pub(super) struct JsonStyle {
    /// Fields without a value are left out.
    ignores_null: bool,
    line_end: String,
    times: TimeStyle,
}

impl JsonStyle {
    /// # Errors
    /// A value that an option does not take.
    pub(super) fn of(options: &Options, time_zone: &str) -> Result<Self> {
        Ok(Self {
            ignores_null: options.flag("ignoreNullFields", true)?,
            line_end: options.get("lineSep").unwrap_or("\n").to_owned(),
            times: TimeStyle::of(options, time_zone)?,
        })
    }
}

/// Writes a file.
pub(super) struct JsonWriter {
    style: JsonStyle,
    output: Output,
    text: Text,
}

impl JsonWriter {
    /// # Errors
    /// None that a valid time zone has.
    pub(super) fn new(style: JsonStyle, output: Output) -> Result<Self> {
        Ok(Self { style, output, text: text_of("UTC").map_err(SparkError::internal)? })
    }

    fn value(&self, out: &mut String, array: &ArrayRef, row: usize) -> Result<()> {
        if is_null(array, row) {
            out.push_str("null");
            return Ok(());
        }
        match array.data_type() {
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                self.object(out, columns.map(|(field, column)| (field.name().clone(), column, row)))
            }
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                let (keys, values) = (entries.column(0), entries.column(1));
                let keys = (0..entries.len()).map(|at| self.plain(keys, at).map(|key| (key, values, at)));
                self.object(out, keys.collect::<Result<Vec<_>>>()?.into_iter())
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
            DataType::Binary => string(out, &base64(array.as_binary::<i32>().value(row))),
            DataType::Date32 | DataType::Timestamp(..) => string(out, &self.style.times.text(array, row)?),
            _ if is_bare(array, row) => {
                out.push_str(&self.plain(array, row)?);
                Ok(())
            }
            _ => string(out, &self.plain(array, row)?),
        }
    }

    fn object<'a>(&self, out: &mut String, fields: impl Iterator<Item = (String, &'a ArrayRef, usize)>) -> Result<()> {
        out.push('{');
        let mut first = true;
        for (name, values, row) in fields.filter(|(_, values, row)| !self.style.ignores_null || !is_null(values, *row))
        {
            out.push_str(if first { "" } else { "," });
            first = false;
            string(out, &name)?;
            out.push(':');
            self.value(out, values, row)?;
        }
        out.push('}');
        Ok(())
    }

    fn plain(&self, array: &ArrayRef, row: usize) -> Result<String> {
        self.text.of(array, row).map_err(SparkError::internal)
    }
}

fn string(out: &mut dyn Write, text: &str) -> Result<()> {
    json_quoted(out, text).map_err(SparkError::internal)
}

fn is_null(array: &ArrayRef, row: usize) -> bool {
    array.is_null(row) || *array.data_type() == DataType::Null
}

/// Whether a value stands without quotes.
fn is_bare(array: &ArrayRef, row: usize) -> bool {
    match array.data_type() {
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).is_finite(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).is_finite(),
        other => {
            use DataType::{Boolean, Decimal128, Int8, Int16, Int32, Int64};
            matches!(other, Boolean | Int8 | Int16 | Int32 | Int64 | Decimal128(..))
        }
    }
}

impl Encoder for JsonWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut out = String::new();
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let columns = schema.fields().iter().zip(batch.columns());
            self.object(&mut out, columns.map(|(field, column)| (field.name().clone(), column, row)))?;
            out.push_str(&self.style.line_end);
        }
        self.output.write(out.as_bytes())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.output.finish()
    }
}
