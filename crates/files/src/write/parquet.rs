//! Parquet files.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;
use sheetbend_plan::error::{Result, SparkError};

use super::encode::{Encoder, no_such_codec};
use crate::error::unreadable;

/// Bytes of a row group in memory, at the most.
const ROW_GROUP_BYTES: usize = 128 << 20;

/// The compression of a name; Snappy where none is said.
///
/// # Errors
/// A name that none has.
pub(super) fn codec(name: Option<&str>) -> Result<Compression> {
    Ok(match name.map(str::to_lowercase).as_deref() {
        None | Some("snappy") => Compression::SNAPPY,
        Some("none" | "uncompressed") => Compression::UNCOMPRESSED,
        Some("gzip") => Compression::GZIP(GzipLevel::default()),
        Some("zstd") => Compression::ZSTD(ZstdLevel::default()),
        Some("brotli") => Compression::BROTLI(BrotliLevel::default()),
        Some("lz4_raw") => Compression::LZ4_RAW,
        Some(known @ ("lz4" | "lzo")) => {
            return Err(SparkError::unsupported(format_args!("writing Parquet with the compression `{known}`")));
        }
        Some(other) => return Err(no_such_codec(other, "none, uncompressed, snappy, gzip, zstd, brotli, lz4_raw")),
    })
}

/// What a compression adds to the names of files.
pub(super) fn extension(codec: Compression) -> &'static str {
    match codec {
        Compression::SNAPPY => ".snappy",
        Compression::GZIP(_) => ".gz",
        Compression::ZSTD(_) => ".zstd",
        Compression::BROTLI(_) => ".br",
        Compression::LZ4_RAW => ".lz4raw",
        _ => "",
    }
}

/// A new file.
///
/// # Errors
/// Columns that Parquet has no place for.
pub(super) fn create(file: File, path: &Path, schema: &SchemaRef, codec: Compression) -> Result<Box<dyn Encoder>> {
    let properties = WriterProperties::builder()
        .set_compression(codec)
        .set_created_by(concat!("sheetbend ", env!("CARGO_PKG_VERSION")).to_owned())
        // Lists and maps under the names that the format lays down.
        .set_coerce_types(true)
        .build();
    // Every reader has the same columns then, not only those that know Arrow.
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let path = path.to_owned();
    let writer = ArrowWriter::try_new_with_options(file, SchemaRef::clone(schema), options);
    let writer = writer.map_err(|e| failed(&path, &e))?;
    Ok(Box::new(ParquetWriter { writer, path }))
}

struct ParquetWriter {
    writer: ArrowWriter<File>,
    path: PathBuf,
}

impl Encoder for ParquetWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(|e| failed(&self.path, &e))?;
        if self.writer.in_progress_size() > ROW_GROUP_BYTES {
            self.writer.flush().map_err(|e| failed(&self.path, &e))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.writer.close().map(|_| ()).map_err(|e| failed(&self.path, &e))
    }
}

fn failed(path: &Path, error: &ParquetError) -> SparkError {
    unreadable("NO_HINT", path, error)
}
