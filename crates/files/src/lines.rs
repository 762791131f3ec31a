//! Lines of files, compressed or not.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use arrow::array::{Array, StringArray};
use memchr::memchr2;
use memchr::memmem::Finder;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

use crate::error::unreadable;
use crate::scan::Part;

/// Bytes of the longest line; a longer one is an error, not an end of memory.
pub(crate) const LONGEST: usize = 256 << 20;

/// Bytes that are read at a time.
const BUFFER: usize = 256 << 10;

/// How the bytes of a file are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// What is no UTF-8 becomes `\u{fffd}`.
    Utf8,
    Latin1,
}

impl Encoding {
    /// # Errors
    /// An encoding that is not supported.
    pub(crate) fn named(name: Option<&str>) -> Result<Self> {
        match name.map(str::to_uppercase).as_deref() {
            None | Some("UTF-8" | "UTF8" | "US-ASCII" | "ASCII") => Ok(Self::Utf8),
            Some("ISO-8859-1" | "LATIN1" | "ISO8859_1") => Ok(Self::Latin1),
            Some(_) => {
                Err(SparkError::unsupported(format_args!("the encoding `{}` of files", name.unwrap_or_default())))
            }
        }
    }

    /// The text of bytes, at the end of `out`.
    pub(crate) fn decode(self, bytes: &[u8], out: &mut String) {
        match self {
            Self::Utf8 => match std::str::from_utf8(bytes) {
                Ok(text) => out.push_str(text),
                Err(_) => out.push_str(&String::from_utf8_lossy(bytes)),
            },
            Self::Latin1 => out.extend(bytes.iter().map(|byte| char::from(*byte))),
        }
    }
}

/// The separator that the option `lineSep` says; none for any of `\n`, `\r\n` and `\r`.
///
/// # Errors
/// An empty one.
pub(crate) fn separator(text: Option<&str>) -> Result<Option<Vec<u8>>> {
    match text {
        None => Ok(None),
        Some("") => {
            let message = "requirement failed: 'lineSep' cannot be an empty string.";
            Err(SparkError::new(ErrorClass::IllegalArgument, "", "", message))
        }
        Some(text) => Ok(Some(text.as_bytes().to_vec())),
    }
}

/// Whether a file can be read from its middle on.
pub(crate) fn is_splittable(path: &Path) -> bool {
    compression(path).is_none()
}

fn compression(path: &Path) -> Option<&str> {
    let extension = path.extension()?.to_str()?;
    ["gz", "zst", "deflate", "bz2", "lz4", "snappy", "xz"]
        .into_iter()
        .find(|known| extension.eq_ignore_ascii_case(known))
}

/// The bytes of a file as they were before they were compressed, which its name tells.
///
/// # Errors
/// A file that cannot be opened, or of a compression that is not supported.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let file = fs::File::open(path).map_err(|e| crate::error::io(path, &e))?;
    Ok(match compression(path) {
        None => Box::new(file),
        Some("gz") => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some("deflate") => Box::new(flate2::read::ZlibDecoder::new(file)),
        Some("zst") => Box::new(zstd::Decoder::new(file).map_err(|e| crate::error::io(path, &e))?),
        Some(other) => {
            return Err(SparkError::unsupported(format_args!("files that end on `.{other}` (`{}`)", path.display())));
        }
    })
}

/// Lines without their separators: of a part of a file, or texts that are one each.
pub(crate) enum Lines {
    File(FileLines),
    Texts { texts: StringArray, at: usize },
}

impl Lines {
    /// # Errors
    /// A file that cannot be opened.
    pub(crate) fn open(part: &Part, separator: Option<Vec<u8>>) -> Result<Self> {
        FileLines::open(part, separator).map(Self::File)
    }

    /// Texts of which none is NULL.
    pub(crate) fn of(texts: StringArray) -> Self {
        Self::Texts { texts, at: 0 }
    }

    /// The file that is read; no path for texts.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(lines) => &lines.path,
            Self::Texts { .. } => Path::new(""),
        }
    }

    /// Puts the next line into `line`; false where there is none.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> Result<bool> {
        let (texts, at) = match self {
            Self::File(lines) => return lines.next(line),
            Self::Texts { texts, at } => (texts, at),
        };
        line.clear();
        if *at == texts.len() {
            return Ok(false);
        }
        line.extend_from_slice(texts.value(*at).as_bytes());
        *at += 1;
        Ok(true)
    }
}

/// The lines of a part of a file.
pub(crate) struct FileLines {
    input: BufReader<Box<dyn Read + Send>>,
    separator: Option<Vec<u8>>,
    path: PathBuf,
    /// Where the next line begins.
    position: u64,
    /// The line that begins here is of the next part.
    end: u64,
}

impl FileLines {
    fn open(part: &Part, separator: Option<Vec<u8>>) -> Result<Self> {
        let path = part.path.clone();
        let Some((start, end)) = part.range else {
            let input = BufReader::with_capacity(BUFFER, open(&path)?);
            return Ok(Self { input, separator, path, position: 0, end: u64::MAX });
        };
        let mut file = fs::File::open(&path).map_err(|e| crate::error::io(&path, &e))?;
        // The line that begins in the part before ends in this one.
        let position = start.saturating_sub(1);
        file.seek(SeekFrom::Start(position)).map_err(|e| crate::error::io(&path, &e))?;
        let input = BufReader::with_capacity(BUFFER, Box::new(file) as Box<dyn Read + Send>);
        let mut lines = Self { input, separator, path, position, end };
        if start > 0 {
            lines.next(&mut vec![])?;
        }
        Ok(lines)
    }

    fn next(&mut self, line: &mut Vec<u8>) -> Result<bool> {
        line.clear();
        if self.position >= self.end {
            return Ok(false);
        }
        let first = self.position == 0;
        let read = match &self.separator {
            None => until_newline(&mut self.input, line),
            Some(separator) => until(&mut self.input, separator, line),
        };
        let read = read.map_err(|e| match e.kind() {
            io::ErrorKind::OutOfMemory => too_long(&self.path),
            _ => crate::error::io(&self.path, &e),
        })?;
        self.position += read as u64;
        if first && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        Ok(read > 0)
    }
}

/// A line that does not end.
pub(crate) fn too_long(path: &Path) -> SparkError {
    unreadable("NO_HINT", path, format_args!("A line or value in it is longer than {} MiB.", LONGEST >> 20))
}

/// How many bytes were taken, those of the separator with them.
fn until_newline(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut read = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(read);
        }
        let found = memchr2(b'\n', b'\r', buffer);
        let end = found.unwrap_or(buffer.len());
        let is_return = found.is_some_and(|at| buffer[at] == b'\r');
        append(line, &buffer[..end])?;
        let taken = if found.is_some() { end + 1 } else { end };
        input.consume(taken);
        read += taken;
        if is_return && input.fill_buf()?.first() == Some(&b'\n') {
            input.consume(1);
            read += 1;
        }
        if found.is_some() {
            return Ok(read);
        }
    }
}

fn until(input: &mut impl BufRead, separator: &[u8], line: &mut Vec<u8>) -> io::Result<usize> {
    let (finder, mut read) = (Finder::new(separator), 0);
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(read);
        }
        // A separator may lie across two buffers.
        let from = line.len().saturating_sub(separator.len() - 1);
        let before = line.len();
        append(line, buffer)?;
        let length = buffer.len();
        match finder.find(&line[from..]) {
            Some(at) => {
                let taken = from + at + separator.len() - before;
                line.truncate(from + at);
                input.consume(taken);
                return Ok(read + taken);
            }
            None => {
                input.consume(length);
                read += length;
            }
        }
    }
}

fn append(line: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    if line.len() + bytes.len() > LONGEST {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    line.extend_from_slice(bytes);
    Ok(())
}

/// All of a file.
///
/// # Errors
/// A file that cannot be read, or is larger than [`LONGEST`].
pub(crate) fn whole(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    let most = LONGEST as u64 + 1;
    open(path)?.take(most).read_to_end(&mut bytes).map_err(|e| crate::error::io(path, &e))?;
    if bytes.len() > LONGEST {
        return Err(too_long(path));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}
