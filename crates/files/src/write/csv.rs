//! CSV files.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::format::{CAST, format_array};

use super::encode::{Encoder, Output};
use super::json::TimeStyle;
use crate::csv::{byte, delimiter};
use crate::options::Options;

/// How values are written.
#[derive(Debug, Clone)]
pub(super) struct CsvStyle {
    separator: String,
    quote: Option<u8>,
    escape: Option<u8>,
    header: bool,
    quote_all: bool,
    escape_quotes: bool,
    null_value: String,
    empty_value: String,
    trim_start: bool,
    trim_end: bool,
    line_end: String,
    times: TimeStyle,
}

impl CsvStyle {
    /// # Errors
    /// A value that an option does not take.
    pub(super) fn of(options: &Options, time_zone: &str) -> Result<Self> {
        options.refuse("CSV", &["charToEscapeQuoteEscaping", "locale"])?;
        let separator = delimiter(options.first(&["sep", "delimiter"]).unwrap_or(","))?;
        Ok(Self {
            separator: String::from_utf8_lossy(&separator).into_owned(),
            quote: byte(options, "quote", Some('"'))?,
            escape: byte(options, "escape", Some('\\'))?,
            header: options.flag("header", false)?,
            quote_all: options.flag("quoteAll", false)?,
            escape_quotes: options.flag("escapeQuotes", true)?,
            null_value: options.get("nullValue").unwrap_or("").to_owned(),
            empty_value: options.get("emptyValue").unwrap_or("\"\"").to_owned(),
            trim_start: options.flag("ignoreLeadingWhiteSpace", true)?,
            trim_end: options.flag("ignoreTrailingWhiteSpace", true)?,
            line_end: options.get("lineSep").unwrap_or("\n").to_owned(),
            times: TimeStyle::of(options, time_zone)?,
        })
    }

    fn value(&self, text: Option<&str>, out: &mut String) {
        let text = match text {
            None => &self.null_value,
            Some(text) => {
                let text = if self.trim_start { text.trim_start() } else { text };
                let text = if self.trim_end { text.trim_end() } else { text };
                if text.is_empty() { &self.empty_value } else { text }
            }
        };
        let Some(quote) = self.quote.map(char::from) else { return out.push_str(text) };
        let is_empty_value = text == self.empty_value && text == "\"\"";
        let special = text.contains(['\n', '\r']) || text.contains(&self.separator);
        let quoted = self.escape_quotes && text.contains(quote);
        if is_empty_value || !(self.quote_all || special || quoted) {
            return out.push_str(text);
        }
        let escape = self.escape.map(char::from);
        out.push(quote);
        for c in text.chars() {
            if c == quote || Some(c) == escape {
                out.extend(escape);
            }
            out.push(c);
        }
        out.push(quote);
    }
}

/// Writes a file.
pub(super) struct CsvWriter {
    style: CsvStyle,
    output: Output,
}

impl CsvWriter {
    /// # Errors
    /// What the file system fails with.
    pub(super) fn new(style: CsvStyle, output: Output, schema: &SchemaRef) -> Result<Self> {
        let mut writer = Self { style, output };
        if writer.style.header {
            let names: Vec<_> = schema.fields().iter().map(|field| Some(field.name().as_str())).collect();
            let mut line = String::new();
            writer.row(&names, &mut line);
            writer.output.write(line.as_bytes())?;
        }
        Ok(writer)
    }

    fn row(&self, values: &[Option<&str>], out: &mut String) {
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                out.push_str(&self.style.separator);
            }
            self.style.value(*value, out);
        }
        out.push_str(&self.style.line_end);
    }

    fn texts(&self, column: &ArrayRef) -> Result<StringArray> {
        match column.data_type() {
            DataType::Utf8 => Ok(column.as_string::<i32>().clone()),
            DataType::Date32 | DataType::Timestamp(..) => {
                let rows = 0..column.len();
                let texts =
                    rows.map(|row| column.is_valid(row).then(|| self.style.times.text(column, row)).transpose());
                texts.collect()
            }
            _ => format_array(column, "UTC", CAST).map_err(SparkError::internal),
        }
    }
}

impl Encoder for CsvWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().map(|column| self.texts(column)).collect::<Result<Vec<_>>>()?;
        let mut out = String::new();
        for row in 0..batch.num_rows() {
            let values: Vec<_> = columns.iter().map(|column| column.is_valid(row).then(|| column.value(row))).collect();
            self.row(&values, &mut out);
        }
        self.output.write(out.as_bytes())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.output.finish()
    }
}
