//! Text: a row a line, or a file.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use sheetbend_plan::ddl;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

use crate::error::unsupported_type;
use crate::lines::{Encoding, Lines, separator, whole};
use crate::scan::{BATCH_BYTES, BATCH_ROWS, Batches, Part, Reading, RowFormat, RowTable};
use crate::table::Found;

/// The table of text files.
///
/// # Errors
/// Columns other than one of text.
pub(crate) fn open(found: Found) -> Result<Arc<dyn TableProvider>> {
    let given = found.given_columns().unwrap_or_else(|| vec![Arc::new(Field::new("value", DataType::Utf8, true))]);
    if let Some(field) = given.iter().find(|field| *field.data_type() != DataType::Utf8) {
        return Err(unsupported_type(found.files.format, field.name(), &ddl::sql_name(field.data_type())));
    }
    if given.len() != 1 {
        return Err(one_column(given.len()));
    }
    let columns = found.columns(given)?;
    Ok(Arc::new(RowTable::of(found, columns)?))
}

/// Text has one column.
pub(crate) fn one_column(count: usize) -> SparkError {
    let message = format!("Text data source supports only a single column, and you have {count} columns.");
    SparkError::new(ErrorClass::Analysis, "_LEGACY_ERROR_TEMP_1290", "", message).with("schemaSize", count.to_string())
}

#[derive(Debug)]
pub(crate) struct TextFormat {
    schema: SchemaRef,
    whole: bool,
    separator: Option<Vec<u8>>,
    encoding: Encoding,
}

impl RowFormat for TextFormat {
    fn read<'a>(&'a self, part: &Part, columns: &'a [usize]) -> Result<Batches<'a>> {
        if self.whole {
            let bytes = whole(&part.path)?;
            let mut text = StringBuilder::new();
            self.push(&bytes, &mut text);
            return Ok(Box::new(std::iter::once(self.batch(text, 1, columns))));
        }
        let mut lines = Lines::open(part, self.separator.clone())?;
        let mut line = vec![];
        Ok(Box::new(std::iter::from_fn(move || {
            let (mut text, mut rows, mut bytes) = (StringBuilder::new(), 0, 0);
            while rows < BATCH_ROWS && bytes < BATCH_BYTES {
                match lines.next(&mut line) {
                    Ok(false) => break,
                    Ok(true) => {
                        self.push(&line, &mut text);
                        rows += 1;
                        bytes += line.len();
                    }
                    Err(error) => return Some(Err(error)),
                }
            }
            (rows > 0).then(|| self.batch(text, rows, columns))
        })))
    }

    fn is_lines(&self) -> bool {
        !self.whole && self.separator.as_ref().is_none_or(|separator| separator.len() == 1)
    }
}

impl TextFormat {
    /// # Errors
    /// A value that an option does not take.
    pub(crate) fn of(reading: &Reading) -> Result<Self> {
        let options = &reading.options;
        Ok(Self {
            schema: Arc::clone(&reading.columns),
            whole: options.flag("wholetext", false)?,
            separator: separator(options.get("lineSep"))?,
            encoding: Encoding::named(options.first(&["encoding", "charset"]))?,
        })
    }

    fn push(&self, bytes: &[u8], text: &mut StringBuilder) {
        match std::str::from_utf8(bytes) {
            Ok(line) if self.encoding == Encoding::Utf8 => text.append_value(line),
            _ => {
                let mut line = String::new();
                self.encoding.decode(bytes, &mut line);
                text.append_value(line);
            }
        }
    }

    fn batch(&self, mut text: StringBuilder, rows: usize, columns: &[usize]) -> Result<RecordBatch> {
        let text: ArrayRef = Arc::new(text.finish());
        batch(&self.schema, columns, rows, |_| Ok(Arc::clone(&text)))
    }
}

/// A batch of some columns of a schema.
pub(crate) fn batch(
    schema: &Schema,
    columns: &[usize],
    rows: usize,
    column: impl FnMut(usize) -> Result<ArrayRef>,
) -> Result<RecordBatch> {
    let fields: Vec<_> = columns.iter().map(|at| Arc::clone(&schema.fields()[*at])).collect();
    let arrays = columns.iter().copied().map(column).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(SparkError::internal)
}
