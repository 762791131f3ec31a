//! What becomes of rows that do not fit their columns, in CSV and JSON alike.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::text::{DatePattern, Reader};

use crate::error::{malformed, unreadable};
use crate::options::Options;
use crate::text::batch;

/// What becomes of a row that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What does not fit is NULL.
    Permissive,
    /// The row is left out.
    DropMalformed,
    /// The query fails.
    FailFast,
}

impl Mode {
    /// The option `mode`; one that Spark does not know is `PERMISSIVE`.
    pub(crate) fn of(options: &Options) -> Self {
        match options.get("mode").map(str::to_uppercase).as_deref() {
            Some("DROPMALFORMED") => Self::DropMalformed,
            Some("FAILFAST") => Self::FailFast,
            _ => Self::Permissive,
        }
    }
}

/// How dates and times are written.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    pub(crate) reader: Reader,
    date: Option<DatePattern>,
    timestamp: Option<DatePattern>,
    timestamp_ntz: Option<DatePattern>,
}

impl Times {
    /// As the options `dateFormat`, `timestampFormat` and `timestampNTZFormat` say.
    ///
    /// # Errors
    /// A pattern that is none.
    pub(crate) fn of(options: &Options, time_zone: &str) -> Result<Self> {
        let pattern = |name| options.get(name).map(DatePattern::parse).transpose();
        Ok(Self {
            reader: Reader::new(options.get("timeZone").unwrap_or(time_zone))?,
            date: pattern("dateFormat")?,
            timestamp: pattern("timestampFormat")?,
            timestamp_ntz: pattern("timestampNTZFormat")?,
        })
    }

    pub(crate) fn date(&self, text: &str) -> Option<i32> {
        match &self.date {
            Some(pattern) => self.reader.date_in(pattern, text),
            None => self.reader.parse_date(text),
        }
    }

    pub(crate) fn timestamp(&self, text: &str) -> Option<i64> {
        match &self.timestamp {
            Some(pattern) => self.reader.timestamp_in(pattern, text),
            None => self.reader.parse_timestamp(text),
        }
    }

    pub(crate) fn timestamp_ntz(&self, text: &str) -> Option<i64> {
        match &self.timestamp_ntz {
            Some(pattern) => self.reader.wall_clock_in(pattern, text),
            None => self.reader.parse_timestamp_ntz(text),
        }
    }
}

/// The column that holds the text of rows that do not fit.
#[derive(Debug, Clone)]
pub(crate) struct Corrupt {
    /// Its position among the columns of the files, where it is one of them.
    pub(crate) at: Option<usize>,
}

impl Corrupt {
    /// The column that the option `columnNameOfCorruptRecord` names.
    pub(crate) fn name(options: &Options) -> String {
        options.get("columnNameOfCorruptRecord").unwrap_or("_corrupt_record").to_owned()
    }

    /// # Errors
    /// A column of that name that is not of text.
    pub(crate) fn of(options: &Options, schema: &Schema) -> Result<Self> {
        let name = Self::name(options);
        let at = schema.index_of(&name).ok();
        match at.map(|at| schema.field(at).data_type()) {
            None | Some(DataType::Utf8) => Ok(Self { at }),
            Some(_) => {
                let message = "The field for corrupt records must be string type and nullable.";
                Err(SparkError::new(ErrorClass::Analysis, "INVALID_CORRUPT_RECORD_TYPE", "42804", message)
                    .with("columnName", format!("`{name}`")))
            }
        }
    }
}

/// Rows that have been read, and which of them do not fit.
pub(crate) struct Rows {
    pub(crate) bad: Vec<bool>,
    /// The text of each row that does not fit; empty where nobody asks for it.
    pub(crate) texts: Vec<Option<String>>,
}

/// How a format puts its batches together.
#[derive(Debug, Clone)]
pub(crate) struct Assembly {
    pub(crate) schema: SchemaRef,
    pub(crate) mode: Mode,
    pub(crate) corrupt: Corrupt,
}

impl Assembly {
    /// # Errors
    /// Nothing but the texts of rows that do not fit is asked for, which Spark refuses.
    pub(crate) fn check(&self, columns: &[usize]) -> Result<()> {
        if columns.len() != 1 || columns.first().copied() != self.corrupt.at {
            return Ok(());
        }
        let message = "Queries from raw JSON/CSV/XML files are disallowed when the referenced columns only include the \
                       internal corrupt record column. Read another column with it.";
        let condition = "UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN";
        Err(SparkError::new(ErrorClass::Analysis, condition, "0A000", message))
    }

    /// A batch of `columns`, of which `column` gives all but that of the corrupt rows.
    ///
    /// # Errors
    /// A row that does not fit, where the mode is `FAILFAST`.
    pub(crate) fn batch(
        &self,
        columns: &[usize],
        path: &Path,
        mut rows: Rows,
        mut column: impl FnMut(usize, &mut [bool]) -> Result<ArrayRef>,
    ) -> Result<RecordBatch> {
        let count = rows.bad.len();
        let mut arrays = vec![];
        for at in columns {
            let is_text = Some(*at) == self.corrupt.at;
            arrays.push(if is_text { None } else { Some(column(*at, &mut rows.bad)?) });
        }
        if self.mode == Mode::FailFast && rows.bad.contains(&true) {
            return Err(not_fitting(path, columns.len()));
        }
        let texts: ArrayRef = match rows.texts.len() == count {
            true => Arc::new(StringArray::from_iter(
                rows.texts.iter().zip(&rows.bad).map(|(text, bad)| text.as_deref().filter(|_| *bad)),
            )),
            false => Arc::new(StringArray::new_null(count)),
        };
        let mut arrays = arrays.into_iter();
        let all =
            batch(&self.schema, columns, count, |_| Ok(arrays.next().flatten().unwrap_or_else(|| Arc::clone(&texts))))?;
        if self.mode != Mode::DropMalformed || !rows.bad.contains(&true) {
            return Ok(all);
        }
        let kept: BooleanArray = rows.bad.iter().map(|bad| Some(!bad)).collect();
        filter_record_batch(&all, &kept).map_err(SparkError::internal)
    }

    /// Whether somebody asks for the text of rows that do not fit.
    pub(crate) fn keeps_texts(&self, columns: &[usize]) -> bool {
        self.corrupt.at.is_some_and(|at| columns.contains(&at))
    }
}

/// Marks the rows whose value is lost from `before` to `after`.
pub(crate) fn mark(before: &dyn Array, after: &dyn Array, bad: &mut [bool]) {
    if after.null_count() > before.null_count() {
        for (row, bad) in bad.iter_mut().enumerate() {
            *bad |= after.is_null(row) && !before.is_null(row);
        }
    }
}

fn not_fitting(path: &Path, columns: usize) -> SparkError {
    if path.as_os_str().is_empty() {
        return malformed(&format!("[{}]", vec!["null"; columns].join(",")));
    }
    let what = "A row does not fit its columns, and the mode is FAILFAST. With the mode PERMISSIVE it has NULLs, with \
                DROPMALFORMED it is left out.";
    unreadable("NO_HINT", path, what)
}
