//! How rows become bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::parquet::basic::Compression as ParquetCodec;
use flate2::Compression as Level;
use flate2::write::{GzEncoder, ZlibEncoder};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

use super::csv::{CsvStyle, CsvWriter};
use super::json::{JsonStyle, JsonWriter};
use super::parquet;
use crate::FileFormat;
use crate::options::Options;

/// Writes the rows of one file.
pub(super) trait Encoder: Send {
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;

    /// Ends the file.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// A format with its options.
#[derive(Debug)]
pub(super) enum Encoding {
    Parquet(ParquetCodec),
    Csv(CsvStyle, Codec),
    Json(JsonStyle, Codec),
    /// What stands behind each row.
    Text(String, Codec),
}

/// How text files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Gzip,
    Deflate,
    Zstd,
}

impl Encoding {
    /// # Errors
    /// A value that an option does not take.
    pub(super) fn of(format: FileFormat, options: &Options, time_zone: &str) -> Result<Self> {
        let codec = || Codec::of(options.first(&["compression", "codec"]));
        Ok(match format {
            FileFormat::Parquet => {
                Self::Parquet(parquet::codec(options.first(&["compression", "parquet.compression"]))?)
            }
            FileFormat::Csv => Self::Csv(CsvStyle::of(options, time_zone)?, codec()?),
            FileFormat::Json => Self::Json(JsonStyle::of(options, time_zone)?, codec()?),
            FileFormat::Text => Self::Text(options.get("lineSep").unwrap_or("\n").to_owned(), codec()?),
        })
    }

    /// How the names of files end.
    pub(super) fn extension(&self) -> String {
        match self {
            Self::Parquet(codec) => format!("{}.parquet", parquet::extension(*codec)),
            Self::Csv(_, codec) => format!(".csv{}", codec.extension()),
            Self::Json(_, codec) => format!(".json{}", codec.extension()),
            Self::Text(_, codec) => format!(".txt{}", codec.extension()),
        }
    }

    /// A new file.
    ///
    /// # Errors
    /// What the file system fails with.
    pub(super) fn create(&self, path: &Path, schema: &SchemaRef) -> Result<Box<dyn Encoder>> {
        let file = File::create(path).map_err(|e| crate::error::io(path, &e))?;
        let output = |file, codec: &Codec| Output::new(file, *codec, path);
        Ok(match self {
            Self::Parquet(codec) => return parquet::create(file, path, schema, *codec),
            Self::Csv(style, codec) => Box::new(CsvWriter::new(style.clone(), output(file, codec)?, schema)?),
            Self::Json(style, codec) => Box::new(JsonWriter::new(style.clone(), output(file, codec)?)?),
            Self::Text(end, codec) => Box::new(TextWriter { output: output(file, codec)?, end: end.clone() }),
        })
    }
}

impl Codec {
    fn of(name: Option<&str>) -> Result<Self> {
        match name.map(str::to_lowercase).as_deref() {
            None | Some("none" | "uncompressed") => Ok(Self::None),
            Some("gzip") => Ok(Self::Gzip),
            Some("deflate") => Ok(Self::Deflate),
            Some("zstd") => Ok(Self::Zstd),
            Some(known @ ("bzip2" | "lz4" | "snappy")) => {
                Err(SparkError::unsupported(format_args!("the compression `{known}` of text files")))
            }
            Some(other) => Err(no_such_codec(other, "none, uncompressed, gzip, deflate, zstd")),
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Deflate => ".deflate",
            Self::Zstd => ".zst",
        }
    }
}

/// A name that no compression has.
pub(super) fn no_such_codec(name: &str, known: &str) -> SparkError {
    let message = format!("The codec {name} is not available. Available codecs are {known}.");
    SparkError::new(
        ErrorClass::IllegalArgument,
        "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION",
        "56038",
        message,
    )
    .with("codecName", name)
    .with("availableCodecs", known)
}

/// A file of text, compressed or not.
pub(super) struct Output {
    stream: Stream,
    path: PathBuf,
}

enum Stream {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Deflate(ZlibEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Output {
    fn new(file: File, codec: Codec, path: &Path) -> Result<Self> {
        let file = BufWriter::with_capacity(256 << 10, file);
        let stream = match codec {
            Codec::None => Stream::Plain(file),
            Codec::Gzip => Stream::Gzip(GzEncoder::new(file, Level::default())),
            Codec::Deflate => Stream::Deflate(ZlibEncoder::new(file, Level::default())),
            Codec::Zstd => Stream::Zstd(zstd::Encoder::new(file, 3).map_err(|e| crate::error::io(path, &e))?),
        };
        Ok(Self { stream, path: path.to_owned() })
    }

    /// # Errors
    /// What the file system fails with.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Gzip(stream) => stream.write_all(bytes),
            Stream::Deflate(stream) => stream.write_all(bytes),
            Stream::Zstd(stream) => stream.write_all(bytes),
        };
        written.map_err(|e| crate::error::io(&self.path, &e))
    }

    /// # Errors
    /// What the file system fails with.
    pub(super) fn finish(self) -> Result<()> {
        let flushed = |file: io::Result<BufWriter<File>>| file.and_then(|mut file| file.flush());
        let done = match self.stream {
            Stream::Plain(mut stream) => stream.flush(),
            Stream::Gzip(stream) => flushed(stream.finish()),
            Stream::Deflate(stream) => flushed(stream.finish()),
            Stream::Zstd(stream) => flushed(stream.finish()),
        };
        done.map_err(|e| crate::error::io(&self.path, &e))
    }
}

struct TextWriter {
    output: Output,
    end: String,
}

impl Encoder for TextWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let texts = batch.column(0).as_string::<i32>();
        for row in 0..texts.len() {
            if texts.is_valid(row) {
                self.output.write(texts.value(row).as_bytes())?;
            }
            self.output.write(self.end.as_bytes())?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.output.finish()
    }
}
