//! Options of CSV files.

use sheetbend_plan::error::{ErrorClass, Result, SparkError};

use super::tokens::Dialect;
use crate::lines::{Encoding, separator};
use crate::options::Options;
use crate::records::{Mode, Times};

/// Options that change rows, and are not supported.
const REFUSED: &[&str] = &["charToEscapeQuoteEscaping", "unescapedQuoteHandling", "locale", "singleVariantColumn"];

/// How CSV files are read.
#[derive(Debug, Clone)]
pub(crate) struct CsvOptions {
    pub(crate) dialect: Dialect,
    pub(crate) comment: Option<u8>,
    pub(crate) header: bool,
    pub(crate) enforce_schema: bool,
    pub(crate) infer_schema: bool,
    pub(crate) prefer_date: bool,
    /// Values go over lines.
    pub(crate) multi_line: bool,
    pub(crate) line_separator: Option<Vec<u8>>,
    pub(crate) encoding: Encoding,
    pub(crate) null_value: String,
    /// What `""` is.
    pub(crate) empty_value: String,
    pub(crate) nan: String,
    pub(crate) positive_infinity: String,
    pub(crate) negative_infinity: String,
    pub(crate) times: Times,
    pub(crate) mode: Mode,
    /// Values that a row may have.
    pub(crate) max_columns: usize,
}

impl CsvOptions {
    /// # Errors
    /// A value that an option does not take, or an option that is not supported.
    pub(crate) fn of(options: &Options, time_zone: &str) -> Result<Self> {
        options.refuse("CSV", REFUSED)?;
        let text = |name, default: &str| options.get(name).unwrap_or(default).to_owned();
        Ok(Self {
            dialect: Dialect {
                separator: delimiter(options.first(&["sep", "delimiter"]).unwrap_or(","))?,
                quote: byte(options, "quote", Some('"'))?,
                escape: byte(options, "escape", Some('\\'))?,
                trim_start: options.flag("ignoreLeadingWhiteSpace", false)?,
                trim_end: options.flag("ignoreTrailingWhiteSpace", false)?,
            },
            comment: byte(options, "comment", None)?,
            header: options.flag("header", false)?,
            enforce_schema: options.flag("enforceSchema", true)?,
            infer_schema: options.flag("inferSchema", false)?,
            prefer_date: options.flag("preferDate", true)?,
            multi_line: options.flag("multiLine", false)?,
            line_separator: separator(options.get("lineSep"))?,
            encoding: Encoding::named(options.first(&["encoding", "charset"]))?,
            null_value: text("nullValue", ""),
            empty_value: text("emptyValue", ""),
            nan: text("nanValue", "NaN"),
            positive_infinity: text("positiveInf", "Inf"),
            negative_infinity: text("negativeInf", "-Inf"),
            times: Times::of(options, time_zone)?,
            mode: Mode::of(options),
            max_columns: options.number("maxColumns", 20480)?,
        })
    }

    /// The same for texts that do not stand in files.
    pub(crate) fn of_texts(self) -> Self {
        Self { multi_line: false, encoding: Encoding::Utf8, ..self }
    }

    /// A line of nothing, or of a comment.
    pub(crate) fn is_skipped(&self, line: &[u8]) -> bool {
        line.trim_ascii().is_empty() || self.comment.is_some_and(|comment| line.first() == Some(&comment))
    }

    /// The text of a value; none for NULL.
    pub(crate) fn value<'a>(&'a self, text: &'a str, quoted: bool) -> Option<&'a str> {
        let text = match (text.is_empty(), quoted) {
            (true, false) => return None,
            (true, true) => &self.empty_value,
            (false, _) => text,
        };
        (text != self.null_value).then_some(text)
    }
}

/// A character of one byte.
pub(crate) fn byte(options: &Options, name: &str, default: Option<char>) -> Result<Option<u8>> {
    match options.character(name, default)? {
        None => Ok(None),
        Some(c) if c.is_ascii() => Ok(Some(c as u8)),
        Some(c) => {
            Err(SparkError::unsupported(format_args!("the character '{c}' as the option `{name}` of CSV files")))
        }
    }
}

/// The separator that a text says; `\t` and the like stand for one character.
pub(crate) fn delimiter(text: &str) -> Result<Vec<u8>> {
    let invalid = |message: String| SparkError::new(ErrorClass::IllegalArgument, "", "", message);
    let mut separator = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        separator.push(match c {
            '\\' if text.len() == 1 => return Err(invalid("Single backslash is prohibited.".to_owned())),
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('r') => '\r',
                Some('n') => '\n',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('0') => '\0',
                Some(c @ ('\\' | '"' | '\'')) => c,
                _ => return Err(invalid(format!("Unsupported special character for delimiter: {text}"))),
            },
            c => c,
        });
    }
    match separator.is_empty() {
        true => Err(invalid("Delimiter cannot be empty string".to_owned())),
        false => Ok(separator.into_bytes()),
    }
}
