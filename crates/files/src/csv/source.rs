//! The records of a file, one after the other.

use std::io::Read;
use std::path::{Path, PathBuf};

use arrow::array::StringArray;
use sheetbend_plan::error::Result;

use super::options::CsvOptions;
use super::tokens::{Record, Taken};
use crate::error::unreadable;
use crate::lines::{LONGEST, Lines, open, too_long};
use crate::scan::Part;

/// Bytes that are read at a time where values go over lines.
const CHUNK: usize = 256 << 10;

/// Gives the records of a part of a file.
pub(super) enum Source<'a> {
    Lines { lines: Lines, line: Vec<u8>, options: &'a CsvOptions },
    Stream { stream: Stream, options: &'a CsvOptions },
}

impl<'a> Source<'a> {
    /// # Errors
    /// A file that cannot be opened.
    pub(super) fn open(part: &Part, options: &'a CsvOptions) -> Result<Self> {
        if options.multi_line {
            return Ok(Self::Stream { stream: Stream::open(&part.path)?, options });
        }
        let lines = Lines::open(part, options.line_separator.clone())?;
        Ok(Self::Lines { lines, line: vec![], options })
    }

    /// Texts of a record each, of which none is NULL.
    pub(super) fn of(texts: StringArray, options: &'a CsvOptions) -> Self {
        Self::Lines { lines: Lines::of(texts), line: vec![], options }
    }

    /// Reads the next record; false where there is none.
    ///
    /// # Errors
    /// What the file system fails with, or a record of more values than the option `maxColumns` says.
    pub(super) fn next(&mut self, record: &mut Record) -> Result<bool> {
        let found = self.read(record)?;
        let most = match self {
            Self::Lines { options, .. } | Self::Stream { options, .. } => options.max_columns,
        };
        match record.len() > most {
            true => Err(unreadable(
                "NO_HINT",
                self.path(),
                format_args!("A row has {} values, and the option `maxColumns` allows {most}.", record.len()),
            )),
            false => Ok(found),
        }
    }

    fn read(&mut self, record: &mut Record) -> Result<bool> {
        match self {
            Self::Lines { lines, line, options } => {
                loop {
                    if !lines.next(line)? {
                        return Ok(false);
                    }
                    if !options.is_skipped(line) {
                        break;
                    }
                }
                options.dialect.read(line, record);
                Ok(true)
            }
            Self::Stream { stream, options } => stream.next(options, record),
        }
    }

    /// The record that was read last, as it stands in the file.
    pub(super) fn last(&self) -> &[u8] {
        match self {
            Self::Lines { line, .. } => line,
            Self::Stream { stream, .. } => stream.last(),
        }
    }

    /// The file that is read.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Lines { lines, .. } => lines.path(),
            Self::Stream { stream, .. } => &stream.path,
        }
    }
}

/// A file whose records may go over lines.
pub(super) struct Stream {
    input: Box<dyn Read + Send>,
    path: PathBuf,
    buffer: Vec<u8>,
    /// Where the last record stands in the buffer.
    last: (usize, usize),
    ended: bool,
}

impl Stream {
    fn open(path: &Path) -> Result<Self> {
        let mut stream = Self { input: open(path)?, path: path.to_owned(), buffer: vec![], last: (0, 0), ended: false };
        stream.fill()?;
        if stream.buffer.starts_with(b"\xef\xbb\xbf") {
            stream.last = (0, 3);
        }
        Ok(stream)
    }

    fn next(&mut self, options: &CsvOptions, record: &mut Record) -> Result<bool> {
        loop {
            let start = self.last.1;
            if let Some(skipped) = self.skipped(options) {
                self.last = (start, start + skipped);
                continue;
            }
            let rest = &self.buffer[start..];
            if rest.is_empty() && self.ended {
                return Ok(false);
            }
            let Taken { end, open } = options.dialect.read(rest, record);
            if open && !self.ended {
                self.fill()?;
                continue;
            }
            self.last = (start, start + end);
            return Ok(true);
        }
    }

    /// The length of the line at hand where it is passed over.
    fn skipped(&self, options: &CsvOptions) -> Option<usize> {
        let rest = &self.buffer[self.last.1..];
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let line = &rest[..end.unwrap_or(rest.len())];
        let is_whole = end.is_some() || (self.ended && !rest.is_empty());
        (is_whole && options.is_skipped(line)).then(|| end.map_or(rest.len(), |end| end + 1))
    }

    /// Reads on. Twice as much as there is, so that a long record is not looked at too often.
    fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.last.1);
        self.last = (0, 0);
        if self.buffer.len() > LONGEST {
            return Err(too_long(&self.path));
        }
        let more = self.buffer.len().max(CHUNK) as u64;
        let read = self.input.by_ref().take(more).read_to_end(&mut self.buffer);
        let read = read.map_err(|e| crate::error::io(&self.path, &e))?;
        self.ended = (read as u64) < more;
        Ok(())
    }

    fn last(&self) -> &[u8] {
        self.buffer[self.last.0..self.last.1].trim_ascii_end()
    }
}
