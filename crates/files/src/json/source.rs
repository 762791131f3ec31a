//! The texts of a file, each of which is a JSON value.

use arrow::array::StringArray;
use sheetbend_plan::error::Result;

use super::JsonOptions;
use crate::lines::{Encoding, Lines, whole};
use crate::scan::Part;

/// Gives the texts of a part of a file: its lines, or all of it.
pub(super) struct Texts {
    lines: Option<Lines>,
    file: Option<Vec<u8>>,
    encoding: Encoding,
    line: Vec<u8>,
}

impl Texts {
    /// # Errors
    /// A file that cannot be opened.
    pub(super) fn open(part: &Part, options: &JsonOptions) -> Result<Self> {
        let (lines, file) = match options.multi_line {
            true => (None, Some(whole(&part.path)?)),
            false => (Some(Lines::open(part, options.line_separator.clone())?), None),
        };
        Ok(Self { lines, file, encoding: options.encoding, line: vec![] })
    }

    /// Texts of which none is NULL.
    pub(super) fn of(texts: StringArray) -> Self {
        Self { lines: Some(Lines::of(texts)), file: None, encoding: Encoding::Utf8, line: vec![] }
    }

    /// Puts the next text into `text`; false where there is none.
    pub(super) fn next(&mut self, text: &mut String) -> Result<bool> {
        text.clear();
        if let Some(file) = self.file.take() {
            self.encoding.decode(&file, text);
            return Ok(true);
        }
        let Some(lines) = &mut self.lines else { return Ok(false) };
        if !lines.next(&mut self.line)? {
            return Ok(false);
        }
        self.encoding.decode(&self.line, text);
        Ok(true)
    }
}
